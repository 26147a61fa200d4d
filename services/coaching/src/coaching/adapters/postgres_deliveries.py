"""Deliveries in the database: read under lock, decided by plain functions, written in one statement."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables, Transaction
from coaching.adapters.postgres_claims import CLAIM
from coaching.adapters.postgres_last_words import outgoing, tell
from coaching.domain.deliveries import NEVER_SENT_AGAIN, Delivery, Kind, State
from coaching.domain.last_word import LastWord, Outgoing
from coaching.domain.quiet_hours import QuietHours

SWEEP_LEASE_SECONDS = 30
CLAIM_LEASE_SECONDS = 15.0  # a killed sender's messages come back to another about now, and are not held up for longer
_COLUMNS = """
    SELECT d.id, d.kind, d.state, d.lease_token, d.lease_until, coalesce(d.lease_until > now(), false) AS leased,
        d.parts_accepted, d.not_before, d.not_after, d.provider_message_id, d.reason,
"""
_THOSE = """
    FROM coaching.deliveries d
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = ANY (CAST(:ids AS uuid[]))
    ORDER BY d.id FOR UPDATE OF d
"""
_LOCK = text(f"{_COLUMNS} false AS overtakes {_THOSE}")
# An earlier reply of the same conversation that another sender has, or nobody yet, goes first. One that this sender
# has, or asks for too, it sends in order. After an hour nobody waits for it: something is wrong with the earlier one.
_LOCK_FOR_CLAIM = text(f"""
    {_COLUMNS} d.kind = 'reply' AND EXISTS (
        SELECT FROM coaching.deliveries e WHERE e.organization_id = d.organization_id
            AND e.conversation_id = d.conversation_id AND e.state IN ('planned', 'claimed', 'in_flight')
            AND e.kind = 'reply' AND e.created_at < d.created_at AND e.created_at > d.created_at - interval '1 hour'
            AND e.id <> ALL (CAST(:ids AS uuid[]))
            AND NOT coalesce(e.lease_owner = :owner AND e.lease_until > now(), false)
    ) AS overtakes {_THOSE}
""")
# Leases and sweeps run by the database's clock. A sender in flight is looked after when its lease has ended. One that
# has only claimed has called nobody, and its token does not let it once another has claimed: its lease can be short.
# The ids are there twice, as in turn_statements.ANSWERED.
_WRITE = text("""
    UPDATE coaching.deliveries d SET
        state = given.state, lease_token = given.token, parts_accepted = given.parts_accepted,
        provider_message_id = given.provider_message_id, reason = given.reason, not_before = given.not_before,
        lease_owner = CASE WHEN given.state IN ('claimed', 'in_flight') THEN :owner END,
        lease_until = CASE given.state
            WHEN 'claimed' THEN now() + make_interval(secs => least(CAST(:lease AS double precision), :claim_lease))
            WHEN 'in_flight' THEN now() + make_interval(secs => :lease) END,
        sweep_at = CASE given.state
            WHEN 'in_flight' THEN now() + make_interval(secs => :lease)
            WHEN 'claimed' THEN now() + make_interval(secs => :lease + :patience)
            ELSE greatest(now(), coalesce(given.not_before, now())) + make_interval(secs => :patience) END,
        changed_at = now()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, state text, token bigint, parts_accepted integer, provider_message_id text, reason text,
         not_before timestamptz)
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = ANY (CAST(:ids AS uuid[])) AND d.id = given.id
""")
# What will never be sent again needs no row in the outbox, and the person's words are not kept there.
_FORGET_OUTBOX = text("""
    DELETE FROM coaching.outbox WHERE organization_id = CAST(:organization_id AS uuid)
        AND id = ANY (CAST(:ids AS uuid[])) AND published_at IS NOT NULL
""")
_GONE = text("""
    UPDATE coaching.identities i SET gone_at = CAST(:at AS timestamptz)
    FROM coaching.deliveries d
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = ANY (CAST(:ids AS uuid[]))
        AND i.organization_id = d.organization_id AND i.person_id = d.person_id
        AND i.channel = d.channel AND i.account = d.account
        AND (i.last_inbound_at IS NULL OR i.last_inbound_at < CAST(:at AS timestamptz))
""")
# Twice as long after each time: the stream may hold the earlier copies still, and their reader be away.
_AGAIN = text("""
    UPDATE coaching.deliveries SET republished = republished + 1,
        sweep_at = now() + make_interval(secs => :patience * power(2, least(republished + 1, 6)))
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
""")
_UNPUBLISH = text("""
    UPDATE coaching.outbox SET published_at = NULL, due_at = now()
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
        AND published_at IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class DeliveryTimes:
    """How long a claim lasts, and how long a delivery may wait unclaimed before it is looked after."""

    lease_seconds: float
    patience_seconds: float


