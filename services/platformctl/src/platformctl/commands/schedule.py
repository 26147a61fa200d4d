"""`platformctl schedule` and `platformctl explain`: what is due, and why something came or did not."""

from typing import Annotated

import typer

from contracts.coaching.v1 import coaching_pb2 as pb
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
from platformctl.commands.schedule_words import explained_words, nudges_words, preview_words
from platformctl.commands.shared import Data, Json

HELP = "See what the coach will write first to a person, and what became of it so far. No word of theirs is shown."
MOST_DAYS = 366
MOST_NUDGES = 200

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="markdown")


@app.command("preview")
def preview_command(
    person: Person,
    days: Annotated[int, typer.Option(help="How far to look ahead.", min=1, max=MOST_DAYS)] = 14,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Say what is due in the next days and what would be decided about it, if nothing changed until then.

    "hold ... until" leaves at that time; "drop" never leaves. The words of the last column are explained in
    docs/runbooks/a-check-in-did-not-arrive.md.

    Example: `platformctl schedule preview --person ID --days 14`
    """
    request = pb.PreviewScheduleRequest(person=person_ref(organization, person), days=days)
    answer = ask(target_of(data, address), lambda coaching: coaching.PreviewSchedule(request, timeout=CALL_SECONDS))
    if as_json:
        print_json(as_record(answer))
    else:
        typer.echo(preview_words(answer, days))


@app.command("nudges")
def nudges_command(
    person: Person,
    limit: Annotated[int, typer.Option(help="Nudges at most.", min=1, max=MOST_NUDGES)] = 50,
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """List what became due for a person, newest first, with the ids that `platformctl explain` takes."""
    request = pb.ListNudgesRequest(person=person_ref(organization, person), limit=limit)
    answer = ask(target_of(data, address), lambda coaching: coaching.ListNudges(request, timeout=CALL_SECONDS))
    if as_json:
        print_json(as_record(answer))
    else:
        typer.echo(nudges_words(answer))


def explain(
    nudge: Annotated[str, typer.Argument(metavar="NUDGE", help="Its id, as `platformctl schedule nudges` shows it.")],
    data: Data = None,
    as_json: Json = False,
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """Explain why a nudge came, waits, or never came: every decision about it, and what each was decided by.

    Example: `platformctl explain 01989c2e-5b1e-7c3a-9d70-2f6f0a3f1b52`
    """
    check_id("NUDGE", "a nudge's id, as `platformctl schedule nudges` shows it", nudge or "-")
    check_id("--organization", "an organisation's id", organization)
    request = pb.ExplainNudgeRequest(organization_id=organization, nudge_id=nudge)
    answer = ask(target_of(data, address), lambda coaching: coaching.ExplainNudge(request, timeout=CALL_SECONDS))
    if as_json:
        print_json(as_record(answer))
    else:
        typer.echo(explained_words(answer))
