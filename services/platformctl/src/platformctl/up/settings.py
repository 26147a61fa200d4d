"""What `platformctl up` and the commands that find a running platform read."""

from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from kit.settings import BaseServiceSettings, Environment
from platformctl.models.catalog import DEFAULT, SMALL, Model
from platformctl.models.settings import ModelSettings

ProviderName = Literal["embedded", "ollama", "openai_compatible"]
CHAT_MODELS: dict[str, Model] = {"default": DEFAULT, "small": SMALL}


class DataSettings(BaseServiceSettings):
    """Where a platform keeps everything."""

    data: Path = Field(Path(".data"), description="Folder where one platform on one machine keeps everything.")

    @property
    def data_folder(self) -> Path:
        """The same from the root of the file system."""
        return self.data.expanduser().absolute()


class UpSettings(DataSettings, ModelSettings):
    """Everything that `platformctl up` decides by; what it does not use itself goes to the services as it is."""

    required_secrets: ClassVar[tuple[str, ...]] = ("secret_key",)
    not_used_yet: ClassVar[tuple[str, ...]] = ("SENTRY_DSN", "STRIPE_SECRET_KEY", "WHATSAPP_ACCESS_TOKEN")

    port: int | None = Field(None, ge=1, le=65535, description="Port of the web page; unset: 8080, or any free one.")
    replicas: int = Field(
        1, ge=1, le=16, description="Processes of each service but vector-search, which keeps its index for itself."
    )
    model: Literal["default", "small"] = Field("default", description="Embedded language model.")
    secret_key: SecretStr | None = Field(
        None, description="Signs sessions; in development one is made and kept in DATA."
    )
    database_url: SecretStr | None = Field(
        None, description="An own PostgreSQL, as the owner of its schemas; unset: one is started in DATA."
    )
    nats_url: SecretStr | None = Field(None, description="An own NATS with JetStream; unset: one is started in DATA.")
    redis_url: SecretStr | None = Field(None, description="An own Redis; unset: one is started.")
    llm_provider: ProviderName | None = Field(
        None, description="Unset: OPENAI_BASE_URL if set, else Ollama if it answers, else the embedded model."
    )
    llm_model_path: Path | None = Field(
        None, description="An own GGUF file for the embedded engine; nothing is fetched."
    )
    ollama_url: str = Field("http://localhost:11434", description="Where Ollama is looked for.")
    openai_base_url: str | None = Field(None, description="An OpenAI-compatible server to use.")
    embedder: str = Field(
        "minilm_onnx", description="Embedder of vector-search; its files are fetched if it needs any."
    )
    telegram_bot_token: SecretStr | None = Field(None, description="Answer this bot's people on Telegram.")
    telegram_webhook_secret: SecretStr | None = Field(
        None, description="Secret of Telegram's webhooks; with PUBLIC_URL, staging and production need a strong one."
    )
    public_url: str | None = Field(
        None, description="Where the platform is reached from outside: webhooks, not polling."
    )
    start_timeout_seconds: float = Field(
        300.0, gt=0, description="Longest wait for one part or service to become ready at the start."
    )

    @field_validator("ollama_url", "openai_base_url", "public_url")
    @classmethod
    def check_address(cls, value: str | None) -> str | None:
        """Refuse what is no address of a web server."""
        try:
            fine = value is None or (urlsplit(value).scheme in ("http", "https") and urlsplit(value).port != 0)
        except ValueError:
            fine = False
        if not fine:
            raise ValueError("must be an address such as https://example.org or http://localhost:11434")
        return value

    @model_validator(mode="after")
    def check_webhooks(self) -> Self:
        """Refuse webhooks that anybody could call before anything is started."""
        by_webhook = self.telegram_bot_token is not None and self.public_url is not None
        if by_webhook and self.environment is not Environment.DEVELOPMENT:
            for problem in self._weakness("telegram_webhook_secret"):
                raise ValueError(problem)
        return self
