"""`platformctl db wait`: what an application pod stands at until the migration job has done its work."""

import asyncio
from collections.abc import Iterator

import pytest

from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.migrate import migrate
from platformctl.db.revision import revision_of, wait_for, wait_until_answers
from platformctl.db.settings import MigrationSettings
from support.database import TestDatabase, administer, fresh_database, migration_settings

KNOWN = history(MigrationSettings())
NOWHERE = "postgresql://someone:hush@127.0.0.1:1/none"


class Heard:
    """What a wait says, and that it has said something."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.something = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self.something.set()


@pytest.fixture
def empty(postgres_url: str) -> Iterator[TestDatabase]:
    """A database without any migration, on a server that has the services' roles."""
    with fresh_database(postgres_url, "template0") as found:
        yield found


@pytest.mark.parametrize("role", ["gateway_service", "coaching_service", "channels_service"])
async def test_the_role_of_any_service_is_enough(database: TestDatabase, role: str) -> None:
    assert await wait_for(database.url_of(role), KNOWN, KNOWN.head, 0) == KNOWN.head


@pytest.mark.parametrize("option", ["sslmode=disable", "ssl=disable"])
async def test_how_to_encrypt_may_be_said_in_either_word(database: TestDatabase, option: str) -> None:
    """The chart's postgresql.external.sslMode reaches services, which take `ssl`, and this command by one URL."""
    url = f"{database.url_of('gateway_service')}?{option}"
    assert await wait_for(url, KNOWN, KNOWN.head, 0) == KNOWN.head


async def test_a_database_that_is_ahead_is_ready(database: TestDatabase) -> None:
    async with database.connect() as owner:
        await owner.execute("UPDATE public.alembic_version SET version_num = '9999'")
    assert await wait_for(database.coaching_url, KNOWN, KNOWN.head, 0) == "9999"


async def test_a_revision_that_is_newer_than_this_release_is_waited_for(database: TestDatabase) -> None:
    with pytest.raises(DatabaseError, match=f"Not at revision 9999 within 0 s: the database is at {KNOWN.head}"):
        await wait_for(database.coaching_url, KNOWN, "9999", 0)


async def test_it_waits_for_the_migration_and_says_what_for(empty: TestDatabase) -> None:
    heard = Heard()
    waiting = asyncio.create_task(wait_for(empty.coaching_url, KNOWN, KNOWN.head, 60, heard))
    await heard.something.wait()
    await migrate(migration_settings(empty.owner_url))
    assert await waiting == KNOWN.head
    assert heard.lines[0] == (
        f"Not at revision {KNOWN.head} yet (0 s): the database is at no revision. Run `platformctl db migrate`."
    )
    assert len(heard.lines) < 10  # what has not changed is not said again for ten seconds


async def test_a_right_that_is_not_granted_yet_is_waited_for(database: TestDatabase) -> None:
    async with database.connect() as owner:
        await owner.execute("REVOKE SELECT ON public.alembic_version FROM coaching_service")
        heard = Heard()
        waiting = asyncio.create_task(wait_for(database.coaching_url, KNOWN, KNOWN.head, 60, heard))
        await heard.something.wait()
        await owner.execute("GRANT SELECT ON public.alembic_version TO coaching_service")
    assert await waiting == KNOWN.head
    assert "permission denied for table alembic_version" in heard.lines[0]


async def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    with pytest.raises(DatabaseError) as refusal:
        await wait_until_answers(NOWHERE, 0)
    assert str(refusal.value).startswith("No answer within 0 s: The database cannot be reached")
    assert "hush" not in str(refusal.value)


async def test_an_answer_is_a_query_that_succeeded(empty: TestDatabase) -> None:
    assert await wait_until_answers(empty.owner_url, 0) is None
    assert await revision_of(empty.owner_url) is None
    await administer(empty.owner_url, f"ALTER DATABASE {empty.name} ALLOW_CONNECTIONS false")
    with pytest.raises(DatabaseError, match="not currently accepting connections"):
        await wait_until_answers(empty.owner_url, 0)
