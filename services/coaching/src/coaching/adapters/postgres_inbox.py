"""Inbound events in the database: each counts once, by a unique row in the same transaction as its effect."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables, Transaction
from coaching.domain.commands import Command, command_in, steering
from coaching.domain.crisis import screen
from coaching.domain.deliveries import BY_RECEIPT, State
from coaching.domain.ids import OrganizationId
from coaching.domain.inbound import InboundOptOut, InboundReceipt, InboundText, Place
from kit.clock import Clock
from kit.ids import new_id

# Rows are locked in the order identities, conversations, people everywhere: no two transactions wait for each other.
_NEW = text("""
    INSERT INTO coaching.inbox (organization_id, channel, account, event_id)
    SELECT DISTINCT CAST(:organization_id AS uuid), channel, account, event_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (channel text, account text, event_id text)
    ORDER BY channel, account, event_id
    ON CONFLICT DO NOTHING
    RETURNING channel, account, event_id
""")
_IDENTITIES = text("""
    INSERT INTO coaching.identities (organization_id, channel, account, sender_id, person_id, last_inbound_at)
    SELECT DISTINCT ON (channel, account, sender_id) CAST(:organization_id AS uuid), channel, account, sender_id,
        new_person_id, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (channel text, account text, sender_id text, new_person_id uuid)
    ORDER BY channel, account, sender_id, new_person_id
    ON CONFLICT (organization_id, channel, account, sender_id) DO UPDATE
        SET last_inbound_at = excluded.last_inbound_at, gone_at = NULL
    RETURNING channel, account, sender_id, person_id
""")
_PEOPLE = text("""
    INSERT INTO coaching.people (organization_id, id, created_at)
    SELECT CAST(:organization_id AS uuid), id, CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS uuid[])) AS given (id)
    ON CONFLICT DO NOTHING
""")
# A conversation whose turn runs settles anew; one that has failed keeps its back-off; others settle, but not for ever.
_CONVERSATIONS = text("""
    INSERT INTO coaching.conversations AS c
        (organization_id, id, person_id, channel, account, address, created_at, last_inbound_at, pending_since,
         next_attempt_at)
    SELECT DISTINCT ON (channel, account, address) CAST(:organization_id AS uuid), new_conversation_id, person_id,
        channel, account, address, CAST(:now AS timestamptz), CAST(:now AS timestamptz), now(),
        now() + make_interval(secs => :settle)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (channel text, account text, address text, person_id uuid, new_conversation_id uuid)
    ORDER BY channel, account, address, new_conversation_id
    ON CONFLICT (organization_id, channel, account, address) DO UPDATE SET
        last_inbound_at = excluded.last_inbound_at,
        pending_since = coalesce(c.pending_since, now()),
        next_attempt_at = CASE
            WHEN c.pending_since IS NULL OR c.lease_until > now() THEN excluded.next_attempt_at
            WHEN c.attempts > 0 THEN c.next_attempt_at
            ELSE least(c.pending_since + make_interval(secs => :settle_max), excluded.next_attempt_at)
        END
    RETURNING id, channel, account, address
""")
# Danger does not wait behind an answer that is still being worded: whoever works on it writes nothing any more, since
# the token is an old one, and the next claim may be made at once.
_CUT_IN = text("""
    UPDATE coaching.conversations SET lease_owner = NULL, lease_until = NULL, lease_token = lease_token + 1,
        attempts = 0, next_attempt_at = now()
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
""")
_MESSAGES = text("""
    INSERT INTO coaching.messages
        (organization_id, id, conversation_id, person_id, role, event_id, event_order, text, sent_at, trace,
         created_at)
    SELECT CAST(:organization_id AS uuid), id, conversation_id, person_id, 'person', event_id, event_order, text,
        sent_at, trace, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (number integer, id uuid, conversation_id uuid, person_id uuid, event_id text, event_order bigint, text text,
         sent_at timestamptz, trace text)
    ORDER BY number
""")
_FILES = text("""
    INSERT INTO coaching.files (organization_id, message_id, number, sha256, media_type, size_bytes, kind, reason)
    SELECT CAST(:organization_id AS uuid), message_id, number, nullif(sha256, ''), media_type, size_bytes, kind, reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (message_id uuid, number smallint, sha256 text, media_type text, size_bytes bigint, kind text, reason text)
""")
# What was written in these conversations after a message that has just come: one may be delivered late.
_WRITTEN_AFTER = text("""
    SELECT given.number, m.text FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (number integer, conversation_id uuid, event_order bigint)
    JOIN coaching.messages m ON m.organization_id = CAST(:organization_id AS uuid)
        AND m.conversation_id = given.conversation_id AND m.role = 'person' AND m.event_order > given.event_order
    ORDER BY given.number, m.event_order, m.position
