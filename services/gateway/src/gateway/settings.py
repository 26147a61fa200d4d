"""Every knob of the gateway."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.domain.addresses import parse_networks
from kit.settings import BaseServiceSettings, NatsSettings, RedisSettings

WEBHOOKS_PER_WORKER = 32
# In a checkout the page lies beside the service; an installed gateway serves none unless WEB_DIR says where it is.
CHECKOUT_WEB_DIR = Path(__file__).resolve().parents[3] / "web"


class GatewaySettings(NatsSettings, RedisSettings):
    """MAX_WORKERS bounds the webhook requests in progress: 32 for each worker, beyond that 503 with Retry-After."""

    required_secrets: ClassVar[tuple[str, ...]] = ("secret_key",)
    not_used_yet: ClassVar[tuple[str, ...]] = (*BaseServiceSettings.not_used_yet, "STRIPE_SECRET_KEY")

    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs sessions; a new one starts every guest afresh. Development makes one up."
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = Field("HS256", description="How session tokens are signed.")
    jwt_expire_minutes: int = Field(30, ge=1, le=1440, description="Minutes that a session token is valid.")
    default_organization_id: str = Field(
        "00000000-0000-7000-8000-000000000001", description="Organisation of the guests of the web channel."
    )
    ops_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="With it, HTTP_PORT is shared with other gateways of this machine, and this one alone answers "
        "/health, /ready and /metrics here, on 127.0.0.1.",
    )
    channel_adapter_address: str = Field(
        "localhost:50052", description="host:port of the channel adapter's gRPC; of replicas ip:port,ip:port."
    )
    coaching_address: str = Field(
        "localhost:50051", description="host:port of coaching's gRPC; of replicas ip:port,ip:port."
    )
    webhook_max_body_bytes: int = Field(
        1_048_576, ge=1_024, le=8_388_608, description="Longest webhook body; longer ones get 413."
    )
    guest_messages_per_minute: int = Field(20, ge=1, description="Messages of one guest in the long run.")
    guest_messages_burst: int = Field(10, ge=1, description="Messages of one guest at once.")
    address_requests_per_minute: int = Field(
        300, ge=1, description="Requests, connections and messages of one address in the long run; webhooks excepted."
    )
    address_requests_burst: int = Field(150, ge=1, description="Requests of one address at once.")
    chat_max_sockets: int = Field(2_000, ge=1, description="Chat sockets of this process; more are told to come later.")
    chat_hello_seconds: float = Field(10.0, gt=0, description="Seconds until a new socket must have said who it is.")
    chat_queue_frames: int = Field(256, ge=8, description="Frames kept for a slow reader before its socket is closed.")
    web_dir: Path | None = Field(
        None, description="Folder of the web page; in a checkout services/web, elsewhere none is served."
    )
    public_url: str = Field("", description="Address that people use, https://coach.example.org; empty: as they ask.")
    trusted_proxies: str = Field(
        "", description="Addresses or CIDR blocks whose X-Forwarded-For and -Proto are believed, comma-separated."
    )

    @field_validator("public_url")
    @classmethod
    def check_public_url(cls, value: str) -> str:
        """Accept http and https addresses, without a slash at the end."""
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def check_networks(cls, value: str) -> str:
        """Refuse what is no address."""
        try:
            parse_networks(value)
        except ValueError:
            raise ValueError("must be addresses or CIDR blocks, separated by commas") from None
        return value

    @model_validator(mode="after")
    def find_web_dir(self) -> Self:
        """Take the checkout's page by default; refuse a folder without one."""
        if self.web_dir is None and (CHECKOUT_WEB_DIR / "index.html").is_file():
            self.web_dir = CHECKOUT_WEB_DIR
        if self.web_dir is not None and not (self.web_dir / "index.html").is_file():
            raise ValueError("WEB_DIR holds no index.html")
        return self

    @property
    def max_webhooks(self) -> int:
        """Webhook requests in progress at most."""
        return self.max_workers * WEBHOOKS_PER_WORKER
