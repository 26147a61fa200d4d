"""The sentences with which the coach speaks first where no model words them: an opening, what was said, a question."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What one trigger says in one language: neither of morning nor of evening, and no promise of another message."""

    openings: tuple[str, ...]
    about: tuple[str, ...]  # questions after what the person last said
    open: tuple[str, ...]  # questions where nothing is known of it

    def with_said(self, said: str | None, spoken: Sequence[str]) -> str:
        """Return the whole message: of each kind the first wording that is not in `spoken`."""
        question = _fresh(self.open if said is None else self.about, spoken)
        return " ".join(part for part in (_fresh(self.openings, spoken), said, question) if part)


def _fresh(variants: Sequence[str], spoken: Sequence[str]) -> str:
    recent = "\n".join(spoken)
    return next((variant for variant in variants if variant not in recent), variants[len(spoken) % len(variants)])
