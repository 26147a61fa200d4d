"""What the image recipes promise without being built."""

import json
import re
import tomllib

import pytest

from images.names import EVERY, PYTHON
from support.tree import ROOT

DOCKER = ROOT / "deploy/docker"
SERVICE = (DOCKER / "service.Dockerfile").read_text()
BASES = re.compile(r"^ARG [A-Z]+_IMAGE=(\S+)$", re.MULTILINE)


def recipes() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(DOCKER.glob("*.Dockerfile"))}


def test_every_service_has_an_image() -> None:
    """A new service is one folder, and one stage that says what its image has."""
    folders = {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}

    assert (
        set(PYTHON)
        == folders
        == set(re.findall(r"^FROM (?:server|base) AS (\S+)$", SERVICE, re.MULTILINE)) - {"server"}
    )
    assert set(EVERY) == folders | {"web", "models"}


@pytest.mark.parametrize("service", PYTHON)
def test_a_service_is_started_by_its_module(service: str) -> None:
    module = service.replace("-", "_")
    stage = SERVICE.split(f" AS {service}\n")[1].split("FROM ")[0]

    assert f"SERVICE_MODULE={module}.main" in stage
    assert (ROOT / f"services/{service}/src/{module}/main.py").is_file()


def test_every_base_image_has_a_digest_to_be_pinned_to() -> None:
    locked = dict(line.split() for line in (DOCKER / "images.lock").read_text().splitlines() if line[0] != "#")
    named = {image for text in recipes().values() for image in BASES.findall(text)}

    assert named == set(locked)
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in locked.values())


def test_what_is_the_gateway_s_is_never_taken_for_a_file_of_the_page() -> None:
    """In nginx a location by regular expression (`.pdf`) wins over one by prefix, unless that one says ^~ or =."""
    text = (DOCKER / "web/nginx.conf.template").read_text()
    passed_on = re.findall(r"location (.*) \{\n      include /tmp/nginx/gateway.conf;", text)

    assert sorted(passed_on) == ["= /openapi.json", "^~ /v1/", "^~ /webhooks/"]


@pytest.mark.parametrize(("name", "text"), recipes().items())
def test_no_recipe_asks_curl_or_the_network_for_its_health(name: str, text: str) -> None:
    checks = re.findall(r"^HEALTHCHECK .*", text, re.MULTILINE)

    assert checks
    assert not [check for check in checks if "curl" in check]
    assert all("--interval=30s" in check and "--retries=3" in check for check in checks if check != "HEALTHCHECK NONE")


def test_what_an_image_leaves_out_is_something_that_would_be_in_it() -> None:
    for path in ROOT.glob("services/*/pyproject.toml"):
        manifest = tomllib.loads(path.read_text())
        left_out = set(manifest.get("tool", {}).get("coaching-platform", {}).get("image", {}).get("without", ()))
        locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
        assert left_out <= locked, path


def test_the_pages_lock_has_hashes_and_no_address() -> None:
    lock = json.loads((ROOT / "services/web/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "://" not in "".join(json.dumps(package) for package in packages.values())
