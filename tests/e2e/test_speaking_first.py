"""The coach speaks first at allowed times only: after an outage, after STOP, and with a clock that is wrong."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from fakes.telegram import Person, too_many
from support.world import BERLIN, World, until, world

LATE_SECONDS = 5.0  # what should not leave would have left by then
SOON = timedelta(seconds=30)
HOUR = timedelta(hours=1)
HELD = ("held", "hold", "quiet_hours")
STOPPED = ("dropped", "drop", "stopped")


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("speaking")) as found:
        yield found


@pytest.fixture(autouse=True)
async def nothing_planned(speaking: World) -> None:
    speaking.clock.machine_is_wrong_by(timedelta())
    await speaking.forget_check_ins()


async def held(speaking: World, person: Person) -> None:
    """Wait until a person's nudge waits for the end of the night."""

    async def waits() -> bool:
        return HELD in await speaking.nudges(person)

    await until(waits, what=f"no nudge waits: {await speaking.nudges(person)}")


def local(at: datetime) -> str:
    return f"{at.astimezone(BERLIN):%H:%M}"


@pytest.mark.guarantee("P4-outage")
async def test_what_fell_due_during_a_night_time_outage_leaves_when_quiet_hours_end(speaking: World) -> None:
    clock = speaking.clock
    clock.forward_to("20:00")
    evening, night = await speaking.person(), await speaking.person()
    speaking.add_check_in(evening, "20:45")
    speaking.add_check_in(night, "03:00")
    clock.forward_to("20:40")
    speaking.down()
    clock.forward_to("03:30")
    speaking.up()
    for person in (evening, night):
        await held(speaking, person)
    clock.forward_to("07:59:50")
    await asyncio.sleep(LATE_SECONDS)
    assert [speaking.heard(person) for person in (evening, night)] == [1, 1]
    for person in (evening, night):
        await speaking.scripted.hears(person, 2)
        assert local(speaking.last_heard_at(person)) == "08:00"
    await asyncio.sleep(LATE_SECONDS)
    assert [speaking.heard(person) for person in (evening, night)] == [2, 2]


@pytest.mark.guarantee("P4-stop")
async def test_after_stop_nothing_leaves_on_any_channel_until_start(speaking: World) -> None:
    clock = speaking.clock
    clock.forward_to("05:00")
    willing, stopped, again, waiting, first, second = [await speaking.person() for _ in range(6)]
    await one_person(speaking, first, second)
    for person in (willing, stopped, again, second):
        speaking.add_check_in(person, "08:30")
    speaking.add_check_in(waiting, "06:00")
    clock.forward_to("06:00:05")
    await held(speaking, waiting)
    for person, text in ((stopped, "STOP"), (again, " stop "), (waiting, "sToP"), (first, "Stop")):
        speaking.scripted.tell(person, text)
        await speaking.scripted.hears(person, 2)  # what STOP is answered with
    clock.forward_to("08:29:58")
    await speaking.scripted.hears(willing, 2)
    await asyncio.sleep(LATE_SECONDS)
    assert [speaking.heard(one) for one in (stopped, again, waiting, first, second)] == [2, 2, 2, 2, 1]
    for person in (stopped, again, waiting, second):
        assert await speaking.nudges(person) == [STOPPED]

    speaking.scripted.tell(stopped, "start")
    await speaking.scripted.hears(stopped, 3)
    clock.forward_to("08:29:58")
    await speaking.scripted.hears(stopped, 4)
    await asyncio.sleep(LATE_SECONDS)
    assert [speaking.heard(one) for one in (stopped, again, waiting, first, second)] == [4, 2, 2, 2, 1]


async def one_person(speaking: World, first: Person, second: Person) -> None:
    """Let two conversations be of one person, who used the second one last."""
    for table, column in (("identities", "sender_id"), ("conversations", "address")):
        await speaking.ask(
            f"UPDATE coaching.{table} SET person_id = (SELECT person_id FROM coaching.identities WHERE sender_id = $1)"
            f" WHERE {column} = $2",
            str(first.chat_id),
            str(second.chat_id),
        )


@pytest.mark.guarantee("P4-stop")
async def test_what_was_on_its_way_when_stop_came_is_not_sent(speaking: World) -> None:
    speaking.clock.forward_to("12:00")
    person = await speaking.person()
    speaking.add_check_in(person, "13:00")
    # The provider asks for a pause, so that it waits although it was dispatched.
    speaking.scripted.loop.call(lambda: speaking.scripted.telegram.bot.faults["sendMessage"].append(too_many(6)))
    speaking.clock.forward_to("12:59:58")

    async def refused() -> bool:
        return not speaking.scripted.telegram.bot.faults["sendMessage"]

    await until(refused, what="nothing was sent")
    speaking.scripted.tell(person, "STOP")
    await speaking.scripted.hears(person, 2)
    await asyncio.sleep(LATE_SECONDS)
    assert speaking.heard(person) == 2
    assert await speaking.nudges(person) == [STOPPED]


@pytest.mark.guarantee("P4-clock")
async def test_a_clock_that_jumps_an_hour_forward_and_one_that_jumps_back_change_nothing(speaking: World) -> None:
    clock = speaking.clock
    clock.forward_to("06:30")
    early, morning = await speaking.person(), await speaking.person()
    speaking.add_check_in(early, "07:15")
    speaking.add_check_in(morning, "08:30")
    # The machine's clock says 08:35.
    clock.machine_is_wrong_by(HOUR)
    clock.forward_to("07:35")
    await asyncio.sleep(LATE_SECONDS)
    assert (speaking.heard(early), speaking.heard(morning)) == (1, 1)
    clock.forward_to("07:59:55")
    await speaking.scripted.hears(early, 2)
    assert local(speaking.last_heard_at(early)) == "08:00"
    clock.forward_to("08:29:55")
    await speaking.scripted.hears(morning, 2)
    assert local(speaking.last_heard_at(morning)) == "08:30"
    # It jumps back: 08:30 comes once more by the machine's clock.
    clock.machine_is_wrong_by(-HOUR)
    clock.forward_to("09:29:57")
    await asyncio.sleep(LATE_SECONDS)
    assert (speaking.heard(early), speaking.heard(morning)) == (2, 2)


@pytest.mark.guarantee("P4-clock")
async def test_a_clock_that_is_an_hour_behind_opens_no_quiet_hours(speaking: World) -> None:
    clock = speaking.clock
    clock.forward_to("19:00")
    person = await speaking.person()
    speaking.add_check_in(person, "20:00")
    speaking.down()
    clock.forward_to("21:10")
    clock.machine_is_wrong_by(-HOUR)  # it says 20:10
    speaking.up()
    await held(speaking, person)
    await asyncio.sleep(LATE_SECONDS)
    assert speaking.heard(person) == 1
    clock.machine_is_wrong_by(timedelta())
    clock.forward_to("07:59:58")
    await speaking.scripted.hears(person, 2)
    assert local(speaking.last_heard_at(person)) == "08:00"
