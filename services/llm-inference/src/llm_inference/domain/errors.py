"""Why no completion comes: a closed set. The texts are for operators and callers; none quotes a prompt or an answer."""


class CompletionError(Exception):
    """Base of all refusals and failures; `label` is its word in metrics."""

    label = "failed"


class InvalidRequestError(CompletionError):
    """Asking again the same way will not help."""

    label = "invalid"


class BusyError(CompletionError):
    """The line is full, or is too long for the caller's deadline: retry later."""

    label = "busy"


class BackendUnavailableError(CompletionError):
    """The model does not answer or broke off; the text says what an operator can do. Retry later."""

    label = "unavailable"


class TooLateError(CompletionError):
    """The deadline passed before the end; what was generated has been sent."""

    label = "late"
