"""The panel "Check-ins": when the coach writes first."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from fakes.gateway_check_ins import MOST
from fakes.stage import Stage
from gateway.domain.check_ins import NewCheckIn, QuietHours
from gateway.domain.refusals import Reason
from gateway.domain.sessions import GuestId
from kit.ids import new_id
from support.background import BackgroundLoop
from support.browser import chromium_page

pytestmark = pytest.mark.browser


@pytest.fixture
def guest(page: Page, stage: Stage) -> GuestId:
    """Somebody who has written, with the page open."""
    with page.expect_response("**/v1/session") as session:
        page.goto(stage.url)
    expect(page.locator("#connection")).to_have_text("Connected")
    found = GuestId(session.value.json()["guest_id"])
    stage.door.conversations.add(found, "Hello")
    return found


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Check-ins")


def opened(page: Page) -> Locator:
    page.get_by_role("button", name="Check-ins").click()
    expect(panel(page)).to_be_visible()
    return panel(page)


def items(page: Page) -> Locator:
    return panel(page).get_by_role("listitem")


def add(page: Page, time: str = "08:30", days: str = "daily") -> None:
    panel(page).get_by_label("Time", exact=True).fill(time)
    panel(page).get_by_label("Days", exact=True).select_option(days)
    panel(page).get_by_role("button", name="Add", exact=True).click()


def said(page: Page) -> Locator:
    return panel(page).get_by_role("status")


def test_who_has_not_written_is_told_to_write_first(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    found = opened(page)
    expect(found.get_by_text("Write to your coach first.")).to_be_visible()
    expect(found.get_by_role("button", name="Add", exact=True)).to_be_hidden()


def test_a_check_in_is_added_listed_paused_and_removed(page: Page, stage: Stage, guest: GuestId) -> None:
    found = opened(page)
    expect(found.get_by_text("There are none yet.")).to_be_visible()
    add(page)
    expect(said(page)).to_have_text("Added.")
    expect(items(page)).to_have_count(1)
    expect(items(page)).to_contain_text("Every day at 08:30 AM")
    expect(items(page)).to_contain_text("Next: to")
    expect(found.get_by_text("There are none yet.")).to_be_hidden()
    found.get_by_role("button", name="Pause: Every day").click()
    expect(items(page)).to_contain_text("Paused")
    expect(found.get_by_role("button", name="Resume: Every day")).to_be_visible()
    found.get_by_role("button", name="Resume: Every day").click()
    expect(items(page)).to_contain_text("Next: to")
    found.get_by_role("button", name="Remove: Every day").click()
    expect(found.get_by_role("button", name="Keep")).to_be_focused()
    found.get_by_role("button", name="Keep").click()
    expect(items(page)).to_have_count(1)
    found.get_by_role("button", name="Remove: Every day").click()
    found.get_by_role("button", name="Remove: Every day").click()
    expect(items(page)).to_have_count(0)
    expect(said(page)).to_have_text("Removed.")
    assert stage.door.check_ins.of(guest).check_ins == {}


def test_days_can_be_chosen(page: Page, stage: Stage, guest: GuestId) -> None:
    found = opened(page)
    add(page, days="workdays")
    expect(items(page)).to_contain_text("Monday to Friday at 08:30 AM")
    add(page, "07:15", "chosen")
    expect(found.get_by_text("Choose at least one day.")).to_be_visible()
    expect(found.get_by_role("checkbox", name="Monday")).to_be_focused()
    expect(found.get_by_role("checkbox", name="Monday")).to_have_attribute("aria-invalid", "true")
    found.get_by_role("checkbox", name="Monday").check()
    found.get_by_role("checkbox", name="Thursday").check()
    expect(found.get_by_text("Choose at least one day.")).to_be_hidden()
    found.get_by_role("button", name="Add", exact=True).click()
    expect(items(page).nth(1)).to_contain_text("Monday and Thursday at 07:15 AM")
    expect(items(page).nth(1)).to_contain_text("in your quiet hours: it waits until 08:00 AM")
    rules = [check_in.rule for check_in in stage.door.check_ins.of(guest).check_ins.values()]
    assert rules == ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=MO,TH"]


def test_what_is_missing_is_said_at_the_field(page: Page, stage: Stage, guest: GuestId) -> None:
    found = opened(page)
    add(page, "")
    time = found.get_by_label("Time", exact=True)
    expect(time).to_be_focused()
    expect(time).to_have_accessible_description("Choose a time.")
    assert stage.door.check_ins.of(guest).check_ins == {}
    found.get_by_label("To", exact=True).fill("")
    found.get_by_role("button", name="Save").click()
    expect(found.get_by_label("To", exact=True)).to_have_accessible_description("Choose a time.")


@pytest.fixture
def traveller() -> Iterator[Page]:
    with chromium_page() as found:
        context = found.context.browser.new_context(timezone_id="Asia/Tokyo", locale="de-DE")  # type: ignore[union-attr]  # it has one
        yield context.new_page()


def test_the_zone_is_that_of_the_device_and_the_words_are_german_where_it_is(
    traveller: Page, stage: Stage
) -> None:  # fmt: skip
    with traveller.expect_response("**/v1/session") as session:
        traveller.goto(stage.url)
    guest = GuestId(session.value.json()["guest_id"])
    stage.door.conversations.add(guest, "Hallo")
    found = opened(traveller)
    expect(found).to_have_attribute("lang", "de")
    expect(found.get_by_label("Zeitzone").first).to_have_value("Asia/Tokyo")
    found.get_by_label("Uhrzeit").fill("19:05")
    found.get_by_role("button", name="Hinzufügen").click()
    expect(items(traveller)).to_contain_text("Jeden Tag um 19:05")
    expect(items(traveller)).not_to_contain_text("Asia/Tokyo")
    (kept,) = stage.door.check_ins.of(guest).check_ins.values()
    assert (kept.time_zone, kept.local_time) == ("Asia/Tokyo", "19:05")


def test_quiet_hours_and_a_new_zone_are_kept(page: Page, stage: Stage, guest: GuestId) -> None:
    found = opened(page)
    add(page)
    expect(items(page)).to_have_count(1)
    expect(found.get_by_label("From")).to_have_value("21:00")
    found.get_by_label("From").fill("22:30")
    found.get_by_label("To", exact=True).fill("06:00")
    found.get_by_label("Time zone").nth(1).select_option("America/New_York")
    expect(found.get_by_label("Time zone").first).to_have_value("America/New_York")
    found.get_by_role("button", name="Save").click()
    expect(said(page)).to_have_text("Saved. Another check-in now goes by this time zone too.")
    expect(items(page)).to_contain_text("in America/New_York")
    kept = stage.door.check_ins.of(guest)
    assert (kept.quiet_hours, kept.time_zone) == (QuietHours("22:30", "06:00"), "America/New_York")
    page.reload()
    found = opened(page)
    expect(found.get_by_label("From")).to_have_value("22:30")
    expect(found.get_by_label("Time zone").first).to_have_value("America/New_York")


def test_a_stop_is_said(page: Page, stage: Stage, guest: GuestId) -> None:
    stage.door.check_ins.of(guest).stopped = True
    expect(opened(page).get_by_text("You wrote STOP: nothing is sent until you write START.")).to_be_visible()


def test_a_refusal_is_said_where_it_belongs(page: Page, stage: Stage, guest: GuestId, loop: BackgroundLoop) -> None:
    found = opened(page)
    zone = found.get_by_label("Time zone").first
    zone.evaluate("select => { select.add(new Option('Europe/Atlantis')); select.value = 'Europe/Atlantis' }")
    add(page)
    expect(zone).to_have_accessible_description("This time zone is not known. Choose another one.")
    expect(zone).to_be_focused()
    zone.select_option("Europe/Berlin")
    expect(zone).to_have_accessible_description("")
    for _ in range(MOST):
        new = NewCheckIn(new_id(), "FREQ=DAILY", "09:00", "Europe/Berlin")
        loop.run(stage.door.check_ins.add(guest, new, 5))
    add(page)
    expect(said(page)).to_have_text("You have as many check-ins as there can be. Remove one first.")


def lose_the_answer(route: Route) -> None:
    if route.request.method == "POST":
        route.fetch()
        route.abort()
    else:
        route.fallback()


def test_without_coaching_it_says_so_and_an_answer_that_was_lost_adds_nothing_twice(
    page: Page, stage: Stage, guest: GuestId
) -> None:
    stage.door.check_ins.broken = Reason.UNAVAILABLE
    found = opened(page)
    expect(said(page)).to_have_text("The coach cannot be reached. Try again in a moment.")
    found.get_by_role("button", name="Close").click()
    stage.door.check_ins.broken = None
    opened(page)
    expect(items(page)).to_have_count(0)
    page.route("**/v1/check-ins", lose_the_answer)
    add(page)
    expect(said(page)).to_have_text("The coach cannot be reached. Try again in a moment.")
    page.unroute("**/v1/check-ins")
    add(page)
    expect(said(page)).to_have_text("Added.")
    expect(items(page)).to_have_count(1)


def test_loading_is_said(page: Page, stage: Stage, guest: GuestId) -> None:
    stage.door.check_ins.seconds = 1.0
    found = opened(page)
    expect(said(page)).to_have_text("Loading")
    expect(found).to_have_attribute("aria-busy", "true")
    expect(found.get_by_text("There are none yet.")).to_be_visible()
    expect(said(page)).to_have_text("")


def test_everything_works_by_keyboard(page: Page, stage: Stage, guest: GuestId) -> None:
    page.get_by_role("button", name="Check-ins").focus()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_text("There are none yet.")).to_be_visible()
    panel(page).get_by_label("Time", exact=True).focus()
    page.keyboard.type("0745AM")
    page.keyboard.press("Enter")
    expect(items(page)).to_contain_text("Every day at 07:45 AM")
    panel(page).get_by_role("button", name="Pause: Every day").focus()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("button", name="Resume: Every day")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("Removed.")
    expect(panel(page).get_by_role("region", name="Your check-ins")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Check-ins")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone_and_breaks_no_policy(page: Page, stage: Stage, guest: GuestId, scheme: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.set_viewport_size({"width": 320, "height": 568})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    found = opened(page)
    add(page, days="workdays")
    expect(items(page)).to_have_count(1)
    found.get_by_label("Days", exact=True).select_option("chosen")
    assert found.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found.get_by_role("button", name="Save").scroll_into_view_if_needed()
    expect(found.get_by_role("button", name="Close")).to_be_in_viewport()
    expect(said(page)).to_be_in_viewport()
    found.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
    assert complaints == []
