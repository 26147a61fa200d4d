"""What lies in deploy/k8s is what Kubernetes takes, and the examples go with the chart."""

from pathlib import Path

import pytest
import yaml

from support.cluster.place import Place
from support.cluster.programs import run
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


def test_the_stores_of_the_example_satisfy_the_production_preset(tmp_path: Path) -> None:
    values = [CHART / "values-production.yaml", FOLDER / "stores/values.yaml"]
    words = [word for path in values for word in ("--values", str(path))]
    rendered = run(
        "helm", "template", "coach", str(CHART), *words, "--namespace", "coaching",
        "--set", "global.image.registry=registry.example.org",
    )  # fmt: skip
    kinds = [found["kind"] for found in yaml.safe_load_all(rendered) if found]
    assert kinds.count("StatefulSet") == 2  # Redis and Chroma; the others are the example's own
    assert "coaching-postgresql-rw" in rendered


def test_argo_cd_is_given_a_chart_and_values_that_are_there() -> None:
    source = yaml.safe_load((FOLDER / "argo-cd/application.yaml").read_text())["spec"]["source"]
    chart = ROOT / source["path"]
    assert (chart / "Chart.yaml").is_file()
    assert all((chart / name).is_file() for name in source["helm"]["valueFiles"])
