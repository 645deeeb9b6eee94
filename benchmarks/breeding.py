"""All that a generation does to genomes: parents are taken, varied and developed into images."""

from collections.abc import Iterator

import numpy as np

from benchmarks.genomes import large_population
from benchmarks.measurement import Measurement, Target, seconds
from evolution.archive import Archive
from evolution.cppn import CppnEncoding
from evolution.parameters import Parameters

COUNT, N_CLASSES = 200, 10


def measure_breeding(rounds: int) -> Iterator[Measurement]:
    """Yield genomes a second, from ten champions of 20 hidden nodes and 60 connections."""
    encoding, rng = CppnEncoding(Parameters()), np.random.default_rng(1)
    archive = Archive(N_CLASSES)
    archive.add(large_population(encoding, N_CLASSES), np.eye(N_CLASSES, dtype=np.float32), 0)

    def breed() -> None:
        parents, _ = archive.parents(COUNT, rng)
        offspring, _ = encoding.vary(parents, 1, rng)
        encoding.develop(offspring)

    breed()
    yield Measurement(
        "take parents, vary, develop such genomes: genomes/s",
        [COUNT / seconds(breed, 20) for _ in range(rounds)],
        target=Target(25_000),
    )
