"""A real browser shows the coach's words while the model is still writing them."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from support.browser import chromium_page
from support.scripted import Scripted

pytestmark = pytest.mark.browser
TOKEN_SECONDS = 0.2
REPLY = (
    "It is good that you tell me about it. Early mornings are hard for many people in winter. "
    "What would make the first five minutes after waking up a little easier for you tomorrow?"
)


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as found:
        yield found


@pytest.mark.guarantee("E2E-streaming-browser")
def test_words_appear_before_generation_ends(scripted: Scripted, page: Page) -> None:
    with scripted.replying(text=REPLY, delay_seconds=TOKEN_SECONDS):
        page.goto(scripted.url)
        box = page.get_by_role("textbox")
        box.fill("I cannot get up in the morning.")
        box.press("Enter")
        log = page.get_by_role("log")
        log.get_by_text("It is good", exact=False).wait_for(timeout=30_000)
        first_words = time.monotonic()
        assert scripted.model.running == 1, "the model had already finished"
        assert "tomorrow" not in log.inner_text()
        log.get_by_text("for you tomorrow?", exact=False).wait_for(timeout=30_000)
        assert time.monotonic() - first_words > 10 * TOKEN_SECONDS
    assert scripted.model.running == 0


def test_the_conversation_is_there_again_after_a_reload(scripted: Scripted, page: Page) -> None:
    with scripted.replying(text="Noted: the cello."):
        page.goto(scripted.url)
        box = page.get_by_role("textbox")
        box.fill("I play the cello.")
        box.press("Enter")
        page.get_by_role("log").get_by_text("Noted: the cello.").wait_for(timeout=30_000)
        page.reload()
        page.get_by_role("log").get_by_text("I play the cello.").wait_for(timeout=30_000)
        page.get_by_role("log").get_by_text("Noted: the cello.").wait_for(timeout=30_000)
