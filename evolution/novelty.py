"""Novelty search: what counts is how unlike others the classifier's answer is, not how sure it is of any class.

Lehman and Stanley 2011, as the follow-up paper compares it with MAP-Elites (Nguyen, Yosinski and Clune 2015,
"Innovation Engines"): the novelty of an image is the mean distance between its confidences of all classes and those
of its nearest neighbours among the population, its offspring and a memory. The archive of classes is only kept for
the record: every image competes for every class there, but nothing breeds from it.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.encoding import Encoding
from evolution.errors import CheckpointError, GenomeError
from evolution.map_elites import Evaluate, Generation, Search, first_population, judged
from evolution.parameters import Parameters

Rows = npt.NDArray[np.int64]
Confidences = npt.NDArray[np.float32]
ARRAYS = (
    "generation",
    "genomes",
    "lengths",
    "numbers",
    "confidences",
    "memory_numbers",
    "memory_confidences",
)
BLOCK = 1024  # images between which distances are taken at once: a block of the matrix has 8 MB


@dataclass
class Images:
    """Images that were evaluated, as far as novelty asks: who they are and what the classifier made of them."""

    numbers: Rows  # (B,)
    confidences: Confidences  # (B, n_classes)

    def take(self, rows: Rows) -> "Images":
        """Return those at rows, in that order."""
        return Images(self.numbers[rows], self.confidences[rows])

    def joined_with(self, other: "Images") -> "Images":
        """Return these followed by the other's."""
        return Images(
            np.concatenate([self.numbers, other.numbers]),
            np.concatenate([self.confidences, other.confidences]),
        )

    def without(self, other: "Images") -> "Images":
        """Return those that are not among the other's."""
        return self.take(np.flatnonzero(~np.isin(self.numbers, other.numbers)))


def _none(n_classes: int = 0) -> Images:
    return Images(np.empty(0, np.int64), np.empty((0, n_classes), np.float32))


@dataclass
class NoveltySearch(Search):
    """A novelty search between two generations."""

    genomes: Any = None  # of the population, S of them, once there is one
    population: Images = field(default_factory=_none)  # the same S images
    memory: Images = field(default_factory=_none)  # the most novel of all times

    @classmethod
    def resumed(cls, search: Search, state: bytes, encoding: Encoding) -> "NoveltySearch":
        """Return the restored search with what `state_to_bytes` kept; raises CheckpointError if it is damaged."""
        resumed = cls(search.archive, search.rng, search.generation, search.guests)
        resumed._fill(_unpacked(state), encoding)
        return resumed

    def state_to_bytes(self, encoding: Encoding) -> bytes:
        """Return all that champions, random state and generation do not tell, to go on bit for bit."""
        genomes = [encoding.to_bytes(self.genomes, row) for row in range(len(self.population.numbers))]
        file = io.BytesIO()
        np.savez_compressed(
            file,
            generation=np.int64(self.own_generation),
            genomes=np.frombuffer(b"".join(genomes), np.uint8),
            lengths=np.array([len(genome) for genome in genomes], np.int64),
            numbers=self.population.numbers,
            confidences=self.population.confidences,
            memory_numbers=self.memory.numbers,
            memory_confidences=self.memory.confidences,
        )
        return file.getvalue()

    def _fill(self, arrays: dict[str, npt.NDArray[Any]], encoding: Encoding) -> None:
        if arrays["generation"] != self.own_generation:
            raise CheckpointError(
                f"the population is of generation {arrays['generation']}, the champions are of "
                f"{self.own_generation}; clone the run to start anew"
            )
        ends = np.cumsum(arrays["lengths"])
        pieces = [piece.tobytes() for piece in np.split(arrays["genomes"], ends[:-1])]
        try:
            self.genomes = encoding.from_bytes(pieces)
        except GenomeError as error:
            raise _damaged(error) from error
        self.population = Images(arrays["numbers"], arrays["confidences"])
        self.memory = Images(arrays["memory_numbers"], arrays["memory_confidences"])


def advance(
    encoding: Encoding, evaluate: Evaluate, parameters: Parameters, search: NoveltySearch
) -> Generation:
    """Breed, develop, evaluate, record and select one generation."""
    number, first_number = search.generation, search.next_number(parameters)
    offspring, lineage = _breed(encoding, parameters, search)
    confidences = judged(encoding, evaluate, offspring)  # (B, n_classes)
    takeovers = search.archive.add(offspring, confidences, first_number)
    newcomers = Images(np.arange(first_number, first_number + len(offspring)), confidences)
    _select(search, parameters, offspring, newcomers)
    search.generation = number + 1
    return Generation(
        number, offspring, first_number, lineage, confidences, takeovers, first_number + len(offspring)
    )


