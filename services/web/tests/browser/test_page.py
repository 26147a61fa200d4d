"""What a person sees and can do, on a desk and on a phone."""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from fakes.stage import Stage
from gateway.domain.conversation import Delta, Role, Status, StoredMessage
from gateway.domain.refusals import Reason
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer

pytestmark = pytest.mark.browser


def visit(page: Page, stage: Stage) -> GuestId:
    """Open the page, and return who the guest is."""
    with page.expect_response("**/v1/session") as session:
        page.goto(stage.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    return GuestId(session.value.json()["guest_id"])


def say(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def messages(page: Page) -> Locator:
    return page.locator("#log .message .text")


def test_a_first_visit_says_how_to_begin(page: Page, stage: Stage) -> None:
    visit(page, stage)
    expect(page).to_have_title("Coach")
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    page.get_by_role("button", name="I would like to build a new habit.").click()
    expect(page.get_by_label("Your message")).to_have_value("I would like to build a new habit.")
    expect(page.get_by_label("Your message")).to_be_focused()


def test_a_message_is_answered_sentence_by_sentence(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.coach.by_hand = True
    say(page, "I keep\nputting it off. <b>Really</b>")
    expect(messages(page).first).to_have_text("I keep\nputting it off. <b>Really</b>")
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Your coach is thinking")
    stage.coach.go_on()
    expect(messages(page).nth(1)).to_have_text("That sounds important.")
    stage.coach.go_on()
    expect(messages(page).nth(1)).to_have_text("That sounds important. What would a first small step be?")
    stage.coach.go_on()
    expect(page.locator("#status")).to_be_hidden()
    expect(messages(page)).to_have_count(2)
    expect(page.get_by_label("Your message")).to_have_value("")


@pytest.mark.parametrize("heard", [(Status, Delta, StoredMessage), (Delta, StoredMessage), (StoredMessage,)])
def test_an_answer_that_is_made_again_takes_the_place_of_the_half_one(
    page: Page, stage: Stage, heard: tuple[type, ...]
) -> None:
    visit(page, stage)
    stage.coach.pause_seconds, stage.coach.dies_after, stage.coach.heard_again = 0.5, 1, heard
    say(page, "Hello")
    expect(page.locator(".coach")).to_have_attribute("data-state", "arriving")
    expect(page.locator(".coach")).to_have_attribute("data-state", "stored")
    expect(messages(page)).to_have_text(["Hello", "That sounds important. What would a first small step be?"])
    expect(page.locator("#status")).to_be_hidden()


def test_a_half_answer_goes_when_the_history_knows_the_whole_one(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.coach.pause_seconds, stage.coach.dies_after, stage.coach.heard_again = 0.5, 1, ()
    say(page, "Hello")
    expect(page.locator(".coach")).to_have_attribute("data-state", "arriving")
    stage.close()
    expect(page.locator("#connection")).to_contain_text("Offline")
    expect(page.locator(".coach")).to_have_attribute("data-state", "arriving")
    while stage.door.conversations.open_turns:  # the answer is made and stored while nothing is heard
        page.wait_for_timeout(20)
    stage.open()
    expect(page.locator("#connection")).to_have_text("Connected", timeout=30_000)
    expect(messages(page)).to_have_text(["Hello", "That sounds important. What would a first small step be?"])


def test_who_waits_behind_others_is_told_so(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.coach.ahead = 2
    stage.coach.by_hand = True
    say(page, "Hello")
    expect(page.locator("#status")).to_have_text("2 people are before you")
    stage.coach.go_on()
    expect(page.locator("#status")).to_have_text("1 person is before you")
    stage.coach.go_on()
    expect(page.locator("#status")).to_have_text("Your coach is thinking")
    stage.coach.by_hand = False
    expect(messages(page)).to_have_count(2)


@pytest.mark.parametrize(("source", "note"), [("template", "A prepared reply."), ("crisis", "A prepared message")])
def test_prepared_words_are_called_so(page: Page, stage: Stage, source: str, note: str) -> None:
    visit(page, stage)
    stage.coach.source = source
    stage.coach.sentences = ("Please call https://example.org/help now.",)
    say(page, "Hello")
    expect(page.locator(".coach .note")).to_contain_text(note)
    link = page.get_by_role("link", name="https://example.org/help")
    for _ in ("as it arrives", "from the history"):
        expect(link).to_have_attribute("href", "https://example.org/help")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        page.reload()


def test_the_conversation_is_there_again_and_goes_back(page: Page, stage: Stage) -> None:
    guest = visit(page, stage)
    for number in range(60):
        stage.door.conversations.add(guest, f"message {number}", Role.COACH if number % 2 else Role.PERSON)
    page.reload()
    expect(messages(page).last).to_have_text("message 59")
    expect(messages(page)).to_have_count(50)
    expect(messages(page).last).to_be_in_viewport()
    page.locator("#scroller").evaluate("element => { element.scrollTop = 0 }")
    expect(messages(page)).to_have_count(60)
    expect(messages(page).first).to_have_text("message 0")
    expect(messages(page).nth(10)).to_be_in_viewport()
    expect(page.get_by_role("button", name="Earlier messages")).to_be_hidden()


def test_a_message_that_was_not_taken_can_be_sent_again(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.door.inbound.broken = Reason.UNAVAILABLE
    say(page, "Hello")
    expect(page.get_by_text("Not sent: the coach cannot be reached")).to_be_visible()
    stage.door.inbound.broken = None
    page.get_by_role("button", name="Send again").click()
    expect(messages(page)).to_have_count(2)
    assert len(stage.coach.taken) == 1


def test_a_refused_message_says_why(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.door.inbound.judge = lambda _: Answer(429, retry_after_seconds=7)
    say(page, "Hello")
    expect(page.get_by_text("Wait 7 s")).to_be_visible()


def test_it_comes_back_by_itself_and_sends_what_was_written_meanwhile(page: Page, stage: Stage) -> None:
    visit(page, stage)
    say(page, "first")
    expect(messages(page)).to_have_count(2)
    stage.close()
    expect(page.locator("#connection")).to_contain_text("Offline")
    say(page, "second")
    expect(page.locator(".person").nth(1)).to_have_attribute("data-state", "sending")
    stage.open()
    expect(page.locator("#connection")).to_have_text("Connected", timeout=30_000)
    expect(messages(page)).to_have_count(4)
    assert stage.door.inbound.texts() == ["first", "second"]


def test_a_reload_loses_neither_the_draft_nor_what_is_not_sent(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.door.inbound.seconds = 60
    say(page, "on its way")
    expect(page.locator(".person")).to_have_attribute("data-state", "sending")
    page.get_by_label("Your message").fill("a draft")
    while not stage.door.inbound.busy:
        page.wait_for_timeout(20)
    stage.door.inbound.seconds = 0
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("a draft")
    expect(messages(page)).to_have_count(2)
    expect(messages(page).first).to_have_text("on its way")


def test_every_tab_shows_the_same(page: Page, stage: Stage) -> None:
    visit(page, stage)
    with page.context.expect_page() as opened:
        page.evaluate("() => { window.open(location.href) }")
    other = opened.value
    expect(other.locator("#connection")).to_have_text("Connected")
    say(page, "from the first tab")
    expect(messages(page)).to_have_count(2)
    expect(messages(other)).to_have_count(2)
    expect(messages(other).first).to_have_text("from the first tab")


def test_everything_works_by_keyboard(page: Page, stage: Stage) -> None:
    visit(page, stage)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to your message")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(messages(page).first).to_have_text("one\ntwo")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#hint")).to_have_text("Write something first.")


def test_a_long_text_is_stopped_before_it_is_sent(page: Page, stage: Stage) -> None:
    visit(page, stage)
    say(page, "🌱" * 4_106)
    expect(page.locator("#hint")).to_contain_text("10 characters too long")
    assert stage.coach.taken == []
    say(page, "🌱" * 4_096)
    expect(messages(page)).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone(page: Page, stage: Stage, scheme: str) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    visit(page, stage)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_in_viewport()
    say(page, "W" * 200 + " https://example.org/" + "a" * 200)
    expect(messages(page)).to_have_count(2)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320
    expect(page.get_by_label("Your message")).to_be_in_viewport()
    expect(messages(page).last).to_be_in_viewport()


def test_motion_is_spared_those_who_ask_for_it(page: Page, stage: Stage) -> None:
    page.emulate_media(reduced_motion="reduce")
    visit(page, stage)
    say(page, "Hello")
    expect(messages(page)).to_have_count(2)
    assert page.locator(".word").first.evaluate("word => getComputedStyle(word).opacity") == "1"
    assert page.evaluate("document.getAnimations().length") == 0


def test_words_appear_one_after_the_other(page: Page, stage: Stage) -> None:
    visit(page, stage)
    stage.coach.sentences = (" ".join(f"word{number}" for number in range(100)),)  # 100 words take six seconds
    say(page, "Hello")
    expect(messages(page)).to_have_count(2)
    last = page.locator(".word").last
    assert float(last.evaluate("word => getComputedStyle(word).opacity")) < 1
    deadline = time.monotonic() + 30
    while float(last.evaluate("word => getComputedStyle(word).opacity")) < 1 and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert float(last.evaluate("word => getComputedStyle(word).opacity")) == 1


def test_the_page_breaks_no_rule_of_its_own_policy(page: Page, stage: Stage) -> None:
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    visit(page, stage)
    say(page, "Hello <img src=x onerror=alert(1)>")
    expect(messages(page)).to_have_count(2)
    assert said == []
