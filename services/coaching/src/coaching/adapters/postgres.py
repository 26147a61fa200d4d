"""The database as the adapters see it: one organisation's transaction, and errors in the words of the ports."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import CursorResult, RowMapping, TextClause
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from coaching.adapters.schema_check import SchemaCheck
from coaching.app.ports import StoreRefusedError, StoreUnavailableError
from kit.postgres import Database

# SQLSTATE classes that say the data itself is wrong: 22 data exception, 23 integrity constraint violation.
REFUSED = ("22", "23")


@contextmanager
def in_words_of_ports() -> Iterator[None]:
    """Turn database errors into StoreRefusedError or StoreUnavailableError; the texts, which may quote rows, stay."""
    try:
        yield
    except DBAPIError as error:
        state = _sqlstate(error)
        if state[:2] in REFUSED:
            raise StoreRefusedError(state) from error
        raise StoreUnavailableError(state) from error
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StoreUnavailableError("no connection") from error


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


class Tables:
    """Transactions on coaching's tables; `schema` is told how each statement went."""

    def __init__(self, database: Database, schema: SchemaCheck) -> None:
        self._database = database
        self._schema = schema

    @asynccontextmanager
    async def of(self, organization_id: str) -> AsyncIterator["Transaction"]:
        """Open a transaction that sees one organisation's rows."""
        with in_words_of_ports():
            async with self._database.transaction(organization_id) as connection:
                yield Transaction(connection, organization_id, self._schema)

    @asynccontextmanager
    async def across(self) -> AsyncIterator["Transaction"]:
        """Open a transaction for the functions that look across organisations; it sees no row itself."""
        with in_words_of_ports():
            async with self._database.across() as connection:
                yield Transaction(connection, "", self._schema)


class Transaction:
    """Statements of one transaction; each names `:organization_id`, which is bound here; `:rows` travels as JSON."""

    def __init__(self, connection: AsyncConnection, organization_id: str, schema: SchemaCheck) -> None:
        self._connection = connection
        self._schema = schema
        self._organization_id = organization_id

    async def rows(self, statement: TextClause, **values: Any) -> Sequence[RowMapping]:
        """Run a statement and return its rows."""
        result = await self._execute(statement, values)
        return result.mappings().all()

    async def run(self, statement: TextClause, **values: Any) -> None:
        """Run a statement that returns nothing."""
        _ = await self._execute(statement, values)

    async def _execute(self, statement: TextClause, values: Mapping[str, Any]) -> CursorResult[Any]:
        try:
            result = await self._connection.execute(statement, self._bound(values))
        except DBAPIError as error:
            self._schema.failed(statement.text, _sqlstate(error))
            raise
        self._schema.worked(statement.text)
        return result

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        bound = dict(values)
        if "rows" in bound:
            bound["rows"] = json.dumps(bound["rows"], ensure_ascii=False, default=str)
        if self._organization_id:
            bound["organization_id"] = self._organization_id
        return bound
