"""Every knob of the service; a channel's own knobs are declared in its folder and join them here by the registry."""

from typing import ClassVar

from pydantic import Field, create_model

from channel_adapter.app.channel import ChannelSettings
from channel_adapter.channels.registry import CHANNELS
from kit.settings import DatabaseSettings, NatsSettings, by_environment

DEFAULT_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001"
UPLOADS_IN_PRODUCTION = "/var/lib/coaching-platform/uploads"


class UploadSettings(ChannelSettings):
    """Where files that people send are kept."""

    uploads_dir: str = Field(
        default_factory=by_environment(".data/uploads", UPLOADS_IN_PRODUCTION, UPLOADS_IN_PRODUCTION),
        description="Folder for files that people send, unless UPLOADS_S3_BUCKET is set; `up` defaults to one in DATA.",
    )
    uploads_s3_bucket: str | None = Field(
        None, description="S3 bucket for files that people send, instead of a folder."
    )
    uploads_s3_endpoint_url: str | None = Field(None, description="Address of an S3 that is not Amazon's.")
    uploads_max_bytes: int = Field(
        20 * 1024 * 1024, ge=1, description="Largest file that is kept; 20 MB is all that Telegram gives out."
    )
    uploads_timeout_seconds: float = Field(
        12.0, gt=0, le=60, description="Longest wait for a file, at most half of REQUEST_TIMEOUT; then without it."
    )


class Settings(UploadSettings, DatabaseSettings, NatsSettings):
    """The service's own knobs; MAX_WORKERS bounds the calls to providers that are under way at once."""

    not_used_yet: ClassVar[tuple[str, ...]] = ("SENTRY_DSN", "WHATSAPP_ACCESS_TOKEN")

    # A call takes Telegram 0.1 to 0.2 seconds: half of eight send the 20 to 30 a second that one bot may.
    max_workers: int = Field(
        8,
        ge=1,
        le=256,
        description="Deliveries in flight to providers at once; proactive ones take half of them at most.",
    )
    coaching_address: str = Field("127.0.0.1:50051", description="host:port of coaching's gRPC.")
    default_organization_id: str = Field(
        DEFAULT_ORGANIZATION_ID, description="Organisation that owns the accounts configured here."
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="Largest body of a provider's request.")
    polling_lease_seconds: float = Field(
        15.0, ge=1, le=300, description="After this long without a sign of life another process fetches the updates."
    )

    def webhook_url(self, channel: str, account: str) -> str | None:
        """Return the address that a provider is given; None: there is no public address."""
        return f"{self.public_url.rstrip('/')}/webhooks/{channel}/{account}" if self.public_url else None


def with_channels() -> type[Settings]:
    """Return the settings that the process reads: its own, and those of every channel."""
    own = dict.fromkeys(kind.settings for kind in CHANNELS.values())
    return create_model("ChannelAdapterSettings", __base__=(Settings, *own))


ChannelAdapterSettings = with_channels()
