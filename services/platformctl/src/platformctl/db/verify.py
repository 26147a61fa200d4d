"""Whether a database is what this release needs, and keeps organisations apart."""

import re

import asyncpg

from platformctl.db.connect import connected
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.migrate import sql
from platformctl.db.revision import current_revision
from platformctl.db.rules import COMMON, RULES, SCHEMAS
from platformctl.db.settings import MigrationSettings

_CREATED = re.compile(r"^\s*CREATE TABLE (?:IF NOT EXISTS )?(\w+\.\w+)", re.MULTILINE)
_DROPPED = re.compile(r"^\s*DROP TABLE (?:IF EXISTS )?(\w+\.\w+)", re.MULTILINE)


async def verify(settings: MigrationSettings) -> list[str]:
    """Every problem as a sentence, empty when all is well. Raises DatabaseError when the database cannot be asked."""
    async with connected(settings.database_url.get_secret_value()) as connection:
        problems = await _revision_problems(connection, settings)
        problems += await _missing_tables(connection, settings)
        return [*problems, *await broken_rules(connection)]


async def broken_rules(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """What breaks a rule in this database, one sentence for each."""
    problems: list[str] = []
    for rule in RULES:
        rows = await connection.fetch(COMMON + rule.query, list(SCHEMAS), list(SCHEMAS.values()))
        problems += [rule.problem.format(name=row[0]) for row in rows]
    return problems


async def _revision_problems(
    connection: "asyncpg.Connection[asyncpg.Record]", settings: MigrationSettings
) -> list[str]:
    known = history(settings)
    try:
        head = known.head
    except DatabaseError as error:
        return [str(error)]
    current = await current_revision(connection)
    if known.has_reached(current, head):
        return []
    return [f"the database is at {current or 'no revision'}, this release needs {head}: run `platformctl db migrate`"]


async def _missing_tables(connection: "asyncpg.Connection[asyncpg.Record]", settings: MigrationSettings) -> list[str]:
    """Tables that the history makes and the database does not have; a newer database may have dropped some."""
    if history(settings).is_ahead(await current_revision(connection)):
        return []
    rows = await connection.fetch(
        "SELECT t FROM unnest($1::text[]) t WHERE to_regclass(t) IS NULL", expected_tables(sql(settings))
    )
    return [f"table {row[0]} is missing" for row in rows]


def expected_tables(statements: str) -> list[str]:
    """The tables that a history's SQL leaves behind, by schema-qualified name."""
    return sorted(set(_CREATED.findall(statements)) - set(_DROPPED.findall(statements)))
