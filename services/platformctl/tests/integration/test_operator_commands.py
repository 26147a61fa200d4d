"""`platformctl db` and `platformctl streams` as an operator types them."""

import asyncio
import json

import nats
import pytest
import typer
from nats.js.errors import NotFoundError
from typer.testing import CliRunner, Result

from contracts.topology import CONSUMERS, STREAMS
from platformctl.commands import db, streams
from platformctl.db.history import history
from platformctl.db.settings import MigrationSettings
from support.database import TestDatabase

HEAD = history(MigrationSettings()).head
NOWHERE = {"DATABASE_URL": "postgresql://someone:hush@127.0.0.1:1/none", "NATS_URL": "nats://someone:hush@127.0.0.1:1"}

cli = typer.Typer()
cli.add_typer(db.app, name="db")
cli.add_typer(streams.app, name="streams")


async def platformctl(*arguments: str, **env: str) -> Result:
    """Run a command to its end; it has its own event loop, hence the thread."""
    return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), env=env)


async def test_migrate_says_what_it_did(database: TestDatabase) -> None:
    done = await platformctl("db", "migrate", DATABASE_URL=database.owner_url)
    assert (done.exit_code, done.output) == (0, f"The database is at {HEAD} already.\n")
    done = await platformctl("db", "migrate", "--json", DATABASE_URL=database.owner_url)
    assert json.loads(done.output) == {"before": HEAD, "after": HEAD, "ahead": False}


async def test_migrate_gives_a_role_its_password(database: TestDatabase) -> None:
    # One password for every test of this run: the roles belong to the server.
    password = database.coaching_url.split(":")[2].split("@")[0]
    given = {"DATABASE_URL": database.owner_url, "COACHING_DATABASE_PASSWORD": password}
    assert (await platformctl("db", "migrate", **given)).exit_code == 0
    async with database.connect("coaching_service") as service:
        assert await service.fetchval("SELECT 1") == 1


async def test_migrate_prints_sql_without_a_database() -> None:
    done = await platformctl("db", "migrate", "--sql", **NOWHERE)
    assert done.exit_code == 0
    assert done.output.startswith("SET lock_timeout = '4000ms';")
    assert "CREATE TABLE coaching.organizations" in done.output


async def test_wait_ends_well_or_with_a_reason(database: TestDatabase) -> None:
    done = await platformctl("db", "wait", "--min-revision", "0001", DATABASE_URL=database.gateway_url)
    assert (done.exit_code, done.output) == (0, f"The database is at {HEAD}.\n")
    done = await platformctl("db", "wait", "--timeout", "0", **NOWHERE)
    assert done.exit_code == 1
    assert "cannot be reached" in done.output
    assert "hush" not in done.output


async def test_verify_ends_with_1_and_names_the_problem(database: TestDatabase) -> None:
    done = await platformctl("db", "verify", DATABASE_URL=database.owner_url)
    assert (done.exit_code, done.output) == (0, "The database is as this release needs it.\n")
    async with database.connect() as owner:
        await owner.execute("ALTER TABLE coaching.people NO FORCE ROW LEVEL SECURITY")
    done = await platformctl("db", "verify", "--json", DATABASE_URL=database.owner_url)
    assert done.exit_code == 1
    assert json.loads(done.output)["ok"] is False
    assert "coaching.people" in json.loads(done.output)["problems"][0]


async def test_a_wrong_setting_ends_with_78_and_its_name() -> None:
    done = await platformctl("db", "verify", MIGRATION_ATTEMPTS="none")
    assert done.exit_code == 78
    assert "MIGRATION_ATTEMPTS" in done.output


async def test_streams_are_said_created_and_then_left_alone(nats_server_url: str) -> None:
    await remove_streams(nats_server_url)
    planned = await platformctl("streams", "apply", "--dry-run", NATS_URL=nats_server_url)
    assert planned.output.count("would be created") == len(STREAMS) + len(CONSUMERS)
    shown = await platformctl("streams", "show", NATS_URL=nats_server_url)
    assert shown.output.count("missing (run `platformctl streams apply`)") == len(STREAMS)

    first = await platformctl("streams", "apply", "--json", NATS_URL=nats_server_url)
    again = await platformctl("streams", "apply", "--json", NATS_URL=nats_server_url)

    assert {change["action"] for change in json.loads(first.output)} == {"created"}
    assert {change["action"] for change in json.loads(again.output)} == {"unchanged"}


async def test_a_setting_that_changed_is_applied_to_the_stream(nats_url: str) -> None:
    changed = await platformctl(
        "streams", "apply", "--json", NATS_URL=nats_url, NATS_DUPLICATE_WINDOW_SECONDS="1", NATS_ACK_WAIT_SECONDS="3",
    )  # fmt: skip
    actions = {change["name"]: change["action"] for change in json.loads(changed.output)}
    assert actions["INBOUND"] == "updated"
    client = await nats.connect(nats_url)
    info = await client.jetstream().stream_info("INBOUND")
    consumer = await client.jetstream().consumer_info("INBOUND", "coaching-inbound")
    await client.close()
    assert (info.config.duplicate_window, consumer.config.ack_wait) == (1.0, 3.0)


async def test_streams_show_counts_what_waits_and_prints_no_message(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().publish("inbound.web.default", b"private words")
    await client.close()
    shown = await platformctl("streams", "show", NATS_URL=nats_url)
    assert "INBOUND: 1 messages" in shown.output
    assert "coaching-inbound: 1 waiting" in shown.output
    assert "private" not in shown.output
    found = json.loads((await platformctl("streams", "show", "--json", NATS_URL=nats_url)).output)
    assert [stream["stream"] for stream in found] == [stream.name for stream in STREAMS]


@pytest.mark.parametrize("arguments", [("streams", "apply"), ("streams", "show"), ("db", "migrate"), ("db", "verify")])
async def test_an_unreachable_server_is_a_sentence_without_credentials(arguments: tuple[str, ...]) -> None:
    done = await platformctl(*arguments, **NOWHERE)
    assert done.exit_code == 1
    assert "cannot be reached" in done.output
    assert "hush" not in done.output
    assert "Traceback" not in done.output


async def remove_streams(url: str) -> None:
    client = await nats.connect(url)
    for stream in STREAMS:
        try:
            await client.jetstream().delete_stream(stream.name)
        except NotFoundError:
            continue
    await client.close()
