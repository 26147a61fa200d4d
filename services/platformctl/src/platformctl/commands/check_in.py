"""`platformctl check-in`: when the coach writes first to somebody."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from contracts.coaching.v1 import coaching_pb2 as pb
from kit.ids import new_id
from platformctl.commands.check_in_words import added_words, check_in_record, line, listed_words, times_words
from platformctl.commands.coaching import (
    CALL_SECONDS,
    DEFAULT_ORGANIZATION_ID,
    Address,
    Organization,
    Person,
    as_record,
    ask,
    check_id,
    person_ref,
    print_json,
    target_of,
)  # fmt: skip
from platformctl.commands.shared import Data, Json, fail

HELP = """Say when the coach writes first to a person: add, list, pause and remove check-ins, set quiet hours.

Times are those of the wall clock where the person lives. What came of it: `platformctl schedule` and `explain`.
"""
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="markdown")
CheckInId = Annotated[str, typer.Argument(metavar="CHECK_IN", help="Its id, as `platformctl check-in list` shows it.")]


class CatchUp(StrEnum):
    """What becomes of a time at which nothing could leave."""

    SKIP = "skip"
    ONCE = "once"
    NEXT_WINDOW = "next-window"


CATCH_UPS = {
    CatchUp.SKIP: pb.CATCH_UP_SKIP,
    CatchUp.ONCE: pb.CATCH_UP_ONCE,
    CatchUp.NEXT_WINDOW: pb.CATCH_UP_NEXT_WINDOW,
}


@app.command("add")
def add_command(  # noqa: PLR0913, PLR0917  # an argument for each option
    person: Person,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="Time of day on the person's wall clock.")],
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="IANA zone; becomes the person's. Default: the one they have.")
    ] = "",
    days: Annotated[
        str, typer.Option(metavar="DAYS", help="On these days only: mon,wed,fri. Default: every day.")
    ] = "",
    rule: Annotated[
        str, typer.Option(metavar="RRULE", help="Any rule of RFC 5545 over days: FREQ=MONTHLY;BYMONTHDAY=1.")
    ] = "",
    catch_up: Annotated[
        CatchUp,
        typer.Option(
            help="When it could not leave at its time (an outage): leave it out, send it once as soon as it may, or "
            "wait for the next end of quiet hours."
        ),
    ] = CatchUp.ONCE,
    quiet: Annotated[
        str, typer.Option(metavar="HH:MM-HH:MM", help="Set the person's quiet hours with it: 21:00-08:00.")
    ] = "",
    trigger: Annotated[
        str, typer.Option(metavar="NAME", help="Why the coach writes: scheduled_check_in or inactivity.")
    ] = "scheduled_check_in",
    after_days: Annotated[
        int, typer.Option(min=0, max=365, help="With inactivity: after so many days of silence.")
    ] = 0,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Add a check-in.

    Examples:

    * `platformctl check-in add --person ID --at 08:30 --zone Europe/Berlin`

    * `platformctl check-in add --person telegram:4242:700001 --at 18:00 --days mon,wed,fri --quiet 21:00-08:00`

    * `platformctl check-in add --person ID --at 10:00 --trigger inactivity --after-days 3`
    """
    if days and rule:
        raise fail("Give --days or --rule, not both: --days mon,wed is --rule 'FREQ=WEEKLY;BYDAY=MO,WE'.")
    request = pb.AddCheckInRequest(
        person=person_ref(organization, person), trigger=trigger, rule=rule_of(days) if days else rule, local_time=at,
        time_zone=zone, catch_up=CATCH_UPS[catch_up], after_days=after_days, request_id=new_id(),
        quiet_hours=hours_of("--quiet", quiet) if quiet else None,
    )  # fmt: skip
    answer = ask(target_of(data, address), lambda coaching: coaching.AddCheckIn(request, timeout=CALL_SECONDS))
    if as_json:
        print_json({"check_in": check_in_record(answer.check_in), "moved_check_ins": answer.moved_check_ins})
    else:
        typer.echo(added_words(answer, person))


