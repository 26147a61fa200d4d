"""What every RPC of coaching needs at its edge: refusals as statuses, times as messages."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from coaching.app.check_ins.ports import InvalidError, RefusedError, TooManyError, UnknownError
from coaching.app.ports import StoreRefusedError, StoreUnavailableError

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]
REFUSALS: dict[type[RefusedError], grpc.StatusCode] = {
    InvalidError: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownError: grpc.StatusCode.NOT_FOUND,
    TooManyError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


async def check(context: Context, holds: bool, text: str) -> None:
    """End the call with INVALID_ARGUMENT unless this holds."""
    if not holds:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)


async def stored(context: Context, call: Awaitable[T]) -> T:
    """Await a use case; a refusal, and the database's trouble, end the call with a status that says what to do."""
    try:
        return await call
    except RefusedError as error:
        await context.abort(REFUSALS[type(error)], str(error))
    except StoreUnavailableError:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the database does not answer: try again")
    except StoreRefusedError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the database refuses this")
    raise AssertionError("abort raises")


def stamp(at: datetime) -> Timestamp:
    """Return a time as a message."""
    made = Timestamp()
    made.FromDatetime(at)
    return made


def maybe_stamp(at: datetime | None) -> Timestamp | None:
    """Return a time as a message; None stays unset."""
    return None if at is None else stamp(at)
