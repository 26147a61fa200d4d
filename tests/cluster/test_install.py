"""From nothing to the model's answer, with both Helms; the same again changes nothing; what uninstalling leaves."""

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from support.cluster.programs import Kube, run
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.guarantees import FULL

# Helm 3 installs and upgrades the release that other tests share, too (test_upgrade, test_same_again).
HELMS = (pytest.param("helm", marks=pytest.mark.full_size), "helm4")
# What uninstalling leaves: data, what it cannot be read without, and the marker of what was installed.
LEFT = {
    "persistentvolumeclaims": {
        "data-{}-postgresql-0", "data-{}-nats-0", "data-{}-redis-0", "data-{}-chroma-0", "{}-uploads", "{}-backups",
    },
    "secrets": {"{}-secrets"},
    "configmaps": {"{}-installed"},
}  # fmt: skip
# Of every namespace, or gone by themselves.
NOT_OURS = {"events", "events.events.k8s.io", "pods.metrics.k8s.io"}
OF_EVERY_NAMESPACE = {"configmaps/kube-root-ca.crt", "serviceaccounts/default"}
# One setting, and the components whose pods it restarts.
CHANGES = [
    ("coaching.settings.TURN_SETTLE_SECONDS=0.9", {"coaching"}),
    ("publicUrl=http://localhost:8080", {"gateway", "channel-adapter"}),
    ("redis.maxMemory=48mb", {"redis"}),
][: None if FULL else 1]


@pytest.fixture(params=HELMS)
def helm(request: pytest.FixtureRequest) -> str:
    program: str = request.param
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH")
    return program


def components(release: Release) -> dict[str, str]:
    """Return the component of each pod, by uid."""
    return {pod["metadata"]["uid"]: pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in release.pods()}


def restarted(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {component for uid, component in (before | after).items() if uid not in before or uid not in after}


def everything(kube: Kube) -> set[str]:
    """Return all that is in the namespace, as kind/name."""
    kinds = run("kubectl", "api-resources", "--verbs=list", "--namespaced", "--output=name").split()
    listed = ",".join(kind for kind in kinds if kind not in NOT_OURS)
    names = kube("get", listed, "--ignore-not-found", "--output=name").split()
    found = {f"{plural(name.split('/')[0])}/{name.split('/')[1]}" for name in names}
    return found - OF_EVERY_NAMESPACE


def plural(kind: str) -> str:
    return f"{kind.partition('.')[0]}s"


@pytest.mark.guarantee("K8S-install")
@pytest.mark.smaller("one setting of three is changed, and what uninstalling leaves is not installed on again")
@pytest.mark.timeout(1800)
def test_a_release_from_its_first_day_to_its_last(
    room: Slot, preset: Release, helm: str, tell: Callable[[str], None]
) -> None:
    release = replace(preset, helm=helm)
    room.held = release
    release.install()
    release.test()  # ends with an error unless the model answered

    generations, pods = release.generations(), components(release)
    release.upgrade()
    assert release.generations() == generations
    assert components(release) == pods

    for setting, expected in CHANGES:
        release = release.with_settings(setting)
        before = components(release)
        release.upgrade()
        assert restarted(before, components(release)) == expected, setting
    release.test()

    release.uninstall()
    room.held = None
    tell(f"{helm}: installed, tested, upgraded {len(CHANGES) + 1} times, uninstalled")
    assert everything(release.kube) == {
        f"{kind}/{name.format(release.name)}" for kind, names in LEFT.items() for name in names
    }

    if not FULL:
        return
    # What was left is enough: the same name again finds the data, and the passwords that open it.
    room.held = release
    release.install()
    release.test()
