from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.tokens import AUDIENCE, ISSUER, JwtTokens
from gateway.app.sessions import Sessions
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import (
    COOKIE_LIFETIME,
    GuestId,
    Session,
    derive_key,
    is_guest_id,
    read_cookie,
    sign_cookie,
)  # fmt: skip
from kit.clock import FixedClock
from kit.ids import new_id

KEY = derive_key("secret", "cookie")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
GUEST = GuestId("0195574e-0000-7000-8000-000000000001")


def test_a_cookie_brings_the_same_guest_back() -> None:
    assert read_cookie(sign_cookie(GUEST, NOW, KEY), NOW + timedelta(days=399), KEY) == GUEST


def test_a_cookie_ends() -> None:
    assert read_cookie(sign_cookie(GUEST, NOW, KEY), NOW + COOKIE_LIFETIME + timedelta(seconds=1), KEY) is None


def test_a_cookie_of_another_key_is_none_of_ours() -> None:
    assert read_cookie(sign_cookie(GUEST, NOW, derive_key("other", "cookie")), NOW, KEY) is None


def test_a_cookie_of_another_version_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.domain.sessions.COOKIE_VERSION", "0")
    old = sign_cookie(GUEST, NOW, KEY)
    monkeypatch.undo()
    assert read_cookie(old, NOW, KEY) is None


@given(st.text())
def test_nothing_that_we_did_not_sign_is_a_cookie(value: str) -> None:
    assert read_cookie(value, NOW, KEY) is None


@given(st.integers(0, 200), st.characters(max_codepoint=127))
def test_a_cookie_that_was_changed_is_none_of_ours(place: int, character: str) -> None:
    cookie = sign_cookie(GUEST, NOW, KEY)
    place %= len(cookie)
    changed = cookie[:place] + character + cookie[place + 1 :]
    assert changed == cookie or read_cookie(changed, NOW, KEY) is None


def test_each_purpose_has_its_own_key() -> None:
    assert derive_key("secret", "cookie") != derive_key("secret", "token") != derive_key("other", "token")


@pytest.mark.parametrize(
    ("value", "expected"), [(GUEST, True), ("ABCDEF00-0000-7000-8000-000000000001", False), ("", False), ("x", False)]
)
def test_guest_ids_are_uuids(value: str, expected: bool) -> None:
    assert is_guest_id(value) is expected


@pytest.fixture
def sessions(fixed_clock: FixedClock) -> Sessions:
    tokens = JwtTokens(derive_key("secret", "token"), "HS256", fixed_clock)
    return Sessions(fixed_clock, tokens, KEY, timedelta(minutes=30), new_id)


def test_a_new_guest_gets_a_session_and_is_known_the_next_time(sessions: Sessions) -> None:
    first = sessions.open("")
    again = sessions.open(first.cookie)
    assert first.is_new
    assert not again.is_new
    assert again.session.guest_id == first.session.guest_id
    assert sessions.authenticate(again.token).guest_id == first.session.guest_id


def test_a_session_ends_with_its_time(sessions: Sessions, fixed_clock: FixedClock) -> None:
    token = sessions.open("").token
    fixed_clock.advance(29 * 60)
    sessions.authenticate(token)
    fixed_clock.advance(61)
    with pytest.raises(Refused) as refused:
        sessions.authenticate(token)
    assert refused.value.reason is Reason.UNAUTHORIZED


CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": GUEST, "exp": int(NOW.timestamp()) + 60}
TOKEN_KEY = derive_key("secret", "token")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        jwt.encode(CLAIMS, derive_key("other", "token"), algorithm="HS256"),
        jwt.encode(CLAIMS, None, algorithm="none"),
        jwt.encode(CLAIMS, TOKEN_KEY, algorithm="HS512"),
        jwt.encode(CLAIMS | {"aud": "staff"}, TOKEN_KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"iss": "someone"}, TOKEN_KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"sub": "root"}, TOKEN_KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"exp": 10**15}, TOKEN_KEY, algorithm="HS256"),
        jwt.encode({key: value for key, value in CLAIMS.items() if key != "exp"}, TOKEN_KEY, algorithm="HS256"),
    ],
    ids=["empty", "garbage", "key", "none", "algorithm", "audience", "issuer", "subject", "far", "endless"],
)
def test_no_token_but_ours_is_read(token: str, fixed_clock: FixedClock) -> None:
    assert JwtTokens(TOKEN_KEY, "HS256", fixed_clock).read(token) is None


def test_a_token_survives_its_journey(fixed_clock: FixedClock) -> None:
    tokens = JwtTokens(TOKEN_KEY, "HS384", fixed_clock)
    session = Session(GUEST, NOW + timedelta(minutes=5))
    assert tokens.read(tokens.issue(session)) == session
