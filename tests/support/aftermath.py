"""What the kills left behind: what the fake Telegram has, what the database says, what still waits anywhere."""

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from platformctl.nats_once import connect_once
from platformctl.parts.nats import NatsPart
from support.faults import Killed, Killer, Turns
from support.scripted import Scripted

END_SECONDS = 150.0
_TURNS = """
    SELECT c.address, d.id AS delivery_id, d.state,
        (SELECT count(*) FROM coaching.turns t WHERE t.conversation_id = c.id) AS turns,
        (SELECT count(*) FROM coaching.messages m WHERE m.conversation_id = c.id AND m.role = 'person') AS written,
        (SELECT count(*) FROM coaching.messages m WHERE m.conversation_id = c.id AND m.role = 'coach') AS answers
    FROM coaching.conversations c
    LEFT JOIN coaching.deliveries d ON d.organization_id = c.organization_id AND d.conversation_id = c.id
"""
_WAITING = """
    SELECT
        (SELECT count(*) FROM coaching.conversations WHERE pending_since IS NOT NULL OR lease_owner IS NOT NULL)
            AS conversations,
        (SELECT count(*) FROM coaching.messages WHERE turn_id IS NULL AND role = 'person') AS messages,
        (SELECT count(*) FROM coaching.outbox WHERE published_at IS NULL) AS outbox,
        (SELECT count(*) FROM coaching.deliveries WHERE state IN ('planned', 'claimed', 'in_flight')) AS deliveries
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's one message, as the database has it; a turn that was never recorded has no delivery."""

    chat_id: int
    delivery_id: str
    state: str
    turns: int
    written: int
    answers: int


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The end of it all. `words`: who wrote what; `texts`: what each was sent; `waiting`: what has not ended.

    `said`: what the supervisor said about the ends of programs.
    """

    seed: int
    kills: list[Killed]
    restarts: dict[str, int]
    words: dict[int, str]
    texts: dict[int, list[str]]
    turns: list[Turn]
    waiting: dict[str, int]
    said: list[str]

    @property
    def unknown(self) -> dict[int, str]:
        """The delivery of each person whose answer nobody knows to have arrived."""
        return {turn.chat_id: turn.delivery_id for turn in self.turns if turn.state == "unknown"}

    @property
    def in_flight(self) -> frozenset[str]:
        """Every delivery whose call was under way when its sender was killed."""
        return frozenset(delivery for killed in self.kills for delivery in killed.in_flight)

    def __str__(self) -> str:
        """One line of figures."""
        at_points = sum(killed.kill.point is not None for killed in self.kills)
        return (
            f"{len(self.kills)} kills ({at_points} at points, seed {self.seed}), {len(self.words)} turns: "
            f"{sum(map(len, self.texts.values()))} answers, {len(self.unknown)} unknown of {len(self.in_flight)} calls "
            f"in flight at the kills, at least {min(killed.open_turns for killed in self.kills)} turns open at each"
        )


async def settled(scripted: Scripted, killer: Killer, turns: Turns, kills: list[Killed], seed: int) -> Aftermath:
    """Wait until nothing waits any more, or for long enough; return what there is then."""
    end = time.monotonic() + END_SECONDS
    while any((waiting := await _waiting(scripted, killer)).values()) and time.monotonic() < end:  # noqa: ASYNC110 # others cannot set our event
        await asyncio.sleep(0.5)
    return Aftermath(
        seed,
        kills,
        {name: part["restarts"] for name, part in killer.parts().items()},
        turns.words,
        {chat_id: scripted.telegram.sent(chat_id) for chat_id in turns.words},
        [_turn(row) for row in await killer.ask(_TURNS)],
        waiting,
        [line.strip() for line in scripted.platform.lines if "starting it again" in line],
    )


async def _waiting(scripted: Scripted, killer: Killer) -> dict[str, int]:
    (row,) = await killer.ask(_WAITING)
    return {"updates": len(scripted.telegram.bot.pending), **dict(row), **await _streams(scripted)}


async def _streams(scripted: Scripted) -> dict[str, int]:
    platform = scripted.platform
    client = await connect_once(NatsPart(platform.data, platform.run_json()["ports"]["nats.client"]).url, 5.0, "tests")
    try:
        jetstream = client.jetstream()
        inbound = await jetstream.consumer_info("INBOUND", "coaching-inbound")
        names = ("OUTBOUND", "DEADLETTER")
        stored = {name: (await jetstream.stream_info(name)).state.messages for name in names}
        return {"INBOUND": (inbound.num_pending or 0) + (inbound.num_ack_pending or 0), **stored}
    finally:
        await client.close()


def _turn(row: asyncpg.Record) -> Turn:
    return Turn(
        int(row["address"]), str(row["delivery_id"] or ""), row["state"] or "", row["turns"], row["written"],
        row["answers"],
    )  # fmt: skip
