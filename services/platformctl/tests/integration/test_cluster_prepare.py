"""`platformctl cluster prepare`, the migration job: a real PostgreSQL, a real NATS and a real cluster's ConfigMap."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from platformctl.cluster import marker
from platformctl.cluster.connect import Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.marker import Database, Marker
from platformctl.cluster.prepare import foresee, prepare
from platformctl.cluster.settings import PrepareSettings
from platformctl.db.archive import Archive
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.settings import MigrationSettings
from platformctl.streams.operations import StreamError, show_topology
from platformctl.streams.settings import StreamSettings
from support.database import PASSWORDS, TestDatabase, fresh_database
from support.namespace import acting_as, fresh_namespace, needs_cluster
from support.platform import clean_environment

pytestmark = needs_cluster
HEAD = history(MigrationSettings()).head
NEXT = f"{int(HEAD) + 1:04}"
STEPS = ("wait", "check", "backup", "migrate", "verify", "streams", "mark")
_numbers = count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with fresh_namespace() as found:
        yield found


@pytest.fixture
def release() -> str:
    return f"coach{next(_numbers)}"


@pytest.fixture
def empty(postgres_url: str) -> Iterator[TestDatabase]:
    with fresh_database(postgres_url, "template0") as found:
        yield found


def settings(database: TestDatabase, nats: str, release: str, folder: Path, **given: object) -> PrepareSettings:
    """What the chart would give the job."""
    passwords = {f"{role.removesuffix('_service')}_database_password": word for role, word in PASSWORDS.items()}
    told = {
        "database_url": database.owner_url,
        "nats_url": nats,
        "release": release,
        "database_kind": Database.BUNDLED,
        "app_version": "1.0",
        "backup_dir": folder / "backups",
        "database_wait_seconds": 5,
        "nats_wait_seconds": 5,
    }
    return PrepareSettings.model_validate(told | passwords | given)


def next_release(folder: Path, body: str) -> Path:
    """Our history with one more revision, whose upgrade() does this."""
    shutil.copytree(
        MigrationSettings().migrations_dir, folder / "migrations", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "migrations" / "versions" / f"{NEXT}_next.py").write_text(
        f'"""The next release."""\nfrom alembic import op\nrevision, down_revision = "{NEXT}", "{HEAD}"\n'
        f"branch_labels = depends_on = None\ndef upgrade() -> None:\n    {body}\n"
    )
    return folder / "migrations"


async def test_from_nothing_everything_is_there_and_the_marker_says_so(
    cluster: Cluster, empty: TestDatabase, nats_server_url: str, release: str, tmp_path: Path
) -> None:
    chosen = settings(empty, nats_server_url, release, tmp_path, embedding_model="minilm", chart_version="0.1.0")
    said: list[str] = []
    await prepare(chosen, cluster, said.append)
    written = marker.read(cluster, release)
    assert written.at
    assert written == Marker(HEAD, "bundled", "0.1.0", "1.0", "minilm", "1", at=written.at)
    steps = [name for line in said if (name := line.partition(":")[0]) in STEPS]
    assert steps == [name for name in STEPS if name != "backup"]
    assert not (tmp_path / "backups").exists()  # there was nothing to lose
    async with empty.connect("coaching_service") as service:
        assert await service.fetchval("SELECT version_num FROM public.alembic_version") == HEAD
    streams = await show_topology(StreamSettings.model_validate({"nats_url": nats_server_url}))
    assert all(stream["exists"] for stream in streams)


async def test_again_it_changes_nothing(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    chosen = settings(database, nats_url, release, tmp_path)
    await prepare(chosen, cluster, print)
    said: list[str] = []
    await prepare(chosen, cluster, said.append)
    assert {line.rpartition(" ")[2] for line in said if line.startswith(("stream ", "consumer "))} == {"unchanged"}
    assert not (tmp_path / "backups").exists()


async def test_an_upgrade_takes_a_verified_backup_of_the_schema_before(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    await prepare(settings(database, nats_url, release, tmp_path), cluster, print)
    history_ = next_release(tmp_path, "op.execute('CREATE TABLE coaching.more (id int)')")
    upgrade = settings(database, nats_url, release, tmp_path, app_version="1.1", migrations_dir=history_)
    await prepare(upgrade, cluster, print)
    (backup,) = Archive(tmp_path / "backups").backups()
    assert f"-{HEAD}-" in backup.dump.name
    assert (marker.read(cluster, release).revision, marker.read(cluster, release).app) == (NEXT, "1.1")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("op.execute('CREATE TABLE coaching.people (id int)')", 'relation "people" already exists (SQLSTATE 42P07)'),
        ("op.execute(\"SELECT 'anna@example.org'::uuid\")", "invalid input syntax for type uuid (SQLSTATE 22P02)"),
        ("raise RuntimeError('anna@example.org')", "RuntimeError"),
    ],
)
async def test_a_migration_that_fails_is_in_the_marker_and_takes_nothing_away(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path, body: str, words: str
) -> None:
    await prepare(settings(database, nats_url, release, tmp_path), cluster, print)
    bad = settings(
        database, nats_url, release, tmp_path, app_version="1.1", migrations_dir=next_release(tmp_path, body)
    )
    with pytest.raises((DatabaseError, RuntimeError)):
        await prepare(bad, cluster, print)
    told = marker.read(cluster, release)
    assert (told.revision, told.app, told.failed_step, told.failed_app) == (HEAD, "1.0", "migrate", "1.1")
    assert words in told.failed_error
    assert "anna" not in told.failed_error
    async with database.connect() as owner:
        assert await owner.fetchval("SELECT version_num FROM public.alembic_version") == HEAD
    assert len(Archive(tmp_path / "backups").backups()) == 1
    await prepare(settings(database, nats_url, release, tmp_path), cluster, print)  # the release before, again
    assert not marker.read(cluster, release).failed_step


async def test_the_release_before_runs_on_a_newer_schema_and_leaves_its_streams(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    newer = next_release(tmp_path, "op.execute('CREATE TABLE coaching.more (id int)')")
    await prepare(settings(database, nats_url, release, tmp_path, migrations_dir=newer), cluster, print)
    said: list[str] = []
    await prepare(settings(database, nats_url, release, tmp_path, app_version="0.9"), cluster, said.append)
    assert "streams: left as the newer release made them" in said
    told = marker.read(cluster, release)
    assert (told.revision, told.app, told.failed_step) == (NEXT, "0.9", "")


async def test_no_migration_without_its_backup(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    (tmp_path / "backups").write_text("no folder")
    newer = next_release(tmp_path, "op.execute('CREATE TABLE coaching.more (id int)')")
    upgrade = settings(database, nats_url, release, tmp_path, migrations_dir=newer)
    with pytest.raises(DatabaseError, match="Backups cannot be written"):
        await prepare(upgrade, cluster, print)
    assert marker.read(cluster, release).failed_step == "backup"
    async with database.connect() as owner:
        assert await owner.fetchval("SELECT version_num FROM public.alembic_version") == HEAD
    await prepare(upgrade.model_copy(update={"backup_before_migration": False}), cluster, print)
    assert marker.read(cluster, release).revision == NEXT


async def test_an_emptied_database_is_refused_before_anything_is_made(
    cluster: Cluster, empty: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    marker.write(cluster, release, Marker(revision=HEAD, database="bundled"))
    chosen = settings(empty, nats_url, release, tmp_path)
    with pytest.raises(ClusterError, match="it is empty now"):
        await prepare(chosen, cluster, print)
    with pytest.raises(ClusterError, match="it is empty now"):
        await foresee(chosen, cluster, print)
    assert marker.read(cluster, release).failed_step == "check"
    async with empty.connect() as owner:
        assert await owner.fetchval("SELECT to_regclass('public.alembic_version')") is None
    await prepare(chosen.model_copy(update={"prepare_allow": "empty-database"}), cluster, print)
    assert marker.read(cluster, release).revision == HEAD


async def test_a_store_that_does_not_answer_is_named(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    nowhere = {"nats_url": "nats://coaching:hush@127.0.0.1:1", "nats_wait_seconds": 1}
    with pytest.raises(StreamError, match="NATS cannot be reached"):
        await prepare(settings(database, nats_url, release, tmp_path, **nowhere), cluster, print)
    told = marker.read(cluster, release)
    assert (told.failed_step, told.installed) == ("streams", False)
    assert "hush" not in told.failed_error


async def test_a_marker_that_cannot_be_written_does_not_hide_what_failed(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    said: list[str] = []
    nowhere = settings(database, "nats://127.0.0.1:1", release, tmp_path, nats_wait_seconds=0)
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    with acting_as(cluster, rules) as account, pytest.raises(StreamError, match="NATS cannot be reached"):
        await prepare(nowhere, account, said.append)
    assert said[-1].startswith(f"ConfigMap {release}-installed was not written. The cluster refused: ")


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    cluster: Cluster, empty: TestDatabase, nats_server_url: str, release: str, tmp_path: Path
) -> None:
    said: list[str] = []
    await foresee(settings(empty, nats_server_url, release, tmp_path), cluster, said.append)
    assert f"The database would be migrated to {HEAD}." in said
    assert marker.read(cluster, release) == Marker()
    async with empty.connect() as owner:
        assert await owner.fetchval("SELECT to_regclass('public.alembic_version')") is None


async def test_its_rights_are_enough(
    cluster: Cluster, database: TestDatabase, nats_url: str, release: str, tmp_path: Path
) -> None:
    name = marker.name_of(release)
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [name], "verbs": ["get", "update"]},
    ]
    with acting_as(cluster, rules) as account:
        for _ in range(2):
            await prepare(settings(database, nats_url, release, tmp_path), account, print)
    assert marker.read(cluster, release).revision == HEAD


async def test_the_command_reads_what_the_chart_sets_and_a_stop_is_in_the_marker(
    cluster: Cluster, database: TestDatabase, release: str, tmp_path: Path
) -> None:
    """The job's deadline ends it with SIGTERM while it waits for NATS."""
    env = clean_environment() | {
        "KUBECONFIG": os.environ["KUBECONFIG"],
        "POD_NAMESPACE": cluster.namespace,
        "ENVIRONMENT": "production",
        "RELEASE": release,
        "DATABASE_KIND": "bundled",
        "DATABASE_ADMIN_URL": database.owner_url,
        "NATS_URL": "nats://coaching:hush@127.0.0.1:1",
        "BACKUP_DIR": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "platformctl.main", "cluster", "prepare"],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def stop_while_it_waits() -> str:
        assert process.stdout is not None
        lines = []
        with process.stdout:
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Not yet"):
                    time.sleep(0.2)
                    process.terminate()
        process.wait()
        return "".join(lines)

    output = await asyncio.to_thread(stop_while_it_waits)
    assert process.returncode == 143, output
    assert "hush" not in output
    told = marker.read(cluster, release)
    assert (told.failed_step, told.failed_error) == ("streams", "stopped before it ended")
