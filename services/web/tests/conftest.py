"""The page in a real browser, against the gateway over fakes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from fakes.stage import Stage
from support.background import BackgroundLoop
from support.browser import chromium_page


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    with BackgroundLoop() as found:
        yield found


@pytest.fixture
def stage(loop: BackgroundLoop) -> Iterator[Stage]:
    stage = Stage(loop)
    stage.open()
    yield stage
    stage.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as found:
        found.set_default_timeout(30_000)
        yield found
