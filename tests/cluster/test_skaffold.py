"""`skaffold run` brings the platform up; with `skaffold dev` an edited line answers without an image."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from support.cluster.checkout import copied
from support.cluster.images import NAMES
from support.cluster.place import Place
from support.cluster.programs import run
from support.cluster.release import Release
from support.cluster.slot import Slot

EDIT_SECONDS = 10.0
UP_SECONDS = 900.0
FORWARDED = re.compile(r"Port forwarding service/coach-web .* -> http://127\.0\.0\.1:(\d+)")
WATCHING = "Watching for changes"
PROBLEM = "services/gateway/src/gateway/entrypoints/problems.py"
PAGE = "services/web/app.js"
BEFORE, AFTER = "Ask POST /v1/session for", "Ask, as this edit says, POST /v1/session for"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout that may be edited."""
    if shutil.which("skaffold") is None:
        pytest.skip("skaffold is not on PATH")
    return copied(tmp_path_factory.mktemp("checkout"))


def environment(place: Place) -> dict[str, str]:
    return {**os.environ, **({"SKAFFOLD_DEFAULT_REPO": place.registry} if place.registry else {})}


@dataclass
class Dev:
    """A running `skaffold dev`; `log` is all that it has said."""

    process: subprocess.Popen[str]
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        end = time.monotonic() + seconds
        while not (found := pattern.search(self.said())):
            assert self.process.poll() is None, self.said()[-4000:]
            assert time.monotonic() < end, self.said()[-4000:]
            time.sleep(0.2)
        return found


@contextmanager
def dev(checkout: Path, place: Place, namespace: str) -> Iterator[Dev]:
    log = checkout / "build" / "skaffold.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as out:
        process = subprocess.Popen(
            ["skaffold", "dev", "--namespace", namespace, "--tail=false", "--update-check=false"],
            cwd=checkout, env=environment(place), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        try:
            yield Dev(process, log)
        finally:
            process.send_signal(signal.SIGINT)  # it removes what it deployed
            try:
                process.wait(240)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def seconds_until(url: str, wanted: str) -> float:
    """Return after how long an address answers with these words."""
    begun = time.monotonic()
    while True:
        try:
            if wanted in httpx.get(url, timeout=5).text:
                return time.monotonic() - begun
        except httpx.HTTPError:  # the process starts anew
            pass
        assert time.monotonic() - begun < 6 * EDIT_SECONDS, f"{url} does not answer {wanted!r}"
        time.sleep(0.2)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("profile", ["staging", "production"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole path", "from the checkout"])
def test_a_profile_takes_the_operator_s_own_values(
    checkout: Path, tmp_path: Path, place: Place, profile: str, whole: bool
) -> None:
    values = "tests/manifests/values/site.yaml"
    built = {"builds": [{"imageName": name, "tag": f"registry.example.org/{name}:1"} for name in NAMES]}
    (tmp_path / "built.json").write_text(json.dumps(built))
    rendered = run(
        "skaffold", "render", "--profile", profile, "--namespace", "coaching", "--update-check=false",
        "--build-artifacts", str(tmp_path / "built.json"), "--digest-source=tag", folder=checkout,
        env={**environment(place), f"{profile.upper()}_VALUES": str(checkout / values) if whole else values},
    )  # fmt: skip
    hosts = [rule["host"] for found in yaml.safe_load_all(rendered) if found and found["kind"] == "Ingress"
             for rule in found["spec"]["rules"]]  # fmt: skip
    assert hosts == ["coach.example.org"]


@pytest.mark.guarantee("K8S-skaffold")
@pytest.mark.full_size
@pytest.mark.timeout(1500)
def test_run_brings_the_platform_up(room: Slot, checkout: Path, place: Place, preset: Release) -> None:
    namespace = preset.kube.namespace
    run(
        "skaffold", "run", "--namespace", namespace, "--update-check=false",
        folder=checkout, env=environment(place), seconds=UP_SECONDS,
    )  # fmt: skip
    room.held = preset  # under the same name, so that it is removed as one of ours
    preset.wait_ready()
    preset.test()


@pytest.mark.guarantee("K8S-skaffold")
@pytest.mark.timeout(1500)
def test_an_edited_line_answers_within_ten_seconds_without_an_image(
    room: Slot, checkout: Path, place: Place, preset: Release, tell: Callable[[str], None]
) -> None:
    with dev(checkout, place, preset.kube.namespace) as running:
        port = running.wait_for(FORWARDED, UP_SECONDS).group(1)
        running.wait_for(re.compile(WATCHING), 60)
        before = running.said()

        edit(checkout / PROBLEM, BEFORE, AFTER)
        service = seconds_until(f"http://127.0.0.1:{port}/v1/messages", AFTER)
        edit(checkout / PAGE, "\n", "\n// as this edit says\n")
        page = seconds_until(f"http://127.0.0.1:{port}/app.js", "as this edit says")
        later = running.said().removeprefix(before)
    tell(f"an edited line of the gateway answers after {service:.1f} s, one of the page after {page:.1f} s")
    assert "Syncing" in later
    assert "Building" not in later
    assert max(service, page) < EDIT_SECONDS
