"""Check-ins that are due: once each, by whichever replica, merged, held, and caught up as their policy says."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.coaching import Stage, eventually
from support.database import SECOND_ORGANIZATION
from support.services import start_service
from support.speaking import Person, add_check_in, decisions, nudges, proactive

QUICK = {"dispatch_seconds": 0.1}


async def test_a_due_check_in_is_dispatched_once(around: Stage) -> None:
    async with around.coaching(**QUICK):
        anna = await Person.known(around, "anna")
        await add_check_in(around, anna)
        [message] = await proactive(around, 1)
        assert await proactive(around, 1, seconds=1) == []
    assert (message.address, message.turn_id, message.source) == ("anna", "", "template")
    assert "long walk" in message.text
    [nudge] = await nudges(around)
    assert (nudge["state"], nudge["trigger"], nudge["reason"]) == ("dispatched", "scheduled_check_in", "")
    [check_in] = await around.rows("SELECT next_due_at FROM coaching.check_ins")
    assert timedelta(hours=22) < check_in["next_due_at"] - datetime.now(UTC) < timedelta(hours=26)
    assert await decisions(around) == [("schedule", "send", "")]


async def test_words_that_were_prepared_are_said_unless_the_person_has_written_since(around: Stage) -> None:
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    async with around.coaching(**QUICK):
        for sender, behind in (("anna", 0), ("ben", 1)):
            person = await Person.known(around, sender)
            [row] = await around.rows(
                "SELECT max(position) AS newest FROM coaching.messages WHERE person_id = $1 AND role = 'person'",
                person.person_id,
            )
            await add_check_in(
                around, person, due, prepared_for=due, prepared_at=due - timedelta(minutes=3), prepared_source="model",
                prepared_position=row["newest"] - behind, prepared_text="How was the walk today?",
            )  # fmt: skip
        found = {message.address: message for message in await proactive(around, 2)}
    assert (found["anna"].text, found["anna"].source) == ("How was the walk today?", "model")
    assert found["ben"].source == "template"


async def test_two_replicas_miss_none_and_send_none_twice(around: Stage) -> None:
    async with around.coaching(**QUICK), around.coaching(**QUICK):
        people = [await Person.known(around, f"person-{number}") for number in range(12)]
        for _ in range(3):
            due = datetime.now(UTC).replace(microsecond=0)
            await asyncio.gather(*(add_check_in(around, person, due) for person in people))
            await eventually(lambda: _none_due(around))
        found = await proactive(around, 40, seconds=5)
    assert len({message.delivery_id for message in found}) == len(found)
    # Three check-ins a person at three moments, unless two of them fell due together and were merged.
    states = [row["state"] for row in await nudges(around)]
    assert len(states) == 36
    assert set(states) <= {"dispatched", "merged"}
    assert states.count("dispatched") == len(found) >= 12


async def test_the_cap_of_a_day_holds_among_replicas(around: Stage) -> None:
    capped = {**QUICK, "proactive_per_day": 2}
    async with around.coaching(**capped), around.coaching(**capped):
        people = [await Person.known(around, f"person-{number}") for number in range(6)]
        for _ in range(4):
            await asyncio.gather(*(add_check_in(around, person) for person in people))
            await eventually(lambda: _none_due(around))
        found = await proactive(around, 20, seconds=3)
    for person in people:
        assert sum(message.address == person.sender for message in found) <= 2
    assert {row["reason"] for row in await nudges(around) if row["state"] == "dropped"} == {"day_cap"}


async def test_several_that_are_due_together_are_one_message(around: Stage) -> None:
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    anna = await _known(around, "anna")
    await add_check_in(around, anna, due, trigger="inactivity", after_days=1, created_at=due - timedelta(days=30))
    for seconds in (1, 0):
        await add_check_in(around, anna, due + timedelta(seconds=seconds))
    async with around.coaching(**QUICK):
        [message] = await proactive(around, 2, seconds=3)
    found = {(row["trigger"], row["due_at"]): row for row in await nudges(around)}
    speaking = found["scheduled_check_in", due]
    assert speaking["state"] == "dispatched"
    others = [row for row in found.values() if row is not speaking]
    assert [(row["state"], row["merged_into"]) for row in others] == [("merged", speaking["id"])] * 2
    [delivery] = await around.rows("SELECT id, nudge_id FROM coaching.deliveries WHERE kind = 'proactive'")
    assert (str(delivery["id"]), delivery["nudge_id"]) == (message.delivery_id, speaking["id"])


async def test_what_falls_due_in_quiet_hours_leaves_at_their_end(around: Stage, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    anna = await _known(around, "anna", zone="UTC")
    now = datetime.now(UTC)
    await anna.be_quiet(around, now - timedelta(hours=1), now + timedelta(hours=1))
    await add_check_in(around, anna, zone="UTC")
    async with around.coaching(**QUICK, test_clock=str(clock)):
        [held] = await eventually(lambda: nudges(around))
        assert (held["state"], held["reason"]) == ("held", "quiet_hours")
        assert abs(held["look_at"] - now - timedelta(hours=1)) < timedelta(minutes=2)
        assert await proactive(around, 1, seconds=1) == []
        clock.write_text("3700")
        assert len(await proactive(around, 1)) == 1
    assert await decisions(around) == [("schedule", "hold", "quiet_hours"), ("schedule", "send", "")]


@pytest.mark.parametrize("state", ["dispatched", "dropped"])
async def test_silence_that_ended_in_the_night_is_not_asked_about_in_the_morning(
    around: Stage, tmp_path: Path, state: str
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    anna = await _known(around, "anna", zone="UTC")
    now = datetime.now(UTC)
    await anna.be_quiet(around, now - timedelta(hours=1), now + timedelta(hours=2))
    async with around.database.connect() as owner:
        await owner.execute("UPDATE coaching.people SET last_message_at = now() - interval '9 days'")
    await add_check_in(around, anna, zone="UTC", trigger="inactivity", after_days=3)
    async with around.coaching(**QUICK, test_clock=str(clock)):
        await eventually(lambda: nudges(around))
        async with around.database.connect() as owner:
            # One hour after it fell due; or so long before that the silence has lasted.
            shift = "+ interval '1 hour'" if state == "dropped" else "- interval '9 days'"
            await owner.execute(f"UPDATE coaching.people SET last_message_at = now() {shift}")
        clock.write_text("7300")
        found = await proactive(around, 1, seconds=5)
        [nudge] = await nudges(around)
    assert (nudge["state"], nudge["reason"]) == (state, "no_longer_due" if state == "dropped" else "")
    assert len(found) == (state == "dispatched")


@pytest.mark.parametrize(
    ("catch_up", "state", "reason"),
    [("skip", "dropped", "missed"), ("once", "dispatched", ""), ("next_window", "held", "next_window")],
)
async def test_what_was_missed_is_caught_up_once_as_the_check_in_says(
    around: Stage, catch_up: str, state: str, reason: str
) -> None:
    anna = await _known(around, "anna", zone="UTC")
    now = datetime.now(UTC).replace(microsecond=0)
    # Not quiet for the last six hours, nor for the next.
    await anna.be_quiet(around, now - timedelta(hours=8), now - timedelta(hours=6))
    await add_check_in(
        around, anna, now - timedelta(days=3, hours=2), catch_up=catch_up, zone="UTC",
        created_at=now - timedelta(days=9),
    )  # fmt: skip
    async with around.coaching(**QUICK):
        [nudge] = await eventually(lambda: nudges(around))
        await eventually(lambda: _none_due(around))
    assert (nudge["state"], nudge["reason"], nudge["due_at"]) == (state, reason, now - timedelta(hours=2))
    [check_in] = await around.rows("SELECT next_due_at FROM coaching.check_ins")
    assert check_in["next_due_at"] == now + timedelta(hours=22)


@pytest.mark.parametrize("point", ["before_dispatch_commit", "after_dispatch_commit"])
async def test_a_replica_that_is_killed_in_between_leaves_exactly_one(
    around: Stage, tmp_path: Path, point: str
) -> None:
    await add_check_in(around, await _known(around, "anna"))
    armed = tmp_path / "armed"
    armed.touch()
    service = start_service("coaching", around.environment(fault_points=f"{point}@{armed}"), tmp_path)
    try:
        assert await asyncio.to_thread(service.process.wait, 60) == -signal.SIGKILL
    finally:
        service.process.kill()
        service.process.wait()
    async with around.coaching(**QUICK):
        assert len(await proactive(around, 2, seconds=4)) == 1
    assert [row["state"] for row in await nudges(around)] == ["dispatched"]


async def test_an_occasion_counts_once_even_when_its_check_in_is_set_back(around: Stage) -> None:
    check_in_id = await add_check_in(around, await _known(around, "anna"))
    async with around.coaching(**QUICK):
        assert len(await proactive(around, 1)) == 1
        async with around.database.connect() as owner:
            await owner.execute(
                "UPDATE coaching.check_ins SET next_due_at = (SELECT due_at FROM coaching.nudges) WHERE id = $1",
                check_in_id,
            )
        await eventually(lambda: _none_due(around))
        assert await proactive(around, 1, seconds=1) == []
    assert len(await nudges(around)) == 1


async def test_a_rule_that_cannot_be_followed_holds_up_nobody(around: Stage) -> None:
    anna, ben = await _known(around, "anna"), await _known(around, "ben")
    await add_check_in(around, anna, rule="FREQ=NEVER")
    await add_check_in(around, ben)
    async with around.coaching(**QUICK):
        [message] = await proactive(around, 2, seconds=3)
        await eventually(lambda: _none_due(around))
    assert message.address == "ben"
    assert len(await around.rows("SELECT FROM coaching.check_ins WHERE next_due_at IS NULL")) == 1


async def test_somebody_whose_rows_the_database_refuses_holds_up_nobody(around: Stage) -> None:
    anna, ben = await _known(around, "anna"), await _known(around, "ben")
    for person in (anna, ben):
        await add_check_in(around, person)
    async with around.database.connect() as owner:
        await owner.execute(f"ALTER TABLE coaching.nudges ADD CHECK (person_id <> '{anna.person_id}')")
    async with around.coaching(**QUICK):
        [message] = await proactive(around, 2, seconds=4)
        await eventually(lambda: _none_due(around))
    assert message.address == "ben"
    [put_off] = await around.rows("SELECT next_due_at FROM coaching.check_ins WHERE person_id = $1", anna.person_id)
    assert put_off["next_due_at"] - datetime.now(UTC) < timedelta(hours=1)


@pytest.mark.guarantee("P5-tenants")
async def test_two_organisations_are_dispatched_side_by_side(around: Stage) -> None:
    await around.database.add_organization()
    first = await _known(around, "anna")
    around.organization = SECOND_ORGANIZATION
    second = await _known(around, "berta")
    for organization, person in ((SECOND_ORGANIZATION, second), (first.organization, first)):
        around.organization = organization
        await add_check_in(around, person)
    async with around.coaching(**QUICK):
        found = await proactive(around, 3, seconds=3)
    assert sorted(message.organization_id for message in found) == sorted([first.organization, SECOND_ORGANIZATION])
    for organization in (first.organization, SECOND_ORGANIZATION):
        async with around.database.connect("coaching_service", organization) as service:
            for table in ("check_ins", "nudges", "decisions"):
                rows = await service.fetch(f"SELECT organization_id FROM coaching.{table}")
                assert [str(row["organization_id"]) for row in rows] == [organization], table


async def _known(around: Stage, sender: str, zone: str = "Europe/Berlin") -> Person:
    """Make a person known while no dispatch runs."""
    async with around.coaching():
        return await Person.known(around, sender, zone)


async def _none_due(around: Stage) -> bool:
    return not await around.rows("SELECT FROM coaching.check_ins WHERE next_due_at <= now()")
