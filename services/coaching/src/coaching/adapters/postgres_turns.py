"""Turns in the database: opened for many conversations at once, recorded many in one transaction."""

import base64
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping

from coaching.adapters import outbound
from coaching.adapters import turn_statements as sql
from coaching.adapters.coalescing import Coalescer
from coaching.adapters.postgres import Tables, Transaction
from coaching.app.ports import Context
from coaching.domain.ids import ConversationId, MessageId, OrganizationId, PersonId, TurnId
from coaching.domain.people import Person
from coaching.domain.prompt import Past, Speaker
from coaching.domain.turn import Claim, Conversation, OpenedTurn, Pending, StepTrace, TurnRecord
from kit.clock import Clock
from kit.ids import new_id

Rows = list[dict[str, Any]]


class PostgresTurns:
    """Turns on PostgreSQL."""

    def __init__(self, tables: Tables, clock: Clock, sweep_seconds: float) -> None:
        self._tables = tables
        self._clock = clock
        self._sweep_seconds = sweep_seconds
        self._contexts: Coalescer[OpenedTurn, Context] = Coalescer(
            self._load_contexts, key=lambda opened: opened.claim.organization_id
        )
        self._records: Coalescer[TurnRecord, bool] = Coalescer(
            self._write_records, key=lambda record: record.opened.claim.organization_id
        )

    async def open(self, claims: Sequence[Claim]) -> list[OpenedTurn]:
        """Return the claimed conversations with their waiting messages; one with none is let go, and left out."""
        opened: list[OpenedTurn] = []
        ordered = sorted(claims, key=lambda claim: claim.organization_id)
        for organization_id, group in groupby(ordered, key=lambda claim: claim.organization_id):
            async with self._tables.of(organization_id) as transaction:
                opened += await self._open(transaction, list(group))
        return opened

    async def _open(self, transaction: Transaction, claims: list[Claim]) -> list[OpenedTurn]:
        rows = [{"id": claim.conversation_id, "token": claim.token} for claim in claims]
        found = {str(row["id"]): row for row in await transaction.rows(sql.OPEN, rows=rows)}
        waiting: dict[str, list[Pending]] = {}
        for row in await transaction.rows(sql.WAITING, ids=list(found)):
            pending = Pending(MessageId(str(row["id"])), row["text"], row["files"], row["trace"])
            waiting.setdefault(str(row["conversation_id"]), []).append(pending)
        idle = [row for row in rows if row["id"] in found and row["id"] not in waiting]
        if idle:
            _ = await transaction.rows(sql.FENCE, rows=idle)
            await transaction.run(sql.NOTHING_WAITS, rows=idle)
        now = self._clock.now()
        return [
            OpenedTurn(claim, TurnId(new_id()), _conversation(row), _person(row), tuple(waiting[own]), now)
            for claim in claims
            if (own := claim.conversation_id) in waiting and (row := found[own])
        ]

    async def context(self, opened: OpenedTurn) -> Context:
        """Return the history that prompts show, and what else a turn must know of its person."""
        return await self._contexts(opened)

    async def _load_contexts(self, opened: Sequence[OpenedTurn]) -> list[Context]:
        places = [
            {
                "number": number, "conversation_id": turn.conversation.conversation_id,
                "history_from": turn.conversation.history_from, "person_id": turn.person.person_id,
            }
            for number, turn in enumerate(opened)
        ]  # fmt: skip
        async with self._tables.of(opened[0].claim.organization_id) as transaction:
            history: list[list[Past]] = [[] for _ in opened]
            for row in await transaction.rows(sql.HISTORY, rows=places):
                history[row["number"]].append(_past(row))
            standing = {row["number"]: row for row in await transaction.rows(sql.STANDING, rows=places)}
        return [
            Context(tuple(past), standing[number]["recent_turns"], standing[number]["has_memory"])
            for number, past in enumerate(history)
        ]

    async def record(self, record: TurnRecord) -> bool:
        """Write a turn in one transaction; False, and nothing written, where the claim is no longer ours."""
        return await self._records(record)

    async def _write_records(self, records: Sequence[TurnRecord]) -> list[bool]:
        organization_id: OrganizationId = records[0].opened.claim.organization_id
        fences = [{"id": record.opened.claim.conversation_id, "token": record.opened.claim.token} for record in records]
        async with self._tables.of(organization_id) as transaction:
            ours = {str(row["id"]) for row in await transaction.rows(sql.FENCE, rows=fences)}
            kept = [record for record in records if record.opened.claim.conversation_id in ours]
            if kept:
                await self._write(transaction, kept)
        return [record.opened.claim.conversation_id in ours for record in records]

    async def _write(self, transaction: Transaction, records: Sequence[TurnRecord]) -> None:
        now = self._clock.now()
        sent = [outbound.Sent(record, MessageId(new_id()), new_id(), now) for record in records]
        await transaction.run(sql.TURNS, rows=[_turn(record) for record in records])
        answered = [row for record in records for row in _answered(record)]
        await transaction.run(sql.ANSWERED, rows=answered, ids=[row["id"] for row in answered])
        await transaction.run(sql.REPLIES, rows=[_reply(item) for item in sent])
        await transaction.run(sql.DELIVERIES, rows=[_delivery(item) for item in sent], sweep=self._sweep_seconds)
        await transaction.run(sql.OUTBOX, rows=[_outbox(item) for item in sent])
        changes = [_change(record, now) for record in records if record.change != type(record.change)()]
        if changes:
            # In one order with whoever else locks several people.
            await transaction.run(sql.PEOPLE, rows=sorted(changes, key=lambda change: str(change["id"])))
        ended = [{"id": record.opened.claim.conversation_id, "history_from": record.history_from} for record in records]
        await transaction.run(sql.CONVERSATIONS, rows=ended)


