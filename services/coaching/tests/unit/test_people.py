"""Languages, regions, and whether the coach may write first."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.deliveries import Drop, Hold, Send
from coaching.domain.people import Language, language_of, region_of
from coaching.domain.proactive import Standing, decide_standing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "language", "region"),
    [
        ("de", Language.GERMAN, ""),
        ("de-AT", Language.GERMAN, "AT"),
        ("de_CH", Language.GERMAN, "CH"),
        ("en-US", Language.ENGLISH, "US"),
        ("zh-Hant-TW", Language.ENGLISH, "TW"),
        ("fr-FR", Language.ENGLISH, "FR"),
        ("", Language.ENGLISH, ""),
        ("---", Language.ENGLISH, ""),
    ],
)
def test_a_locale_tells_language_and_region(locale: str, language: Language, region: str) -> None:
    assert language_of(locale) is language
    assert region_of(locale) == region


@given(st.text(max_size=40))
def test_any_locale_is_read(locale: str) -> None:
    assert language_of(locale) in Language
    assert len(region_of(locale)) in (0, 2)


@given(
    st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["Europe/Berlin", "UTC", "", None, "Mars/X", "../x"])
)
def test_a_proactive_message_leaves_only_where_everything_allows_it(
    stopped: bool, crisis: bool, gone: bool, zone: str | None
) -> None:
    decision = decide_standing(NOW, Standing(stopped, crisis, gone, zone))
    if stopped or crisis or gone:
        assert isinstance(decision, Drop)
    elif zone in ("Europe/Berlin", "UTC"):
        assert decision == Send()
    else:
        assert isinstance(decision, Hold)
        assert decision.until > NOW
