"""What callers ask about check-ins: what is read, and the sentences of what is refused."""

from datetime import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.app.check_ins.ports import InvalidError, PersonRef
from coaching.domain.check_ins import CatchUp
from coaching.domain.quiet_hours import QuietHours
from coaching.entrypoints.check_in_requests import (
    asked_check_in,
    asked_days,
    asked_times,
    person_ref,
    time_of_day,
    zone,
)
from contracts.coaching.v1 import coaching_pb2 as pb

ORGANIZATION, PERSON = str(uuid4()), str(uuid4())
ANNA = pb.PersonRef(organization_id=ORGANIZATION, person_id=PERSON)


def request(**changes: object) -> pb.AddCheckInRequest:
    fields: dict[str, object] = {"person": ANNA, "local_time": "08:30", **changes}
    return pb.AddCheckInRequest(**fields)  # type: ignore[arg-type]  # a table of fields


def refusal(**changes: object) -> str:
    with pytest.raises(InvalidError) as refused:
        asked_check_in(request(**changes))
    return str(refused.value)


def test_a_bare_request_is_a_daily_check_in_that_catches_up_once() -> None:
    asked = asked_check_in(request())
    assert (asked.trigger, asked.rule, asked.local_time) == ("scheduled_check_in", "FREQ=DAILY", time(8, 30))
    assert (asked.time_zone, asked.catch_up, asked.quiet) == (None, CatchUp.ONCE, None)


def test_everything_that_was_said_is_read() -> None:
    asked = asked_check_in(
        request(
            rule="FREQ=WEEKLY;BYDAY=MO,WE", time_zone="Asia/Kathmandu", catch_up=pb.CATCH_UP_NEXT_WINDOW, after_days=3,
            trigger="inactivity", quiet_hours=pb.QuietHours(start="21:00", end="8:00"), request_id=PERSON,
        )
    )  # fmt: skip
    assert (asked.rule, asked.time_zone, asked.after_days) == ("FREQ=WEEKLY;BYDAY=MO,WE", "Asia/Kathmandu", 3)
    assert (asked.catch_up, asked.quiet) == (CatchUp.NEXT_WINDOW, QuietHours(time(21), time(8)))
    assert asked.request_id == PERSON


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"local_time": ""}, "local_time is missing: write the time of day as HH:MM, such as 08:30."),
        ({"local_time": "25:00"}, 'local_time: "25:00" is no time of day. Write HH:MM from 00:00 to 23:59'),
        ({"local_time": "my secret"}, "local_time: what was given is no time of day."),
        ({"time_zone": "Europe/Berln"}, "time_zone: there is no time zone of that name. Did you mean Europe/Berlin"),
        ({"time_zone": "berlin"}, "Did you mean Europe/Berlin"),
        ({"time_zone": "new york"}, "Did you mean America/New_York"),
        ({"time_zone": "Qqqq/Zzzz"}, "Did you mean a name such as Europe/Berlin?"),
        ({"time_zone": "localtime"}, "time_zone: there is no time zone"),
        ({"rule": "FREQ=HOURLY"}, "rule: "),
        ({"after_days": 366}, "after_days must be between 1 and 365."),
        ({"catch_up": 9}, "catch_up must be skip, once or next_window."),
        ({"request_id": "again"}, "request_id must be a UUID"),
        ({"quiet_hours": pb.QuietHours(start="21:00")}, "quiet_hours need a start and an end"),
        ({"quiet_hours": pb.QuietHours(start="21:00", end="8")}, 'quiet_hours.end: "8" is no time of day.'),
        ({"person": pb.PersonRef(organization_id=ORGANIZATION)}, "Name the person by person_id, or by channel"),
        ({"person": pb.PersonRef(organization_id=ORGANIZATION, channel="web", account="default")}, "Name the person"),
        ({"person": pb.PersonRef(organization_id=ORGANIZATION, person_id="anna")}, "person_id must be a UUID"),
        ({"person": pb.PersonRef(person_id=PERSON)}, "organization_id must be a UUID"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(changes: dict[str, object], said: str) -> None:
    assert said in refusal(**changes)


@given(st.text(max_size=60))
def test_nobodys_words_come_back(text: str) -> None:
    for field in ("local_time", "time_zone"):
        words = f"{text} my secret"
        assert "my secret" not in refusal(**{field: words})


@given(st.times())
def test_every_time_of_day_is_read_as_it_is_written(at: time) -> None:
    assert time_of_day(f"{at:%H:%M}", "local_time") == at.replace(second=0, microsecond=0)


def test_a_place_names_a_person_too() -> None:
    ref = pb.PersonRef(organization_id=ORGANIZATION, channel="telegram", account="4242", sender_id="700001")
    assert person_ref(ref) == PersonRef(ORGANIZATION, "", "telegram", "4242", "700001")


def test_to_set_nothing_is_refused() -> None:
    with pytest.raises(InvalidError, match="nothing to set"):
        asked_times(pb.SetQuietHoursRequest(person=ANNA))
    ref, quiet, zone_name = asked_times(pb.SetQuietHoursRequest(person=ANNA, time_zone="UTC"))
    assert (ref.person_id, quiet, zone_name) == (PERSON, None, "UTC")


def test_a_preview_is_of_fourteen_days_unless_more_are_asked_for() -> None:
    assert [asked_days(0), asked_days(1), asked_days(366)] == [14, 1, 366]
    with pytest.raises(InvalidError, match="between 1 and 366"):
        asked_days(367)


def test_no_zone_is_none() -> None:
    assert zone("") is None
