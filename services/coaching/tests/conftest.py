"""What several tests of coaching need."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from kit import log
from support.coaching import Stage, stage
from support.database import TestDatabase


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """Short log lines: the colourful tracebacks of an unconfigured structlog hold up the loop for seconds."""
    structlog.configure(processors=[log.describe_exception, structlog.processors.JSONRenderer(default=repr)])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def around(database: TestDatabase, nats_url: str, plain_logs: None) -> AsyncIterator[Stage]:
    """PostgreSQL, NATS, a scripted model and a memory of words; the test starts coaching itself."""
    async with stage(database, nats_url) as made:
        yield made
