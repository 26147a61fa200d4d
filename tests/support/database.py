"""A migrated database for each test, copied from a template that is migrated once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

import asyncpg

from platformctl.db.migrate import migrate
from platformctl.db.settings import MigrationSettings
from support.servers import in_thread

DEFAULT_ORGANIZATION = "00000000-0000-7000-8000-000000000001"
SECOND_ORGANIZATION = "00000000-0000-7000-8000-000000000002"
TEMPLATE = "template_migrated"
PASSWORDS = {
    "gateway_service": "gateway-test-password",
    "coaching_service": "coaching-test-password",
    "channels_service": "channels-test-password",
}

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """One database: the owner's URL (a superuser, whom no row-level security binds) and one URL for each service."""

    __test__ = False  # not a test class, whatever its name says to pytest

    owner_url: str

    @property
    def name(self) -> str:
        return urlsplit(self.owner_url).path.lstrip("/")

    @property
    def gateway_url(self) -> str:
        return self.url_of("gateway_service")

    @property
    def coaching_url(self) -> str:
        return self.url_of("coaching_service")

    @property
    def channels_url(self) -> str:
        return self.url_of("channels_service")

    def url_of(self, role: str) -> str:
        """The URL with which a service's role logs in."""
        parts = urlsplit(self.owner_url)
        return f"postgresql://{role}:{PASSWORDS[role]}@127.0.0.1:{parts.port}{parts.path}"

    @asynccontextmanager
    async def connect(
        self, role: str | None = None, organization: str | None = None
    ) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """A plain connection as the owner, or as a service's role; with an organisation set for the whole session."""
        connection = await asyncpg.connect(self.url_of(role) if role else self.owner_url)
        try:
            if organization is not None:
                await connection.execute("SELECT set_config('app.organization_id', $1, false)", organization)
            yield connection
        finally:
            await connection.close()

    async def add_organization(self, organization: str = SECOND_ORGANIZATION, name: str = "Second") -> str:
        """Insert one more organisation, and return its id."""
        async with self.connect() as owner:
            await owner.execute("INSERT INTO coaching.organizations (id, name) VALUES ($1, $2)", organization, name)
        return organization


def url_for(server_url: str, database: str) -> str:
    """The server's URL with another database in it."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()


def make_template(server_url: str) -> None:
    """Create and migrate the database that the tests' databases are copied from."""

    async def make() -> None:
        await administer(server_url, f"CREATE DATABASE {TEMPLATE}")
        await migrate(migration_settings(url_for(server_url, TEMPLATE)))

    in_thread(make)


def migration_settings(url: str) -> MigrationSettings:
    """What `platformctl db migrate` would read from the environment, with the tests' passwords."""
    given = {f"{role.removesuffix('_service')}_database_password": word for role, word in PASSWORDS.items()}
    return MigrationSettings.model_validate({"database_url": url, **given})


async def administer(server_url: str, statement: str) -> None:
    """Run one statement outside of any transaction, as the superuser, in a database that nobody copies."""
    connection = await asyncpg.connect(url_for(server_url, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def fresh_database(server_url: str, template: str = TEMPLATE) -> Iterator[TestDatabase]:
    """A copy of the template, dropped at the end even when a service still holds connections."""
    name = f"test_{next(_numbers)}"
    in_thread(lambda: administer(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield TestDatabase(url_for(server_url, name))
    finally:
        in_thread(lambda: administer(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
