"""Labels say what an object is; those of pods never change, as a change would restart them all."""

from manifests.rendering import NAMESPACE, RELEASE, Object, component_of, named, of_kind, pods, rendered

STEADY = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


def test_every_object_says_what_it_belongs_to(objects: list[Object]) -> None:
    for found in objects:
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == RELEASE, named(found)
        assert set(labels) >= STEADY | {
            "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart",
        }, named(found)  # fmt: skip


def test_pods_have_only_labels_that_no_version_changes(values: str) -> None:
    for pod in pods(rendered(values)):
        if pod.component.name != "test":  # made anew each time
            assert set(pod.metadata["labels"]) - {"team"} == STEADY, named(pod.owner)


def test_workloads_select_their_own_pods(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.lasting:
            selector = pod.owner["spec"]["selector"]["matchLabels"]
            assert set(selector) == STEADY
            assert selector.items() <= pod.metadata["labels"].items()
            assert selector["app.kubernetes.io/component"] == component_of(pod.owner)


def test_names_begin_with_the_release(objects: list[Object]) -> None:
    assert all(found["metadata"]["name"].startswith(f"{RELEASE}-") for found in objects)


def test_no_two_objects_are_one(objects: list[Object]) -> None:
    names = [named(found) for found in objects]
    assert len(names) == len(set(names))
    assert {found["metadata"]["namespace"] for found in of_kind(objects, "Service")} == {NAMESPACE}
