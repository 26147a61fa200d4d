"""`platformctl cluster`: what must act on a Kubernetes cluster."""

from collections.abc import Callable
from typing import Annotated

import typer

from platformctl.cluster import secrets
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.prepare import foresee, prepare
from platformctl.cluster.settings import PrepareSettings
from platformctl.commands import cluster_act, cluster_look
from platformctl.commands.cluster_shared import DryRun, Namespace, the_cluster
from platformctl.commands.shared import run, settings_of
from platformctl.console import Console
from platformctl.db.errors import DatabaseError
from platformctl.streams.operations import StreamError

HELP = (
    "Act on a Kubernetes cluster: that of KUBECONFIG, else the one this runs in. Each command needs the rights that "
    "its help names, and no more."
)

app = typer.Typer(help=HELP, no_args_is_help=True)
secrets_app = typer.Typer(help="The passwords and keys of one release.", no_args_is_help=True)
app.add_typer(secrets_app, name="secrets")

COMMANDS: dict[str, Callable[..., None]] = {
    "versions": cluster_look.versions,
    "status": cluster_look.status,
    "wait": cluster_look.wait,
    "scale-down": cluster_act.scale_down,
    "scale-up": cluster_act.scale_up,
    "run-job": cluster_act.run_job,
}
for command_name, command in COMMANDS.items():
    app.command(command_name)(command)


@secrets_app.command("ensure")
def ensure_command(
    name: Annotated[str, typer.Option(help="The Secret.")],
    release: Annotated[
        str, typer.Option(help="Whose marker says whether it was installed before.", envvar="RELEASE")
    ] = "",
    namespace: Namespace = None,
    dry_run: DryRun = False,
) -> None:
    """Make the Secret with all passwords and keys, or give it those that it lacks. What is there is never changed.

    With --release it refuses to make new passwords for a release that was installed before: its volumes know the old
    ones. Rights: secrets get, create, patch; with --release configmaps get.
    """
    with the_cluster(namespace) as cluster:
        done = secrets.ensure(cluster, name, release=release, dry_run=dry_run)
        where = f"Secret {cluster.namespace}/{name}"
    if done.created:
        typer.echo(f"{where} {'would be' if dry_run else 'was'} made with {len(done.added)} keys.")
    elif done.added:
        typer.echo(f"{where} {'would get' if dry_run else 'got'} the keys that it lacked: {', '.join(done.added)}.")
    else:
        typer.echo(f"{where} has all {len(secrets.KEYS)} keys; nothing was changed.")


@app.command("prepare")
def prepare_command(namespace: Namespace = None, dry_run: DryRun = False) -> None:
    """Bring database and streams to this release: the migration job of the chart.

    Waits for the database; refuses what would lose data; takes a verified backup before a migration of a database that
    has a revision; migrates; verifies; applies the streams; writes ConfigMap <release>-installed, also when a step
    failed. Repeating it changes nothing. Rights: configmaps get, create, update.
    """
    settings = settings_of(PrepareSettings)
    say = Console().line
    with the_cluster(namespace) as cluster:
        work = foresee(settings, cluster, say) if dry_run else prepare(settings, cluster, say)
        run(work, (ClusterError, DatabaseError, StreamError))
    typer.echo("Nothing was changed." if dry_run else f"Release {settings.release} is prepared.")
