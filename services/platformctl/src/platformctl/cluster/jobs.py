"""Run a Job, print what it prints, and end as it ended."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import urllib3.exceptions
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError

from platformctl.cluster.connect import CONNECT_SECONDS, NOT_FOUND, TIMEOUT, Cluster
from platformctl.cluster.errors import ClusterError

POLL_SECONDS = 1.0
# A log that is silent for longer is asked for again; nothing of it is lost or printed twice.
LOG_TIMEOUT = (CONNECT_SECONDS, 60.0)
KEPT_SECONDS = 3600
BAD_REQUEST = 400  # the container has not started

Say = Callable[[str], None]


def from_cron_job(cluster: Cluster, cron_job: str, suffix: str) -> dict[str, Any]:
    """The Job that a CronJob would make now. Needs get on cronjobs."""
    found = cluster.batch.read_namespaced_cron_job(cron_job, cluster.namespace, _request_timeout=TIMEOUT)
    api = cluster.batch.api_client
    template: dict[str, Any] = api.sanitize_for_serialization(found.spec.job_template)
    metadata = template.get("metadata", {})
    notes = {**metadata.get("annotations", {}), "cronjob.kubernetes.io/instantiate": "manual"}
    name = f"{cron_job[:52]}-{suffix}"
    return _job(
        {"metadata": {"labels": metadata.get("labels", {}), "annotations": notes, "name": name}} | _spec(template)
    )


def from_file(path: Path, suffix: str) -> dict[str, Any]:
    """The Job that a file describes, under a name of its own. Raises ClusterError when it describes none."""
    try:
        documents = [item for item in yaml.safe_load_all(path.read_text(encoding="utf-8")) if item]
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ClusterError(f"{path} cannot be read as a manifest ({type(error).__name__}).") from None
    if len(documents) != 1 or not isinstance(documents[0], dict) or documents[0].get("kind") != "Job":
        raise ClusterError(f"{path} must hold one Job, and nothing else.")
    found = documents[0]
    metadata = found.get("metadata") or {}
    name = f"{str(metadata.get('name') or metadata.get('generateName') or 'job').rstrip('-')[:52]}-{suffix}"
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    return _job({"metadata": {**kept, "name": name}} | _spec(found))


def _spec(template: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"ttlSecondsAfterFinished": KEPT_SECONDS} | (template.get("spec") or {})}


def _job(parts: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", **parts}


def create(cluster: Cluster, job: dict[str, Any], *, dry_run: bool = False) -> str:
    """Create it and return its name; with a dry run the API server checks it and creates nothing.

    Raises ClusterError that names each field which a Job does not have.
    """
    try:
        body = client.V1Job.model_validate(job)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
        raise ClusterError(f"The Job is none: {'; '.join(wrong)}.") from None
    cluster.batch.create_namespaced_job(
        cluster.namespace,
        body,
        dry_run="All" if dry_run else None,
        _request_timeout=TIMEOUT,
    )
    return str(job["metadata"]["name"])


def follow(cluster: Cluster, name: str, timeout_seconds: float, say: Say) -> None:
    """Print the log of each pod of the Job until the Job has ended. Raises ClusterError when it failed or lasts."""
    deadline = time.monotonic() + timeout_seconds
    seen: dict[str, str] = {}
    read: set[str] = set()
    while True:
        ended = _ended(cluster, name)
        for pod, finished in _pods(cluster, name):
            if pod in read:
                continue
            for stamp, line in _lines(cluster, pod, seen.get(pod, "")):
                seen[pod] = stamp
                say(line)
            if finished:
                read.add(pod)
        if ended is not None:
            break
        if time.monotonic() >= deadline:
            raise ClusterError(f"Job {name} has not ended within {timeout_seconds:g} s. It goes on; look at its log.")
        time.sleep(POLL_SECONDS)
    if ended:
        raise ClusterError(f"Job {name} failed: {ended}.")


def _ended(cluster: Cluster, name: str) -> str | None:
    """None while it runs, "" when it ended well, else why it failed."""
    job = cluster.batch.read_namespaced_job(name, cluster.namespace, _request_timeout=TIMEOUT)
    for condition in (job.status.conditions if job.status else None) or []:
        if condition.status == "True" and condition.type == "Complete":
            return ""
        if condition.status == "True" and condition.type == "Failed":
            return f"{condition.reason}, {condition.message}".rstrip(".")
    return None


def _pods(cluster: Cluster, name: str) -> list[tuple[str, bool]]:
    """The Job's pods that have begun, oldest first, and whether each has ended."""
    found = cluster.core.list_namespaced_pod(
        cluster.namespace, label_selector=f"batch.kubernetes.io/job-name={name}", _request_timeout=TIMEOUT
    ).items
    begun = [
        (str(pod.metadata.creation_timestamp), str(pod.metadata.name), pod.status.phase in {"Succeeded", "Failed"})
        for pod in found
        if pod.metadata and pod.status and pod.status.phase != "Pending"
    ]
    return [(pod, finished) for _, pod, finished in sorted(begun)]


def _lines(cluster: Cluster, pod: str, after: str) -> Iterator[tuple[str, str]]:
    """Lines that were written after a time, with theirs, until the container ends or the connection does."""
    try:
        answer: Any = cluster.core.read_namespaced_pod_log(
            pod, cluster.namespace, follow=True, timestamps=True, _preload_content=False, _request_timeout=LOG_TIMEOUT
        )
    except ApiException as error:
        if error.status in {BAD_REQUEST, NOT_FOUND}:
            return
        raise
    rest = b""
    try:
        for block in answer.stream(decode_content=False):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                stamp, _, text = line.decode(errors="replace").partition(" ")
                if stamp > after:
                    yield stamp, text
        if rest:  # the last line has no end, and the container has
            stamp, _, text = rest.decode(errors="replace").partition(" ")
            if stamp > after:
                yield stamp, text
    except (urllib3.exceptions.HTTPError, OSError):
        return  # asked for again
    finally:
        answer.close()
        answer.release_conn()
