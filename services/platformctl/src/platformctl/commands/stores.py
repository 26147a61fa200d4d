"""How commands reach a store: as the settings say, else that of the platform that runs on the data folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from kit.settings import BaseServiceSettings
from platformctl.commands.shared import fail, folder_of, running, settings_of
from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from platformctl.up.runfile import read

S = TypeVar("S", bound=BaseServiceSettings)
# setting -> the part that answers for it, and its URL for whoever may read the folder's secrets
PARTS: dict[str, tuple[str, Callable[[Path, int], str]]] = {
    "database_url": ("postgres", lambda data, port: PostgresPart(data, port).url),
    "nats_url": ("nats", lambda data, port: NatsPart(data, port).url),
}


def store_settings(kind: type[S], setting: str, data: str | None) -> S:
    """The settings with the store's address in them; ends with a sentence when --data names a folder without one.

    --data wins over the setting; without either the platform on the default folder is taken, where one runs.
    """
    settings = settings_of(kind)
    if data is None and setting in settings.model_fields_set:
        return settings
    folder = folder_of(data)
    found = running(folder) if data else read(folder.run_file)
    if found is None:
        return settings
    part, url_of = PARTS[setting]
    port = found.ports.get(f"{part}.client")
    if part in found.external or port is None:
        raise fail(f"The platform on {folder.path} uses a {part} of your own: set {setting.upper()}.")
    return settings.model_copy(update={setting: SecretStr(url_of(folder.path, port))})
