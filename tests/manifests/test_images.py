"""Every image has a tag or a digest, ours come from the registry that was named, and digests win."""

import re

import pytest

from manifests.rendering import SETS, Object, named, pod, pods, rendered

OURS = "coaching-platform"
DIGEST = "sha256:" + "a" * 64


def test_no_image_without_tag_or_digest(objects: list[Object]) -> None:
    for found in pods(objects):
        for container in found.containers:
            last = container["image"].rsplit("/", 1)[-1]
            assert re.fullmatch(r"[a-z0-9-]+(:[\w.-]+|@sha256:[0-9a-f]{64})", last), named(found.owner)
            assert not last.endswith(":latest")


@pytest.mark.parametrize("values", [name for name in SETS if name != "options"])  # which has digests instead
def test_ours_have_the_chart_s_version(values: str) -> None:
    for found in pods(rendered(values)):
        if found.component.image:
            assert found.main["image"].endswith(f"{OURS}/{found.component.image}:0.1.0")


def test_a_digest_wins_over_the_tag_and_a_reference_over_both() -> None:
    objects = rendered("options")
    assert pod(objects, "gateway").main["image"].endswith("gateway@sha256:" + "0" * 63 + "1")
    assert pod(objects, "web").main["image"] == "localhost:5000/web@sha256:" + "0" * 63 + "2"


def test_public_images_come_from_a_mirror_where_one_is_named() -> None:
    for found in pods(rendered("options")):
        if not found.component.image:
            assert found.main["image"].startswith("mirror.example.org/")


def test_a_public_image_takes_a_digest() -> None:
    image = pod(rendered("laptop", f"postgresql.image.digest={DIGEST}"), "postgresql").main["image"]
    assert image == f"docker.io/library/postgres@{DIGEST}"


def test_pull_secrets_reach_every_pod() -> None:
    assert all(found.spec["imagePullSecrets"] == [{"name": "registry-key"}] for found in pods(rendered("options")))


def test_public_images_are_told_what_to_run(objects: list[Object]) -> None:
    for found in pods(objects):
        if not found.component.image:
            assert found.main["command"], f"{named(found.owner)}: the image's own command may differ"
