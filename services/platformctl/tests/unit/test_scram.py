"""Verifiers as PostgreSQL stores them."""

import base64

import pytest

from platformctl.db.scram import verifier


def test_the_verifier_is_the_one_of_rfc_7677() -> None:
    # The example exchange of RFC 7677, section 3, gives salt, iterations and password; the keys follow from RFC 5802.
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
        "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_each_verifier_has_a_salt_of_its_own() -> None:
    assert verifier("pencil") != verifier("pencil")


def test_a_password_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        verifier("schlüssel")
