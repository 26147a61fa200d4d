"""Rate limits as token buckets: a bucket holds up to `burst` tokens and fills by `per_minute`."""

import math
from dataclasses import dataclass

ROUNDING = 1e-6  # sums of fractions fall a little short of the whole token that they are


@dataclass(frozen=True, slots=True)
class Budget:
    """How often something may happen: `per_minute` in the long run, `burst` at once."""

    name: str  # a word of a closed set: label of the metric and part of the key
    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One subject's share of a budget; `subject` is opaque (an id or a keyed hash), never an address."""

    budget: Budget
    subject: str


@dataclass(frozen=True, slots=True)
class Level:
    """How full a bucket was, and when (seconds of any steady or wall clock)."""

    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may happen now; if not, in how many whole seconds to ask again, and which budget said so."""

    allowed: bool
    retry_after: int = 0
    budget: str = ""


def take(level: Level | None, budget: Budget, now: float) -> tuple[Level, Verdict]:
    """Take one token; a refusal takes none. A clock that went back adds nothing and takes nothing away."""
    rate = budget.per_minute / 60
    known = level or Level(float(budget.burst), now)
    at = max(known.at, now)
    tokens = min(float(budget.burst), known.tokens + (at - known.at) * rate)
    if tokens >= 1 - ROUNDING:
        return Level(max(0.0, tokens - 1), at), Verdict(allowed=True)
    return Level(tokens, at), Verdict(allowed=False, retry_after=wait(tokens, budget), budget=budget.name)


def wait(tokens: float, budget: Budget) -> int:
    """Return the whole seconds until a bucket with `tokens` holds one again, at least 1."""
    return max(1, math.ceil((1 - tokens) * 60 / budget.per_minute - ROUNDING))


def together(verdicts: list[Verdict]) -> Verdict:
    """Return the strictest verdict; allowed only where every one is."""
    refused = [verdict for verdict in verdicts if not verdict.allowed]
    return max(refused, key=lambda verdict: verdict.retry_after) if refused else Verdict(allowed=True)
