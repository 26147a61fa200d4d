"""What must be there before everything else is a hook, in an order that Helm keeps, and leaves nothing behind."""

from manifests.rendering import Object, component_of, named, of_kind, pods, rendered

BEFORE = "pre-install,pre-upgrade"


def hook(found: Object) -> str:
    return str(found["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def weight(found: Object) -> int:
    return int(found["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_hooks_are_these(objects: list[Object], values: str) -> None:
    # A Secret that External Secrets writes is not there before the release: the job is a plain one then.
    there_before = values == "production"
    expected = {"secrets": BEFORE, "migrations": BEFORE if there_before else "", "test": "test"}
    for pod in pods(objects):
        assert hook(pod.owner) == expected.get(pod.component.name, ""), named(pod.owner)


def test_what_a_job_needs_comes_a_weight_before_it(objects: list[Object]) -> None:
    for job in of_kind(objects, "Job"):
        if hook(job):
            around = [found for found in objects if component_of(found) == component_of(job) and found is not job]
            around = [found for found in around if found["kind"] != "PersistentVolumeClaim"]
            assert {found["kind"] for found in around} >= {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"}
            assert all(hook(found) == hook(job) and weight(found) < weight(job) for found in around), named(job)


def test_secrets_are_made_before_the_database_is_prepared() -> None:
    jobs = {component_of(found): found for found in of_kind(rendered("laptop"), "Job")}
    assert hook(jobs["secrets"]) == BEFORE
    assert weight(jobs["secrets"]) < -5


def test_hooks_leave_nothing_behind(objects: list[Object]) -> None:
    for found in objects:
        if hook(found):
            policy = found["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
            assert policy == "before-hook-creation,hook-succeeded", named(found)


def test_a_plain_job_has_another_name_when_it_does_something_else() -> None:
    def name(*settings: str) -> str:
        jobs = of_kind(rendered("laptop", *settings), "Job")
        return str(next(found["metadata"]["name"] for found in jobs if component_of(found) == "migrations"))

    assert name() == name("gateway.replicas=2")
    assert name() != name("global.image.tag=0.2.0")
    assert name().startswith("coach-migrations-")
