"""Debian's Chromium, driven by Playwright; tests say why they skip where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect, sync_playwright

PROGRAMS = ("chromium", "google-chrome")  # Debian's, and what the machines of GitHub have
START_MILLISECONDS = 90_000
EXPECT_MILLISECONDS = 30_000  # how long an expectation waits on a busy machine; nothing takes so long elsewhere
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def chromium_page(width: int = 1000, height: int = 800) -> Iterator[Page]:
    """Yield a page of a fresh browser; skips the test where Chromium is not installed."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    expect.set_options(timeout=EXPECT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET), timeout=START_MILLISECONDS)
        page = browser.new_page(viewport={"width": width, "height": height})
        try:
            yield page
        finally:
            browser.close()
