"""Clean JetStream streams for each test."""

import nats

from contracts.topology import CONSUMERS, STREAMS
from kit.streams import DUPLICATE_WINDOW_SECONDS, apply


async def reset_streams(url: str, window_seconds: float = DUPLICATE_WINDOW_SECONDS) -> None:
    """Remove every stream of the server and create those of the topology, empty, with their consumers."""
    client = await nats.connect(url, allow_reconnect=False)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(stream.config.name or "")
        await apply(jetstream, STREAMS, CONSUMERS, window_seconds=window_seconds)
    finally:
        await client.close()