class PostgresDeliveries:
    """Deliveries on PostgreSQL."""

    def __init__(self, tables: Tables, owner: str, times: DeliveryTimes, default_quiet: QuietHours) -> None:
        self._tables = tables
        self._owner = owner
        self._times = times
        self._default_quiet = default_quiet

    @asynccontextmanager
    async def locked(self, organization_id: str, delivery_ids: Sequence[str]) -> AsyncIterator["LockedRows"]:
        """Lock deliveries of one organisation until the block ends, which commits."""
        async with self._tables.of(organization_id) as transaction:
            found = await transaction.rows(_LOCK, ids=list(delivery_ids))
            yield LockedRows(transaction, found, self._times, self._default_quiet)

    @asynccontextmanager
    async def locked_for(
        self, organization_id: str, delivery_ids: Sequence[str], sender: str
    ) -> AsyncIterator["LockedRows"]:
        """Lock them, and look which replies would overtake another that `sender` does not have."""
        async with self._tables.of(organization_id) as transaction:
            found = await transaction.rows(_LOCK_FOR_CLAIM, ids=list(delivery_ids), owner=sender)
            yield LockedRows(transaction, found, self._times, self._default_quiet)

    async def claim_to_sweep(self, limit: int) -> dict[str, list[str]]:
        """Return the ids, by organisation, of deliveries that somebody must look after."""
        async with self._tables.across() as transaction:
            found = await transaction.rows(
                CLAIM, kind="delivery", owner=self._owner, seconds=SWEEP_LEASE_SECONDS, most=limit
            )
        due: dict[str, list[str]] = {}
        for row in found:
            due.setdefault(str(row["organization_id"]), []).append(str(row["id"]))
        return due


class LockedRows:
    """LockedDeliveries on PostgreSQL."""

    def __init__(
        self, transaction: Transaction, rows: Sequence[RowMapping], times: DeliveryTimes, default_quiet: QuietHours
    ) -> None:
        self._transaction = transaction
        self._times = times
        self._default_quiet = default_quiet
        self.found = {str(row["id"]): _delivery(row) for row in rows}

    async def outgoing(self, delivery_ids: Sequence[str], now: datetime) -> tuple[datetime, Mapping[str, Outgoing]]:
        """Lock the persons of these proactive deliveries; return the database's clock, and what decides about each."""
        return await outgoing(self._transaction, delivery_ids, now, self._default_quiet)

    async def tell(self, words: Sequence[LastWord], now: datetime) -> None:
        """Keep what was decided, and take back what does not leave."""
        await tell(self._transaction, words, now)

    async def write(self, changed: Sequence[Delivery], owner: str) -> None:
        """Write deliveries; claimed ones and those in flight get a fresh lease."""
        await self._transaction.run(
            _WRITE,
            rows=[_row(delivery) for delivery in changed],
            ids=[delivery.delivery_id for delivery in changed],
            owner=owner,
            lease=float(self._times.lease_seconds),
            claim_lease=CLAIM_LEASE_SECONDS,
            patience=float(self._times.patience_seconds),
        )
        ended = [delivery.delivery_id for delivery in changed if delivery.state in NEVER_SENT_AGAIN]
        if ended:
            await self._transaction.run(_FORGET_OUTBOX, ids=ended)

    async def recipients_gone(self, delivery_ids: Sequence[str], at: datetime) -> None:
        """Note that the people of these deliveries have left their channels."""
        await self._transaction.run(_GONE, ids=list(delivery_ids), at=at)

    async def publish_again(self, delivery_ids: Sequence[str]) -> None:
        """Let the relay publish these once more."""
        await self._transaction.run(_AGAIN, ids=list(delivery_ids), patience=float(self._times.patience_seconds))
        await self._transaction.run(_UNPUBLISH, ids=list(delivery_ids))


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        str(row["id"]), Kind(row["kind"]), State(row["state"]), row["lease_token"], row["leased"], row["lease_until"],
        row["parts_accepted"], row["not_before"], row["not_after"], row["provider_message_id"], row["reason"],
        row["overtakes"],
    )  # fmt: skip


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.delivery_id, "state": delivery.state.value, "token": delivery.token,
        "parts_accepted": delivery.parts_accepted, "provider_message_id": delivery.provider_message_id,
        "reason": delivery.reason, "not_before": delivery.not_before.isoformat() if delivery.not_before else None,
    }  # fmt: skip
