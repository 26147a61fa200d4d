"""Check-ins whose words are made ahead, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables, Transaction
from coaching.adapters.turn_statements import HISTORY
from coaching.domain.check_ins import Activity, CatchUp, CheckIn
from coaching.domain.ids import PersonId
from coaching.domain.last_said import Said
from coaching.domain.preparing import Made, Unworded, Worded
from coaching.domain.prompt import Past, Speaker
from coaching.domain.turn import Source

LEASE_SECONDS = 90  # longer than a model may take, and the database after it
MOST_SAID = 12
_CLAIM = text("SELECT organization_id, id, token FROM coaching.claim_check_ins(:at, :seconds, :most)")
# The conversation is the one that the person used last, on a channel that they have not left.
_LOAD = text("""
    SELECT given.number, given.token, c.id, c.person_id, c.trigger, c.rule, c.local_time, c.time_zone, c.starts_on,
        c.catch_up, c.after_days, c.paused_at IS NOT NULL AS paused, c.next_due_at, c.created_at,
        c.prepared_for, c.prepared_position, c.prepared_source, p.locale, p.last_message_at,
        p.notice_given_at IS NOT NULL AND p.proactive_stopped_at IS NULL AND p.crisis_hold_at IS NULL AS willing,
        used.id AS conversation_id, used.history_from,
        (SELECT coalesce(max(m.position), 0) FROM coaching.messages m
            WHERE m.organization_id = c.organization_id AND m.person_id = c.person_id AND m.role = 'person') AS newest,
        (SELECT max(n.due_at) FROM coaching.nudges n
            WHERE n.organization_id = c.organization_id AND n.check_in_id = c.id
                AND n.state IN ('dispatched', 'merged')) AS last_nudge_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (number integer, id uuid, token bigint)
    JOIN coaching.check_ins c ON c.organization_id = CAST(:organization_id AS uuid) AND c.id = given.id
    JOIN coaching.people p ON p.organization_id = c.organization_id AND p.id = c.person_id
    LEFT JOIN LATERAL (
        SELECT v.id, v.history_from FROM coaching.conversations v
        WHERE v.organization_id = c.organization_id AND v.person_id = c.person_id AND EXISTS (
            SELECT FROM coaching.identities i WHERE i.organization_id = v.organization_id
                AND i.person_id = v.person_id AND i.channel = v.channel AND i.account = v.account
                AND i.gone_at IS NULL)
        ORDER BY v.last_inbound_at DESC NULLS LAST, v.id LIMIT 1
    ) used ON true
    ORDER BY given.number
""")
# What the person said and a model's words answered, without files: never a crisis, a command, or an honest failure.
_SAID = text("""
    SELECT given.number, m.text, m.created_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (number integer, person_id uuid)
    CROSS JOIN LATERAL (
        SELECT id, text, created_at, position FROM coaching.messages said
        WHERE said.organization_id = CAST(:organization_id AS uuid) AND said.person_id = given.person_id
            AND said.role = 'person' AND said.memory_state <> 'none' AND EXISTS (
                SELECT FROM coaching.turns t WHERE t.organization_id = said.organization_id AND t.id = said.turn_id
                    AND t.source = 'model')
        ORDER BY position DESC LIMIT :most
    ) m
    WHERE NOT EXISTS (SELECT FROM coaching.files f
        WHERE f.organization_id = CAST(:organization_id AS uuid) AND f.message_id = m.id)
    ORDER BY given.number, m.position DESC
""")
# Whoever claimed later, and whoever moved the due time, has the say.
_KEEP = text("""
    UPDATE coaching.check_ins SET prepare_at = CAST(:look_again_at AS timestamptz),
        prepared_for = CAST(:due_at AS timestamptz), prepared_at = CAST(:now AS timestamptz),
        prepared_position = :position, prepared_source = :source, prepared_text = :words
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:id AS uuid) AND prepare_token = :token
        AND next_due_at = CAST(:due_at AS timestamptz)
    RETURNING id
