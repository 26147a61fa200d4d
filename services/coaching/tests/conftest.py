"""What several tests of coaching need."""

from collections.abc import AsyncIterator

import pytest
import structlog

from kit import log
from support.coaching import Stage, stage
from support.database import TestDatabase


@pytest.fixture
async def around(database: TestDatabase, nats_url: str) -> AsyncIterator[Stage]:
    """PostgreSQL, NATS, a scripted model and a memory of words; the test starts coaching itself."""
    # Short log lines: the colourful tracebacks of an unconfigured structlog hold up the loop for seconds.
    structlog.configure(processors=[log.describe_exception, structlog.processors.JSONRenderer(default=repr)])
    async with stage(database, nats_url) as made:
        yield made
    structlog.reset_defaults()
