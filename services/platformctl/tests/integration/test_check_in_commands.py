"""`platformctl check-in`, `schedule` and `explain` as processes, against a real coaching on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import pytest

from support.coaching import Stage, eventually, stage
from support.database import TestDatabase
from support.persons import Written, add_person
from support.platform import platformctl
from support.ports import free_port

DUE = "UPDATE coaching.check_ins SET next_due_at = now() - interval '5 seconds'"


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's terminal, and the person that they look after."""

    around: Stage
    address: str
    anna: Written
    folder: Path

    async def type(self, *arguments: str) -> "CompletedProcess[str]":
        """Run one command to its end."""
        found = (*arguments, "--address", self.address)
        return await asyncio.to_thread(platformctl, *found, env={"DATA": str(self.folder)})

    async def about(self, *arguments: str) -> "CompletedProcess[str]":
        """Run one command about Anna."""
        return await self.type(*arguments, "--person", self.anna.person_id)

    async def told(self, *arguments: str) -> Any:
        """Run one command about Anna, and return its JSON."""
        done = await self.about(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
async def desk(database: TestDatabase, nats_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    port = free_port()
    async with stage(database, nats_url) as around, around.coaching(grpc_port=port, dispatch_seconds=0.2):
        yield Desk(around, f"127.0.0.1:{port}", await add_person(database), tmp_path)


async def test_from_nothing_to_a_check_in_and_back(desk: Desk) -> None:
    person = desk.anna.person_id
    empty = await desk.about("check-in", "list")
    assert empty.stdout.splitlines() == [
        "Time zone Europe/Berlin, quiet hours 21:00-08:00.",
        f"No check-ins yet. Add one with: platformctl check-in add --person {person} --at 08:30 --zone Europe/Berlin",
    ]
    added = await desk.about("check-in", "add", "--at", "08:30", "--days", "fri,mon", "--quiet", "22:00-07:00")
    assert (added.returncode, added.stderr) == (0, "")
    [check_in] = (await desk.told("check-in", "list"))["check_ins"]
    check_in_id = check_in["check_in_id"]
    assert (check_in["rule"], check_in["catch_up"]) == ("FREQ=WEEKLY;BYDAY=MO,FR", "once")
    first, after = added.stdout.splitlines()
    assert first.startswith(f"Added: check-in {check_in_id}, Mon, Fri at 08:30 Europe/Berlin; next ")
    assert first.endswith("08:30")
    assert after == f"See what will come of it: platformctl schedule preview --person {person}"

    listed = (await desk.about("check-in", "list")).stdout
    assert "quiet hours 22:00-07:00" in listed
    assert check_in_id in listed
    paused = await desk.about("check-in", "pause", check_in_id)
    assert paused.stdout == f"Paused: check-in {check_in_id}, Mon, Fri at 08:30 Europe/Berlin; paused\n"
    assert (await desk.told("check-in", "resume", check_in_id))["next_due_at"] == check_in["next_due_at"]

    would = await desk.about("check-in", "remove", check_in_id, "--dry-run")
    assert would.stdout.startswith(f"Would remove: check-in {check_in_id}")
    unasked = await desk.about("check-in", "remove", check_in_id)
    assert (unasked.returncode, "Add --yes" in unasked.stderr) == (1, True)
    assert (await desk.told("check-in", "remove", check_in_id, "--yes"))["removed"] is True
    gone = await desk.about("check-in", "remove", check_in_id, "--yes")
    assert (gone.returncode, gone.stderr) == (
        1, "This person has no such check-in. List them: `platformctl check-in list`.\n",
    )  # fmt: skip


async def test_a_person_may_be_named_by_where_they_write_from(desk: Desk) -> None:
    done = await desk.type("check-in", "add", "--person", "web:default:anna", "--at", "9:15", "--json")
    assert json.loads(done.stdout)["check_in"]["person_id"] == desk.anna.person_id


async def test_quiet_hours_are_shown_and_set_and_a_new_zone_says_what_it_moved(desk: Desk) -> None:
    await desk.about("check-in", "add", "--at", "08:30")
    done = await desk.about("check-in", "quiet-hours", "--set", "22:30-07:00", "--zone", "Asia/Tokyo")
    assert done.stdout.splitlines() == [
        "Time zone Asia/Tokyo, quiet hours 22:30-07:00.",
        "1 check-in that was in the person's old zone went to Asia/Tokyo too.",
    ]
    assert await desk.told("check-in", "quiet-hours") == {
        "time_zone": "Asia/Tokyo", "quiet_hours": {"start": "22:30", "end": "07:00"}, "moved_check_ins": 0,
    }  # fmt: skip


async def test_a_preview_is_a_table_of_local_times(desk: Desk) -> None:
    nothing = await desk.about("schedule", "preview")
    assert nothing.stdout.startswith("Nothing is due in the next 14 days.")
    await desk.about("check-in", "add", "--at", "08:30", "--zone", "Europe/Berlin")
    await desk.about("check-in", "add", "--at", "23:00")
    lines = (await desk.about("schedule", "preview", "--days", "3")).stdout.splitlines()
    assert lines[:2] == ["Times of Europe/Berlin.", ""]
    assert lines[2].split() == ["DUE", "TRIGGER", "VERDICT", "WHY"]
    assert len([line for line in lines if " 08:30  scheduled_check_in  send" in line]) == 3
    assert len([line for line in lines if " 23:00  scheduled_check_in  hold     quiet_hours until " in line]) == 3
    told = await desk.told("schedule", "preview", "--days", "3")
    assert {item["local_due"][10:16] for item in told["planned"]} == {"T08:30", "T23:00"}


async def test_what_came_of_a_check_in_is_listed_and_explained(desk: Desk) -> None:
    assert (await desk.about("schedule", "nudges")).stdout.startswith("Nothing has been due yet.")
    two_hours_ago = f"{datetime.now(UTC) - timedelta(hours=2):%H:%M}"
    await desk.about("check-in", "add", "--at", two_hours_ago, "--zone", "UTC", "--quiet", "00:00-00:00")
    await desk.around.rows(DUE)

    async def nudges() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await desk.told("schedule", "nudges"))["nudges"]
        return found

    [nudge] = await eventually(nudges)
    line = (await desk.about("schedule", "nudges")).stdout.splitlines()[1]
    assert line.startswith(nudge["nudge_id"])
    assert line.endswith("dispatched  -    planned (web)")
    said = (await desk.type("explain", nudge["nudge_id"])).stdout
    assert f"Nudge {nudge['nudge_id']} of person {desk.anna.person_id}" in said
    assert f"daily at {two_hours_ago} UTC, catch-up once" in said
    assert "on web: planned, words by template" in said
    assert "schedule: send" in said
    told = json.loads((await desk.type("explain", nudge["nudge_id"], "--json")).stdout)
    assert [item["verdict"] for item in told["decisions"]] == ["send"]


WRONG = (
    (("add", "--at", "25:00"), '--at: "25:00" is no time of day. Write HH:MM from 00:00 to 23:59'),
    (("add", "--at", "08:30", "--zone", "Berlin"), "Did you mean Europe/Berlin"),
    (("add", "--at", "08:30", "--days", "mon,noday"), "--days are names of days with commas between: mon,tue"),
    (("add", "--at", "08:30", "--days", "mon", "--rule", "FREQ=DAILY"), "Give --days or --rule, not both"),
    (("add", "--at", "08:30", "--rule", "FREQ=SECONDLY"), "--rule: "),
    (("add", "--at", "08:30", "--quiet", "21:00"), "--quiet is two times with a dash between: 21:00-08:00."),
    (("add", "--at", "08:30", "--trigger", "moon"), "Take one of inactivity, scheduled_check_in."),
    (("add", "--at", "08:30", "--trigger", "inactivity"), "--after-days says how many days of silence"),
    (("add", "--at", "08:30", "--zone", "\udcff"), "Argument 6 is no text: its bytes are not UTF-8."),
    (("pause", "not-an-id"), "CHECK_IN must be a UUID: list the check-ins to see their ids."),
    (("pause", str(uuid4())), "This person has no such check-in."),
)


async def test_what_is_wrong_ends_with_1_and_a_sentence(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.about("check-in", *arguments) for arguments, _ in WRONG))
    for done, (arguments, said) in zip(found, WRONG, strict=True):
        assert (done.returncode, done.stdout, said in done.stderr) == (1, "", True), (arguments, done.stderr)
        assert len(done.stderr.splitlines()) == 1


NOBODY = (
    (str(uuid4()), "There is no such person here."),
    ("web:default:nobody", "There is no such person here."),
    ("anna", "--person must be a person's id"),
    ("telegram:4242", "CHANNEL:ACCOUNT:SENDER such as telegram:4242:700001"),
)


async def test_who_is_not_there_is_said_to_be_so(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.type("schedule", "preview", "--person", person) for person, _ in NOBODY))
    for done, (person, said) in zip(found, NOBODY, strict=True):
        assert (done.returncode, said in done.stderr) == (1, True), (person, done.stderr)


async def test_a_nudge_that_is_not_there_is_said_to_be_so(desk: Desk) -> None:
    done = await desk.type("explain", str(uuid4()))
    assert (done.returncode, done.stderr) == (1, "There is no such nudge. List the person's nudges to see their ids.\n")
    assert "NUDGE must be a nudge's id" in (await desk.type("explain", "last")).stderr
