"""The knobs of the Telegram channel."""

import hmac
import re
from typing import Self

from pydantic import Field, SecretStr, model_validator

from channel_adapter.app.channel import ChannelSettings
from kit.settings import Environment

TOKEN = re.compile(r"(?P<bot_id>[0-9]{1,18}):\S+")
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # what setWebhook takes


class TelegramSettings(ChannelSettings):
    """Without TELEGRAM_BOT_TOKEN the channel is off."""

    telegram_bot_token: SecretStr | None = Field(
        None, description="Token of the bot, from @BotFather; several bots: separated by commas."
    )
    telegram_webhook_secret: SecretStr | None = Field(
        None,
        description="Secret that Telegram sends with each webhook; in development derived from SECRET_KEY if not set.",
    )
    telegram_api_url: str = Field(
        "https://api.telegram.org",
        pattern=r"^https?://[^\s/]+(/[^\s]*)?$",
        description="Address of the Bot API, or of a local Bot API server.",
    )
    telegram_send_timeout_seconds: float = Field(
        20.0, gt=0, le=60, description="Longest wait for Telegram's answer; after it a delivery is unknown."
    )
    telegram_poll_seconds: int = Field(25, ge=0, le=50, description="How long one getUpdates waits for something new.")

    @model_validator(mode="after")
    def check_telegram(self) -> Self:
        """Refuse tokens that are none, and webhooks that anybody could call."""
        problems = []
        if not all(TOKEN.fullmatch(token) for token in self.telegram_tokens().values()):
            problems.append("TELEGRAM_BOT_TOKEN is not of the form 123456:ABC-DEF")
        secret = self.telegram_webhook_secret
        if secret is not None and not WEBHOOK_SECRET.fullmatch(secret.get_secret_value()):
            problems.append("TELEGRAM_WEBHOOK_SECRET may hold 1 to 256 letters, digits, _ and -")
        pushed = self.telegram_bot_token is not None and self.public_url is not None
        if self.environment is not Environment.DEVELOPMENT:
            asked = {"telegram_webhook_secret": pushed or secret is not None, "secret_key": self.secret_key is not None}
            problems += [problem for name, counts in asked.items() if counts for problem in self._weakness(name)]
        elif pushed and secret is None and self.secret_key is None:
            problems.append("PUBLIC_URL with a bot needs TELEGRAM_WEBHOOK_SECRET (or SECRET_KEY)")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def telegram_tokens(self) -> dict[str, str]:
        """Return the tokens by the bots' numeric ids."""
        text = self.telegram_bot_token.get_secret_value() if self.telegram_bot_token else ""
        return {token.partition(":")[0]: token for token in map(str.strip, text.split(",")) if token}

    def webhook_secret_of(self, bot_id: str) -> str | None:
        """Return what Telegram must send with a bot's webhooks; None: no webhook is taken."""
        if self.telegram_webhook_secret is not None:
            return self.telegram_webhook_secret.get_secret_value()
        if self.secret_key is None:
            return None
        key = self.secret_key.get_secret_value().encode()
        return hmac.new(key, f"telegram-webhook:{bot_id}".encode(), "sha256").hexdigest()
