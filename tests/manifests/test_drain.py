"""Nobody is cut off when a pod goes: new ones come first, requests are let run out, and there is time for it."""

from manifests.rendering import Object, environment, named, of_kind, pod, pods, rendered

CLOSING_SECONDS = 5


def test_a_pod_waits_before_it_stops(objects: list[Object]) -> None:
    for found in pods(objects):
        if found.component.lasting:
            hook = found.main["lifecycle"]["preStop"]
            assert hook.get("exec") or hook["sleep"]["seconds"] > 0, named(found.owner)


def test_the_grace_is_longer_than_wait_and_drain(objects: list[Object]) -> None:
    for found in pods(objects):
        drain = float(environment(found.main).get("DRAIN_SECONDS", 0))
        if drain:
            wait = found.main["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert found.spec["terminationGracePeriodSeconds"] >= wait + drain + CLOSING_SECONDS, named(found.owner)


def test_the_grace_follows_the_drain() -> None:
    objects = rendered("laptop", "coaching.drainSeconds=60")
    assert pod(objects, "coaching").spec["terminationGracePeriodSeconds"] > 60
    assert environment(pod(objects, "coaching").main)["DRAIN_SECONDS"] == "60"


def test_updates_start_a_pod_before_they_stop_one(objects: list[Object]) -> None:
    for deployment in of_kind(objects, "Deployment"):
        assert deployment["spec"]["strategy"] == {
            "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }, named(deployment)  # fmt: skip


def test_a_nats_server_of_several_hands_over_before_it_leaves() -> None:
    assert pod(rendered("staging"), "nats").main["lifecycle"]["preStop"]["exec"]["command"][0] == "nats-server"
