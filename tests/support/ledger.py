"""What a report of `fakes.people` says about a promise: every request in time, every message answered once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fakes.patience import TRIES, WITHIN_SECONDS

MODEL_SAYS = "I have read about "
SHOWN = 8  # of each kind of fault: the first ones tell when it began


@dataclass(frozen=True, slots=True)
class Ledger:
    """All messages of a run, judged."""

    written: int
    requests: int
    tries: Counter[str]
    slowest_seconds: float
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    not_stored_once: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    not_the_models: list[str] = field(default_factory=list)

    def faults(self) -> dict[str, list[str]]:
        """Return what broke the promise, by kind; empty: nothing did."""
        kinds = {
            "requests that failed": self.failed,
            "accepted and not answered": self.lost,
            "answered more than once": self.doubled,
            "not once in the history": self.not_stored_once,
            "answered another id": self.others,
            "answered without the model": self.not_the_models,
        }
        return {kind: found for kind, found in kinds.items() if found}

    def __str__(self) -> str:
        """One line of figures, and the faults."""
        again = {end: number for end, number in self.tries.items() if not end.startswith("2")}
        line = (
            f"{self.written} messages, {self.requests} requests, {sum(self.tries.values())} tries"
            f" (not answered: {again}), the slowest within {self.slowest_seconds:.1f} s"
        )
        shown = [f"{kind}: {len(found)}, as {'; '.join(found[:SHOWN])}" for kind, found in self.faults().items()]
        return "\n".join([line, *shown])


def judged(report: dict[str, Any]) -> Ledger:
    """Judge a report: an answer counts for the word that it names, and on the web for the id that it belongs to."""
    written: list[dict[str, Any]] = report["written"]
    begun = min((one["at"] for one in written), default=0.0)
    fates = [(one, fate) for one in written for fate in one["requests"]]
    ledger = Ledger(
        written=len(written),
        requests=len(fates),
        tries=Counter(end for _, fate in fates for end in fate["tries"]),
        slowest_seconds=max((fate["seconds"] for _, fate in fates), default=0.0),
    )
    for one, fate in fates:
        if not fate["succeeded"] or len(fate["tries"]) > TRIES or fate["seconds"] > WITHIN_SECONDS:
            at = fate["at"] - begun
            ledger.failed.append(f"{one['word']} {fate['what']} at {at:.0f} s: {', '.join(fate['tries'])}")
    for one in written:
        _answers(ledger, one, f"{one['word']} ({one['channel']}) at {one['at'] - begun:.0f} s")
    return ledger


def _answers(ledger: Ledger, one: dict[str, Any], name: str) -> None:
    answers: list[str] = one["answers"]
    if one["accepted"] and not answers:
        ledger.lost.append(name)
    if len(answers) > 1:
        ledger.doubled.append(f"{name}: {len(answers)} times")
    if one["channel"] == "web" and one["accepted"]:
        # A request that was tried again may have brought the message twice, to be answered as one.
        if one["stored"] != [one["id"]]:
            ledger.not_stored_once.append(f"{name}: {len(one['stored'])} times")
        if set(one["replied"]) - {one["id"]}:
            ledger.others.append(name)
    if answers and not any(f"{MODEL_SAYS}{one['word']}," in text for text in answers):
        ledger.not_the_models.append(name)
