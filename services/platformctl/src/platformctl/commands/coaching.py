"""How commands ask coaching: where it is, who is meant, and its refusals as sentences."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from contracts.coaching.v1 import coaching_pb2, coaching_pb2_grpc
from kit import grpc_client
from kit.process import StartError
from platformctl.commands.shared import fail, folder_of, running
from platformctl.up.environment import grpc_address

CALL_SECONDS = 10.0
DEFAULT_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001"
# Statuses whose text is a sentence for whoever asked.
REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED)
# What coaching calls what was typed, where its sentence begins with it.
TYPED_AS = {
    "local_time": "--at", "time_zone": "--zone", "rule": "--rule", "trigger": "--trigger",
    "after_days": "--after-days", "check_in_id": "CHECK_IN",
}  # fmt: skip
_FIRST_WORD = re.compile(r"\A\w+")

T = TypeVar("T")
Coaching: TypeAlias = "coaching_pb2_grpc.CoachingAsyncStub"  # a name that only the type stubs have
Organization = Annotated[str, typer.Option(help="Organisation id.")]
Address = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="host:port of coaching, instead of the local platform's.")
]
Person = Annotated[
    str,
    typer.Option(
        "--person",
        metavar="PERSON",
        help="A person's id, as `platformctl people list` shows it, or where they write from: CHANNEL:ACCOUNT:SENDER.",
    ),
]


def target_of(data: str | None, address: str | None) -> str:
    """Where coaching answers: as an option says, or every replica on the local platform."""
    return address or grpc_address(running(folder_of(data)).ports, "coaching")


def ask(target: str, call: Callable[[Coaching], Awaitable[T]]) -> T:
    """Make one call; whatever goes wrong ends the program with status 1 and a sentence."""

    async def work() -> T:
        async with grpc_client.channel(target) as channel:
            return await call(coaching_pb2_grpc.CoachingStub(channel))

    try:
        return asyncio.run(work())
    except StartError as error:
        raise fail(str(error)) from None
    except grpc.RpcError as error:
        raise fail(_sentence(target, error)) from None


def _sentence(target: str, error: Any) -> str:
    if error.code() in REFUSALS and error.details():
        return _FIRST_WORD.sub(lambda found: TYPED_AS.get(found[0], found[0]), str(error.details()))
    return f"Coaching at {target} did not answer ({error.code().name}). Look at `platformctl status`."


def check_id(option: str, wanted: str, value: str) -> None:
    """End with 1 and a sentence when the value of an option is no id; an empty one is none."""
    try:
        UUID(value or DEFAULT_ORGANIZATION_ID)
    except ValueError:
        raise fail(f"{option} must be {wanted}.") from None


def person_ref(organization: str, person: str) -> coaching_pb2.PersonRef:
    """Who is meant by --person: an id, or a place such as telegram:4242:700001."""
    check_id("--organization", "an organisation's id", organization)
    channel, _, rest = person.partition(":")
    account, _, sender = rest.partition(":")
    if channel and account and sender:
        return coaching_pb2.PersonRef(organization_id=organization, channel=channel, account=account, sender_id=sender)
    if not person or ":" in person:
        raise fail("--person is an id, or CHANNEL:ACCOUNT:SENDER such as telegram:4242:700001.")
    check_id("--person", "a person's id, as `platformctl people list` shows it, or CHANNEL:ACCOUNT:SENDER", person)
    return coaching_pb2.PersonRef(organization_id=organization, person_id=person)


def as_record(message: Message) -> dict[str, Any]:
    """What --json prints of an answer: every field by its name, times in ISO 8601; a time that is unset is left out."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def print_json(record: Any) -> None:
    """Print a record as one line of JSON."""
    typer.echo(json.dumps(record, ensure_ascii=False))
