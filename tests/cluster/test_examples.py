"""What lies in deploy/k8s is what Kubernetes takes, and the examples go with the chart."""

import json
from pathlib import Path

import pytest
import yaml

from support.cluster.place import Place
from support.cluster.programs import Kube, run
from support.cluster.release import CHART
from support.tree import ROOT

FOLDER = ROOT / "deploy/k8s"
# Kinds of other projects, which a cluster knows only with their operators.
OF_OTHERS = {"argo-cd/application.yaml", "stores/postgresql.yaml"}
# Not objects of the API: kind's own file, and values of charts.
NOT_OBJECTS = {"kind.yaml", "stores/nats.yaml", "stores/values.yaml"}
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("name", sorted(set(FILES) - OF_OTHERS - NOT_OBJECTS))
def test_the_api_server_takes_it(place: Place, name: str) -> None:
    run("kubectl", "apply", "--dry-run=server", "--namespace", "default", "--filename", str(FOLDER / name))


@pytest.mark.parametrize("name", sorted(OF_OTHERS))
def test_another_project_s_object_is_whole(name: str) -> None:
    for found in yaml.safe_load_all((FOLDER / name).read_text()):
        assert {"apiVersion", "kind", "metadata", "spec"} <= set(found)


def rendered(*values: Path, settings: tuple[str, ...] = ()) -> str:
    words = [word for path in values for word in ("--values", str(path))]
    words += [word for setting in settings for word in ("--set", setting)]
    return run("helm", "template", "coach", str(CHART), *words, "--namespace", "coaching")


def test_the_stores_of_the_example_satisfy_the_production_preset() -> None:
    registry = "global.image.registry=registry.example.org"
    found = rendered(CHART / "values-production.yaml", FOLDER / "stores/values.yaml", settings=(registry,))
    kinds = [one["kind"] for one in yaml.safe_load_all(found) if one]
    assert kinds.count("StatefulSet") == 2  # Redis and Chroma; the others are the example's own
    assert "coaching-postgresql-rw" in found


def test_the_servers_of_the_example_s_nats_run_where_pod_security_is_restricted(kube: Kube) -> None:
    values = yaml.safe_load((FOLDER / "stores/nats.yaml").read_text())
    assert values["natsBox"]["enabled"] is False  # else a third container
    containers = [{"name": name, "image": "nats", **values[name]["merge"]} for name in ("container", "reloader")]
    spec = {**values["podTemplate"]["merge"]["spec"], "containers": containers}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "nats"}, "spec": spec}
    kube("apply", "--dry-run=server", "--filename", "-", stdin=json.dumps(pod))


def test_argo_cd_renders_its_example(tmp_path: Path) -> None:
    source = yaml.safe_load((FOLDER / "argo-cd/application.yaml").read_text())["spec"]["source"]
    assert ROOT / source["path"] == CHART
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(source["helm"]["valuesObject"]))
    found = rendered(*(CHART / name for name in source["helm"]["valueFiles"]), values)
    policies = [one for one in yaml.safe_load_all(found) if one and one["kind"] == "NetworkPolicy"]
    assert "192.0.2.10/32" in str(policies)
