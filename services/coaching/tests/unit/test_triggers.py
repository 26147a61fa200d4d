"""Every reason to speak first: found by its folder, and worded so that anybody may read it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from coaching import triggers
from coaching.app.trigger import Trigger
from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.ids import PersonId
from coaching.domain.people import Language
from coaching.domain.prompt import SYSTEM
from coaching.domain.reply_checks import ReplyChecks, Verdict
from coaching.domain.sentences import split
from coaching.triggers.registry import TRIGGERS
from support.tree import ROOT

MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
SAID = {
    Language.ENGLISH: "Yesterday you wrote: “I want to run”.",
    Language.GERMAN: "Gestern hast du geschrieben: „Ich will laufen“.",
}
DAILY = {"rule": "FREQ=DAILY", "local_time": "08:30:00", "time_zone": "Europe/Berlin", "after_days": "3"}
CHECKS = ReplyChecks.against(SYSTEM)
GUIDE = ROOT / "docs" / "guides" / "add-a-trigger.md"


def example() -> Trigger:
    """Return the trigger that the guide shows, so that it is held to what it teaches."""
    module = ModuleType("first_week")
    [code] = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(code, str(GUIDE), "exec"), module.__dict__)
    trigger: Trigger = module.FirstWeek()
    return trigger


EVERY = (*TRIGGERS.values(), example())


def check_in(trigger: str, after_days: int = 0) -> CheckIn:
    return CheckIn(
        "c1", PersonId("p1"), trigger, "FREQ=DAILY", time(8, 30), "Europe/Berlin", date(2026, 11, 1),
        after_days=after_days, created_at=MONDAY,
    )  # fmt: skip


def test_the_registry_names_every_file_by_its_own_name() -> None:
    folder = Path(str(triggers.__file__)).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}
    assert set(TRIGGERS) == files
    assert all(trigger.name == name for name, trigger in TRIGGERS.items())


def test_ranks_differ_so_that_merging_is_never_a_matter_of_luck() -> None:
    assert len({trigger.rank for trigger in EVERY}) == len(EVERY)


@pytest.mark.guarantee("P7-promises")
@pytest.mark.parametrize(("trigger", "language"), list(product(EVERY, Language)), ids=str)
def test_prepared_words_pass_the_checks_ask_one_thing_and_are_not_said_twice(
    trigger: Trigger, language: Language
) -> None:
    spoken: list[str] = []
    for said in (None, SAID[language]) * 3:
        text = trigger.template(language, said, spoken[-1:])
        sentences = [sentence.text for sentence in split(text)]
        assert [CHECKS.verdict(sentence, ()) for sentence in sentences] == [Verdict.KEEP] * len(sentences)
        assert text.count("?") == 1
        assert text.endswith("?")
        assert said is None or said in text
        assert text not in spoken[-1:]
        spoken.append(text)


@pytest.mark.parametrize(("trigger", "language"), list(product(EVERY, Language)), ids=str)
def test_why_is_told_in_a_sentence_even_where_little_was_kept(trigger: Trigger, language: Language) -> None:
    told = trigger.because(DAILY, language)
    for words in (told, trigger.because({}, language)):
        assert words.endswith(".")
        assert "{" not in words


@pytest.mark.parametrize(("trigger", "language"), list(product(TRIGGERS.values(), Language)), ids=str)
def test_why_names_the_time_in_the_persons_zone(trigger: Trigger, language: Language) -> None:
    assert "08:30 (Europe/Berlin)" in trigger.because(DAILY, language)


@pytest.mark.parametrize("trigger", EVERY, ids=str)
def test_instructions_are_short(trigger: Trigger) -> None:
    assert 0 < len(trigger.instructions()) <= 200


def test_a_scheduled_check_in_counts_whatever_the_person_does() -> None:
    scheduled = TRIGGERS["scheduled_check_in"]
    assert scheduled.earliest(check_in("scheduled_check_in"), Activity(MONDAY, MONDAY)) is None
    assert scheduled.problem(check_in("scheduled_check_in")) == ""
    assert "after_days" in scheduled.problem(check_in("scheduled_check_in", after_days=2))


@pytest.mark.parametrize(
    ("activity", "begun"),
    [
        (Activity(), MONDAY),
        (Activity(last_message_at=MONDAY - timedelta(days=2)), MONDAY - timedelta(days=2)),
        (Activity(MONDAY, MONDAY + timedelta(days=4)), MONDAY + timedelta(days=4)),
        (Activity(MONDAY + timedelta(days=5), MONDAY + timedelta(days=4)), MONDAY + timedelta(days=5)),
    ],
)
def test_silence_begins_with_the_last_word_of_either(activity: Activity, begun: datetime) -> None:
    assert TRIGGERS["inactivity"].earliest(check_in("inactivity", 3), activity) == begun + timedelta(days=3)


@pytest.mark.parametrize(("days", "fine"), [(0, False), (1, True), (365, True), (366, False), (-1, False)])
def test_silence_needs_a_number_of_days(days: int, fine: bool) -> None:
    assert (TRIGGERS["inactivity"].problem(check_in("inactivity", days)) == "") is fine
