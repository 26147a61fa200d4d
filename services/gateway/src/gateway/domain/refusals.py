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
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"


class Refused(Exception):  # noqa: N818  # reads as what happened: raise Refused(Reason.TEXT_EMPTY)
    """A request that is not carried out; holds no text of a person."""

    def __init__(self, reason: Reason, retry_after: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
