"""Waiting longer after each failure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds that grow from `first` by `factor` up to `most`, each varied by +-`jitter` of itself."""

    first: float = 0.1
    factor: float = 2.0
    most: float = 30.0
    jitter: float = 0.2
    randomness: random.Random = field(default=random.Random(), compare=False)

    def delays(self) -> Iterator[float]:
        """Yield delays without end; start a new iterator after a success."""
        delay = self.first
        while True:
            yield delay * (1 + self.jitter * (2 * self.randomness.random() - 1))
            delay = min(delay * self.factor, self.most)
