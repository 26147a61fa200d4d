"""What runs in a cluster, in words: versions, status, waiting for it."""

import json
from dataclasses import asdict

import typer

from platformctl.cluster import marker
from platformctl.cluster.marker import Marker
from platformctl.cluster.rollout import wait_for
from platformctl.cluster.status import ReleaseStatus, status_of
from platformctl.cluster.workloads import Workload, the_release, workloads
from platformctl.commands.cluster_shared import Namespace, Release, Timeout, the_cluster
from platformctl.commands.shared import Json
from platformctl.commands.tables import table
from platformctl.console import Console


def versions(namespace: Namespace = None, release: Release = "", as_json: Json = False) -> None:
    """Show which images each component runs, and what the last migration job installed.

    Rights: deployments and statefulsets list, configmaps get.
    """
    with the_cluster(namespace) as cluster:
        chosen = the_release(cluster, release)
        installed, found = marker.read(cluster, chosen), workloads(cluster, chosen)
    if as_json:
        typer.echo(json.dumps({"installed": told(installed), "components": [asdict(item) for item in found]}))
        return
    typer.echo(installed_words(chosen, installed))
    typer.echo(table(("COMPONENT", "VERSION", "IMAGES"), [_row(item) for item in found]))


def status(namespace: Namespace = None, release: Release = "", as_json: Json = False) -> None:
    """Show what is installed, whether everything is rolled out, and the error of a migration that failed.

    Ends with 1 when something is not ready, or the last migration failed. Rights: deployments, statefulsets and pods
    list, configmaps get.
    """
    show_status(namespace, release, as_json=as_json)


def show_status(namespace: str | None, release: str, *, as_json: bool) -> None:
    """Print a release's status; ends with 1 when it is not as it should be."""
    with the_cluster(namespace) as cluster:
        found = status_of(cluster, the_release(cluster, release))
    if as_json:
        record = {
            "ready": found.ready,
            "namespace": found.namespace,
            "release": found.release,
            "installed": told(found.marker),
            "components": [asdict(item) | {"rolled_out": item.rolled_out} for item in found.workloads],
            "troubles": found.troubles,
        }
        typer.echo(json.dumps(record))
    else:
        typer.echo("\n".join(_status_lines(found)))
    if not found.ready:
        raise typer.Exit(1)


def wait(namespace: Namespace = None, release: Release = "", timeout: Timeout = 300.0) -> None:
    """Wait until every component of the release is rolled out; ends with 1, and says what is not, after --timeout.

    Rights: deployments, statefulsets and pods list.
    """
    with the_cluster(namespace) as cluster:
        found = wait_for(cluster, the_release(cluster, release), None, timeout, Console().line)
    typer.echo(f"{len(found)} components are rolled out.")


def told(installed: Marker) -> dict[str, str]:
    """What is known of an installation."""
    return {key: value for key, value in asdict(installed).items() if value}


def installed_words(release: str, installed: Marker) -> str:
    """One line on what is installed."""
    if not installed.installed:
        return f"{release}: no migration job has ended well yet"
    parts = [
        f"version {installed.app or '?'}",
        f"schema revision {installed.revision}",
        f"database {installed.database}",
    ]
    if installed.embedding_model:
        parts.append(f"embeddings {installed.embedding_model}")
    return f"{release}: {', '.join(parts)}, since {installed.at}"


def _status_lines(found: ReleaseStatus) -> list[str]:
    lines = [installed_words(found.release, found.marker)]
    if found.marker.failed_step:
        lines.append(
            f"THE LAST MIGRATION JOB FAILED at {found.marker.failed_at}, version {found.marker.failed_app or '?'}, in "
            f"step {found.marker.failed_step}: {found.marker.failed_error}"
        )
    lines += [_status_line(item, found.troubles.get(item.component, "")) for item in found.workloads]
    known = {item.component for item in found.workloads}
    return lines + [f"  {name or '?'}: {words}" for name, words in sorted(found.troubles.items()) if name not in known]


def _status_line(item: Workload, trouble: str) -> str:
    state = "ready" if item.rolled_out else "NOT READY"
    why = f" ({trouble})" if trouble else "" if item.rolled_out or item.settled else " (rolling out)"
    return f"  {item.component:<16} {state:<10} {item.ready} of {item.wanted}{why}"


def _row(item: Workload) -> tuple[str, str, str]:
    return item.component, item.version or "-", " ".join(item.images)
