"""Every way in which the gateway says no: one closed set, each with what the client should do."""

from enum import StrEnum


class Reason(StrEnum):
    """The word that REST problems and chat errors carry; entrypoints map it to a status and to advice."""

    UNAUTHORIZED = "unauthorized"
    ORIGIN = "origin_not_allowed"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_INVALID = "text_invalid"
    INVALID = "invalid_request"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    REFUSED = "message_refused"
    NOT_POSSIBLE = "not_possible"
    NOT_FOUND = "not_found"
    NOT_KNOWN_YET = "not_known_yet"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"


class Refused(Exception):  # noqa: N818  # reads as what happened: raise Refused(Reason.TEXT_EMPTY)
    """A request that is not carried out; holds no text of a person.

    `advice` is what another part says to do about it, and `field` what of the request it is about; both are for the
    client alone, so the exception's own text, which may be logged, is without them.
    """

    def __init__(self, reason: Reason, retry_after: int = 0, advice: str = "", field: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        self.advice = advice
        self.field = field
