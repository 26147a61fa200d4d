"""Apply the topology to a NATS server, and read it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from contracts.topology import CONSUMERS, STREAMS, Consumer
from platformctl.nats_once import connect_once
from platformctl.streams.applying import Change, apply, describe
from platformctl.streams.settings import StreamSettings

CONNECT_SECONDS = 5.0


class StreamError(Exception):
    """A stream command cannot do its work. The text says why and what to do, and holds no credentials."""


@asynccontextmanager
async def _jetstream(settings: StreamSettings) -> AsyncIterator[JetStreamContext]:
    """One short connection; every refusal of the server becomes a StreamError."""
    try:
        client = await connect_once(settings.nats_url.get_secret_value(), CONNECT_SECONDS, "platformctl streams")
    except (OSError, TimeoutError, NatsError, ValueError) as error:
        raise StreamError(f"NATS cannot be reached ({type(error).__name__}). Check NATS_URL.") from None
    try:
        yield client.jetstream()
    except NatsError as error:
        raise StreamError(f"NATS refused: {error}") from None
    finally:
        await client.close()


async def apply_topology(settings: StreamSettings, *, dry_run: bool = False) -> list[Change]:
    """Create and update streams and consumers as declared; never deletes. Raises StreamError."""
    async with _jetstream(settings) as jetstream:
        return await apply(
            jetstream,
            STREAMS,
            _consumers(settings),
            window_seconds=settings.nats_duplicate_window_seconds,
            replicas=settings.nats_replicas,
            dry_run=dry_run,
        )


def _consumers(settings: StreamSettings) -> list[Consumer]:
    wait = settings.nats_ack_wait_seconds
    return [spec if wait is None else replace(spec, ack_wait_seconds=wait) for spec in CONSUMERS]


async def show_topology(settings: StreamSettings) -> list[dict[str, object]]:
    """What the server has of each declared stream. Raises StreamError."""
    async with _jetstream(settings) as jetstream:
        return await describe(jetstream, STREAMS)
