"""Single-class evolution: each class is climbed by itself, without what others have found.

The baseline of the follow-up paper (Nguyen, Yosinski and Clune 2015, "Innovation Engines"): an offspring descends
from the champion of one target class and competes for that class only, so no image ever serves another class than
the one that it was bred for. Everything else is as in `evolution.map_elites`, the archive, the operators and the
number of evaluations included. The first population, which nobody bred, competes for every class.
"""

import numpy as np
import numpy.typing as npt

from evolution import map_elites
from evolution.archive import VACANT, Archive
from evolution.encoding import Encoding
from evolution.map_elites import Evaluate, Generation, Search, evaluations_before, judged
from evolution.parameters import Parameters

Rows = npt.NDArray[np.int64]
Confidences = npt.NDArray[np.float32]


def advance(encoding: Encoding, evaluate: Evaluate, parameters: Parameters, search: Search) -> Generation:
    """Breed, develop, evaluate and keep one generation."""
    if search.generation == 0:
        return map_elites.advance(encoding, evaluate, parameters, search)
    number, archive = search.generation, search.archive
    first_number = search.next_number(parameters)
    targets = targets_of(parameters, search.own_generation, archive.n_classes)  # (B,)
    parents = _held(archive, targets)
    offspring, rows = encoding.vary(archive.genomes.take(parents), search.own_generation, search.rng)
    lineage = archive.holders[parents][rows]
    confidences = judged(encoding, evaluate, offspring)  # (B, n_classes)
    takeovers = archive.add(offspring, _for_targets_only(confidences, targets), first_number)
    search.generation = number + 1
    return Generation(
        number, offspring, first_number, lineage, confidences, takeovers, first_number + len(offspring)
    )


def targets_of(parameters: Parameters, generation: int, n_classes: int) -> Rows:
    """Return the class that each offspring of a generation is bred for, (B,): class after class, round and round.

    Two offspring in a row have one target, because operators that cross parents take them in pairs. The round goes
    on where the last generation left it, so that every class has its turn however many there are.
    """
    first = evaluations_before(parameters, generation) - parameters.first_population
    return (first + np.arange(parameters.offspring, dtype=np.int64)) // 2 % n_classes


def _held(archive: Archive, targets: Rows) -> Rows:
    """Return the classes whose champions breed: the targets, and for one that is vacant still any that is held."""
    occupied = np.flatnonzero(archive.holders != VACANT)
    return np.where(archive.holders[targets] == VACANT, occupied[targets % len(occupied)], targets)


def _for_targets_only(confidences: Confidences, targets: Rows) -> Confidences:
    """Return the same confidences, but zero, which takes no class, for all classes that are not an image's target."""
    rows, contested = np.arange(len(targets)), np.zeros_like(confidences)
    contested[rows, targets] = confidences[rows, targets]
    return contested
