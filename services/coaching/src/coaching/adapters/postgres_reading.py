"""Lists of what is stored, for pages and operators."""

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_memory import memory_text
from coaching.domain.messages import ListedMessage, ListedPerson, MemoryText, MessagePage

_CONVERSATIONS = text("""
    SELECT c.id, c.pending_since IS NOT NULL AS turn_open FROM coaching.conversations c
    JOIN coaching.identities i ON i.organization_id = c.organization_id AND i.person_id = c.person_id
        AND i.channel = c.channel AND i.account = c.account
    WHERE c.organization_id = CAST(:organization_id AS uuid) AND i.channel = :channel AND i.account = :account
        AND i.sender_id = :sender_id
""")
# What the coach writes first is shown once it leaves: until then it may be taken back, and after STOP nobody reads it.
_MESSAGES = text("""
    SELECT m.id, m.role, m.text, m.created_at, m.turn_id, m.source, m.event_id,
        (SELECT array_agg(coalesce(f.kind, 'file') ORDER BY f.number) FROM coaching.files f
            WHERE f.organization_id = m.organization_id AND f.message_id = m.id) AS files
    FROM coaching.messages m
    WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.conversation_id = ANY (CAST(:ids AS uuid[]))
        AND (CAST(:before AS uuid) IS NULL OR m.position < (
            SELECT b.position FROM coaching.messages b
            WHERE b.organization_id = CAST(:organization_id AS uuid) AND b.id = CAST(:before AS uuid)
                AND b.conversation_id = ANY (CAST(:ids AS uuid[]))))
        AND (m.role = 'person' OR m.turn_id IS NOT NULL OR NOT EXISTS (SELECT FROM coaching.deliveries d
            WHERE d.organization_id = m.organization_id AND d.message_id = m.id
                AND d.state IN ('planned', 'claimed', 'failed', 'dropped')))
    ORDER BY m.position DESC LIMIT :most
""")
_PEOPLE = text("""
    SELECT p.id, p.created_at, p.last_message_at, p.proactive_stopped_at IS NOT NULL AS stopped,
        p.crisis_hold_at IS NOT NULL AS held,
        (SELECT array_agg(DISTINCT i.channel) FROM coaching.identities i
            WHERE i.organization_id = p.organization_id AND i.person_id = p.id) AS channels,
        (SELECT count(*) FROM coaching.messages m
            WHERE m.organization_id = p.organization_id AND m.person_id = p.id) AS messages
    FROM coaching.people p
    WHERE p.organization_id = CAST(:organization_id AS uuid)
        AND (CAST(:after AS uuid) IS NULL OR p.id > CAST(:after AS uuid))
    ORDER BY p.id LIMIT :most
""")
_TEXTS = text("""
    SELECT id, person_id, text, role, created_at, position FROM coaching.messages
    WHERE organization_id = CAST(:organization_id AS uuid) AND memory_state <> 'none' AND position > :after
        AND (CAST(:person_id AS uuid) IS NULL OR person_id = CAST(:person_id AS uuid))
    ORDER BY position LIMIT :most
""")
_ORGANIZATIONS = text("SELECT id FROM coaching.organization_ids() AS id")
_BACKLOG = text("SELECT kind, waiting, oldest_seconds FROM coaching.backlog()")


class PostgresReading:
    """Reading on PostgreSQL."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def messages(self, organization_id: str, place: tuple[str, str, str], before: str, limit: int) -> MessagePage:
        """Return a page of the conversation that the sender has on this channel and account."""
        channel, account, sender_id = place
        async with self._tables.of(organization_id) as transaction:
            held = await transaction.rows(_CONVERSATIONS, channel=channel, account=account, sender_id=sender_id)
            ids = [str(row["id"]) for row in held]
            rows = await transaction.rows(_MESSAGES, ids=ids, before=before or None, most=limit + 1)
        return MessagePage(
            messages=tuple(_listed(row) for row in reversed(rows[:limit])),
            has_more=len(rows) > limit,
            turn_open=any(row["turn_open"] for row in held),
        )

    async def people(self, organization_id: str, after: str, limit: int) -> tuple[list[ListedPerson], bool]:
        """Return a page of people in the order in which they came, and whether there are more."""
        async with self._tables.of(organization_id) as transaction:
            rows = await transaction.rows(_PEOPLE, after=after or None, most=limit + 1)
        return [_person(row) for row in rows[:limit]], len(rows) > limit

    async def organizations(self) -> list[str]:
        """Return the ids of all organisations."""
        async with self._tables.across() as transaction:
            return [str(row["id"]) for row in await transaction.rows(_ORGANIZATIONS)]

    async def texts(self, organization_id: str, person_id: str, after: int, limit: int) -> tuple[list[MemoryText], int]:
        """Return a page of texts for the index, and the position to go on after."""
        async with self._tables.of(organization_id) as transaction:
            rows = await transaction.rows(_TEXTS, person_id=person_id or None, after=after, most=limit)
        return [memory_text(organization_id, row) for row in rows], rows[-1]["position"] if rows else after

    async def backlog(self) -> dict[str, tuple[int, float]]:
        """Return how much work of each kind waits, and for how many seconds the oldest has."""
        async with self._tables.across() as transaction:
            rows = await transaction.rows(_BACKLOG)
        return {row["kind"]: (row["waiting"], row["oldest_seconds"]) for row in rows}


def _listed(row: RowMapping) -> ListedMessage:
    return ListedMessage(
        message_id=str(row["id"]),
        by_person=row["role"] == "person",
        text=row["text"],
        created_at=row["created_at"],
        turn_id=str(row["turn_id"] or ""),
        source=row["source"],
        file_names=tuple(row["files"] or ()),
        event_id=row["event_id"],
    )


def _person(row: RowMapping) -> ListedPerson:
    return ListedPerson(
        person_id=str(row["id"]),
        created_at=row["created_at"],
        last_message_at=row["last_message_at"],
        channels=tuple(row["channels"] or ()),
        proactive_stopped=row["stopped"],
        crisis_hold=row["held"],
        messages=row["messages"],
    )
