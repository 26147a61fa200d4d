"""What the coach writes unasked, as the page shows it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fakes.stage import Stage
from gateway.domain.conversation import Role
from gateway.domain.sessions import GuestId

pytestmark = pytest.mark.browser
NUDGE = "Good morning. How did the first run go?"
ANSWER = "That sounds important. What would a first small step be?"


def visit(page: Page, stage: Stage) -> GuestId:
    with page.expect_response("**/v1/session") as session:
        page.goto(stage.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    return GuestId(session.value.json()["guest_id"])


def say(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def shown(page: Page, texts: list[str]) -> None:
    expect(page.locator("#log .message .text")).to_have_text(texts)


def answered(page: Page, texts: list[str]) -> None:
    """Wait until the texts are there and the last answer is stored: what is written after it comes after it."""
    shown(page, texts)
    expect(page.locator('[data-state="arriving"]')).to_have_count(0)


def test_a_check_in_appears_unasked_once_and_is_still_one_after_a_reload(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    say(page, "Hello")
    answered(page, ["Hello", ANSWER])
    written = stage.write_first(guest, NUDGE)
    shown(page, ["Hello", ANSWER, NUDGE])
    expect(page.locator(".coach .note")).to_contain_text("Your coach wrote first")
    moment = re.compile(re.escape(written.created_at.isoformat().removesuffix("+00:00")))
    expect(page.locator(".coach .note time")).to_have_attribute("datetime", moment)
    page.reload()
    shown(page, ["Hello", ANSWER, NUDGE])
    expect(page.locator(".coach .note")).to_contain_text("Your coach wrote first")
    say(page, "It went well")
    shown(page, ["Hello", ANSWER, NUDGE, "It went well", ANSWER])


def test_it_neither_ends_nor_joins_an_answer_that_is_being_made(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    say(page, "Hello")
    answered(page, ["Hello", ANSWER])
    stage.coach.by_hand = True
    say(page, "More")
    expect(page.locator("#status")).to_have_text("Your coach is thinking")
    expect(page.locator('[data-state="sending"]')).to_have_count(0)
    stage.write_first(guest, "While it thinks.")
    shown(page, ["Hello", ANSWER, "More", "While it thinks."])
    expect(page.locator("#status")).to_have_text("Your coach is thinking")
    stage.coach.go_on()
    shown(page, ["Hello", ANSWER, "More", "While it thinks.", "That sounds important."])
    stage.write_first(guest, "While it speaks.")
    before = ["Hello", ANSWER, "More", "While it thinks.", "While it speaks."]
    shown(page, [*before, "That sounds important."])
    stage.coach.by_hand = False
    shown(page, [*before, ANSWER])
    page.reload()
    shown(page, [*before, ANSWER])


def test_one_that_comes_late_stands_where_its_time_is(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    stage.write_first(guest, "later", minutes_ago=1)
    shown(page, ["later"])
    stage.write_first(guest, "earlier", minutes_ago=2)
    shown(page, ["earlier", "later"])
    say(page, "Hello")
    shown(page, ["earlier", "later", "Hello", ANSWER])


def test_one_that_was_missed_is_there_when_the_page_comes_back(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    say(page, "Hello")
    answered(page, ["Hello", ANSWER])
    stage.close()
    expect(page.locator("#connection")).to_contain_text("Offline")
    stage.door.conversations.add(guest, NUDGE, Role.COACH, source="model")
    stage.open()
    shown(page, ["Hello", ANSWER, NUDGE])


@pytest.mark.parametrize(
    ("source", "words"),
    [("model", "Your coach wrote first"), ("template", "A prepared message. Your coach wrote first")],
)
def test_it_says_what_wrote_it(page: Page, stage: Stage, source: str, words: str) -> None:
    guest = visit(page, stage)
    stage.write_first(guest, NUDGE, source=source)
    expect(page.locator(".coach .note")).to_contain_text(words)
    expect(page.locator(".coach .note")).not_to_contain_text("could not answer")


def test_it_is_read_out(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    log = page.get_by_role("log", name="Messages")
    stage.write_first(guest, NUDGE)
    expect(log.get_by_text("Coach: ")).to_have_count(1)
    expect(log).to_have_attribute("aria-live", "polite")
    # A history that is shown without being read out must not leave it deaf.
    page.reload()
    shown(page, [NUDGE])
    stage.write_first(guest, "And now?")
    shown(page, [NUDGE, "And now?"])
    expect(log).to_have_attribute("aria-live", "polite")


def test_the_title_counts_what_came_while_nobody_looked(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    look(page, hidden=True)
    stage.write_first(guest, NUDGE)
    expect(page).to_have_title("(1) Coach")
    stage.write_first(guest, "And now?")
    expect(page).to_have_title("(2) Coach")
    look(page, hidden=False)
    expect(page).to_have_title("Coach")
    stage.write_first(guest, "Seen at once.")
    shown(page, [NUDGE, "And now?", "Seen at once."])
    expect(page).to_have_title("Coach")


def look(page: Page, **hidden: Any) -> None:
    page.evaluate(
        """({hidden}) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
