"""`platformctl people`: who is coached here."""

import asyncio
import json
from typing import Annotated, Any
from uuid import UUID

import grpc
import typer

from contracts.coaching.v1 import coaching_pb2, coaching_pb2_grpc
from kit import grpc_client
from platformctl.commands.shared import Data, Json, fail, folder_of, running
from platformctl.up.runfile import RunFile

HELP = "Look at the people that the platform coaches. What they wrote is never shown."
CALL_SECONDS = 10.0
DEFAULT_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001"

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
    organization: Annotated[str, typer.Option(help="Organisation id.")] = DEFAULT_ORGANIZATION_ID,
    address: Annotated[str | None, typer.Option(help="host:port of coaching, instead of the local platform's.")] = None,
) -> None:
    """List people with their channels, their last message's time, and whether the coach may speak first."""
    _check_id("--after", "a person's id, as `platformctl people list` shows it", after)
    _check_id("--organization", "an organisation's id", organization)
    target = address or address_of(running(folder_of(data)))
    request = coaching_pb2.ListPeopleRequest(organization_id=organization, after_person_id=after, limit=limit)
    try:
        answer = asyncio.run(_list(target, request))
    except grpc.RpcError as error:
        raise fail(
            f"Coaching at {target} did not answer ({error.code().name}). Look at `platformctl status`."
        ) from None
    people = [_person(person) for person in answer.people]
    if as_json:
        typer.echo(json.dumps({"people": people, "has_more": answer.has_more}))
        return
    typer.echo("\n".join(map(_line, people)) or "Nobody yet.")
    if answer.has_more:
        typer.echo(f"There are more: --after {people[-1]['person_id']}")


def _check_id(option: str, wanted: str, value: str) -> None:
    """End with 1 and a sentence when the value of an option is no id; an empty one is none."""
    try:
        UUID(value or DEFAULT_ORGANIZATION_ID)
    except ValueError:
        raise fail(f"{option} must be {wanted}.") from None


def address_of(found: RunFile) -> str:
    """Where coaching answers on the local platform."""
    return f"127.0.0.1:{found.ports['coaching.grpc']}"


async def _list(target: str, request: coaching_pb2.ListPeopleRequest) -> coaching_pb2.ListPeopleResponse:
    async with grpc_client.channel(target) as channel:
        stub: Any = coaching_pb2_grpc.CoachingStub(channel)
        answer: coaching_pb2.ListPeopleResponse = await stub.ListPeople(request, timeout=CALL_SECONDS)
        return answer


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
