"""Streams and durable consumers of JetStream. Generated from topology.proto by `make protos`; never edited."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as code creates it; max_age_hours 0 keeps messages until they are taken or max_bytes is reached."""

    name: str
    subjects: tuple[str, ...]
    work_queue: bool
    max_age_hours: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable pull consumer, shared by all replicas of the service that its name begins with."""

    durable: str
    stream: str
    filter_subject: str
    ack_wait_seconds: int
    max_deliver: int
    max_ack_pending: int


INBOUND = Stream(
    name="INBOUND",
    subjects=("inbound.>",),
    work_queue=False,
    max_age_hours=24,
    max_bytes=4294967296,
)

OUTBOUND = Stream(
    name="OUTBOUND",
    subjects=("outbound.>",),
    work_queue=True,
    max_age_hours=0,
    max_bytes=4294967296,
)

DEADLETTER = Stream(
    name="DEADLETTER",
    subjects=("deadletter.>",),
    work_queue=False,
    max_age_hours=336,
    max_bytes=1073741824,
)

COACHING_INBOUND = Consumer(
    durable="coaching-inbound",
    stream="INBOUND",
    filter_subject="inbound.>",
    ack_wait_seconds=10,
    max_deliver=-1,
    max_ack_pending=4096,
)

CHANNEL_ADAPTER_REPLY = Consumer(
    durable="channel-adapter-reply",
    stream="OUTBOUND",
    filter_subject="outbound.reply.>",
    ack_wait_seconds=10,
    max_deliver=-1,
    max_ack_pending=1024,
)

CHANNEL_ADAPTER_PROACTIVE = Consumer(
    durable="channel-adapter-proactive",
    stream="OUTBOUND",
    filter_subject="outbound.proactive.>",
    ack_wait_seconds=10,
    max_deliver=-1,
    max_ack_pending=256,
)

STREAMS = (INBOUND, OUTBOUND, DEADLETTER)

CONSUMERS = (COACHING_INBOUND, CHANNEL_ADAPTER_REPLY, CHANNEL_ADAPTER_PROACTIVE)
