"""Every container passes the restricted pod security standard, and more: its own files cannot be written."""

from manifests.rendering import Object, named, pods, rendered


def test_containers_have_no_rights(objects: list[Object]) -> None:
    for pod in pods(objects):
        for container in pod.containers:
            context = container["securityContext"]
            where = f"{named(pod.owner)} {container['name']}"
            assert context["runAsNonRoot"] is True, where
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["readOnlyRootFilesystem"] is True, where
            assert context["capabilities"] == {"drop": ["ALL"]}, where
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, where


def test_users_are_numbers_that_the_images_know(objects: list[Object]) -> None:
    for pod in pods(objects):
        assert pod.main["securityContext"]["runAsUser"] == pod.component.user, named(pod.owner)
        assert all(container["securityContext"]["runAsUser"] > 0 for container in pod.containers)
        assert pod.spec["securityContext"]["fsGroup"] == pod.main["securityContext"]["runAsGroup"]


def test_nothing_of_the_node_is_shared(objects: list[Object]) -> None:
    for pod in pods(objects):
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostAliases"} & set(pod.spec), named(pod.owner)
        assert not [volume for volume in pod.spec["volumes"] if "hostPath" in volume], named(pod.owner)


def test_what_is_written_has_a_bound(objects: list[Object]) -> None:
    for pod in pods(objects):
        for volume in pod.spec["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"].get("sizeLimit"), f"{named(pod.owner)} {volume['name']}"


def test_development_may_open_the_files_for_synchronisation() -> None:
    for pod in pods(rendered("laptop", "defaults.readOnlyRootFilesystem=false")):
        assert pod.main["securityContext"]["readOnlyRootFilesystem"] is False
