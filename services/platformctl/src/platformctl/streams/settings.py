"""Settings of the stream commands."""

from pydantic import Field

from kit.settings import NatsSettings
from platformctl.streams.applying import DUPLICATE_WINDOW_SECONDS


class StreamSettings(NatsSettings):
    """What `platformctl streams` reads."""

    nats_duplicate_window_seconds: float = Field(
        DUPLICATE_WINDOW_SECONDS, ge=0.1, description="How long JetStream itself refuses a message id it has stored."
    )
    nats_ack_wait_seconds: int | None = Field(
        None,
        ge=1,
        description="What a dead process took from a stream comes again after this; unset: as declared (10).",
    )
    nats_replicas: int = Field(1, ge=1, le=5, description="Servers that keep each stream: 1 alone, 3 in a cluster.")
