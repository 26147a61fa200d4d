"""`.env` and `.env.<environment>` for everything that `up` starts, read once, below the process's own environment."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from kit.settings import BaseServiceSettings, chosen_environment, load

# The other names of a setting: whoever sets one has set it.
OTHER_NAMES: Final = {"REQUEST_TIMEOUT_SECONDS": "REQUEST_TIMEOUT"}


def load_dotenv(environ: MutableMapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Add what the files say and the environment does not; returns the environment's name.

    Raises SettingsError for an ENVIRONMENT that is none.
    """
    target = os.environ if environ is None else environ
    load(BaseServiceSettings)
    name = chosen_environment()
    for file in (f".env.{name}", ".env"):
        known = {_setting(key) for key, value in target.items() if value}
        for key, value in dotenv_values((folder or Path()) / file).items():
            if value is not None and _setting(key) not in known:
                target[key] = value
    return name


def _setting(key: str) -> str:
    return OTHER_NAMES.get(key.upper(), key.upper())
