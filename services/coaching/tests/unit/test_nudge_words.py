"""Whoever asks why the coach wrote is told in plain words, from what was kept."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from coaching.app.steps.handed_over import handed_over
from coaching.app.steps.identify import identify
from coaching.app.steps.opt_out import opt_out
from coaching.app.steps.why_written import why_written
from coaching.domain.ids import ConversationId, MessageId, OrganizationId, PersonId, TurnId
from coaching.domain.nudge_words import SentNudge, nothing_sent, why_it_came
from coaching.domain.people import Language, Person
from coaching.domain.reply_checks import ReplyChecks, Verdict
from coaching.domain.rule_words import rule_in_words
from coaching.domain.sentences import split
from coaching.domain.turn import Claim, Conversation, OpenedTurn, Pending, Source
from coaching.triggers.registry import TRIGGERS

DUE = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
WHY = {"rule": "FREQ=DAILY", "local_time": "08:30:00", "time_zone": "Europe/Berlin", "catch_up": "once"}
NUDGE = SentNudge("scheduled_check_in", DUE, WHY)
HELD = SentNudge("scheduled_check_in", DUE, WHY, datetime(2026, 11, 24, 8, 0, tzinfo=UTC), "live_conversation")
CHECKS = ReplyChecks(frozenset())


@dataclass
class Sent:
    """What was sent to one person."""

    nudge: SentNudge | None
    asked: int = 0

    async def newest(self, organization_id: OrganizationId, person_id: PersonId) -> SentNudge | None:
        assert (organization_id, person_id) == ("o", "p")
        self.asked += 1
        return self.nudge


def opened(*texts: str) -> OpenedTurn:
    return OpenedTurn(
        Claim(OrganizationId("o"), ConversationId("c"), 1), TurnId("t"),
        Conversation(ConversationId("c"), "web", "default", "a"), Person(PersonId("p"), "en", DUE),
        tuple(Pending(MessageId(str(number)), text) for number, text in enumerate(texts)), DUE,
    )  # fmt: skip


async def told(sent: Sent, *texts: str) -> str | None:
    turn = opened(*texts)
    orders = await opt_out(turn.messages)
    return await why_written(sent, TRIGGERS, turn, await identify(turn, orders), orders)


async def test_the_check_in_its_time_and_how_to_stop_are_named() -> None:
    assert await told(Sent(NUDGE), "why did I get this?") == (
        "The last time I wrote first was for 24 November at 08:30. You have a check-in every day at 08:30 "
        "(Europe/Berlin). If you do not want that any more, write STOP."
    )


async def test_what_was_held_says_until_when_and_why() -> None:
    assert await told(Sent(HELD), "Warum hast du mir geschrieben?") == (
        "Zuletzt habe ich von mir aus für den 24. November um 08:30 geschrieben. Du hast einen Check-in jeden Tag um "
        "08:30 (Europe/Berlin). Es musste bis zum 24. November um 09:00 warten, denn wir waren gerade im Gespräch. "
        "Wenn du das nicht mehr möchtest, schreib STOP."
    )


async def test_where_nothing_was_sent_that_is_said() -> None:
    assert await told(Sent(None), "/why") == nothing_sent(Language.ENGLISH)


async def test_nobody_is_looked_up_who_did_not_ask() -> None:
    sent = Sent(NUDGE)
    assert await told(sent, "why?", "STOP") is None
    assert sent.asked == 0


async def test_a_trigger_that_is_gone_and_a_zone_that_is_unknown_leave_the_rest() -> None:
    nudge = SentNudge("weekly_review", DUE, {}, DUE.replace(hour=9), "some_new_reason")
    text = await told(Sent(nudge), "/why")
    assert text is not None
    assert "24 November at 07:30 (UTC)" in text
    assert "because it could not leave earlier" in text


@pytest.mark.parametrize(
    ("texts", "begins"), [(("/why",), "The last"), (("STOP", "/why"), "Done"), (("/why", "STOP"), "Done")]
)
async def test_it_is_answered_as_a_command_and_an_order_beside_it_is_confirmed(
    texts: tuple[str, ...], begins: str
) -> None:
    turn = opened(*texts)
    orders = await opt_out(turn.messages)
    reply = await handed_over(await identify(turn, orders), orders, await told(Sent(NUDGE), *texts))
    assert reply is not None
    assert reply.source is Source.COMMAND
    assert reply.text.startswith(begins)
    assert "You have a check-in" in reply.text
    assert reply.prompt_text is None


@pytest.mark.guarantee("P7-promises")
@pytest.mark.parametrize("language", list(Language))
def test_none_of_it_promises_another_message(language: Language) -> None:
    reasons = ("quiet_hours", "live_conversation", "snoozed", "zone_unknown", "missed", "clock_went_back", "else")
    held = [SentNudge("x", DUE, WHY, datetime(2026, 11, 25, tzinfo=UTC), reason) for reason in reasons]
    texts = [nothing_sent(language), *(why_it_came(nudge, "", language) for nudge in held)]
    for sentence in (sentence.text for text in texts for sentence in split(text)):
        assert CHECKS.verdict(sentence, ()) is Verdict.KEEP


@pytest.mark.parametrize(
    ("rule", "english", "german"),
    [
        ("FREQ=DAILY", "every day", "jeden Tag"),
        ("FREQ=DAILY;INTERVAL=2;COUNT=9", "every 2 days", "alle 2 Tage"),
        ("FREQ=WEEKLY;BYDAY=FR,MO", "every week on Monday and Friday", "jede Woche am Montag und Freitag"),
        ("FREQ=WEEKLY;BYDAY=MO", "every week on Monday", "jede Woche am Montag"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TU,WE;WKST=MO",
         "every 3 weeks on Monday, Tuesday and Wednesday", "alle 3 Wochen am Montag, Dienstag und Mittwoch"),
        ("FREQ=MONTHLY", "every month", "jeden Monat"),
        ("FREQ=YEARLY;UNTIL=20300101", "every year", "jedes Jahr"),
        ("FREQ=MONTHLY;BYDAY=1MO", "on certain days", "an bestimmten Tagen"),
        ("FREQ=MONTHLY;BYMONTHDAY=3", "on certain days", "an bestimmten Tagen"),
        ("", "on certain days", "an bestimmten Tagen"),
        ("nonsense", "on certain days", "an bestimmten Tagen"),
    ],
)  # fmt: skip
def test_a_rule_in_words(rule: str, english: str, german: str) -> None:
    assert rule_in_words(rule, Language.ENGLISH) == english
    assert rule_in_words(rule, Language.GERMAN) == german
