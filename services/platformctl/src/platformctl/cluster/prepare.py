"""The migration job: database and streams brought to this release, step by step, and the marker that tells of it."""

import asyncio
import time
from types import TracebackType

from platformctl.cluster import marker
from platformctl.cluster.connect import Cluster, refusals
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.marker import Marker
from platformctl.cluster.settings import PrepareSettings
from platformctl.db.backup import back_up, plan_of
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.migrate import migrate
from platformctl.db.revision import Say, wait_until_answers
from platformctl.db.verify import verify
from platformctl.streams.applying import Change
from platformctl.streams.operations import StreamError, apply_topology

RETRY_SECONDS = 1.0
SAY_SECONDS = 10.0
# Their texts are sentences of ours that hold no value of a row; of any other error only its kind may be kept.
SPEAKING = (ClusterError, DatabaseError, StreamError)


async def prepare(settings: PrepareSettings, cluster: Cluster, say: Say) -> Marker:
    """Run the steps and write the marker; returns it. Whatever ends a step is in the marker too, and raised."""
    before = marker.read(cluster, settings.release)
    known = history(settings)
    with Steps(settings, cluster, before, say) as step:
        step("wait", "waiting for the database")
        current = await wait_until_answers(
            settings.database_url.get_secret_value(), settings.database_wait_seconds, say
        )
        ahead = known.is_ahead(current)

        step("check", f"{_now(before)}, the database at {current or 'no revision'}, this release at {known.head}")
        refuse(before, settings, current)

        if current is not None and not known.has_reached(current, known.head):
            step("backup", f"taking a backup in {settings.backup_dir}")
            await back_up_first(settings, say)

        step("migrate", f"migrating to {known.head}" if not ahead else "the database belongs to a newer release")
        done = await migrate(settings)

        step("verify", "verifying the database")
        refuse_problems(await verify(settings))

        if ahead:
            say("streams: left as the newer release made them")
        else:
            step("streams", "applying streams and consumers")
            await apply_streams(settings, say)

        step("mark", "writing down what is installed")
        installed = settings.marker(done.after or known.head)
        marker.write(cluster, settings.release, installed.now())
    return installed


async def foresee(settings: PrepareSettings, cluster: Cluster, say: Say) -> None:
    """Say what `prepare` would do, and change nothing. Raises like it."""
    before = marker.read(cluster, settings.release)
    known = history(settings)
    current = await wait_until_answers(settings.database_url.get_secret_value(), settings.database_wait_seconds, say)
    say(f"{_now(before)}, the database at {current or 'no revision'}, this release at {known.head}")
    refuse(before, settings, current)
    if known.has_reached(current, known.head):
        say("The database would stay as it is.")
    else:
        taken = current is not None and settings.backup_before_migration
        say(f"{'A backup would be taken, then t' if taken else 'T'}he database would be migrated to {known.head}.")
    for change in await apply_topology(settings, dry_run=True):
        say(f"{change.kind} {change.name}: {'' if change.action == 'unchanged' else 'would be '}{change.action}")


class Steps:
    """Names each step as it begins; when one fails, the marker gets its name and the error."""

    def __init__(self, settings: PrepareSettings, cluster: Cluster, before: Marker, say: Say) -> None:
        self._settings, self._cluster, self._before, self._say = settings, cluster, before, say
        self._name = ""

    def __call__(self, name: str, words: str) -> None:
        self._name = name
        self._say(f"{name}: {words}")

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            return
        failed = self._before.failed(self._name, _said(error), self._settings.app_version)
        self._say(f"{self._name}: failed")
        try:
            with refusals():
                marker.write(self._cluster, self._settings.release, failed)
        except ClusterError as unwritten:  # what failed first matters more
            self._say(f"ConfigMap {marker.name_of(self._settings.release)} was not written. {unwritten}")


def refuse(before: Marker, settings: PrepareSettings, current: str | None) -> None:
    """Raise ClusterError when going there would lose something that nobody said may be lost."""
    problems = marker.refused(before, settings.marker(current or ""), current, settings.allowed)
    if problems:
        raise ClusterError(" ".join(problems))


async def back_up_first(settings: PrepareSettings, say: Say) -> None:
    """Take the backup that a migration must not begin without, unless the operator has said that it may."""
    if not settings.backup_before_migration:
        say("No backup is taken: BACKUP_BEFORE_MIGRATION is false.")
        return
    done = await back_up(plan_of(settings, settings.backup_dir, settings.backup_keep), say)
    say(f"Kept {done.backup.dump}.")


def refuse_problems(problems: list[str]) -> None:
    """Raise DatabaseError that names them, if there are any."""
    if problems:
        raise DatabaseError(f"After the migration the database is not as this release needs it: {'; '.join(problems)}.")


async def apply_streams(settings: PrepareSettings, say: Say) -> None:
    """Apply the topology, again and again until NATS takes it: it may start beside this job. Raises StreamError."""
    for change in await _applied(settings, say):
        say(f"{change.kind} {change.name}: {change.action}")


async def _applied(settings: PrepareSettings, say: Say) -> list[Change]:
    began = time.monotonic()
    told_at = began - SAY_SECONDS
    while True:
        try:
            return await apply_topology(settings)
        except StreamError as error:
            now = time.monotonic()
            if now + RETRY_SECONDS > began + settings.nats_wait_seconds:
                raise
            if now - told_at >= SAY_SECONDS:
                say(f"Not yet ({now - began:.0f} s): {error}")
                told_at = now
        await asyncio.sleep(RETRY_SECONDS)


def _said(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "stopped before it ended"
    return str(error) if isinstance(error, SPEAKING) else type(error).__name__


def _now(before: Marker) -> str:
    return f"installed is {before.app} at revision {before.revision}" if before.installed else "nothing was installed"
