"""Streams and durable consumers as code: compared with what the server has, and brought to it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from kit.consumer import ConsumerSpec

DUPLICATE_WINDOW_SECONDS = 120.0


class StreamSpec(Protocol):
    """A stream as code declares it; contracts.topology has these."""

    @property
    def name(self) -> str: ...
    @property
    def subjects(self) -> tuple[str, ...]: ...
    @property
    def work_queue(self) -> bool: ...
    @property
    def max_age_hours(self) -> int: ...
    @property
    def max_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Change:
    """What was, or would be, done to one stream or consumer."""

    kind: Literal["stream", "consumer"]
    name: str
    action: Literal["created", "updated", "unchanged"]


def _stream_config(spec: StreamSpec, window_seconds: float, replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        retention=api.RetentionPolicy.WORK_QUEUE if spec.work_queue else api.RetentionPolicy.LIMITS,
        # A full work queue refuses: its outbox rows wait in the database. The others drop their oldest.
        discard=api.DiscardPolicy.NEW if spec.work_queue else api.DiscardPolicy.OLD,
        max_age=spec.max_age_hours * 3600.0,
        max_bytes=spec.max_bytes,
        storage=api.StorageType.FILE,
        duplicate_window=window_seconds,
        num_replicas=replicas,
    )


def _consumer_config(spec: ConsumerSpec) -> api.ConsumerConfig:
    return api.ConsumerConfig(
        durable_name=spec.durable,
        filter_subject=spec.filter_subject,
        ack_policy=api.AckPolicy.EXPLICIT,
        deliver_policy=api.DeliverPolicy.ALL,
        ack_wait=float(spec.ack_wait_seconds),
        max_deliver=spec.max_deliver,
        max_ack_pending=spec.max_ack_pending,
    )


def _differs(wanted: api.StreamConfig | api.ConsumerConfig, present: api.StreamConfig | api.ConsumerConfig) -> bool:
    have = asdict(present)
    return any(value is not None and have.get(name) != value for name, value in asdict(wanted).items())


async def apply(
    js: JetStreamContext, streams: Sequence[StreamSpec], consumers: Sequence[ConsumerSpec], *,
    window_seconds: float = DUPLICATE_WINDOW_SECONDS, replicas: int = 1, dry_run: bool = False,
) -> list[Change]:  # fmt: skip
    """Create what is missing and update what differs; with dry_run only say so. Nothing is ever deleted."""
    changes = [await _apply_stream(js, _stream_config(spec, window_seconds, replicas), dry_run) for spec in streams]
    missing = {change.name for change in changes if change.action == "created"} if dry_run else set()
    for spec in consumers:
        if spec.stream in missing:
            changes.append(Change("consumer", spec.durable, "created"))
        else:
            changes.append(await _apply_consumer(js, spec, dry_run))
    return changes


async def _apply_stream(js: JetStreamContext, wanted: api.StreamConfig, dry_run: bool) -> Change:
    name = wanted.name or ""
    try:
        present = (await js.stream_info(name)).config
    except NotFoundError:
        if not dry_run:
            await js.add_stream(wanted)
        return Change("stream", name, "created")
    if not _differs(wanted, present):
        return Change("stream", name, "unchanged")
    if not dry_run:
        await js.update_stream(wanted)
    return Change("stream", name, "updated")


async def _apply_consumer(js: JetStreamContext, spec: ConsumerSpec, dry_run: bool) -> Change:
    wanted = _consumer_config(spec)
    action: Literal["created", "updated", "unchanged"] = "created"
    try:
        present = (await js.consumer_info(spec.stream, spec.durable)).config
        action = "updated" if _differs(wanted, present) else "unchanged"
    except NotFoundError:
        pass
    if action != "unchanged" and not dry_run:
        await js.add_consumer(spec.stream, wanted)  # an upsert in JetStream
    return Change("consumer", spec.durable, action)


async def describe(js: JetStreamContext, streams: Sequence[StreamSpec]) -> list[dict[str, object]]:
    """Return what the server has of each stream and of its consumers, in plain numbers."""
    found: list[dict[str, object]] = []
    for spec in streams:
        try:
            info = await js.stream_info(spec.name)
        except NotFoundError:
            found.append({"stream": spec.name, "exists": False})
            continue
        consumers = [
            {"consumer": item.name, "pending": item.num_pending, "unacknowledged": item.num_ack_pending,
             "redelivered": item.num_redelivered}
            for item in await js.consumers_info(spec.name)
        ]  # fmt: skip
        found.append(
            {"stream": spec.name, "exists": True, "subjects": list(spec.subjects), "messages": info.state.messages,
             "bytes": info.state.bytes, "consumers": consumers}
        )  # fmt: skip
    return found
