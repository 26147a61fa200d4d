"""Each component has an account of its own; only the jobs that ask Kubernetes get its token, with rights for that."""

from manifests.rendering import Object, component_of, named, of_kind, pods

RIGHTS = {
    "migrations": {("configmaps", "create", ""), ("configmaps", "get update", "coach-installed")},
    "secrets": {
        ("secrets", "create", ""), ("secrets", "get patch", "coach-secrets"), ("configmaps", "get", "coach-installed"),
    },
}  # fmt: skip


def test_each_component_has_its_own_account(objects: list[Object]) -> None:
    accounts = {found["metadata"]["name"] for found in of_kind(objects, "ServiceAccount")}
    used = [pod.spec["serviceAccountName"] for pod in pods(objects)]
    assert len(used) == len(set(used))
    assert set(used) == accounts


def test_only_who_asks_kubernetes_has_a_token(objects: list[Object]) -> None:
    assert not [found for found in of_kind(objects, "ServiceAccount") if found["automountServiceAccountToken"]]
    for pod in pods(objects):
        assert pod.spec["automountServiceAccountToken"] is pod.component.token, named(pod.owner)
        assert pod.spec["enableServiceLinks"] is False


def test_rights_are_exactly_these(objects: list[Object]) -> None:
    found = {
        component_of(role): {
            (*rule["resources"], " ".join(sorted(rule["verbs"])), *(rule.get("resourceNames") or [""]))
            for rule in role["rules"]
        }
        for role in of_kind(objects, "Role")
    }
    present = {pod.component.name for pod in pods(objects)}
    assert found == {name: rights for name, rights in RIGHTS.items() if name in present}
    assert not of_kind(objects, "ClusterRole", "ClusterRoleBinding")


def test_each_role_is_given_to_its_own_account(objects: list[Object]) -> None:
    for binding in of_kind(objects, "RoleBinding"):
        name = binding["metadata"]["name"]
        assert binding["roleRef"]["name"] == name
        assert [(subject["kind"], subject["name"]) for subject in binding["subjects"]] == [("ServiceAccount", name)]
