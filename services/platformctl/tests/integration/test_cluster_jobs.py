"""`platformctl cluster run-job` on a real cluster: the log as it comes, and the Job's own end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from platformctl.cluster import jobs
from platformctl.cluster.connect import Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.main import app
from support.namespace import acting_as, fresh_namespace, needs_cluster, runnable_image

pytestmark = [needs_cluster, pytest.mark.timeout(600)]
SECONDS = 240.0

RULES = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]},
    {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]


@pytest.fixture(scope="module")
def image() -> str:
    return runnable_image()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with fresh_namespace() as found:
        yield found


def spec(image: str, script: str, retries: int = 0) -> dict[str, Any]:
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "work", "image": image, "command": ["sh", "-c", script]}],
    }
    return {"backoffLimit": retries, "template": {"spec": pod}}


def manifest(folder: Path, body: dict[str, Any]) -> Path:
    path = folder / "job.yaml"
    path.write_text(json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": body}))
    return path


def test_a_job_is_followed_to_its_end(cluster: Cluster, image: str, tmp_path: Path) -> None:
    path = manifest(tmp_path, spec(image, "for n in 1 2 3; do echo line $n; sleep 0.5; done; printf 'without an end'"))
    said: list[str] = []
    with acting_as(cluster, RULES) as account:
        name = jobs.create(account, jobs.from_file(path, "a1"))
        jobs.follow(account, name, SECONDS, said.append)
    assert name == "work-a1"
    assert said == ["line 1", "line 2", "line 3", "without an end"]


def test_a_job_that_fails_fails_the_command_after_the_log_of_every_attempt(
    cluster: Cluster, image: str, tmp_path: Path
) -> None:
    path = manifest(tmp_path, spec(image, "echo attempt; exit 3", retries=1))
    done = CliRunner().invoke(
        app, ["cluster", "run-job", "--file", str(path), "-n", cluster.namespace, "--timeout", str(SECONDS)]
    )
    assert done.exit_code == 1
    assert done.output.count("attempt\n") == 2
    assert "failed: BackoffLimitExceeded" in done.output


def test_what_a_cron_job_runs_can_be_run_now(cluster: Cluster, image: str) -> None:
    body: Any = {
        "metadata": {"name": "nightly"},
        "spec": {
            "schedule": "0 3 * * *",
            "suspend": True,
            "jobTemplate": {"metadata": {"labels": {"kind": "nightly"}}, "spec": spec(image, "echo tonight")},
        },
    }
    cluster.batch.create_namespaced_cron_job(cluster.namespace, body)
    said: list[str] = []
    with acting_as(cluster, RULES) as account:
        name = jobs.create(account, jobs.from_cron_job(account, "nightly", "b2"))
        jobs.follow(account, name, SECONDS, said.append)
    made = cluster.batch.read_namespaced_job("nightly-b2", cluster.namespace)
    assert said == ["tonight"]
    assert made.metadata is not None
    assert made.metadata.labels is not None
    assert made.metadata.labels["kind"] == "nightly"
    assert made.spec is not None
    assert made.spec.ttl_seconds_after_finished == jobs.KEPT_SECONDS


def test_a_job_that_lasts_goes_on_without_us(cluster: Cluster, image: str, tmp_path: Path) -> None:
    name = jobs.create(cluster, jobs.from_file(manifest(tmp_path, spec(image, "sleep 600")), "c3"))
    with pytest.raises(ClusterError, match=r"has not ended within 0 s\. It goes on"):
        jobs.follow(cluster, name, 0, print)
    cluster.batch.delete_namespaced_job(
        name, cluster.namespace, propagation_policy="Background", grace_period_seconds=0
    )


def test_a_dry_run_is_checked_by_the_api_server_and_runs_nothing(cluster: Cluster, image: str, tmp_path: Path) -> None:
    body = spec(image, "true")
    job = jobs.from_file(manifest(tmp_path, body), "d4")
    assert jobs.create(cluster, job, dry_run=True) == "work-d4"
    wrong = str(manifest(tmp_path, body | {"bakcoff": 1}))
    done = CliRunner().invoke(app, ["cluster", "run-job", "--file", wrong, "-n", cluster.namespace, "--dry-run"])
    assert (done.exit_code, "spec.bakcoff: Extra inputs are not permitted" in done.output) == (1, True)
    assert cluster.batch.list_namespaced_job(cluster.namespace, label_selector="job-name in (work-d4)").items == []


def test_a_file_without_a_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    for text in ("kind: Pod", "kind: Job\n---\nkind: Job", "", "[]", "{", "\0"):
        path.write_text(text)
        with pytest.raises(ClusterError, match=r"two\.yaml"):
            jobs.from_file(path, "e5")