""")
# STOP counts from the moment at which it is known, on every channel, and does not wait for its answer.
_SEEN = text("""
    UPDATE coaching.people p SET last_message_at = CAST(:now AS timestamptz),
        locale = CASE WHEN given.locale <> '' THEN given.locale ELSE p.locale END,
        proactive_stopped_at = CASE given.stopped
            WHEN true THEN coalesce(p.proactive_stopped_at, CAST(:now AS timestamptz)) WHEN false THEN NULL
            ELSE p.proactive_stopped_at END
    FROM (
        SELECT id, coalesce((array_agg(locale ORDER BY number DESC) FILTER (WHERE locale <> ''))[1], '') AS locale,
            bool_or(stopped) AS stopped
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS seen (number integer, id uuid, locale text, stopped boolean)
        GROUP BY id ORDER BY id
    ) AS given
    WHERE p.organization_id = CAST(:organization_id AS uuid) AND p.id = given.id
""")
_RECEIPTS = text("""
    SELECT id, provider_message_id, channel, account, state FROM coaching.deliveries
    WHERE organization_id = CAST(:organization_id AS uuid)
        AND (channel, account, provider_message_id) IN (
            SELECT channel, account, provider_message_id FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                AS given (channel text, account text, provider_message_id text))
    ORDER BY id FOR UPDATE
""")
_RECEIPTED = text("""
    UPDATE coaching.deliveries d SET state = given.state, changed_at = now(), lease_until = NULL,
        reason = CASE WHEN given.state = 'failed' THEN given.reason ELSE '' END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, state text, reason text)
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = given.id
""")
# Who has written since is there again, whatever was said of the time before.
_GONE = text("""
    UPDATE coaching.identities i SET gone_at = given.told_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (channel text, account text, sender_id text, told_at timestamptz)
    WHERE i.organization_id = CAST(:organization_id AS uuid) AND i.channel = given.channel
        AND i.account = given.account AND i.sender_id = given.sender_id
        AND (i.last_inbound_at IS NULL OR i.last_inbound_at < given.told_at)
