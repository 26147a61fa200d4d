"""Check-ins over gRPC on the real database: add, list, pause, remove, quiet hours."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage
from support.database import SECOND_ORGANIZATION
from support.persons import Written, add_person

# Nothing is dispatched meanwhile: these tests look at what is planned.
ASLEEP: dict[str, Any] = {"dispatch_seconds": 60, "prepare_ahead_seconds": 300}
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = sorted(name for name in available_timezones() if name not in ("localtime", "Factory"))


@pytest.fixture
async def coach(around: Stage) -> AsyncIterator[Coach]:
    async with around.coaching(**ASLEEP) as coach:
        yield coach


@pytest.fixture
async def anna(around: Stage) -> Written:
    return await add_person(around.database)


def ref(person: Written) -> pb.PersonRef:
    return pb.PersonRef(organization_id="00000000-0000-7000-8000-000000000001", person_id=person.person_id)


async def add(coach: Coach, person: Written, at: str = "08:30", **more: Any) -> pb.AddCheckInResponse:
    request = pb.AddCheckInRequest(person=ref(person), local_time=at, **more)
    return await coach.AddCheckIn(request, timeout=10)


async def listed(coach: Coach, person: Written) -> pb.ListCheckInsResponse:
    return await coach.ListCheckIns(pb.ListCheckInsRequest(person=ref(person)), timeout=10)


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details() or ""


def local(check_in: pb.CheckIn) -> datetime:
    return check_in.next_due_at.ToDatetime(tzinfo=UTC).astimezone(ZoneInfo(check_in.time_zone))


async def test_a_check_in_is_due_at_the_next_such_time_in_its_zone(around: Stage, coach: Coach, anna: Written) -> None:
    added = (await add(coach, anna, time_zone="Asia/Kathmandu")).check_in
    assert f"{local(added):%H:%M}" == "08:30"
    assert datetime.now(UTC) < local(added) < datetime.now(UTC) + timedelta(days=1)
    [row] = await around.rows("SELECT next_due_at - prepare_at AS ahead, next_due_at FROM coaching.check_ins")
    assert row["ahead"] == timedelta(seconds=300)
    assert row["next_due_at"] == local(added)
    answer = await listed(coach, anna)
    assert list(answer.check_ins) == [added]
    assert (answer.time_zone, answer.quiet_hours.start, answer.quiet_hours.end) == ("Asia/Kathmandu", "21:00", "08:00")


async def test_the_same_request_adds_one(coach: Coach, anna: Written) -> None:
    request_id = str(uuid4())
    first = await add(coach, anna, request_id=request_id)
    again = await add(coach, anna, "09:00", request_id=request_id.upper())
    assert first.check_in == again.check_in
    assert first.check_in.check_in_id == request_id
    assert len((await listed(coach, anna)).check_ins) == 1


async def test_a_request_id_belongs_to_one_person(around: Stage, coach: Coach, anna: Written) -> None:
    request_id = str(uuid4())
    await add(coach, anna, request_id=request_id)
    ben = await add_person(around.database, "ben")
    assert (await refused(add(coach, ben, request_id=request_id)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert not (await listed(coach, ben)).check_ins


async def test_a_person_is_named_by_where_they_write_from(coach: Coach, anna: Written) -> None:
    place = pb.PersonRef(
        organization_id=ref(anna).organization_id, channel="web", account="default", sender_id="anna"
    )  # fmt: skip
    added = await coach.AddCheckIn(pb.AddCheckInRequest(person=place, local_time="07:00"), timeout=10)
    assert added.check_in.person_id == anna.person_id


@pytest.mark.guarantee("P5-tenants")
async def test_another_organisation_has_no_such_person_or_check_in(around: Stage, coach: Coach, anna: Written) -> None:
    await around.database.add_organization()
    theirs = await add_person(around.database, "anna", organization=SECOND_ORGANIZATION)
    added = (await add(coach, anna)).check_in
    foreign = pb.PersonRef(organization_id=SECOND_ORGANIZATION, person_id=anna.person_id)
    code, said = await refused(coach.ListCheckIns(pb.ListCheckInsRequest(person=foreign), timeout=10))
    assert (code, said.startswith("There is no such person here.")) == (grpc.StatusCode.NOT_FOUND, True)
    own = pb.PersonRef(organization_id=SECOND_ORGANIZATION, person_id=theirs.person_id)
    request = pb.RemoveCheckInRequest(person=own, check_in_id=added.check_in_id)
    assert (await refused(coach.RemoveCheckIn(request, timeout=10)))[0] is grpc.StatusCode.NOT_FOUND
    assert len((await listed(coach, anna)).check_ins) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trigger": "moon"}, "trigger: there is none of that name. Take one of inactivity, scheduled_check_in."),
        ({"trigger": "inactivity"}, "after_days says how many days of silence to wait for: 1 to 365."),
        ({"rule": "FREQ=DAILY;UNTIL=20200101"}, "rule: "),
        ({"at": "25:00"}, 'local_time: "25:00" is no time of day.'),
    ],
)
async def test_a_refusal_says_what_to_do(coach: Coach, anna: Written, changes: dict[str, Any], said: str) -> None:
    code, text = await refused(add(coach, anna, **changes))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert said in text


async def test_without_any_zone_one_is_asked_for(around: Stage, coach: Coach) -> None:
    nowhere = await add_person(around.database, "cem", None)
    assert "time_zone is missing" in (await refused(add(coach, nowhere)))[1]


async def test_nobody_has_more_check_ins_than_they_may(around: Stage, anna: Written) -> None:
    async with around.coaching(**ASLEEP, check_ins_per_person=2) as coach:
        one, _ = await add(coach, anna), await add(coach, anna)
        code, said = await refused(add(coach, anna))
        assert (code, said) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED, "This person has 2 check-ins, and may have 2. Remove one first.",
        )  # fmt: skip
        again = await add(coach, anna, request_id=one.check_in.check_in_id)
        assert again.check_in == one.check_in


async def test_a_paused_check_in_is_never_due_until_it_is_resumed(around: Stage, coach: Coach, anna: Written) -> None:
    added = (await add(coach, anna)).check_in

    async def pause(paused: bool) -> pb.CheckIn:
        request = pb.PauseCheckInRequest(person=ref(anna), check_in_id=added.check_in_id, paused=paused)
        return (await coach.PauseCheckIn(request, timeout=10)).check_in

    for _ in range(2):
        paused = await pause(True)
        assert (paused.paused, paused.HasField("next_due_at")) == (True, False)
    [row] = await around.rows("SELECT next_due_at, prepare_at, paused_at FROM coaching.check_ins")
    assert (row["next_due_at"], row["prepare_at"], row["paused_at"] is None) == (None, None, False)
    assert await pause(False) == added


async def test_what_was_removed_is_gone_and_cannot_be_removed_again(coach: Coach, anna: Written) -> None:
    added = (await add(coach, anna)).check_in
    request = pb.RemoveCheckInRequest(person=ref(anna), check_in_id=added.check_in_id)
    await coach.RemoveCheckIn(request, timeout=10)
    assert not (await listed(coach, anna)).check_ins
    assert (await refused(coach.RemoveCheckIn(request, timeout=10)))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_new_zone_moves_the_check_ins_that_had_the_persons_own(coach: Coach, anna: Written) -> None:
    home, away = (await add(coach, anna)).check_in, (await add(coach, anna, time_zone="Europe/Berlin")).check_in
    elsewhere = await add(coach, anna, time_zone="Asia/Tokyo")
    # Both went to Tokyo with the person; one is then the only one of its zone again.
    assert elsewhere.moved_check_ins == 2
    request = pb.SetQuietHoursRequest(
        person=ref(anna), time_zone="Pacific/Auckland", quiet_hours=pb.QuietHours(start="22:00", end="07:00")
    )
    answer = await coach.SetQuietHours(request, timeout=10)
    assert (answer.time_zone, answer.moved_check_ins) == ("Pacific/Auckland", 3)
    assert (answer.quiet_hours.start, answer.quiet_hours.end) == ("22:00", "07:00")
    now = {item.check_in_id: item for item in (await listed(coach, anna)).check_ins}
    for before in (home, away):
        assert now[before.check_in_id].time_zone == "Pacific/Auckland"
        assert f"{local(now[before.check_in_id]):%H:%M}" == "08:30"
        assert now[before.check_in_id].next_due_at != before.next_due_at


async def test_a_check_in_with_a_zone_of_its_own_stays_there(around: Stage, coach: Coach, anna: Written) -> None:
    added = (await add(coach, anna, time_zone="Asia/Tokyo")).check_in
    await around.rows("UPDATE coaching.people SET time_zone = 'Europe/Paris'")
    answer = await coach.SetQuietHours(pb.SetQuietHoursRequest(person=ref(anna), time_zone="Europe/Rome"), timeout=10)
    assert answer.moved_check_ins == 0
    assert list((await listed(coach, anna)).check_ins) == [added]


async def test_words_that_were_prepared_for_another_time_are_thrown_away(around: Stage, anna: Written) -> None:
    async with around.coaching(**ASLEEP) as coach:
        await add(coach, anna)
        await around.rows(
            "UPDATE coaching.check_ins SET prepared_for = next_due_at, prepared_source = 'model', prepared_text = 'x'"
        )
        await coach.SetQuietHours(pb.SetQuietHoursRequest(person=ref(anna), time_zone="Asia/Tokyo"), timeout=10)
    [row] = await around.rows("SELECT prepared_for, prepared_text, prepare_token FROM coaching.check_ins")
    assert (row["prepared_for"], row["prepared_text"], row["prepare_token"] > 0) == (None, "", True)


async def preview(coach: Coach, person: Written, days: int = 366) -> pb.PreviewScheduleResponse:
    return await coach.PreviewSchedule(pb.PreviewScheduleRequest(person=ref(person), days=days), timeout=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from(ZONES), at=st.times(),
    rule=st.sampled_from(["", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
)  # fmt: skip
async def test_a_preview_begins_with_the_time_that_is_stored(
    around: Stage, coach: Coach, zone: str, at: time, rule: str
) -> None:
    person = await add_person(around.database, str(uuid4()))
    added = (await add(coach, person, f"{at:%H:%M}", time_zone=zone, rule=rule)).check_in
    first = (await preview(coach, person, 62)).planned[0]
    assert first.due_at == added.next_due_at
    assert datetime.fromisoformat(first.local_due) == local(added)
    [row] = await around.rows("SELECT next_due_at FROM coaching.check_ins WHERE id = $1", added.check_in_id)
    assert row["next_due_at"] == first.due_at.ToDatetime(tzinfo=UTC)


async def test_a_preview_says_what_would_be_held_and_dropped(around: Stage, coach: Coach, anna: Written) -> None:
    assert not (await preview(coach, anna)).planned
    night = (await add(coach, anna, "23:00")).check_in
    answer = await preview(coach, anna, 3)
    assert {(item.verdict, item.reason) for item in answer.planned} == {("hold", "quiet_hours")}
    assert {f"{item.until.ToDatetime(tzinfo=UTC).astimezone(BERLIN):%H:%M}" for item in answer.planned} == {"08:00"}
    paused = pb.PauseCheckInRequest(person=ref(anna), check_in_id=night.check_in_id, paused=True)
    await coach.PauseCheckIn(paused, timeout=10)
    assert not (await preview(coach, anna)).planned
    for at in ("09:00", "10:00", "11:00", "12:00"):
        await add(coach, anna, at)
    # Three a day, fifteen in seven days.
    answer = await preview(coach, anna, 30)
    verdicts = Counter((item.local_due[:10], item.verdict) for item in answer.planned)
    assert max(count for (_, verdict), count in verdicts.items() if verdict == "send") == 3
    assert {item.reason for item in answer.planned if item.verdict == "drop"} == {"day_cap", "week_cap"}
    await around.rows("UPDATE coaching.people SET proactive_stopped_at = now()")
    assert {item.reason for item in (await preview(coach, anna)).planned} == {"stopped"}


async def test_a_preview_ends_after_a_thousand(coach: Coach, anna: Written) -> None:
    for minute in range(4):
        await add(coach, anna, f"09:0{minute}")
    answer = await preview(coach, anna)
    assert (len(answer.planned), answer.has_more) == (1000, True)
    assert not (await preview(coach, anna, 100)).has_more
