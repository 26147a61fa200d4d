"""Apply the topology to a NATS server, and read it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from contracts.topology import CONSUMERS, STREAMS
from kit.streams import Change, apply, describe
from platformctl.streams.settings import StreamSettings

CONNECT_SECONDS = 5


class StreamError(Exception):
    """A stream command cannot do its work. The text says why and what to do, and holds no credentials."""


@asynccontextmanager
async def _jetstream(settings: StreamSettings) -> AsyncIterator[JetStreamContext]:
    """One short connection; every refusal of the server becomes a StreamError."""
    try:
        client = await nats.connect(
            settings.nats_url.get_secret_value(),
            name="platformctl streams",
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=_ignore,
        )
    except (OSError, NatsError, ValueError) as error:
        raise StreamError(f"NATS cannot be reached ({type(error).__name__}). Check NATS_URL.") from None
    try:
        yield client.jetstream()
    except NatsError as error:
        raise StreamError(f"NATS refused: {error}") from None
    finally:
        await client.close()


async def _ignore(_error: Exception) -> None:
    """nats-py would log each refused attempt; the StreamError says it once."""


async def apply_topology(settings: StreamSettings, *, dry_run: bool = False) -> list[Change]:
    """Create and update streams and consumers as declared; never deletes. Raises StreamError."""
    async with _jetstream(settings) as jetstream:
        return await apply(
            jetstream,
            STREAMS,
            CONSUMERS,
            window_seconds=settings.nats_duplicate_window_seconds,
            replicas=settings.nats_replicas,
            dry_run=dry_run,
        )


async def show_topology(settings: StreamSettings) -> list[dict[str, object]]:
    """What the server has of each declared stream. Raises StreamError."""
    async with _jetstream(settings) as jetstream:
        return await describe(jetstream, STREAMS)