@app.command("list")
def list_command(
    person: Person,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """List a person's check-ins with the next time of each, their zone and their quiet hours."""
    answer = _listed(target_of(data, address), person_ref(organization, person))
    if as_json:
        record = as_record(answer)
        print_json(record | {"check_ins": [check_in_record(check_in) for check_in in answer.check_ins]})
    else:
        typer.echo(listed_words(answer, person))


@app.command("pause")
def pause_command(
    check_in: CheckInId,
    person: Person,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Pause a check-in: nothing comes of it until `platformctl check-in resume`. Pausing twice changes nothing."""
    _pause(target_of(data, address), person_ref(organization, person), check_in, True, as_json)


@app.command("resume")
def resume_command(
    check_in: CheckInId,
    person: Person,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Resume a check-in: it is due at its next time, and nothing is made up for."""
    _pause(target_of(data, address), person_ref(organization, person), check_in, False, as_json)


@app.command("remove")
def remove_command(
    check_in: CheckInId,
    person: Person,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Remove a check-in. What came of it so far stays, and `platformctl explain` still explains it."""
    target, ref = target_of(data, address), person_ref(organization, person)
    check_id("CHECK_IN", "a check-in's id, as `platformctl check-in list` shows it", check_in or "-")
    found = [item for item in _listed(target, ref).check_ins if item.check_in_id == check_in.lower()]
    if not found:
        raise fail("This person has no such check-in. List them: `platformctl check-in list`.")
    if not dry_run:
        _confirm(yes, line(found[0]))
        request = pb.RemoveCheckInRequest(person=ref, check_in_id=check_in)
        ask(target, lambda coaching: coaching.RemoveCheckIn(request, timeout=CALL_SECONDS))
    if as_json:
        print_json({"check_in": check_in_record(found[0]), "removed": not dry_run})
    else:
        typer.echo(f"{'Would remove' if dry_run else 'Removed'}: {line(found[0])}")


@app.command("quiet-hours")
def quiet_hours_command(
    person: Person,
    hours: Annotated[
        str, typer.Option("--set", metavar="HH:MM-HH:MM", help="Set them, such as 22:00-07:00; equal times: none.")
    ] = "",
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Set the person's IANA zone; check-ins of their old one go with them.")
    ] = "",
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Show or set the hours in which nothing is written first, and the person's time zone.

    Example: `platformctl check-in quiet-hours --person ID --set 22:00-07:00 --zone Europe/Berlin`
    """
    target, ref = target_of(data, address), person_ref(organization, person)
    answer: pb.SetQuietHoursResponse | pb.ListCheckInsResponse
    if hours or zone:
        quiet = hours_of("--set", hours) if hours else None
        request = pb.SetQuietHoursRequest(person=ref, quiet_hours=quiet, time_zone=zone)
        answer = ask(target, lambda coaching: coaching.SetQuietHours(request, timeout=CALL_SECONDS))
        moved = answer.moved_check_ins
    else:
        answer, moved = _listed(target, ref), 0
    if as_json:
        print_json({
            "time_zone": answer.time_zone, "quiet_hours": as_record(answer.quiet_hours), "moved_check_ins": moved,
        })  # fmt: skip
    else:
        typer.echo(times_words(answer.time_zone, answer.quiet_hours, moved))


def rule_of(days: str) -> str:
    """The rule of --days; ends with 1 and a sentence when a day is none."""
    names = [name.strip().lower()[:3] for name in days.split(",")]
    if not all(name in WEEK for name in names):
        raise fail(f"--days are names of days with commas between: {','.join(WEEK)}.")
    return f"FREQ=WEEKLY;BYDAY={','.join(day[:2].upper() for day in WEEK if day in names)}"


def hours_of(option: str, hours: str) -> pb.QuietHours:
    """Quiet hours as they are typed; coaching checks the times themselves."""
    start, dash, end = (part.strip() for part in hours.partition("-"))
    if not (start and dash and end):
        raise fail(f"{option} is two times with a dash between: 21:00-08:00.")
    return pb.QuietHours(start=start, end=end)


def _listed(target: str, ref: pb.PersonRef) -> pb.ListCheckInsResponse:
    request = pb.ListCheckInsRequest(person=ref)
    return ask(target, lambda coaching: coaching.ListCheckIns(request, timeout=CALL_SECONDS))


def _pause(target: str, ref: pb.PersonRef, check_in_id: str, paused: bool, as_json: bool) -> None:
    request = pb.PauseCheckInRequest(person=ref, check_in_id=check_in_id, paused=paused)
    answer = ask(target, lambda coaching: coaching.PauseCheckIn(request, timeout=CALL_SECONDS))
    if as_json:
        print_json(check_in_record(answer.check_in))
    else:
        typer.echo(f"{'Paused' if paused else 'Resumed'}: {line(answer.check_in)}")


def _confirm(yes: bool, what: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise fail("Nothing was removed: nobody is there to be asked. Add --yes, or look first with --dry-run.")
    typer.confirm(f"Remove {what}?", abort=True)
