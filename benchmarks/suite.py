"""What is measured, in order."""

from collections.abc import Iterator

import torch

from benchmarks.breeding import measure_breeding
from benchmarks.loop import measure_loop
from benchmarks.measurement import Measurement
from benchmarks.rendering import measure_rendering


def measure_everything(rounds: int) -> Iterator[Measurement]:
    """Yield one measurement after another. To add one, name its function here."""
    torch.set_num_threads(1)
    yield from measure_rendering(rounds)
    yield from measure_breeding(rounds)
    yield from measure_loop("cppn", rounds, target=0.75)
    yield from measure_loop("direct", rounds)
