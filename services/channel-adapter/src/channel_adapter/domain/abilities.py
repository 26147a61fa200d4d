"""What a channel can do, as data that generic code reads instead of asking which channel it is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Abilities:
    """Facts about one channel; the same for all of its accounts."""

    text_limit: int | None
    """Longest text of one message in UTF-16 code units; None: any length."""
    calls_provider: bool
    """Sending is an HTTP call to a provider: it may hang, be refused, or be lost half-way, and takes a worker."""
    typing: bool
    """The channel can show that the coach is writing."""
    polling: bool
    """Updates can be fetched, so the channel works without a public address."""
    files: bool
    """People can send files, which have to be fetched from the provider."""
    authenticated_sender: bool
    """Only the gateway, which knows the sender, may bring messages; a public webhook may not."""
    methods: frozenset[str] = field(default_factory=lambda: frozenset({"POST"}))
    """HTTP methods that the provider uses."""
