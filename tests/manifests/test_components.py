"""Every component is described, rendered, in the table of connections and in the values; nothing else is rendered."""

import yaml

from manifests.components import COMPONENTS, LEFT_OUT
from manifests.rendering import CHART, Object, component_of, pods

ALSO = {"platform"}  # what belongs to no component: the policy that closes everything
FOLDERS_OF_NO_COMPONENT = {"_lib", "platform"}


def test_each_component_is_there_unless_the_values_leave_it_out(objects: list[Object], values: str) -> None:
    found = [(pod.component.name, pod.owner["kind"]) for pod in pods(objects)]
    assert sorted(found) == sorted((c.name, c.kind) for c in COMPONENTS if c.name not in LEFT_OUT[values])


def test_every_object_belongs_to_a_component(objects: list[Object]) -> None:
    assert {component_of(found) for found in objects} <= {component.name for component in COMPONENTS} | ALSO


def test_every_object_is_in_the_release_s_namespace(objects: list[Object]) -> None:
    assert {found["metadata"]["namespace"] for found in objects} == {"coaching"}


def test_a_component_is_one_folder_one_values_key_and_its_rows_in_the_table() -> None:
    names = {component.name for component in COMPONENTS}
    folders = {path.name for path in (CHART / "templates").iterdir() if path.is_dir()} - FOLDERS_OF_NO_COMPONENT
    table = yaml.safe_load((CHART / "files/connections.yaml").read_text())
    keys = yaml.safe_load((CHART / "values.yaml").read_text())
    assert folders == names
    assert set(table) - {"edge", "monitoring"} == names
    assert {component.key for component in COMPONENTS} <= set(keys)
