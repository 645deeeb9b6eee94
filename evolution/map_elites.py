"""MAP-Elites over the classes of a classifier (paper, section 2.3; Mouret and Clune 2015): the loop.

The loop is handed a callable and yields generations; it neither saves nor prints nor knows who listens. Between
two generations a `Search` holds everything that determines what follows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.archive import Archive, Takeovers
from evolution.encoding import Encoding
from evolution.parameters import Parameters

VALUES_AT_ONCE = 64_000_000  # of pictures that are developed together: 256 MB
EVENLY = 32  # pictures: parts are made of whole batches of that

Evaluate = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


@dataclass
class Search:
    """A run between two generations.

    A guest is an image that came from outside and took a class: it is a generation of its own, of one evaluation.
    Founders are genomes that the first population begins with; the others of it are random.
    """

    archive: Archive
    rng: np.random.Generator
    generation: int = 0  # the next one
    guests: int = 0  # generations before it that were guests
    founders: Any = None

    @classmethod
    def begin(cls, n_classes: int, seed: int, founders: Any = None) -> "Search":
        """Return a search that has seen nothing yet; everything that follows comes from seed and founders."""
        return cls(Archive(n_classes), np.random.Generator(np.random.PCG64(seed)), founders=founders)

    @property
    def own_generation(self) -> int:
        """The next generation as the search would count it without guests."""
        return self.generation - self.guests

    def next_number(self, parameters: Parameters) -> int:
        """Return the number of the next individual, which is how many images were evaluated so far."""
        return evaluations_before(parameters, self.own_generation) + self.guests


@dataclass(frozen=True)
class Generation:
    """What one generation brought."""

    number: int
    population: Any  # B genomes
    first_number: int  # of the individual at row 0
    lineage: npt.NDArray[np.int64]  # (B, k) numbers of each one's parents; k is 0 in the first population
    confidences: npt.NDArray[np.float32]  # (B, n_classes)
    takeovers: Takeovers
    evaluations: int  # since the run began


def evolve(
    encoding: Encoding, evaluate: Evaluate, parameters: Parameters, search: Search
) -> Iterator[Generation]:
    """Yield one generation after another until the last one wanted.

    evaluate takes images, (B, C, H, W) float32 in [0, 1], and returns confidences, (B, n_classes) float32. The
    search is advanced in place, so whoever stops iterating may keep it and go on later, with the same result.
    """
    while search.own_generation <= parameters.generations:
        yield advance(encoding, evaluate, parameters, search)


def advance(encoding: Encoding, evaluate: Evaluate, parameters: Parameters, search: Search) -> Generation:
    """Breed, develop, evaluate and keep one generation."""
    number, archive = search.generation, search.archive
    population, lineage = _breed(encoding, parameters, search)
    confidences = judged(encoding, evaluate, population)  # (B, n_classes)
    first_number = search.next_number(parameters)
    takeovers = archive.add(population, confidences, first_number)  # every image competes for every class
    search.generation = number + 1
    return Generation(
        number, population, first_number, lineage, confidences, takeovers, first_number + len(population)
    )


def judged(encoding: Encoding, evaluate: Evaluate, population: Any) -> npt.NDArray[np.float32]:
    """Develop and evaluate genomes, (B, n_classes); in parts where their pictures together are large."""
    shape = encoding.parameters
    values = shape.channels * shape.height * shape.width
    at_once = max(EVENLY, VALUES_AT_ONCE // values // EVENLY * EVENLY)
    if len(population) <= at_once:
        return evaluate(encoding.develop(population))
    rows = np.arange(len(population), dtype=np.int64)
    parts = (population.take(rows[start : start + at_once]) for start in range(0, len(rows), at_once))
    return np.concatenate([evaluate(encoding.develop(part)) for part in parts])


def evaluations_before(parameters: Parameters, generation: int) -> int:
    """Return how many images a run without guests has evaluated before a generation begins."""
    return 0 if generation == 0 else parameters.first_population + (generation - 1) * parameters.offspring


def first_population(encoding: Encoding, parameters: Parameters, search: Search) -> Any:
    """Return the genomes that a search begins with: its founders, and random ones after them."""
    if search.founders is None:
        return encoding.random(parameters.first_population, search.rng)
    n_random = parameters.first_population - len(search.founders)
    assert n_random >= 0, "whoever sets the founders makes the first population large enough"
    if n_random == 0:
        return search.founders
    return search.founders.joined_with(encoding.random(n_random, search.rng))


def _breed(encoding: Encoding, parameters: Parameters, search: Search) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return a generation's genomes and the numbers of each one's parents."""
    if search.generation == 0:
        population = first_population(encoding, parameters, search)
        return population, np.empty((len(population), 0), np.int64)
    parents, numbers = search.archive.parents(parameters.offspring, search.rng)
    offspring, rows = encoding.vary(parents, search.own_generation, search.rng)
    return offspring, numbers[rows]
