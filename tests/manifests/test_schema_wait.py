"""Each service of ours waits for this release's schema: after a migration that failed none of its new pods is ready."""

import yaml

from manifests.components import COMPONENTS
from manifests.rendering import CHART, Object, Pod, environment, named, pod, pods, rendered

WAIT = "wait-for-database"
# Who uses the database waits as itself, so for its password too; the others as the role that reads the revision.
OWN_ROLES = ("coaching", "channel-adapter")


def first(found: Pod) -> Object:
    """The container that a pod begins with."""
    container: Object = found.spec["initContainers"][0]
    return container


def test_every_service_of_ours_waits_and_nothing_else_does(objects: list[Object]) -> None:
    assert all(component.waits is (bool(component.image) and component.lasting) for component in COMPONENTS)
    for found in pods(objects):
        names = [container["name"] for container in found.spec.get("initContainers", [])]
        assert names.count(WAIT) == int(found.component.waits), named(found.owner)
        assert not found.component.waits or names[0] == WAIT, named(found.owner)


def test_it_waits_for_the_revision_of_this_chart(objects: list[Object]) -> None:
    head = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]["coaching-platform/schema-revision"]
    for found in pods(objects):
        if found.component.waits:
            assert first(found)["args"][:4] == ["db", "wait", "--min-revision", head], named(found.owner)


def test_it_waits_as_a_role_that_can_connect(objects: list[Object]) -> None:
    for found in pods(objects):
        if found.component.waits:
            url = environment(first(found))["DATABASE_URL"]
            assert url.startswith("postgresql://"), named(found.owner)
            if found.component.name in OWN_ROLES:
                assert url == environment(found.main)["DATABASE_URL"]
            else:
                assert "//gateway_service:$(GATEWAY_DATABASE_PASSWORD)@" in url, named(found.owner)


def test_what_waits_is_of_one_user_and_tells_its_pod_no_password(objects: list[Object]) -> None:
    for found in pods(objects):
        if found.component.waits:
            assert first(found)["securityContext"]["runAsUser"] == 10001  # that of platformctl's image
            if found.component.name not in OWN_ROLES:
                assert not {"DATABASE_URL", "GATEWAY_DATABASE_PASSWORD"} & set(environment(found.main))


def test_an_external_database_is_asked_where_it_is() -> None:
    objects = rendered("gateway-api")
    for name in ("gateway", "web", "llm-inference", "vector-search"):
        url = environment(first(pod(objects, name)))["DATABASE_URL"]
        assert url.endswith("@postgres.example.org:6432/coaching?ssl=require")


def test_waiting_adds_no_cores(objects: list[Object]) -> None:
    """The scheduler counts the larger of the two, and the smallest service asks for as much."""
    for found in pods(objects):
        if found.component.waits:
            assert first(found)["resources"]["requests"]["cpu"] == "10m", named(found.owner)
