"""Take in what providers bring: verify, parse, keep the files, publish; acknowledge only what is stored."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection, Connections
from channel_adapter.app.files import KeepFiles
from channel_adapter.app.ports import Inbound, InboundUnavailableError
from channel_adapter.domain.delivery import ProviderError
from channel_adapter.domain.messages import (
    Answer,
    Event,
    Incoming,
    KeptFile,
    Parsed,
    PersonText,
    RawRequest,
    RefusedError,
)
from kit import log
from kit.clock import Clock

# When a provider should bring again what could not be stored.
RETRY_AFTER_SECONDS = 5
_log = log.get_logger("channel_adapter.receive")


@dataclass(frozen=True, slots=True)
class Taken:
    """A request of a provider, verified and understood."""

    connection: Connection
    parsed: Parsed
    traceparent: str

    @property
    def has_files(self) -> bool:
        """Whether something must be fetched before the stream may have it."""
        return any(isinstance(one.body, PersonText) and one.body.files for one in self.parsed.events)


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
        if events and not await self._inbound.publish(events) >= {event.unique_id for event in events}:
            raise InboundUnavailableError
        self._stored(connection, parsed, len(events))
        return len(events)

    async def store_each(self, taken: Sequence[Taken]) -> list[int | None]:
        """Store what came without files in one window; return for each how many events, None where one is missing."""
        lists = [
            [self._event(one.connection, incoming, (), one.traceparent) for incoming in one.parsed.events]
            for one in taken
        ]
        together = [event for events in lists for event in events]
        stored = await self._inbound.publish(together) if together else set()
        counts: list[int | None] = []
        for one, events in zip(taken, lists, strict=True):
            complete = all(event.unique_id in stored for event in events)
            if complete:
                self._stored(one.connection, [one.parsed], len(events))
            counts.append(len(events) if complete else None)
        return counts

    async def _complete(self, connection: Connection, incoming: Incoming) -> Event:
        remote = incoming.body.files if isinstance(incoming.body, PersonText) else ()
        kept = await asyncio.gather(*(self._files.keep(connection, file) for file in remote))
        return self._event(connection, incoming, tuple(kept))

    def _event(
        self, connection: Connection, incoming: Incoming, files: tuple[KeptFile, ...], traceparent: str = ""
    ) -> Event:
        return Event(
            organization_id=connection.organization_id,
            channel=connection.channel,
            account=connection.account,
            received_at=self._clock.now(),
            incoming=incoming,
            files=files,
            traceparent=traceparent,
        )

    def _stored(self, connection: Connection, parsed: Sequence[Parsed], events: int) -> None:
        for one in parsed:
            for kind in one.ignored:
                metrics.RECEIVED.labels(connection.channel, f"ignored_{kind}").inc()
            for press_id in one.presses:
                self._answer_later(connection, press_id)
        metrics.RECEIVED.labels(connection.channel, "stored").inc(events)

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
    """Raw requests of providers, from the gateway to the stream."""

    def __init__(self, connections: Connections, intake: Intake, max_body_bytes: int) -> None:
        self._connections = connections
        self._intake = intake
        self._max_body_bytes = max_body_bytes

    async def __call__(self, request: RawRequest) -> Answer:
        """Return what the provider gets. Refused requests leave a count and its reason behind, and nothing else."""
        taken = self._understand(request)
        if isinstance(taken, Answer):
            return taken
        try:
            return _accepted(await self._intake.store(taken.connection, [taken.parsed]))
        except InboundUnavailableError:
            return _unavailable(taken.connection.channel)

    async def many(self, requests: Sequence[RawRequest]) -> list[Answer | None]:
        """Answer each on its own, in order; what they hold is stored together.

        None: it brings files, for which the others would have to wait, and nothing is done; call it alone.
        """
        answers: list[Answer | None] = []
        storing: dict[int, Taken] = {}
        for index, request in enumerate(requests):
            taken = self._guarded(request)
            answers.append(taken if isinstance(taken, Answer) else None)
            if isinstance(taken, Taken) and not taken.has_files:
                storing[index] = taken
        counts = await self._intake.store_each(list(storing.values()))
        for (index, taken), count in zip(storing.items(), counts, strict=True):
            answers[index] = _unavailable(taken.connection.channel) if count is None else _accepted(count)
        return answers

    def _guarded(self, request: RawRequest) -> Taken | Answer:
        try:
            return self._understand(request)
        except Exception:  # noqa: BLE001  # a mistake of ours in one of many: the others go on
            _log.exception("request_failed")
            return _unavailable(self._channel_of(request))

    def _understand(self, request: RawRequest) -> Taken | Answer:
        try:
            return self._verified(self._connections.get((request.channel, request.account)), request)
        except RefusedError as refusal:
            metrics.RECEIVED.labels(self._channel_of(request), f"refused_{refusal.reason}").inc()
            return _answer(refusal.status, refusal.reason, refusal.text)

    def _channel_of(self, request: RawRequest) -> str:
        return request.channel if (request.channel, request.account) in self._connections else "unknown"

    def _verified(self, connection: Connection | None, request: RawRequest) -> Taken:
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
        return Taken(connection, connection.receiver.parse(request), request.traceparent)


def _accepted(events: int) -> Answer:
    return Answer(200, b"{}", events=events)


def _unavailable(channel: str) -> Answer:
    metrics.RECEIVED.labels(channel, "unavailable").inc()
    answer = _answer(503, "unavailable", "The message could not be stored. Send it again.")
    return Answer(answer.status, answer.body, retry_after_seconds=RETRY_AFTER_SECONDS)


def _answer(status: int, reason: str, text: str) -> Answer:
    return Answer(status, json.dumps({"error": reason, "message": text}).encode())
