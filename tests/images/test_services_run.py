"""Every service from its image, with the real stores, as strictly as a cluster runs it: it answers and is healthy."""

import json
import urllib.error
import urllib.request

import pytest

from images.names import SERVERS
from support.cluster.programs import run
from support.containers import STRICT, Container, Yard, until

PASSWORD = "a-password"
OWNER = f"postgresql://postgres:{PASSWORD}@postgres:5432/coaching"
OPEN = ()  # the public images of the stores are not ours to make strict
SMALL = "smollm2-135m-instruct-q4_1.gguf"


def role(name: str) -> str:
    return f"postgresql://{name}:{PASSWORD}@postgres:5432/coaching"


ENVIRONMENT: dict[str, dict[str, str]] = {
    "coaching": {
        "DATABASE_URL": role("coaching_service"),
        "LLM_INFERENCE_ADDRESS": "llm-inference:50051",
        "VECTOR_SEARCH_ADDRESS": "vector-search:50051",
    },
    "channel-adapter": {
        "DATABASE_URL": role("channels_service"), "COACHING_ADDRESS": "coaching:50051", "UPLOADS_DIR": "/tmp/uploads",
    },
    "llm-inference": {"LLM_MODEL_PATH": f"/models/{SMALL}", "LLM_CONTEXT_TOKENS": "1024"},
    "vector-search": {
        "VECTOR_STORE": "chroma_embedded", "VECTORS_DIR": "/tmp/vectors", "COACHING_ADDRESS": "coaching:50051",
    },
    "gateway": {
        "REDIS_URL": "redis://redis:6379/0", "COACHING_ADDRESS": "coaching:50051",
        "CHANNEL_ADAPTER_ADDRESS": "channel-adapter:50051",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def stores(yard: Yard, image: dict[str, str]) -> dict[str, str]:
    """PostgreSQL with the schema, NATS with the streams, and Redis: platformctl's image makes the former two so."""
    yard.start(
        "postgres:18", name="postgres", env={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "coaching"}, options=OPEN
    )
    yard.start("nats:2.15-alpine", "-js", "-sd", "/tmp/streams", name="nats", options=OPEN)
    yard.start("redis:7-alpine", name="redis", options=OPEN)
    env = {
        "DATABASE_URL": OWNER, "NATS_URL": "nats://nats:4222",
        "COACHING_DATABASE_PASSWORD": PASSWORD, "CHANNELS_DATABASE_PASSWORD": PASSWORD,
    }  # fmt: skip
    until("PostgreSQL", lambda: _answers(yard, image["platformctl"]))
    yard.once(image["platformctl"], "db", "migrate", env=env)
    yard.once(image["platformctl"], "streams", "apply", env=env)
    return env


def _answers(yard: Yard, image: str) -> bool:
    try:
        yard.once(image, "-h", "postgres", "-U", "postgres", "-c", "select 1", "coaching", env={"PGPASSWORD": PASSWORD},
                  options=(*STRICT, "--entrypoint", "psql"))  # fmt: skip
    except AssertionError:
        return False
    return True


@pytest.fixture(scope="module")
def services(
    yard: Yard, image: dict[str, str], stores: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Container]:
    """All five; the weights are copied out of the image `models` as the chart's init container does it."""
    weights = tmp_path_factory.mktemp("weights")
    weights.chmod(0o777)
    volume = ("--volume", f"{weights}:/models")
    yard.once(image["models"], "/target", options=(*STRICT, "--volume", f"{weights}:/target"))
    return {
        name: yard.start(
            image[name],
            name=name,
            env={"ENVIRONMENT": "development", "NATS_URL": stores["NATS_URL"], **ENVIRONMENT[name]},
            ports=(8000,),
            options=(*STRICT, *(volume if name == "llm-inference" else ())),
        )
        for name in SERVERS
    }


def ask(container: Container, path: str) -> tuple[int, dict[str, object]]:
    """Ask the service's HTTP door; the status is 0 while nothing answers there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{container.port(8000)}{path}", timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())
    except OSError:
        return 0, {}


@pytest.mark.parametrize("name", SERVERS)
def test_it_becomes_ready_with_a_root_that_is_read_only(services: dict[str, Container], name: str) -> None:
    container = services[name]

    try:
        until(f"{name} is ready", lambda: ask(container, "/ready")[0] == 200, 90)
    except AssertionError:
        pytest.fail(f"{name}: {ask(container, '/ready')}\n{container.says()[-3000:]}")

    assert ask(container, "/health") == (200, {"status": "ok", "service": name})


@pytest.mark.parametrize("name", SERVERS)
def test_its_process_is_the_service_itself_and_nobody_in_particular(services: dict[str, Container], name: str) -> None:
    """Process 1 gets the signal that ends a pod: no shell may stand between."""
    container = services[name]
    command = container.execute("cat", "/proc/1/cmdline").split("\0")

    assert command[1:4] == ["-P", "-m", f"{name.replace('-', '_')}.main"]
    assert container.execute("id", "-u").strip() == "10001"
    assert container.execute("id", "-g").strip() == "10001"


@pytest.mark.parametrize("name", SERVERS)
def test_its_health_check_finds_it_healthy(services: dict[str, Container], name: str) -> None:
    """The first check comes after 30 seconds."""
    until(f"{name} is healthy", lambda: services[name].health() == "healthy", 60)


def test_a_health_check_fails_where_nothing_answers(image: dict[str, str], yard: Yard) -> None:
    with pytest.raises(AssertionError, match="Connection refused"):
        yard.once(
            image["gateway"], "-I", "/app/healthcheck.py", options=(*STRICT, "--entrypoint", "/opt/venv/bin/python")
        )


def test_a_stopped_service_ends_within_its_drain(services: dict[str, Container]) -> None:
    container = services["gateway"]
    until("the gateway is ready", lambda: ask(container, "/ready")[0] == 200, 90)
    run("docker", "stop", "--time", "30", container.id)

    state = container.inspect()["State"]
    run("docker", "start", container.id)

    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
