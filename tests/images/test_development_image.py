"""The image of `skaffold dev`: an edited source is what runs, and an edit that is wrong costs no container."""

import pytest

from support.cluster.programs import run
from support.containers import Container, Yard, until
from support.tree import ROOT

RECIPE = "deploy/docker/service.Dockerfile"
TAG = "coaching-platform/gateway:dev-of-tests"
SERVICE = "import signal, sys, time\nprint('{word}', flush=True)\n{rest}\nwhile True: time.sleep(0.1)\n"
# As uvicorn does: what is in hand is finished when the signal comes.
GENTLE = "signal.signal(signal.SIGTERM, lambda *_: (print('drained', flush=True), sys.exit(0)))"


@pytest.fixture(scope="module")
def development(tag: str) -> str:
    """The development image of one service; all are made by the same stage."""
    words = ("docker", "build", "--quiet", "--file", RECIPE, "--build-arg", "SERVICE=gateway", "--target", "dev")
    run(*words, "--tag", TAG, ".", seconds=600, env={"DOCKER_BUILDKIT": "1"}, folder=ROOT)
    return TAG


def edit(container: Container, text: str) -> None:
    """Put a source where `skaffold dev` puts it, as the container's own user."""
    container.execute("python", "-c", f"open('/app/src/gateway/main.py', 'w').write({text!r})")


def test_an_edit_is_what_runs_after_the_service_has_drained(yard: Yard, development: str) -> None:
    container = yard.start(
        development, name="edited", env={"SERVICE_MODULE": "gateway.main", "NATS_URL": "nats://x"}, options=()
    )
    edit(container, SERVICE.format(word="first", rest=GENTLE))
    until("the first edit runs", lambda: "first" in container.says())
    edit(container, SERVICE.format(word="second", rest=GENTLE))
    until("the second edit runs", lambda: "second" in container.says(), 15)

    assert "drained" in container.says()

    edit(container, "this is no Python")
    until("the mistake is told", lambda: "SyntaxError" in container.says())
    edit(container, SERVICE.format(word="mended", rest=GENTLE))
    until("the mended edit runs", lambda: "mended" in container.says(), 15)
    assert container.running()
    run("docker", "stop", "--time", "20", container.id)
    assert container.inspect()["State"]["ExitCode"] == 0


def test_a_service_that_cannot_start_ends_its_container(yard: Yard, development: str) -> None:
    """So that Kubernetes starts it again, as in production."""
    container = yard.start(development, name="ended", env={"ENVIRONMENT": "nonsense"}, options=())

    until("it has ended", lambda: not container.running(), 20)

    assert container.inspect()["State"]["ExitCode"] == 78
