"""One attempt to reach a NATS server, for commands and probes that want an answer now."""

from nats.aio.client import Client


async def connect_once(url: str, seconds: float, name: str) -> Client:
    """Connect, or raise OSError, TimeoutError or nats.errors.Error soon; a lost connection is not made again."""
    client = Client()
    try:
        await client.connect(
            url,
            name=name,
            allow_reconnect=False,
            connect_timeout=max(1, int(seconds)),
            max_reconnect_attempts=1,  # 0 would mean for ever
            reconnect_time_wait=0,
            error_cb=_ignore,
        )
    except BaseException:
        # A server that answers and refuses leaves nats-py's socket open when reconnecting is off.
        await client.close()
        raise
    return client


async def _ignore(_error: Exception) -> None:
    """nats-py would log each refused attempt; the caller has the exception."""
