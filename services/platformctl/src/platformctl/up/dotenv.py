"""`.env` and `.env.<environment>` for everything that `up` starts, read once, below the process's own environment."""

import os
from collections.abc import MutableMapping
from pathlib import Path

from dotenv import dotenv_values

from kit.settings import Environment, SettingsError, chosen_environment


def load_dotenv(environ: MutableMapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Add what the files say and the environment does not; returns the environment's name.

    Raises SettingsError for an ENVIRONMENT that is none.
    """
    target = os.environ if environ is None else environ
    name = chosen_environment()
    if name not in set(Environment):
        raise SettingsError(f"ENVIRONMENT={name} is not known; use one of: {', '.join(Environment)}")
    for file in (f".env.{name}", ".env"):
        for key, value in dotenv_values((folder or Path()) / file).items():
            if value is not None and key.upper() not in {known.upper() for known in target}:
                target[key] = value
    return name
