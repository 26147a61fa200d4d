"""`platformctl people`: who is coached here."""

import json
from typing import Annotated, Any

import typer

from contracts.coaching.v1 import coaching_pb2
from platformctl.commands.coaching import (
    CALL_SECONDS,
    DEFAULT_ORGANIZATION_ID,
    Address,
    Organization,
    ask,
    check_id,
    target_of,
)  # fmt: skip
from platformctl.commands.shared import Data, Json

HELP = "Look at the people that the platform coaches. What they wrote is never shown."

app = typer.Typer(help=HELP, no_args_is_help=True)


@app.callback()
def people() -> None:
    """A group with one command is still a group."""


@app.command("list")
def list_command(
    data: Data = None,
    as_json: Json = False,
    limit: Annotated[int, typer.Option(help="People on one page.", min=1, max=500)] = 100,
    after: Annotated[str, typer.Option(help="Go on after this person id: the last one of the page before.")] = "",
    organization: Organization = DEFAULT_ORGANIZATION_ID,
    address: Address = None,
) -> None:
    """List people with their channels, their last message's time, and whether the coach may speak first."""
    check_id("--after", "a person's id, as `platformctl people list` shows it", after)
    check_id("--organization", "an organisation's id", organization)
    request = coaching_pb2.ListPeopleRequest(organization_id=organization, after_person_id=after, limit=limit)
    answer = ask(target_of(data, address), lambda coaching: coaching.ListPeople(request, timeout=CALL_SECONDS))
    people = [_person(person) for person in answer.people]
    if as_json:
        typer.echo(json.dumps({"people": people, "has_more": answer.has_more}))
        return
    typer.echo("\n".join(map(_line, people)) or "Nobody yet.")
    if answer.has_more:
        typer.echo(f"There are more: --after {people[-1]['person_id']}")


def _person(person: coaching_pb2.Person) -> dict[str, Any]:
    return {
        "person_id": person.person_id,
        "created_at": person.created_at.ToJsonString() if person.HasField("created_at") else None,
        "last_message_at": person.last_message_at.ToJsonString() if person.HasField("last_message_at") else None,
        "channels": list(person.channels),
        "messages": person.messages,
        "proactive_stopped": person.proactive_stopped,
        "crisis_hold": person.crisis_hold,
    }


def _line(person: dict[str, Any]) -> str:
    marks = [word for word, on in (("stopped", person["proactive_stopped"]), ("crisis", person["crisis_hold"])) if on]
    channels = ",".join(person["channels"])
    return (
        f"{person['person_id']}  {channels:<16} {person['messages']:>5} messages  "
        f"last {person['last_message_at'] or '-'}  {' '.join(marks)}"
    ).rstrip()