def _conversation(row: RowMapping) -> Conversation:
    return Conversation(
        ConversationId(str(row["id"])), row["channel"], row["account"], row["address"], row["attempts"],
        row["history_from"],
    )  # fmt: skip


def _person(row: RowMapping) -> Person:
    return Person(PersonId(str(row["person_id"])), row["locale"], row["notice_given_at"], row["crisis_hold_at"])


def _past(row: RowMapping) -> Past:
    speaker = Speaker.PERSON if row["role"] == "person" else Speaker.COACH
    return Past(str(row["id"]), row["position"], speaker, row["prompt_text"])


def _turn(record: TurnRecord) -> dict[str, Any]:
    opened, reply, use = record.opened, record.reply, record.reply.use
    return {
        "id": opened.turn_id, "conversation_id": opened.conversation.conversation_id,
        "person_id": opened.person.person_id, "source": reply.source.value,
        "failure_reason": reply.failure.value if reply.failure else None,
        "model_name": use.name if use else None, "model_sha256": use.sha256 if use else None,
        "model_provider": use.provider if use else None, "prompt_tokens": use.prompt_tokens if use else 0,
        "cached_tokens": use.cached_tokens if use else 0, "generated_tokens": use.generated_tokens if use else 0,
        "steps": [_step(trace) for trace in record.steps], "attempts": opened.conversation.attempts,
        "lease_token": opened.claim.token, "started_at": opened.started_at.isoformat(),
        "message_count": len(opened.messages),
    }  # fmt: skip


def _step(trace: StepTrace) -> dict[str, Any]:
    return {"step": trace.step, "milliseconds": trace.milliseconds, "outcome": trace.outcome}


def _answered(record: TurnRecord) -> Rows:
    """The first message that is coached carries the whole turn's side of the prompt."""
    remembered = frozenset(record.remembered)
    first = next(iter(record.remembered), None)
    return [
        {
            "id": message.message_id, "turn_id": record.opened.turn_id, "remember": message.message_id in remembered,
            "prompt_text": record.prompt_text if message.message_id == first else None,
        }
        for message in record.opened.messages
    ]  # fmt: skip


def _reply(sent: outbound.Sent) -> dict[str, Any]:
    opened, reply = sent.record.opened, sent.record.reply
    return {
        "id": sent.message_id, "conversation_id": opened.conversation.conversation_id,
        "person_id": opened.person.person_id, "turn_id": opened.turn_id, "text": reply.text,
        "prompt_text": reply.prompt_text, "source": reply.source.value, "created_at": sent.at.isoformat(),
        "remember": sent.record.remember_reply,
    }  # fmt: skip


def _delivery(sent: outbound.Sent) -> dict[str, Any]:
    opened = sent.record.opened
    at = opened.conversation
    return {
        "id": sent.delivery_id, "message_id": sent.message_id, "turn_id": opened.turn_id,
        "conversation_id": at.conversation_id, "person_id": opened.person.person_id, "channel": at.channel,
        "account": at.account, "address": at.address, "created_at": sent.at.isoformat(),
    }  # fmt: skip


def _outbox(sent: outbound.Sent) -> dict[str, Any]:
    payload = base64.b64encode(outbound.message(sent)).decode()
    return {"id": sent.delivery_id, "subject": outbound.subject(sent), "payload": payload, "trace": sent.record.trace}


def _change(record: TurnRecord, now: Any) -> dict[str, Any]:
    change = record.change
    return {
        "id": record.opened.person.person_id, "at": now.isoformat(), "notice": change.notice_given,
        "hold": change.crisis_hold,
    }  # fmt: skip
