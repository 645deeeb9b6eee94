"""A number with its spread and its target, and the clock that it comes from."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What a number must reach: at least `bound`, or less than it."""

    bound: float
    at_least: bool = True


@dataclass(frozen=True)
class Measurement:
    """A number over several rounds; `style` is how it is printed (an amount, a factor or a share)."""

    name: str
    rounds: Sequence[float]
    style: str = "{:,.0f}"
    target: Target | None = None

    @property
    def median(self) -> float:
        """The number that counts."""
        return statistics.median(self.rounds)

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return (self.median >= self.target.bound) == self.target.at_least


def seconds(deed: Callable[[], object], repeats: int = 1) -> float:
    """Return the processor seconds that a deed takes, over several repeats at a stretch."""
    start = time.process_time()
    for _ in range(repeats):
        deed()
    return (time.process_time() - start) / repeats
