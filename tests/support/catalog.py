"""What a database's own catalogue says of its tables, and rows made from nothing but that."""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import asyncpg

from platformctl.db.rules import SCHEMAS

_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
    a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS needed,
    (SELECT min(pg_get_constraintdef(k.oid)) FROM pg_constraint k
     WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS check
FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_FIRST_LITERAL = re.compile(r"ARRAY\['([^']*)'")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `needed` means that an insert must give it a value."""

    name: str
    type: str
    needed: bool
    check: str | None


async def personal_tables(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Every table of the services' schemas that has organization_id, by schema-qualified name."""
    rows = await connection.fetch(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name) WHERE column_name = 'organization_id'"
        " AND table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1",
        list(SCHEMAS),
    )
    return [row["name"] for row in rows]


async def columns(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> list[Column]:
    """The columns of a table, in order."""
    return [Column(**row) for row in await connection.fetch(_COLUMNS, table)]


def made_up(column: Column, organization: str) -> Any:
    """A value that the column takes, another one for each organisation where its type can tell them apart."""
    if column.name == "organization_id":
        return uuid.UUID(organization)
    if column.check and (literal := _FIRST_LITERAL.search(column.check)):
        return literal[1]
    digest = hashlib.sha256(f"{organization}/{column.name}".encode()).hexdigest()
    kinds: dict[str, Any] = {
        "uuid": uuid.UUID(digest[:32]),
        "text": digest,
        "character varying": digest[:32],
        "bytea": digest.encode(),
        "timestamp with time zone": datetime(2026, 1, 1, tzinfo=UTC),
        "time without time zone": time(8, 30),
        "date": datetime(2026, 1, 1, tzinfo=UTC).date(),
        "boolean": True,
        "jsonb": "{}",
        "json": "{}",
        "text[]": [digest],
    }
    return kinds.get(column.type, 1)  # what is left are numbers


async def insert(connection: "asyncpg.Connection[asyncpg.Record]", table: str, organization: str) -> None:
    """Insert one made-up row; the foreign keys it would break are the caller's matter."""
    needed = [column for column in await columns(connection, table) if column.needed]
    names = ", ".join(column.name for column in needed)
    places = ", ".join(f"${number}" for number in range(1, len(needed) + 1))
    values = [made_up(column, organization) for column in needed]
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *values)
