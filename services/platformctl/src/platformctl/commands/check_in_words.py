"""Check-ins as `platformctl` prints them."""

from typing import Any

from contracts.coaching.v1 import coaching_pb2 as pb
from platformctl.commands.coaching import as_record
from platformctl.commands.tables import maybe_local, rule_words, table

CATCH_UPS = {pb.CATCH_UP_SKIP: "skip", pb.CATCH_UP_ONCE: "once", pb.CATCH_UP_NEXT_WINDOW: "next-window"}
HEAD = ("ID", "WHEN", "ZONE", "TRIGGER", "CATCH-UP", "NEXT")
SCHEDULED = "scheduled_check_in"


def check_in_record(check_in: pb.CheckIn) -> dict[str, Any]:
    """A check-in for --json."""
    return as_record(check_in) | {"catch_up": CATCH_UPS.get(check_in.catch_up, "once")}


def listed_words(answer: pb.ListCheckInsResponse, person: str) -> str:
    """A table of check-ins under the times that hold for all of them."""
    lines = [times_words(answer.time_zone, answer.quiet_hours)]
    if answer.proactive_stopped:
        lines.append("This person wrote STOP: nothing is written first until they write START.")
    if answer.check_ins:
        lines += ["", table(HEAD, [_row(check_in) for check_in in answer.check_ins])]
    else:
        zone = answer.time_zone or "Europe/Berlin"
        lines.append(
            f"No check-ins yet. Add one with: platformctl check-in add --person {person} --at 08:30 --zone {zone}"
        )
    return "\n".join(lines)


def added_words(answer: pb.AddCheckInResponse, person: str) -> str:
    """What was added, when it is due, and what else that changed."""
    check_in = answer.check_in
    lines = [f"Added: {line(check_in)}"]
    if answer.moved_check_ins:
        lines.append(moved_words(answer.moved_check_ins, check_in.time_zone))
    lines.append(f"See what will come of it: platformctl schedule preview --person {person}")
    return "\n".join(lines)


def times_words(time_zone: str, quiet: pb.QuietHours, moved: int = 0) -> str:
    """The person's zone and quiet hours."""
    zone = f"Time zone {time_zone}" if time_zone else "Time zone not known yet"
    hours = f"quiet hours {quiet.start}-{quiet.end}" if quiet.start != quiet.end else "no quiet hours"
    text = f"{zone}, {hours}."
    return f"{text}\n{moved_words(moved, time_zone)}" if moved else text


def moved_words(moved: int, time_zone: str) -> str:
    """How many went to a new zone with the person."""
    which = "1 check-in that was" if moved == 1 else f"{moved} check-ins that were"
    return f"{which} in the person's old zone went to {time_zone} too."


def line(check_in: pb.CheckIn) -> str:
    """A check-in in one line."""
    _id, when, zone, trigger, _, next_due = _row(check_in)
    due = "paused" if check_in.paused else f"next {next_due}"
    why = "" if check_in.trigger == SCHEDULED else f", {trigger}"
    return f"check-in {check_in.check_in_id}, {when} {zone}{why}; {due}"


def _row(check_in: pb.CheckIn) -> tuple[str, ...]:
    trigger = check_in.trigger
    if check_in.after_days:
        trigger = f"{trigger} {check_in.after_days} d"
    return (
        check_in.check_in_id,
        f"{rule_words(check_in.rule)} at {check_in.local_time}",
        check_in.time_zone,
        trigger,
        CATCH_UPS.get(check_in.catch_up, "once"),
        "paused" if check_in.paused else maybe_local(check_in, "next_due_at", check_in.time_zone, "never again"),
    )
