"""What the tests of the kit share."""

import io
import logging
from collections.abc import Iterator

import pytest

from kit import log


@pytest.fixture
def json_log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.configure("kit-test", "DEBUG", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
