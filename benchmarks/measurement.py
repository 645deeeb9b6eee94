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
    """A number over several rounds; `style` is how it is printed (an amount, a factor or a share).

    Where there are no rounds, `why_not` says why it was not measured.
    """

    name: str
    rounds: Sequence[float]
    style: str = "{:,.0f}"
    target: Target | None = None
    why_not: str = ""

    @property
    def median(self) -> float | None:
        """The number that counts; None where nothing was measured."""
        return statistics.median(self.rounds) if self.rounds else None

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none, or no number."""
        if self.target is None or self.median is None:
            return None
        return (self.median >= self.target.bound) == self.target.at_least


Clock = Callable[[], float]


def clock_of(device: str) -> Clock:
    """Return the processor's seconds for work on the CPU; seconds of the clock, once all is done, for a GPU."""
    if not device.startswith("cuda"):
        return time.process_time
    import torch

    def seconds_of_the_clock() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return seconds_of_the_clock


def seconds(deed: Callable[[], object], repeats: int = 1, clock: Clock = time.process_time) -> float:
    """Return the seconds that a deed takes, over several repeats at a stretch."""
    start = clock()
    for _ in range(repeats):
        deed()
    return (clock() - start) / repeats
