"""The database as the adapters see it: one organisation's transaction, and errors in the words of the ports."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import RowMapping, TextClause
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from coaching.adapters.schema_check import SchemaCheck
from coaching.app.ports import StoreRefusedError, StoreUnavailableError
from kit.postgres import Database

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
ROLLBACK_SECONDS = 5.0
# SQLSTATE classes that say the data itself is wrong: 22 data exception, 23 integrity constraint violation.
REFUSED = ("22", "23")
NO_UUID = "22P02"
# What SQLAlchemy says that has no connection, and the driver of a statement; the last where a connection dies under it.
FAILED = (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy types its dialects in part


@contextmanager
def in_words_of_ports() -> Iterator[None]:
    """Turn database errors into StoreRefusedError or StoreUnavailableError; the texts, which may quote rows, stay."""
    try:
        yield
    except FAILED as error:
        state = _sqlstate(error)
        if state[:2] in REFUSED:
            raise StoreRefusedError(state) from error
        raise StoreUnavailableError(state) from error
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StoreUnavailableError("no connection") from error


def _sqlstate(error: Exception) -> str:
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


@cache
def _compiled(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """Return a statement as the driver takes it, and the names of its values in their order."""
    found = statement.compile(dialect=_DIALECT)
    return found.string, tuple(found.positiontup or ())


def _begin_as(organization_id: str) -> str:
    """Return what begins a transaction that sees one organisation's rows, in one message to the server."""
    try:
        return f"BEGIN; SELECT set_config('app.organization_id', '{UUID(organization_id)}', true)"
    except ValueError:
        raise StoreRefusedError(NO_UUID) from None


async def _roll_back(driver: Driver) -> None:
    """End the transaction, or the connection with it: the pool never gets one that is in the middle of something."""
    ended = False
    try:
        with suppress(*FAILED, OSError, TimeoutError):
            await driver.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
            ended = True
    finally:
        if not ended:
            driver.terminate()


class Tables:
    """Transactions on coaching's tables; `schema` is told how each statement went."""

    def __init__(self, database: Database, schema: SchemaCheck) -> None:
        self._database = database
        self._schema = schema

    @asynccontextmanager
    async def of(self, organization_id: str) -> AsyncIterator["Transaction"]:
        """Open a transaction that sees one organisation's rows."""
        with in_words_of_ports():
            async with self._begun(_begin_as(organization_id)) as driver:
                yield Transaction(driver, organization_id, self._schema)

    @asynccontextmanager
    async def across(self) -> AsyncIterator["Transaction"]:
        """Open a transaction for the functions that look across organisations; it sees no row itself."""
        with in_words_of_ports():
            async with self._begun("BEGIN") as driver:
                yield Transaction(driver, "", self._schema)

    @asynccontextmanager
    async def _begun(self, begin: str) -> AsyncIterator[Driver]:
        """Yield a connection in a transaction that is committed at the end, and rolled back on an error."""
        async with self._database.engine.connect() as connection:
            opened: Any = connection.sync_connection
            driver: Driver = opened.connection.driver_connection
            try:
                await driver.execute(begin)
                yield driver
                await driver.execute("COMMIT")
            except BaseException:
                await _roll_back(driver)
                raise


class Transaction:
    """Statements of one transaction; each names `:organization_id`, which is bound here; `:rows` travels as JSON.

    They go to the driver itself, and so do the transaction's begin and end: what SQLAlchemy adds to each is more than a
    prepared statement costs altogether. Its pool stays.
    """

    def __init__(self, driver: Driver, organization_id: str, schema: SchemaCheck) -> None:
        self._driver = driver
        self._schema = schema
        self._organization_id = organization_id

    async def rows(self, statement: TextClause, **values: Any) -> Sequence[RowMapping]:
        """Run a statement and return its rows, which are read by the names of their columns."""
        text, names = _compiled(statement)
        bound = self._bound(values)
        try:
            rows = await self._driver.fetch(text, *(bound[name] for name in names))
        except FAILED as error:
            self._schema.failed(statement.text, _sqlstate(error))
            raise
        self._schema.worked(statement.text)
        return cast("Sequence[RowMapping]", rows)

    async def run(self, statement: TextClause, **values: Any) -> None:
        """Run a statement that returns nothing."""
        _ = await self.rows(statement, **values)

    def _bound(self, values: dict[str, Any]) -> dict[str, Any]:
        if "rows" in values:
            values["rows"] = orjson.dumps(values["rows"], default=str).decode()
        if self._organization_id:
            values["organization_id"] = self._organization_id
        return values
