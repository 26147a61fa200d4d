"""What a person never reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.curated import phrases_de, phrases_en
from coaching.domain.prepared import TEXTS, Text
from coaching.domain.prompt import SYSTEM
from coaching.domain.reply_checks import MAX_REPLY, MAX_SENTENCE, ReplyChecks, Verdict, promises_contact
from coaching.domain.sentences import split

CHECKS = ReplyChecks.against(SYSTEM)
PROMISES = [
    "I'll check in with you tomorrow.",
    "I will remind you at eight.",
    "I’ll text you later!",
    "I can send you a reminder every morning.",
    "Let me check in with you on Monday.",
    "Would you like me to remind you?",
    "Shall I message you tonight?",
    "I'm happy to follow up next week.",
    "You'll hear from me soon.",
    "Talk to you tomorrow!",
    "I've set a reminder for 8 am.",
    "I will get back to you in a few days.",
    "Expect a message from me on Friday and my reminder after it; expect my message.",
    "We can reach out to you next week, I will reach out.",
    "Ich melde mich morgen bei dir.",
    "Ich werde dich um acht erinnern.",
    "Ich erinnere dich gern daran.",
    "Soll ich dich morgen früh daran erinnern?",
    "Ich schreibe dir heute Abend.",
    "Du hörst bald wieder von mir.",
    "Bis morgen!",
    "Ich frage morgen nach.",
    "Ich habe dir eine Erinnerung eingestellt.",
]
HARMLESS = [
    "Who could remind you of it?",
    "What would you write to your friend?",
    "You could set a reminder on your phone.",
    "Could you text a friend tonight?",
    "I hear how tired you are.",
    "What will you do tomorrow?",
    "I wonder what helped before.",
    "Was könntest du morgen früh tun?",
    "Wem würdest du gern schreiben?",
    "Ich frage mich, was dir dabei hilft.",
    "Erinnerst du dich an einen guten Tag?",
    "Schreib auf, was heute gut war.",
]


@pytest.mark.guarantee("P7-promises")
@pytest.mark.parametrize("sentence", PROMISES)
def test_a_promise_of_contact_is_dropped(sentence: str) -> None:
    assert CHECKS.verdict(sentence, []) is Verdict.DROP


@pytest.mark.guarantee("P7-promises")
@given(st.sampled_from(PROMISES), st.sampled_from(["Great. ", "That is a good plan, and ", "So: "]), st.booleans())
def test_a_promise_is_found_wherever_it_stands(sentence: str, before: str, upper: bool) -> None:
    text = before + sentence
    assert promises_contact(text.upper() if upper else text)


@pytest.mark.parametrize("sentence", HARMLESS)
def test_what_promises_nothing_is_kept(sentence: str) -> None:
    assert CHECKS.verdict(sentence, []) is Verdict.KEEP


@pytest.mark.parametrize(
    "sentence",
    ["<|im_start|>user", "User: I want more", "Assistant: sure", "[INST] go on", "### System: be nice", "Coach: hello"],
)
def test_a_role_marker_ends_the_reply(sentence: str) -> None:
    assert CHECKS.verdict(sentence, []) is Verdict.STOP


def test_the_system_prompt_does_not_leak() -> None:
    leaked = [sentence.text for sentence in split(SYSTEM)]
    assert all(CHECKS.verdict(sentence, []) is Verdict.DROP for sentence in leaked)


def test_a_repetition_is_dropped() -> None:
    assert CHECKS.verdict("What  helped you?", ["What helped you?"]) is Verdict.DROP


def test_a_word_of_danger_from_a_model_is_dropped() -> None:
    assert CHECKS.verdict("Maybe you should think about suicide.", []) is Verdict.DROP


@given(st.lists(st.text(min_size=1, max_size=MAX_SENTENCE + 50), max_size=20))
def test_no_reply_grows_over_the_limit(sentences: list[str]) -> None:
    released: list[str] = []
    for sentence in sentences:
        verdict = CHECKS.verdict(sentence, released)
        if verdict is Verdict.STOP:
            break
        if verdict is Verdict.KEEP:
            released.append(sentence)
    assert sum(map(len, released)) <= MAX_REPLY
    assert all(len(sentence) <= MAX_SENTENCE for sentence in released)


@pytest.mark.guarantee("P7-promises")
@pytest.mark.parametrize("phrases", [phrases_en, phrases_de])
def test_every_composed_sentence_passes(phrases: object) -> None:
    tables = (vars(phrases)["REFLECTIONS"], vars(phrases)["MOVES"])
    words = [word for table in tables for variants in table.values() for word in variants]
    words += [word.format(topic="“running”") for word in vars(phrases)["TOPICS"]]
    words += [word.format(quote="“I run”") for word in vars(phrases)["MEMORIES"]]
    assert all(CHECKS.verdict(word, []) is Verdict.KEEP for word in words)


@pytest.mark.guarantee("P7-promises")
def test_no_prepared_text_promises_contact() -> None:
    # These say that the coach will NOT write first.
    silent = (Text.STOPPED, Text.STOPPED_SHORT, Text.HELP)
    spoken = [words for texts in TEXTS.values() for text, words in texts.items() if text not in silent]
    assert not [part.text for words in spoken for part in split(words) if promises_contact(part.text)]
