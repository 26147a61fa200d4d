"""Sentences at the start about what the user's settings mean."""

from collections.abc import Mapping
from typing import Final

from platformctl.up.settings import ProviderName, UpSettings

PURPOSE: Final[Mapping[str, str]] = {
    "SENTRY_DSN": "errors are not sent to Sentry",
    "STRIPE_SECRET_KEY": "there is no billing",
    "WHATSAPP_ACCESS_TOKEN": "there is no WhatsApp channel",
}


def not_used_yet(settings: UpSettings) -> list[str]:
    """One sentence for each setting of later work that is set already."""
    return [f"{name} is set but not used yet: {PURPOSE[name]}" for name in settings.ignored_settings()]


def telegram(settings: UpSettings) -> list[str]:
    """How Telegram reaches the platform, when a bot is configured."""
    if settings.telegram_bot_token is None:
        return []
    if settings.public_url:
        return [f"Telegram: by webhook below {settings.public_url.rstrip('/')}/webhooks/telegram/"]
    return ["Telegram: by long polling; it needs no public address (set PUBLIC_URL for webhooks)"]


def replicas(settings: UpSettings, provider: ProviderName) -> list[str]:
    """How many processes of each service there will be, when there are several, and what that costs."""
    number = settings.replicas
    if number == 1:
        return []
    said = [f"REPLICAS={number}: {number} processes of each service, one of vector-search"]
    if provider == "embedded":
        said.append(f"the language model is in memory {number} times, and the copies share the cores")
    return said


def external(settings: UpSettings) -> dict[str, str]:
    """The parts that the user brings, by name, each with its sentence."""
    brought = {
        "postgres": ("DATABASE_URL", settings.database_url),
        "nats": ("NATS_URL", settings.nats_url),
        "valkey": ("REDIS_URL", settings.redis_url),
    }
    return {
        part: f"{part}: {setting} is set, so that server is used and none is started here"
        for part, (setting, value) in brought.items()
        if value is not None
    }
