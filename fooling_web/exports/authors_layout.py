"""A run laid out as the authors' own software wrote it, so that scripts for its files find what they look for.

Columns are parted by spaces, without a header. `archive_N.dat` holds for each class that is held in generation N
class, fitness, id and parent; `bestfit.dat` for each generation its number, then median, mean and highest fitness of
the archive, jumps (how often a class changed hands) and the lowest fitness; `map_gen_N/map_gen_N_class_fitness.png`
are the pictures of the last generation.
"""

from collections.abc import Iterator

import numpy as np

from evolution.archive_file import History
from evolution.archive_lines import Takeover
from evolution.archive_writing import Extra

DUMPS = 10  # archives along the way, beside the last
NOBODY = -1  # the parent of a member of the first population

Holders = dict[int, Takeover]


def members(whole: History, history: History, n_classes: int) -> Iterator[Extra]:
    """Yield the tables; `history` may be a part of the whole, whose statistics they are."""
    last = max((one.generation for one in whole.statistics()), default=0)
    yield Extra("authors/bestfit.dat", _best_fit(whole, n_classes))
    archives = _archives(history, last)
    numbers = {takeover.individual for holders in archives.values() for takeover in holders.values()}
    parents = {
        one.number: one.parents[0] if one.parents else NOBODY
        for one in history.individuals(with_genomes=False)
        if one.number in numbers
    }
    for generation, holders in archives.items():
        yield Extra(f"authors/archive_{generation}.dat", _lines(holders, parents))


def picture_name(generation: int, class_index: int, confidence: float) -> str:
    """Return the name of a champion's picture."""
    folder = f"map_gen_{generation}"
    return f"authors/{folder}/{folder}_{class_index}_{confidence:.6f}.png"


def _best_fit(whole: History, n_classes: int) -> Iterator[bytes]:
    confidences = np.zeros(n_classes, np.float32)
    takeovers = whole.takeovers().__iter__()
    waiting = next(takeovers, None)
    for line in whole.statistics():
        while waiting and waiting.generation <= line.generation:
            confidences[waiting.class_index] = waiting.confidence
            waiting = next(takeovers, None)
        numbers = (
            line.generation,
            line.median,
            line.mean,
            line.max,
            line.takeovers,
            float(confidences.min()),
        )
        yield (" ".join(f"{number:.9g}" for number in numbers) + "\n").encode()


def _archives(history: History, last: int) -> dict[int, Holders]:
    """Return who held which class in some generations, evenly chosen, and in the last."""
    dumps = sorted({last * place // DUMPS for place in range(DUMPS + 1)})
    archives: dict[int, Holders] = {}
    holders: Holders = {}
    for takeover in history.takeovers():
        while dumps and dumps[0] < takeover.generation:
            archives[dumps.pop(0)] = dict(holders)
        holders[takeover.class_index] = takeover
    return archives | {generation: dict(holders) for generation in dumps}


def _lines(holders: Holders, parents: dict[int, int]) -> Iterator[bytes]:
    for class_index, takeover in sorted(holders.items()):
        number = takeover.individual
        yield f"{class_index} {takeover.confidence:.9g} {number} {parents[number]}\n".encode()