""")


class PostgresInbox:
    """Inbox on PostgreSQL."""

    def __init__(self, tables: Tables, clock: Clock, settle_seconds: float, settle_max_seconds: float) -> None:
        self._tables = tables
        self._clock = clock
        self._settle = settle_seconds
        self._settle_max = settle_max_seconds

    async def take_texts(self, organization_id: OrganizationId, texts: Sequence[InboundText]) -> list[Place]:
        """Store the texts that are new; return the conversations that wait for an answer because of them."""
        async with self._tables.of(organization_id) as transaction:
            new = await self._new(transaction, texts)
            if not new:
                return []
            return await self._store(transaction, new)

    @staticmethod
    async def _new(transaction: Transaction, texts: Sequence[InboundText]) -> list[InboundText]:
        first = {(item.channel, item.account, item.event_id): item for item in reversed(texts)}
        rows = [{"channel": channel, "account": account, "event_id": event} for channel, account, event in first]
        found = {(row["channel"], row["account"], row["event_id"]) for row in await transaction.rows(_NEW, rows=rows)}
        # In the provider's order: the order of the rows is the order of arrival for all later readers.
        return sorted((item for key, item in first.items() if key in found), key=lambda item: item.order)

    async def _store(self, transaction: Transaction, texts: Sequence[InboundText]) -> list[Place]:
        now = self._clock.now()
        persons = await self._persons(transaction, texts, now)
        rows = [
            {
                "channel": item.channel, "account": item.account, "address": item.address,
                "person_id": persons[item.channel, item.account, item.sender_id], "new_conversation_id": new_id(),
            }
            for item in texts
        ]  # fmt: skip
        found = await transaction.rows(
            _CONVERSATIONS, rows=rows, now=now, settle=self._settle, settle_max=self._settle_max
        )
        places = {Place(row["channel"], row["account"], row["address"]): str(row["id"]) for row in found}
        in_danger = {Place(item.channel, item.account, item.address) for item in texts if screen(item.text)}
        if in_danger:
            await transaction.run(_CUT_IN, ids=[places[place] for place in in_danger])
        await self._messages(transaction, texts, persons, places, now)
        late = await self._late_starts(transaction, texts, places)
        steered = [(str(row["person_id"]), item) for row, item in zip(rows, texts, strict=True) if item not in late]
        stopped = _stopped(steered)
        seen = [
            {
                "number": number, "id": row["person_id"], "locale": item.locale,
                "stopped": stopped.get(str(row["person_id"])),
            }
            for number, (row, item) in enumerate(zip(rows, texts, strict=True))
        ]  # fmt: skip
        await transaction.run(_SEEN, rows=seen, now=now)
        return list(places)

    @staticmethod
    async def _late_starts(
        transaction: Transaction, texts: Sequence[InboundText], places: dict[Place, str]
    ) -> list[InboundText]:
        """Return each START after which a STOP was written in the same conversation, although it came earlier."""
        starts = [item for item in texts if command_in(item.text) is Command.START]
        if not starts:
            return []
        rows = [
            {
                "number": number, "event_order": item.order,
                "conversation_id": places[Place(item.channel, item.account, item.address)],
            }
            for number, item in enumerate(starts)
        ]  # fmt: skip
        after: dict[int, list[Command]] = {}
        for row in await transaction.rows(_WRITTEN_AFTER, rows=rows):
            command = command_in(row["text"])
            after.setdefault(row["number"], []).extend([command] if command is not None else [])
        return [item for number, item in enumerate(starts) if steering(tuple(after.get(number, ()))) is Command.STOP]

    @staticmethod
    async def _persons(
        transaction: Transaction, texts: Sequence[InboundText], now: object
    ) -> dict[tuple[str, str, str], str]:
        rows = [
            {"channel": item.channel, "account": item.account, "sender_id": item.sender_id, "new_person_id": new_id()}
            for item in texts
        ]
        found: Sequence[RowMapping] = await transaction.rows(_IDENTITIES, rows=rows, now=now)
        persons = {(row["channel"], row["account"], row["sender_id"]): str(row["person_id"]) for row in found}
        made = {row["new_person_id"] for row in rows} & set(persons.values())
        if made:
            await transaction.run(_PEOPLE, ids=sorted(made), now=now)
        return persons

    @staticmethod
    async def _messages(
        transaction: Transaction,
        texts: Sequence[InboundText],
        persons: dict[tuple[str, str, str], str],
        places: dict[Place, str],
        now: object,
    ) -> None:
        rows: list[dict[str, Any]] = []
        files: list[dict[str, Any]] = []
        for number, item in enumerate(texts):
            message_id = new_id()
            rows.append(
                {
                    "number": number, "id": message_id, "event_id": item.event_id, "event_order": item.order,
                    "conversation_id": places[Place(item.channel, item.account, item.address)],
                    "person_id": persons[item.channel, item.account, item.sender_id],
                    "text": item.text, "sent_at": item.sent_at.isoformat(), "trace": item.trace,
                }
            )  # fmt: skip
            files += [
                {
                    "message_id": message_id, "number": at, "sha256": file.sha256, "media_type": file.media_type,
                    "size_bytes": file.size_bytes, "kind": file.kind, "reason": file.reason,
                }
                for at, file in enumerate(item.files)
            ]  # fmt: skip
        await transaction.run(_MESSAGES, rows=rows, now=now)
        if files:
            await transaction.run(_FILES, rows=files)

    async def take_receipts(self, organization_id: OrganizationId, receipts: Sequence[InboundReceipt]) -> set[str]:
        """Move deliveries forward; return the provider message ids that belong to one."""
        keys = [
            {"channel": item.channel, "account": item.account, "provider_message_id": item.provider_message_id}
            for item in receipts
        ]
        async with self._tables.of(organization_id) as transaction:
            found = await transaction.rows(_RECEIPTS, rows=keys)
            changed = [row for row in (_after(row, receipts) for row in found) if row is not None]
            if changed:
                await transaction.run(_RECEIPTED, rows=changed)
        return {row["provider_message_id"] for row in found}

    async def take_opt_outs(self, organization_id: OrganizationId, opt_outs: Sequence[InboundOptOut]) -> None:
        """Note that people left their channel; nothing is written there first until they write again."""
        rows = [
            {
                "channel": item.channel, "account": item.account, "sender_id": item.sender_id,
                "told_at": item.received_at.isoformat(),
            }
            for item in opt_outs
        ]  # fmt: skip
        async with self._tables.of(organization_id) as transaction:
            await transaction.run(_GONE, rows=rows)


def _stopped(texts: Sequence[tuple[str, InboundText]]) -> dict[str, bool]:
    """Return for each person who has written STOP or START whether the last of them was STOP, on any channel."""
    found: dict[str, bool] = {}
    for person_id, item in sorted(texts, key=lambda pair: pair[1].sent_at):
        order = command_in(item.text)
        if order in (Command.STOP, Command.START):
            found[person_id] = order is Command.STOP
    return found


def _after(row: RowMapping, receipts: Sequence[InboundReceipt]) -> dict[str, str] | None:
    """Fold all receipts for one delivery, in whatever order they came, into the state furthest on."""
    state, reason = State(row["state"]), ""
    key = (row["channel"], row["account"], row["provider_message_id"])
    pending = [item for item in receipts if (item.channel, item.account, item.provider_message_id) == key]
    for item in pending:
        if item.state in BY_RECEIPT.get(state, frozenset()):
            state, reason = item.state, item.reason
    if state.value == row["state"]:
        return None
    return {"id": str(row["id"]), "state": state.value, "reason": reason}
