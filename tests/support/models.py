"""The real models for tests and benches: from the user's cache, fetched into it once, never skipped."""

import functools
import os
import sys
from pathlib import Path

from platformctl.console import Console
from platformctl.models.catalog import DEFAULT, SMALL, Model
from platformctl.models.settings import ModelSettings
from platformctl.models.sources import fetcher_of
from support.servers import in_thread


def small_model() -> Path:
    """The GGUF file of the small model; COACHING_TEST_MODEL names another."""
    chosen = os.environ.get("COACHING_TEST_MODEL")
    return Path(chosen) if chosen else _fetched(SMALL)


def default_model() -> Path:
    """The GGUF file of the default model."""
    return _fetched(DEFAULT)


@functools.cache
def _fetched(model: Model) -> Path:
    files = in_thread(lambda: fetcher_of(ModelSettings(), Console(sys.stderr)).fetch(model))
    return files[model.files[0].name]
