"""Take in what providers bring: verify, parse, keep the files, publish; acknowledge only what is stored."""

import asyncio
import json
from collections.abc import Sequence

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection, Connections
from channel_adapter.app.files import KeepFiles
from channel_adapter.app.ports import Inbound, InboundUnavailableError
from channel_adapter.domain.delivery import ProviderError
from channel_adapter.domain.messages import Answer, Event, Incoming, Parsed, PersonText, RawRequest, RefusedError
from kit import log
from kit.clock import Clock

# When a provider should bring again what could not be stored.
RETRY_AFTER_SECONDS = 5
_log = log.get_logger("channel_adapter.receive")


class Intake:
    """The way into the stream, the same for what is pushed and for what is fetched."""

    def __init__(self, inbound: Inbound, files: KeepFiles, clock: Clock) -> None:
        self._inbound = inbound
        self._files = files
        self._clock = clock
        self._presses: set[asyncio.Task[None]] = set()

    async def store(self, connection: Connection, parsed: Sequence[Parsed]) -> int:
        """Return how many events the stream has stored, in the order in which they came.

        Raises InboundUnavailableError: then none of it counts as received.
        """
        events = await asyncio.gather(
            *(self._complete(connection, incoming) for one in parsed for incoming in one.events)
        )
        if events:
            await self._inbound.publish(events)
        for one in parsed:
            for kind in one.ignored:
                metrics.RECEIVED.labels(connection.channel, f"ignored_{kind}").inc()
            for press_id in one.presses:
                self._answer_later(connection, press_id)
        metrics.RECEIVED.labels(connection.channel, "stored").inc(len(events))
        return len(events)

    async def _complete(self, connection: Connection, incoming: Incoming) -> Event:
        remote = incoming.body.files if isinstance(incoming.body, PersonText) else ()
        kept = await asyncio.gather(*(self._files.keep(connection, file) for file in remote))
        return Event(
            organization_id=connection.organization_id,
            channel=connection.channel,
            account=connection.account,
            received_at=self._clock.now(),
            incoming=incoming,
            files=tuple(kept),
        )

    def _answer_later(self, connection: Connection, press_id: str) -> None:
        """Acknowledge a button press beside everything else: it is a courtesy, and may fail."""
        task = asyncio.create_task(_answer_press(connection, press_id))
        self._presses.add(task)
        task.add_done_callback(self._presses.discard)


async def _answer_press(connection: Connection, press_id: str) -> None:
    if connection.presses is None:
        return
    try:
        await connection.presses.answer_press(press_id)
    except ProviderError as error:
        _log.info("press_not_answered", channel=connection.channel, problem=error.problem.value)


class ReceiveRequest:
    """One raw request of a provider, from the gateway to the stream."""

    def __init__(self, connections: Connections, intake: Intake, max_body_bytes: int) -> None:
        self._connections = connections
        self._intake = intake
        self._max_body_bytes = max_body_bytes

    async def __call__(self, request: RawRequest) -> Answer:
        """Return what the provider gets. Refused requests leave a count and its reason behind, and nothing else."""
        connection = self._connections.get((request.channel, request.account))
        channel = connection.channel if connection else "unknown"
        try:
            parsed = self._understand(connection, request)
            count = await self._intake.store(parsed[0], [parsed[1]])
        except RefusedError as refusal:
            metrics.RECEIVED.labels(channel, f"refused_{refusal.reason}").inc()
            return _answer(refusal.status, refusal.reason, refusal.text)
        except InboundUnavailableError:
            metrics.RECEIVED.labels(channel, "unavailable").inc()
            answer = _answer(503, "unavailable", "The message could not be stored. Send it again.")
            return Answer(answer.status, answer.body, retry_after_seconds=RETRY_AFTER_SECONDS)
        return Answer(200, b"{}", events=count)

    def _understand(self, connection: Connection | None, request: RawRequest) -> tuple[Connection, Parsed]:
        if connection is None:
            raise RefusedError(404, "account", "There is no such channel account here.")
        abilities = connection.abilities
        if request.method not in abilities.methods:
            raise RefusedError(405, "method", f"Use {' or '.join(sorted(abilities.methods))}.")
        if len(request.body) > self._max_body_bytes:
            raise RefusedError(413, "body_too_large", f"At most {self._max_body_bytes} bytes are taken.")
        if abilities.authenticated_sender and not request.subject:
            raise RefusedError(401, "sender", "This channel takes messages of signed-in guests only.")
        connection.receiver.verify(request)
        return connection, connection.receiver.parse(request)


def _answer(status: int, reason: str, text: str) -> Answer:
    return Answer(status, json.dumps({"error": reason, "message": text}).encode())
