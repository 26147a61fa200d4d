"""Clean JetStream streams for each test."""

from contracts.topology import CONSUMERS, STREAMS
from platformctl.nats_once import connect_once
from platformctl.streams.applying import DUPLICATE_WINDOW_SECONDS, apply

WAIT_SECONDS = 30.0


async def reset_streams(url: str, window_seconds: float = DUPLICATE_WINDOW_SECONDS) -> None:
    """Remove every stream of the server and create those of the topology, empty, with their consumers."""
    client = await connect_once(url, WAIT_SECONDS, "tests")
    try:
        jetstream = client.jetstream(timeout=WAIT_SECONDS)
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(stream.config.name or "")
        await apply(jetstream, STREAMS, CONSUMERS, window_seconds=window_seconds)
    finally:
        await client.close()
