"""An empty valkey for each test."""

from redis.asyncio import Redis


async def flush(url: str) -> None:
    """Remove every key."""
    client = Redis.from_url(url)
    try:
        await client.flushall()
    finally:
        await client.aclose()