""")
_LOOK_AGAIN = text("""
    UPDATE coaching.check_ins SET prepare_at = CAST(:look_again_at AS timestamptz)
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:id AS uuid) AND prepare_token = :token
        AND next_due_at IS NOT DISTINCT FROM CAST(:due_at AS timestamptz)
    RETURNING id
""")


class PostgresPreparing:
    """Preparing on PostgreSQL."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(self, at: datetime, limit: int) -> list[Unworded]:
        """Take up to `limit` check-ins of any organisation whose turn it is at `at`, with what words need."""
        async with self._tables.across() as transaction:
            found = await transaction.rows(_CLAIM, at=at, seconds=LEASE_SECONDS, most=limit)
        claimed = sorted((str(row["organization_id"]), str(row["id"]), row["token"]) for row in found)
        items: list[Unworded] = []
        for organization_id, group in groupby(claimed, key=lambda row: row[0]):
            rows = [{"number": number, "id": row[1], "token": row[2]} for number, row in enumerate(group)]
            async with self._tables.of(organization_id) as transaction:
                items += await _loaded(transaction, organization_id, rows)
        return items

    async def keep(self, item: Unworded, worded: Worded | None, look_again_at: datetime | None) -> bool:
        """Store words, or with None leave what there is; False, nothing written, where somebody else has the say."""
        common: dict[str, Any] = {
            "id": item.check_in.check_in_id, "token": item.token, "due_at": item.check_in.next_due_at,
            "look_again_at": look_again_at,
        }  # fmt: skip
        async with self._tables.of(item.organization_id) as transaction:
            if worded is None:
                return bool(await transaction.rows(_LOOK_AGAIN, **common))
            written = await transaction.rows(
                _KEEP, **common, now=worded.at, position=item.newest, source=worded.source.value,
                words=worded.text,
            )  # fmt: skip
        return bool(written)


async def _loaded(transaction: Transaction, organization_id: str, rows: list[dict[str, Any]]) -> list[Unworded]:
    found = await transaction.rows(_LOAD, rows=rows)
    places = [
        {"number": row["number"], "conversation_id": str(row["conversation_id"]), "history_from": row["history_from"]}
        for row in found
        if row["conversation_id"] is not None
    ]
    people = [{"number": row["number"], "person_id": str(row["person_id"])} for row in found]
    history = _grouped(await transaction.rows(HISTORY, rows=places))
    said = _grouped(await transaction.rows(_SAID, rows=people, most=MOST_SAID))
    return [
        _unworded(organization_id, row, history.get(row["number"], []), said.get(row["number"], [])) for row in found
    ]


def _unworded(organization_id: str, row: RowMapping, history: list[RowMapping], said: list[RowMapping]) -> Unworded:
    source = Source(row["prepared_source"]) if row["prepared_source"] else None
    return Unworded(
        organization_id=organization_id,
        token=row["token"],
        check_in=_check_in(row),
        may_be_written_to=row["willing"] and not row["paused"] and row["conversation_id"] is not None,
        locale=row["locale"],
        activity=Activity(row["last_message_at"], row["last_nudge_at"]),
        newest=row["newest"],
        made=Made(row["prepared_for"], row["prepared_position"], source),
        conversation_id=str(row["conversation_id"] or ""),
        history=tuple(_past(message) for message in history),
        said=tuple(Said(message["text"], message["created_at"]) for message in said),
    )


def _check_in(row: RowMapping) -> CheckIn:
    return CheckIn(
        str(row["id"]), PersonId(str(row["person_id"])), row["trigger"], row["rule"], row["local_time"],
        row["time_zone"], row["starts_on"], CatchUp(row["catch_up"]), row["after_days"], row["paused"],
        row["next_due_at"], row["created_at"],
    )  # fmt: skip


def _past(row: RowMapping) -> Past:
    speaker = Speaker.PERSON if row["role"] == "person" else Speaker.COACH
    return Past(str(row["id"]), row["position"], speaker, row["prompt_text"])


def _grouped(rows: Sequence[RowMapping]) -> dict[int, list[RowMapping]]:
    found: dict[int, list[RowMapping]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(row)
    return found
