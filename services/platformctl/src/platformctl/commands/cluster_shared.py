"""What the commands that ask a cluster have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from platformctl.cluster.connect import Cluster, connected
from platformctl.cluster.errors import ClusterError
from platformctl.commands.shared import fail

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Default: POD_NAMESPACE, else that of the account or of KUBECONFIG."),
]
Release = Annotated[str, typer.Option("--release", help="Default: the only one in the namespace.", envvar="RELEASE")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait at most.", min=0)]


@contextmanager
def the_cluster(namespace: str | None) -> Iterator[Cluster]:
    """The cluster; what it refuses ends the program with status 1 and a sentence."""
    try:
        with connected(namespace) as cluster:
            yield cluster
    except ClusterError as error:
        raise fail(str(error)) from None
