"""What a database holds, in a form in which a copy can be compared with it: shape, and a count and checksum a table."""

from dataclasses import dataclass

import asyncpg

from platformctl.db.errors import DatabaseError

# ruff: noqa: S608  # every name in these statements comes from the catalog, quoted
# How values become text must be the same on both sides, whatever the server's defaults are.
SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "search_path": "pg_catalog",
    "application_name": "platformctl db backup",
}

OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"

# No materialised views: a restore computes them anew, from tables that are compared.
TABLES = f"""
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {OURS} ORDER BY 1, 2
"""

# One line for each thing that is no row: a copy without a policy or an index is no copy.
SHAPE = f"""
SELECT format('%s %I.%I owned by %I, row security %s %s', c.relkind, n.nspname, c.relname, pg_get_userbyid(c.relowner),
    c.relrowsecurity, c.relforcerowsecurity)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't' AND {OURS}
UNION ALL SELECT format('column %I.%I.%I %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    a.attnotnull)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND {OURS}
UNION ALL SELECT pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND c.relpersistence <> 't' AND {OURS}
UNION ALL SELECT format('constraint %I on %s: %s', k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE k.conrelid <> 0 AND {OURS}
UNION ALL SELECT format('policy %I on %I.%I: %s %s %s %s %s', policyname, schemaname, tablename, permissive, roles, cmd,
    qual, with_check) FROM pg_policies
UNION ALL SELECT format('function of %I: %s', pg_get_userbyid(p.proowner), pg_get_functiondef(p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p') AND {OURS}
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL SELECT format('grants on %I.%I: %s', n.nspname, c.relname,
    (SELECT string_agg(entry::text, ' ' ORDER BY entry::text) FROM unnest(c.relacl) AS entry))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relacl IS NOT NULL AND c.relpersistence <> 't' AND {OURS}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """`checksum` is the sum of a 64-bit hash of each row's text: no order of rows changes it."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a copy must have too."""

    tables: dict[str, Table]
    shape: frozenset[str]

    def differences(self, copy: "Contents") -> list[str]:
        """What the copy lacks, has too much, or has otherwise; names and counts, never a value of a row."""
        found = [f"{name} is missing" for name in sorted(self.tables.keys() - copy.tables.keys())]
        found += [f"{name} is new" for name in sorted(copy.tables.keys() - self.tables.keys())]
        for name in sorted(self.tables.keys() & copy.tables.keys()):
            ours, theirs = self.tables[name], copy.tables[name]
            if ours.rows != theirs.rows:
                found.append(f"{name} has {theirs.rows} rows instead of {ours.rows}")
            elif ours.checksum != theirs.checksum:
                found.append(f"{name} has other values in its {ours.rows} rows")
        found += [f"missing: {line.partition(chr(10))[0]}" for line in sorted(self.shape - copy.shape)]
        return found + [f"new: {line.partition(chr(10))[0]}" for line in sorted(copy.shape - self.shape)]


async def contents(connection: "asyncpg.Connection[asyncpg.Record]") -> Contents:
    """Read everything, as the connection's transaction sees it. Raises DatabaseError when a row may be hidden."""
    tables: dict[str, Table] = {}
    for schema, name in await connection.fetch(TABLES):
        tables[f"{schema}.{name}"] = await _table(connection, f"{_quoted(schema)}.{_quoted(name)}")
    rows = await connection.fetch(SHAPE)
    return Contents(tables, frozenset(str(row[0]) for row in rows))


async def sequences(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """What each sequence gave out last, 0 for nothing yet; as it is now, whatever the transaction sees."""
    rows = await connection.fetch("SELECT schemaname || '.' || sequencename, coalesce(last_value, 0) FROM pg_sequences")
    return {str(name): int(last) for name, last in rows}


def wrong_sequences(before: dict[str, int], after: dict[str, int], copy: dict[str, int]) -> list[str]:
    """The copy's sequences that are not where the source's were between two moments: the next row would collide."""
    return [
        f"sequence {name} stands at {copy.get(name)} instead of {before[name]} to {after[name]}"
        for name in sorted(before.keys() & after.keys())
        if not before[name] <= copy.get(name, 0) <= after[name]
    ]


async def refuse_hidden_rows(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Raise DatabaseError when row-level security binds this user: what it copies would not be everything."""
    hidden = await connection.fetchval(
        f"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind = 'r' AND {OURS} AND row_security_active(c.oid)"
    )
    if hidden:
        user = await connection.fetchval("SELECT current_user")
        raise DatabaseError(
            f"The user {user} does not see every row: row-level security binds it on {hidden} tables. Give "
            "BACKUP_DATABASE_URL, the same database as a user with BYPASSRLS."
        )


async def _table(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> Table:
    row = await connection.fetchrow(
        f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM ONLY {name} AS t"
    )
    return Table(int(row[0]), str(row[1])) if row else Table(0, "0")


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
