"""A guest asks for a check-in in the page, and it arrives there unasked at its time."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.browser import chromium_page
from support.scripted import Scripted, scripted_platform

pytestmark = pytest.mark.browser
# Longer than a conversation counts as live, shorter than a session lasts: the world's time goes on by it.
AHEAD = timedelta(minutes=20)
JUST_BEFORE = timedelta(seconds=10)
ARRIVES_MILLISECONDS = 180_000


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file of TEST_CLOCK: seconds by which the world's time is ahead of the real one."""
    file = tmp_path / "clock"
    file.write_text("0")
    return file


@pytest.fixture
def platform(tmp_path: Path, clock: Path) -> Iterator[Scripted]:
    with scripted_platform(tmp_path, webhook=False, TEST_CLOCK=str(clock), QUIET_HOURS="00:00-00:00") as found:
        yield found


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as found:
        yield found


def say(page: Page, text: str) -> None:
    box = page.get_by_label("Your message")
    box.fill(text)
    box.press("Enter")


@pytest.mark.guarantee("E2E-check-in-browser")
def test_a_check_in_from_the_form_arrives_unasked_in_the_page(platform: Scripted, page: Page, clock: Path) -> None:
    page.goto(platform.url)
    log = page.get_by_role("log")
    with platform.replying(text="Noted: the cello."):
        say(page, "I want to play the cello every day.")
        log.get_by_text("Noted: the cello.").wait_for(timeout=ARRIVES_MILLISECONDS)

    due = (datetime.now(UTC) + AHEAD).replace(second=0, microsecond=0)
    page.get_by_role("button", name="Check-ins").click()
    panel = page.get_by_role("dialog", name="Check-ins")
    panel.get_by_label("Time", exact=True).fill(f"{due:%H:%M}")
    panel.get_by_label("Time zone").first.select_option("UTC")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(panel.get_by_role("listitem")).to_contain_text("Every day at")
    expect(panel.get_by_role("listitem")).to_contain_text("Next: to")
    page.keyboard.press("Escape")

    with platform.replying(text="Good morning. How was the cello yesterday?"):
        clock.write_text(str((due - JUST_BEFORE - datetime.now(UTC)).total_seconds()))
        unasked = page.locator("#log .coach", has_text="Your coach wrote first")
        expect(unasked).to_have_count(1, timeout=ARRIVES_MILLISECONDS)
    texts = page.locator("#log .message .text").all_inner_texts()
    page.reload()
    expect(page.locator("#log .message .text")).to_have_text(texts)
    expect(unasked).to_have_count(1)

    say(page, "stop")
    expect(page.locator("#log .message")).to_have_count(len(texts) + 2)
    page.get_by_role("button", name="Check-ins").click()
    expect(panel.get_by_text("You wrote STOP")).to_be_visible()
    panel.get_by_role("button", name=re.compile("^Remove")).click()
    panel.get_by_role("button", name=re.compile("^Remove")).click()
    expect(panel.get_by_role("listitem")).to_have_count(0)
