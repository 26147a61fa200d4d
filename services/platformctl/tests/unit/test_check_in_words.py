"""Check-ins, plans and decisions in words, and what is understood of what an operator types."""

import re
from datetime import UTC, datetime

import pytest
import typer
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from contracts.coaching.v1 import coaching_pb2 as pb
from platformctl.commands.check_in import WEEK, hours_of, rule_of
from platformctl.commands.check_in_words import added_words, line, listed_words
from platformctl.commands.coaching import person_ref
from platformctl.commands.reasons import REASONS
from platformctl.commands.schedule_words import explained_words
from platformctl.commands.tables import local, rule_words, table
from support.tree import ROOT

ORGANIZATION = "00000000-0000-7000-8000-000000000001"
DECIDING = ROOT / "services/coaching/src/coaching/domain"
RUNBOOK = ROOT / "docs/runbooks/a-check-in-did-not-arrive.md"


def stamp(text: str) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(datetime.fromisoformat(text).astimezone(UTC))
    return made


def check_in(**changes: object) -> pb.CheckIn:
    fields: dict[str, object] = {
        "check_in_id": "c1", "trigger": "scheduled_check_in", "rule": "FREQ=DAILY", "local_time": "08:30",
        "time_zone": "Europe/Berlin", "next_due_at": stamp("2026-11-24T07:30+00:00"), **changes,
    }  # fmt: skip
    return pb.CheckIn(**fields)  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "check-in c1, daily at 08:30 Europe/Berlin; next Tue 24 Nov 2026 08:30"),
        ({"rule": "FREQ=WEEKLY;BYDAY=MO,WE"}, "Mon, Wed at 08:30"),
        ({"rule": "FREQ=MONTHLY;BYMONTHDAY=1"}, "FREQ=MONTHLY;BYMONTHDAY=1 at 08:30"),
        ({"paused": True}, "; paused"),
        ({"next_due_at": None}, "; next never again"),
        ({"trigger": "inactivity", "after_days": 3}, ", inactivity 3 d;"),
    ],
)
def test_a_check_in_is_one_line(changes: dict[str, object], said: str) -> None:
    assert said in line(check_in(**changes))


def test_a_list_says_that_somebody_has_stopped_it_all() -> None:
    answer = pb.ListCheckInsResponse(
        check_ins=[check_in()], proactive_stopped=True, quiet_hours=pb.QuietHours(start="00:00", end="00:00")
    )
    said = listed_words(answer, "ID")
    assert "Time zone not known yet, no quiet hours." in said
    assert "This person wrote STOP: nothing is written first until they write START." in said


def test_what_went_to_the_new_zone_is_counted() -> None:
    said = added_words(pb.AddCheckInResponse(check_in=check_in(), moved_check_ins=2), "ID")
    assert "2 check-ins that were in the person's old zone went to Europe/Berlin too." in said


def test_a_time_in_an_unknown_zone_is_said_in_utc() -> None:
    assert local(stamp("2026-11-24T07:30+00:00"), "Mars/Base") == "Tue 24 Nov 2026 07:30 UTC"


def test_columns_are_as_wide_as_they_must_be() -> None:
    assert table(("A", "B"), [("long", ""), ("x", "y")]) == "A     B\nlong\nx     y"


@given(st.sets(st.sampled_from(WEEK), min_size=1))
def test_days_are_read_in_any_order_and_said_in_that_of_the_week(days: set[str]) -> None:
    rule = rule_of(", ".join(days))
    assert rule_words(rule) == ", ".join(day.title() for day in WEEK if day in days)


@pytest.mark.parametrize("text", ["21:00", "-", "21:00-", "-08:00", ""])
def test_half_of_quiet_hours_is_none(text: str) -> None:
    with pytest.raises(typer.Exit):
        hours_of("--set", text)


def test_a_sender_may_have_colons_in_their_name() -> None:
    ref = person_ref(ORGANIZATION, "web:default:a:b")
    assert (ref.channel, ref.account, ref.sender_id, ref.person_id) == ("web", "default", "a:b", "")


def test_an_explanation_says_each_decision_with_its_meaning_and_facts() -> None:
    nudge = pb.Nudge(
        nudge_id="n1", person_id="p1", check_in_id="c1", trigger="scheduled_check_in", state="held",
        reason="quiet_hours", due_at=stamp("2026-11-24T22:30+00:00"),
        why={"rule": "FREQ=DAILY", "local_time": "23:30", "time_zone": "Europe/Berlin", "catch_up": "once"},
    )  # fmt: skip
    decision = pb.NudgeDecision(
        at=stamp("2026-11-24T22:30+00:00"), asked_by="schedule", verdict="hold", reason="quiet_hours",
        until=stamp("2026-11-25T07:00+00:00"), facts={"zone": "Europe/Berlin", "quiet": "21:00-08:00"},
    )  # fmt: skip
    assert explained_words(pb.ExplainNudgeResponse(nudge=nudge, decisions=[decision])).splitlines() == [
        "Nudge n1 of person p1",
        "  scheduled_check_in, check-in c1: daily at 23:30 Europe/Berlin, catch-up once",
        "  due Tue 24 Nov 2026 23:30, now held (quiet_hours: the person's quiet hours)",
        "  no delivery was made",
        "Decisions, oldest first:",
        "  Tue 24 Nov 2026 23:30  schedule: hold until Wed 25 Nov 2026 08:00 (quiet_hours: the person's quiet hours)",
        "      quiet 21:00-08:00, zone Europe/Berlin",
    ]


def test_the_runbook_explains_every_reason_and_no_other() -> None:
    page = RUNBOOK.read_text().partition("| reason | means | do |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^ *\| `(\w+)` \|", page, re.MULTILINE)) == set(REASONS)


def test_every_reason_with_which_coaching_decides_is_known() -> None:
    texts = [path.read_text() for path in (DECIDING / "proactive.py", DECIDING / "dispatching.py")]
    said = {word for text in texts for word in re.findall(r"(?:Drop\(|Hold\([^\"]*?, |return )\"(\w+)\"", text)}
    assert {"day_cap", "quiet_hours", "missed", "merged"} <= said
    assert said <= set(REASONS)
