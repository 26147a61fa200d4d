"""A claimed conversation in which nothing waits is let go, and what comes in that moment is not forgotten."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_claims import PostgresClaims
from coaching.adapters.postgres_inbox import PostgresInbox
from coaching.adapters.postgres_turns import PostgresTurns
from coaching.adapters.schema_check import SchemaCheck
from coaching.adapters.turn_statements import NOTHING_WAITS
from coaching.domain.ids import OrganizationId
from coaching.domain.inbound import InboundText
from coaching.domain.turn import Claim
from kit.clock import SystemClock
from kit.postgres import Database
from support.coaching import Stage

ERASE = "DELETE FROM coaching.messages"
STATE = "SELECT pending_since IS NOT NULL AS waits, lease_owner IS NOT NULL AS claimed FROM coaching.conversations"


@pytest.fixture
async def tables(around: Stage) -> AsyncIterator[Tables]:
    database = Database(around.settings(), "test")
    yield Tables(database, SchemaCheck())
    await database.close()


async def claimed(around: Stage, tables: Tables) -> Claim:
    """Take one text in, and claim its conversation."""
    text = InboundText(
        OrganizationId(around.organization), "web", "default", "e1", "anna", "anna", 1, "hello", "en", datetime.now(UTC)
    )
    await PostgresInbox(tables, SystemClock(), 0.0, 0.0).take_texts(text.organization_id, [text])
    [claim] = await PostgresClaims(tables, "test", 30).claim(5)
    return claim


@pytest.mark.parametrize(("erased", "waits"), [(False, True), (True, False)])
async def test_only_what_still_waits_is_kept(around: Stage, tables: Tables, erased: bool, waits: bool) -> None:
    claim = await claimed(around, tables)
    if erased:
        await around.rows(ERASE)
    async with tables.of(claim.organization_id) as transaction:
        await transaction.run(NOTHING_WAITS, rows=[{"id": claim.conversation_id, "token": claim.token}])
    [state] = await around.rows(STATE)
    assert (state["waits"], state["claimed"]) == (waits, False)


async def test_opening_a_conversation_without_messages_lets_it_go(around: Stage, tables: Tables) -> None:
    claim = await claimed(around, tables)
    await around.rows(ERASE)
    assert await PostgresTurns(tables, SystemClock(), 600).open([claim]) == []
    [state] = await around.rows(STATE)
    assert (state["waits"], state["claimed"]) == (False, False)
