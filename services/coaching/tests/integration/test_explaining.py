"""Why something came, waits, or never came: over gRPC, after real decisions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage, eventually
from support.persons import Written, add_person

NO_QUIET = pb.QuietHours(start="00:00", end="00:00")
DUE = "UPDATE coaching.check_ins SET next_due_at = now() - interval '5 seconds' WHERE id = $1"
SNOOZE = "UPDATE coaching.people SET snoozed_until = now() + make_interval(hours => $1)"


@pytest.fixture
async def coach(around: Stage) -> AsyncIterator[Coach]:
    async with around.coaching(dispatch_seconds=0.2) as coach:
        yield coach


@pytest.fixture
async def anna(around: Stage) -> Written:
    return await add_person(around.database)


def ref(around: Stage, person: Written) -> pb.PersonRef:
    return pb.PersonRef(organization_id=around.organization, person_id=person.person_id)


async def fallen_due(around: Stage, coach: Coach, person: Written, **more: Any) -> str:
    """Add a check-in, and let it be due now; return its id."""
    later = f"{datetime.now(UTC) - timedelta(hours=2):%H:%M}"
    request = pb.AddCheckInRequest(
        person=ref(around, person), local_time=later, time_zone="UTC", quiet_hours=NO_QUIET, **more
    )
    check_in_id = (await coach.AddCheckIn(request, timeout=10)).check_in.check_in_id
    await around.rows(DUE, check_in_id)
    return check_in_id


async def nudges(around: Stage, coach: Coach, person: Written, count: int, state: str) -> list[pb.Nudge]:
    """Wait until so many nudges of a person are in a state."""

    async def found() -> list[pb.Nudge] | None:
        request = pb.ListNudgesRequest(person=ref(around, person))
        listed = list((await coach.ListNudges(request, timeout=10)).nudges)
        return listed if sum(item.state == state for item in listed) >= count else None

    return await eventually(found)


async def explained(around: Stage, coach: Coach, nudge_id: str) -> pb.ExplainNudgeResponse:
    request = pb.ExplainNudgeRequest(organization_id=around.organization, nudge_id=nudge_id)
    return await coach.ExplainNudge(request, timeout=10)


async def planned(around: Stage, coach: Coach, person: Written) -> list[pb.PlannedNudge]:
    request = pb.PreviewScheduleRequest(person=ref(around, person), days=1)
    return list((await coach.PreviewSchedule(request, timeout=10)).planned)


async def test_what_left_is_explained_with_its_delivery(around: Stage, coach: Coach, anna: Written) -> None:
    check_in_id = await fallen_due(around, coach, anna)
    [nudge] = await nudges(around, coach, anna, 1, "dispatched")
    answer = await explained(around, coach, nudge.nudge_id)
    assert answer.nudge == nudge
    assert (nudge.check_in_id, nudge.trigger, nudge.channel) == (check_in_id, "scheduled_check_in", "web")
    assert (nudge.delivery_state, nudge.source) == ("planned", "template")
    assert (nudge.why["rule"], nudge.why["time_zone"]) == ("FREQ=DAILY", "UTC")
    [decision] = answer.decisions
    assert (decision.asked_by, decision.verdict, decision.reason) == ("schedule", "send", "")
    assert decision.facts["zone"] == "UTC"


async def test_what_waits_is_explained_previewed_and_let_go_with_its_check_in(
    around: Stage, coach: Coach, anna: Written
) -> None:
    await around.rows(SNOOZE, 3)
    check_in_id = await fallen_due(around, coach, anna)
    [nudge] = await nudges(around, coach, anna, 1, "held")
    answer = await explained(around, coach, nudge.nudge_id)
    assert [(item.verdict, item.reason) for item in answer.decisions] == [("hold", "snoozed")]
    assert (answer.nudge.delivery_id, answer.decisions[0].HasField("until")) == ("", True)
    first = (await planned(around, coach, anna))[0]
    assert (first.nudge_id, first.verdict, first.reason) == (nudge.nudge_id, "hold", "snoozed")

    request = pb.RemoveCheckInRequest(person=ref(around, anna), check_in_id=check_in_id)
    await coach.RemoveCheckIn(request, timeout=10)
    [dropped] = await nudges(around, coach, anna, 1, "dropped")
    assert dropped.reason == "check_in_removed"
    answer = await explained(around, coach, nudge.nudge_id)
    assert [item.reason for item in answer.decisions] == ["snoozed", "check_in_removed"]


async def test_what_was_merged_names_what_spoke_for_it(around: Stage, coach: Coach, anna: Written) -> None:
    # Held until both are there, then let go together.
    await around.rows(SNOOZE, 3)
    for _ in range(2):
        await fallen_due(around, coach, anna)
    held = await nudges(around, coach, anna, 2, "held")
    assert sorted((item.verdict, item.reason) for item in (await planned(around, coach, anna))[:2]) == [
        ("drop", "merged"), ("hold", "snoozed"),
    ]  # fmt: skip
    await around.rows("UPDATE coaching.people SET snoozed_until = NULL")
    await around.rows("UPDATE coaching.nudges SET look_at = now()")
    found = {item.state: item for item in await nudges(around, coach, anna, 1, "merged")}
    assert {item.nudge_id for item in found.values()} == {item.nudge_id for item in held}
    merged, spoken = found["merged"], found["dispatched"]
    assert (merged.merged_into, merged.delivery_id) == (spoken.nudge_id, spoken.delivery_id)


async def test_new_quiet_hours_are_looked_at_at_once(around: Stage, coach: Coach, anna: Written) -> None:
    await around.rows(SNOOZE, 3)
    await fallen_due(around, coach, anna)
    await nudges(around, coach, anna, 1, "held")
    await around.rows("UPDATE coaching.people SET snoozed_until = NULL")
    request = pb.SetQuietHoursRequest(person=ref(around, anna), quiet_hours=NO_QUIET)
    await coach.SetQuietHours(request, timeout=10)
    await nudges(around, coach, anna, 1, "dispatched")


async def test_nudges_are_listed_newest_first_and_never_more_than_asked_for(
    around: Stage, coach: Coach, anna: Written
) -> None:
    await around.rows(SNOOZE, 3)
    for _ in range(3):
        await fallen_due(around, coach, anna)
    every = await nudges(around, coach, anna, 3, "held")
    assert [item.due_at.ToDatetime() for item in every] == sorted(
        (item.due_at.ToDatetime() for item in every), reverse=True
    )
    request = pb.ListNudgesRequest(person=ref(around, anna), limit=2)
    assert list((await coach.ListNudges(request, timeout=10)).nudges) == every[:2]


@pytest.mark.parametrize(
    ("nudge_id", "code"),
    [(str(uuid4()), grpc.StatusCode.NOT_FOUND), ("none", grpc.StatusCode.INVALID_ARGUMENT)],
)
async def test_a_nudge_that_is_not_there_is_said_to_be_so(
    around: Stage, coach: Coach, nudge_id: str, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await explained(around, coach, nudge_id)
    assert error.value.code() is code
    assert "list the person's nudges" in (error.value.details() or "").lower()
