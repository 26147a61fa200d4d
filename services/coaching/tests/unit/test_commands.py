"""The whole message, trimmed and case-folded."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.commands import WORDS, Command, change_of, command_in, language_in, steering
from coaching.domain.people import Language, PersonChange

ALL_WORDS = [(word, command) for command, words in WORDS.items() for word in words]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("STOP", Command.STOP),
        ("  stop.\n", Command.STOP),
        ("Stop!", Command.STOP),
        ("“Stop”", Command.STOP),
        ("STOPP", Command.STOP),
        ("arrêt", Command.STOP),
        ("ARRÊT", Command.STOP),
        ("stop   all", Command.STOP),
        ("/stop", Command.STOP),
        ("/stop@coach_bot", Command.STOP),
        ("stop 🛑", Command.STOP),
        ("🛑 STOP ✋🏽", Command.STOP),
        ("__stop__", Command.STOP),
        ("st\u200bop\ufeff", Command.STOP),
        ("\u202eSTOP\u202c", Command.STOP),
        ("ＳＴＯＰ", Command.STOP),
        ("STOP please", Command.STOP),
        ("Please, stop!", Command.STOP),
        ("Stop.\nThank you", Command.STOP),
        ("Please stop messaging me.", Command.STOP),
        ("Don’t write to me anymore!!", Command.STOP),
        ("Bitte aufhören, danke", Command.STOP),
        ("START", Command.START),
        ("/start", Command.START),
        ("/start pair-8f2a_1", Command.START),
        ("help", Command.HELP),
        ("Hilfe!", Command.HELP),
        ("/help", Command.HELP),
        ("Why did I get this?", Command.WHY),
        ("why are you writing to me?!", Command.WHY),
        ("/why", Command.WHY),
        ("/why@coach_bot", Command.WHY),
        ("/warum", Command.WHY),
        ("Warum hast du mir geschrieben?", Command.WHY),
        ("WARUM BEKOMME ICH DAS", Command.WHY),
        ("Pourquoi m’as-tu écrit ?", Command.WHY),
        ("¿Por qué me escribes?", Command.WHY),
    ],
)
def test_a_whole_message_is_a_command(text: str, command: Command) -> None:
    assert command_in(text) is command


@pytest.mark.parametrize(
    "text",
    ["I can't stop", "stop smoking is my goal", "please start", "don't stop", "please don't stop",
     "please", "thanks", "please help me stop", "stop pleasing", "bitte weiter", "stop it", "hör auf",
     "/stop now", "/unknown", "", "   ", "?",
     "stopping", "help me with my sleep", "weiter so", "/start https://example.org/x", "why?", "Warum?",
     "why did I get this job", "/why not", "warum schreibst du mir nie"],
)  # fmt: skip
def test_other_messages_are_none(text: str) -> None:
    assert command_in(text) is None


@given(st.sampled_from(ALL_WORDS), st.sampled_from([str.upper, str.lower, str.title]), st.text(" \t\n.!?", max_size=4))
def test_case_and_space_around_it_do_not_matter(known: tuple[str, Command], cased: object, around: str) -> None:
    word, command = known
    assert callable(cased)
    assert command_in(around + cased(word) + around) is command


@given(st.sampled_from(ALL_WORDS), st.text(st.characters(categories=["L"]), min_size=1, max_size=12))
def test_a_word_more_makes_it_something_said(known: tuple[str, Command], other: str) -> None:
    assert command_in(f"{known[0]} {other} and more") is None


@pytest.mark.parametrize("part", ["! ", "_ ", "please ", "thanks, ", "🛑", "\u200b"])
def test_a_long_message_is_read_in_no_time(part: str) -> None:
    began = time.process_time()
    assert command_in(f"x {part * 20_000}x") is None
    assert command_in(f"{part * 20_000}stop{part * 20_000}") in {Command.STOP, None}
    assert time.process_time() - began < 1


def test_no_word_means_two_things() -> None:
    words = [word for word, _ in ALL_WORDS]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("commands", "change"),
    [
        ((), PersonChange()),
        ((Command.HELP,), PersonChange()),
        ((Command.WHY,), PersonChange()),
        ((Command.STOP, Command.WHY), PersonChange(proactive_stopped=True)),
        ((Command.STOP,), PersonChange(proactive_stopped=True)),
        ((Command.STOP, Command.START), PersonChange(proactive_stopped=False, crisis_hold=False)),
        ((Command.START, Command.STOP, Command.HELP), PersonChange(proactive_stopped=True)),
    ],
)
def test_the_last_order_counts(commands: tuple[Command, ...], change: PersonChange) -> None:
    assert change_of(commands) == change


def test_help_never_hides_the_order_that_counts() -> None:
    assert steering((Command.STOP, Command.START, Command.HELP)) is Command.START
    assert steering((Command.HELP,)) is None


def test_a_german_word_tells_the_language() -> None:
    assert language_in("Abmelden") is Language.GERMAN
    assert language_in("Warum bekomme ich das?") is Language.GERMAN
    assert language_in("/warum") is Language.GERMAN
    assert language_in("Bitte aufhören!") is Language.GERMAN
    assert language_in("stop") is None