def novelty_of(pool: Confidences, memory: Confidences, neighbours: int) -> npt.NDArray[np.float64]:
    """Return the mean distance of each image in the pool to its nearest others in pool and memory, (B,).

    pool is (B, n_classes), memory (M, n_classes). Where there are fewer others than neighbours, all of them count.
    Distances come from matrix products in double precision, a block at a time.
    """
    count = min(neighbours, len(pool) - 1 + len(memory))
    queries = np.concatenate(
        [_nearest_squares(pool, memory, start, count) for start in range(0, len(pool), BLOCK)]
    )
    distances: npt.NDArray[np.float64] = np.sqrt(queries).mean(axis=1)
    return distances


def _nearest_squares(
    pool: Confidences, memory: Confidences, start: int, count: int
) -> npt.NDArray[np.float64]:
    """Return the squares of the smallest distances of a block of the pool, (b, count)."""
    queries = pool[start : start + BLOCK].astype(np.float64)
    nearest = np.full((len(queries), count), np.inf)
    for first in range(0, len(pool), BLOCK):
        squares = _squared_distances(queries, pool[first : first + BLOCK])
        if first == start:
            np.fill_diagonal(squares, np.inf)  # nobody is its own neighbour
        nearest = _least(nearest, squares)
    for first in range(0, len(memory), BLOCK):
        nearest = _least(nearest, _squared_distances(queries, memory[first : first + BLOCK]))
    return nearest


def _squared_distances(queries: npt.NDArray[np.float64], others: Confidences) -> npt.NDArray[np.float64]:
    """Return |q - o|^2 as |q|^2 + |o|^2 - 2 qo, (Q, O); rounding may not make it negative."""
    doubled = others.astype(np.float64)
    lengths = np.einsum("ij,ij->i", queries, queries)[:, np.newaxis] + np.einsum("ij,ij->i", doubled, doubled)
    squares: npt.NDArray[np.float64] = np.maximum(lengths - 2 * (queries @ doubled.T), 0)
    return squares


def _least(nearest: npt.NDArray[np.float64], more: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the smallest of both in each row, as many as there were."""
    count = nearest.shape[1]
    return np.partition(np.concatenate([nearest, more], axis=1), count - 1, axis=1)[:, :count]


def _breed(encoding: Encoding, parameters: Parameters, search: NoveltySearch) -> tuple[Any, Rows]:
    """Return a generation's genomes and the numbers of each one's parents, drawn uniformly from the population."""
    if search.generation == 0:
        genomes = first_population(encoding, parameters, search)
        return genomes, np.empty((len(genomes), 0), np.int64)
    drawn = search.rng.integers(len(search.population.numbers), size=parameters.offspring)
    offspring, rows = encoding.vary(search.genomes.take(drawn), search.own_generation, search.rng)
    return offspring, search.population.numbers[drawn][rows]


def _select(search: NoveltySearch, parameters: Parameters, offspring: Any, newcomers: Images) -> None:
    """Let the most novel of parents and offspring live on, and the most novel newcomers be remembered.

    An image that is both alive and remembered counts once.
    """
    settings, n_parents = parameters.novelty, len(search.population.numbers)
    if search.genomes is None:
        search.population = search.memory = _none(search.archive.n_classes)
    pool = search.population.joined_with(newcomers)
    genomes = offspring if search.genomes is None else search.genomes.joined_with(offspring)
    novelty = novelty_of(pool.confidences, search.memory.without(pool).confidences, settings.neighbours)
    survivors = np.sort(_most_novel(novelty, parameters.offspring))
    remembered = _most_novel(novelty[n_parents:], settings.remembered)
    search.memory = search.memory.joined_with(newcomers.take(remembered))
    search.population, search.genomes = pool.take(survivors), genomes.take(survivors)


def _most_novel(novelty: npt.NDArray[np.float64], count: int) -> Rows:
    """Return the rows of the highest values, of equals the first."""
    return np.argsort(-novelty, kind="stable")[:count]


def _unpacked(state: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read what `state_to_bytes` wrote; raises CheckpointError for anything else."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ARRAYS}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> CheckpointError:
    return CheckpointError(f"the population is damaged: {error}; clone the run to start anew")
