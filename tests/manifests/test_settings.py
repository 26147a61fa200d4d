"""Services are given settings that they know, and everything that they must be given."""

import re

import pytest

from manifests.components import COMPONENTS
from manifests.rendering import Object, environment, named, pods, rendered
from support.tree import ROOT

# Read by no settings class: Amazon named them, and more that a cluster sets by itself.
AMAZON = {"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
# Only there to be put into others, as $(NAME).
PARTS = {"NATS_PASSWORD", "REDIS_PASSWORD", "CHROMA_TOKEN", "POSTGRES_PASSWORD"}
# Read by commands of platformctl that act on a cluster.
CLUSTER = {"POD_NAMESPACE"}
OURS = {component.name for component in COMPONENTS if component.image and component.image != "web"}


def known() -> set[str]:
    """Every name in the reference of settings, which is generated from the code."""
    page = (ROOT / "docs/reference/settings.md").read_text()
    return {name for row in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_no_service_is_given_a_setting_that_nobody_reads(objects: list[Object]) -> None:
    readable = known() | AMAZON | PARTS | CLUSTER
    for pod in pods(objects):
        if pod.component.name in OURS:
            for container in pod.containers:
                unknown = set(environment(container)) - readable
                if container["name"] != "fetch-model":
                    assert not unknown, f"{named(pod.owner)} {container['name']}"


def test_services_know_where_they_run(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.name in OURS:
            assert environment(pod.main)["ENVIRONMENT"] in {"development", "staging", "production"}


def test_servers_listen_for_others(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.name in OURS and pod.component.lasting:
            env = environment(pod.main)
            assert env["BIND_HOST"] == "0.0.0.0"
            for name, port in pod.component.ports:
                assert env[f"{name.upper()}_PORT"] == str(port)


def test_whole_numbers_stay_whole() -> None:
    gateway = next(pod for pod in pods(rendered("options")) if pod.component.name == "gateway")
    assert environment(gateway.main)["GUEST_MESSAGES_PER_MINUTE"] == "2000000"


@pytest.mark.parametrize("embedder", ["", "hashing"])
def test_the_marker_is_told_what_makes_the_vectors(values: str, embedder: str) -> None:
    objects = rendered(values, *([f"vectorSearch.embedder={embedder}"] if embedder else []))
    told = {pod.component.name: environment(pod.main) for pod in pods(objects)}
    assert told["migrations"]["EMBEDDING_MODEL"] == told["vector-search"]["EMBEDDER"] == (embedder or "minilm_onnx")


@pytest.mark.parametrize(("deadline", "waits"), [(1800, "600"), (100, "33")])
def test_the_migration_waits_for_slow_stores_and_keeps_time_for_its_work(deadline: int, waits: str) -> None:
    job = next(
        found for found in pods(rendered("laptop", f"migrations.deadlineSeconds={deadline}"))
        if found.component.name == "migrations"
    )  # fmt: skip
    assert job.owner["spec"]["activeDeadlineSeconds"] == deadline
    env = environment(job.main)
    assert env["DATABASE_WAIT_SECONDS"] == env["NATS_WAIT_SECONDS"] == waits
