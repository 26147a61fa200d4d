"""A changed value restarts the pods that read it, and no others."""

import pytest

from manifests.rendering import Object, pods, rendered

CHANGES = [
    ("gateway.settings.GUEST_MESSAGES_PER_MINUTE=30", {"gateway"}),
    ("coaching.settings.QUIET_HOURS=22:00-07:00", {"coaching"}),
    ("coaching.databasePool.size=4", {"coaching"}),
    ("publicUrl=http://localhost:8080", {"gateway", "channel-adapter"}),
    ("llmInference.contextTokens=2048", {"llm-inference"}),
    ("redis.maxMemory=65mb", {"redis"}),
    ("nats.maxFileStore=11GB", {"nats"}),
    ("postgresql.sharedBuffers=256MB", {"postgresql"}),
    ("networkPolicies.enabled=false", set()),
    ("gateway.replicas=2", set()),
    ("test.message=Hello", {"test"}),
    ("migrations.backup.keep=3", {"migrations"}),
    ("secrets.revision=2", {"gateway", "coaching", "channel-adapter", "postgresql", "nats", "redis", "migrations"}),
]  # fmt: skip


def templates(objects: list[Object]) -> dict[str, tuple[Object, Object]]:
    return {pod.component.name: (pod.metadata, pod.spec) for pod in pods(objects)}


@pytest.mark.parametrize(("setting", "restarted"), CHANGES, ids=lambda value: value if isinstance(value, str) else "")
def test_only_what_reads_a_value_restarts(setting: str, restarted: set[str]) -> None:
    before, after = templates(rendered("laptop")), templates(rendered("laptop", setting))
    assert {name for name in before if before[name] != after[name]} == restarted


def test_a_new_version_restarts_what_has_a_new_image_and_no_store() -> None:
    before, after = templates(rendered("laptop")), templates(rendered("laptop", "global.image.tag=0.2.0"))
    assert not {"postgresql", "nats", "redis", "chroma"} & {name for name in before if before[name] != after[name]}


def test_files_that_are_mounted_restart_by_their_content(objects: list[Object]) -> None:
    for pod in pods(objects):
        if any("configMap" in volume for volume in pod.spec["volumes"]):
            assert pod.metadata["annotations"]["checksum/files"]
