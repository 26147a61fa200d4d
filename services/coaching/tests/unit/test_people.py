"""Languages and regions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.people import Language, language_of, region_of


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
