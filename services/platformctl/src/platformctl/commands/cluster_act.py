"""Stopping, starting, and running jobs in a cluster."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from platformctl.cluster import jobs, scale
from platformctl.cluster.scale import Move
from platformctl.cluster.workloads import the_release
from platformctl.commands.cluster_shared import DryRun, Namespace, Release, Timeout, the_cluster
from platformctl.commands.shared import fail
from platformctl.console import Console


def scale_down(
    namespace: Namespace = None,
    release: Release = "",
    stores: Annotated[bool, typer.Option("--stores", help="The bundled stores too, after all else.")] = False,
    timeout: Timeout = 180.0,
    dry_run: DryRun = False,
) -> None:
    """Stop the services in order, each to its last pod: what takes work from people first, what others ask last.

    How many pods each had is kept in ConfigMap <release>-scaled-down for `scale-up`. A HorizontalPodAutoscaler leaves a
    component of no pods alone; KEDA does not: annotate its ScaledObjects with autoscaling.keda.sh/paused=true first.
    Rights: deployments, statefulsets and pods list, their scale patch, configmaps get, create, update.
    """
    with the_cluster(namespace) as cluster:
        chosen = the_release(cluster, release)
        moves = scale.plan_down(cluster, chosen, stores=stores)
        if not dry_run:
            scale.down(cluster, chosen, moves, timeout, Console().line)
    _tell(moves, "would stop" if dry_run else "stopped")


def scale_up(
    namespace: Namespace = None, release: Release = "", timeout: Timeout = 300.0, dry_run: DryRun = False
) -> None:
    """Start what `scale-down` stopped, with as many pods as it had, in the opposite order, each until it is ready.

    Rights: deployments, statefulsets and pods list, their scale patch, configmaps get, delete.
    """
    with the_cluster(namespace) as cluster:
        chosen = the_release(cluster, release)
        moves = scale.plan_up(cluster, chosen)
        if not dry_run:
            scale.up(cluster, chosen, moves, timeout, Console().line)
    _tell(moves, "would start" if dry_run else "started")


def _tell(moves: list[Move], done: str) -> None:
    if not moves:
        typer.echo("Nothing is to do.")
    for move in moves:
        typer.echo(f"{move.workload.component} {done}: {move.workload.wanted} -> {move.to}")


def run_job(
    from_cron_job: Annotated[str, typer.Option("--from-cronjob", help="Run now what this CronJob runs.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="A manifest that holds one Job.")] = None,
    namespace: Namespace = None,
    timeout: Timeout = 3600.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Let the API server check the Job; run nothing.")] = False,
) -> None:
    """Run a Job under a new name, print its log as it comes, and end with 1 when it fails.

    It is removed after an hour, or as its own ttlSecondsAfterFinished says. Rights: jobs create, get; pods list;
    pods/log get; for --from-cronjob cronjobs get.
    """
    if bool(from_cron_job) == bool(file):
        raise fail("Name either --from-cronjob or --file.")
    suffix = secrets.token_hex(3)
    with the_cluster(namespace) as cluster:
        job = jobs.from_file(file, suffix) if file else jobs.from_cron_job(cluster, from_cron_job, suffix)
        name = jobs.create(cluster, job, dry_run=dry_run)
        if dry_run:
            typer.echo(f"Job {name} would be run.")
            return
        console = Console()
        console.line(f"Job {name} was created.")
        jobs.follow(cluster, name, timeout, console.line)
    typer.echo(f"Job {name} ended well.")
