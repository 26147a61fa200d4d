"""P1 and P2 after every part on a message's way was killed again and again, twenty turns open each time."""

from collections import Counter

import pytest

from support.aftermath import Aftermath
from support.faults import OPEN_TURNS, WORKERS


@pytest.mark.guarantee("P1-kills")
def test_every_message_that_was_written_is_answered(aftermath: Aftermath) -> None:
    """A person without an answer at the provider has one that is `unknown`, and nobody else."""
    unanswered = {chat_id for chat_id, texts in aftermath.texts.items() if not texts}
    assert unanswered <= set(aftermath.unknown)
    assert {turn.state for turn in aftermath.turns} <= {"accepted", "unknown"}


@pytest.mark.guarantee("P1-kills")
def test_nothing_waits_any_more(aftermath: Aftermath) -> None:
    assert aftermath.waiting == dict.fromkeys(aftermath.waiting, 0)


@pytest.mark.guarantee("P2-kills")
def test_nobody_is_answered_twice_or_with_anothers_answer(aftermath: Aftermath) -> None:
    doubled = {chat_id: texts for chat_id, texts in aftermath.texts.items() if len(texts) > 1}
    assert not doubled
    wrong = {
        chat_id: texts
        for chat_id, texts in aftermath.texts.items()
        if texts and f"read about {aftermath.words[chat_id]}," not in texts[0]
    }
    assert not wrong


@pytest.mark.guarantee("P2-kills")
def test_each_message_is_one_turn_with_one_answer_in_the_database(aftermath: Aftermath) -> None:
    assert Counter(turn.chat_id for turn in aftermath.turns) == Counter(list(aftermath.words))
    odd = [turn for turn in aftermath.turns if (turn.turns, turn.written, turn.answers) != (1, 1, 1)]
    assert not odd


@pytest.mark.guarantee("P2-kills")
def test_unknown_is_only_what_was_in_flight_when_its_sender_was_killed(aftermath: Aftermath) -> None:
    assert set(aftermath.unknown.values()) <= aftermath.in_flight
    assert all(len(killed.in_flight) <= WORKERS for killed in aftermath.kills)


def test_the_kills_were_what_they_claim_to_be(aftermath: Aftermath) -> None:
    assert min(killed.open_turns for killed in aftermath.kills) >= OPEN_TURNS
    done = Counter(killed.kill.part for killed in aftermath.kills)
    died = {name: restarts for name, restarts in aftermath.restarts.items() if restarts}
    assert died == done, aftermath.said  # something died that was not killed
