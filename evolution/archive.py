"""The archive: for each class its champion. Every image competes for every class (paper, section 2.3)."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.encoding import Encoding, Population

Rows = npt.NDArray[np.int64]
Confidences = npt.NDArray[np.float32]
VACANT = -1


@dataclass(frozen=True)
class Takeovers:
    """The classes that changed hands in one generation, T of them, in class order."""

    class_indices: Rows  # (T,)
    rows: Rows  # (T,) rows of the winners in the population that was added
    confidences: Confidences  # (T,)
    taken_from: Rows  # (T,) numbers of the individuals that held the classes, or VACANT

    def __len__(self) -> int:
        return len(self.class_indices)


class Archive:
    """The champions of n classes; a class is vacant until an image reaches a confidence above zero."""

    def __init__(self, n_classes: int) -> None:
        self.confidences: Confidences = np.zeros(n_classes, np.float32)  # of the champions, (n_classes,)
        self.holders: Rows = np.full(n_classes, VACANT, np.int64)  # their numbers, (n_classes,)
        self.genomes: Any = None  # a Population with one row for each class, once there is one

    @property
    def n_classes(self) -> int:
        """How many classes compete."""
        return len(self.holders)

    def add(self, population: Population, confidences: Confidences, first_number: int) -> Takeovers:
        """Offer every image to every class; a strictly higher confidence takes it.

        confidences is (B, n_classes); the image of row r becomes individual first_number + r. Of equals the first
        wins. Where several images of one batch beat a champion, the best of them takes over, once.
        """
        assert confidences.shape == (len(population), self.n_classes)
        winners = confidences.argmax(axis=0)  # (n_classes,)
        best = confidences[winners, np.arange(self.n_classes)]
        changed = np.flatnonzero(best > self.confidences)
        takeovers = Takeovers(changed, winners[changed], best[changed], self.holders[changed].copy())
        self.confidences[changed] = best[changed]
        self.holders[changed] = first_number + winners[changed]
        self._adopt(population, winners, changed)
        return takeovers

    def parents(self, count: int, rng: np.random.Generator) -> tuple[Any, Rows]:
        """Draw parents uniformly over the occupied classes; return their genomes and numbers, (count,).

        An image that holds k classes is k times as likely to breed.
        """
        occupied = np.flatnonzero(self.holders != VACANT)
        drawn = occupied[rng.integers(len(occupied), size=count)]
        return self.genomes.take(drawn), self.holders[drawn]

    def sha256(self, encoding: Encoding) -> str:
        """Return a hash over every champion's genome and confidence in class order."""
        digest = hashlib.sha256()
        for class_index, (holder, confidence) in enumerate(zip(self.holders, self.confidences, strict=True)):
            genome = b"" if holder == VACANT else encoding.fingerprint(self.genomes, class_index).encode()
            digest.update(genome + confidence.tobytes())
        return digest.hexdigest()

    def _adopt(self, population: Population, winners: Rows, changed: Rows) -> None:
        """Keep the winners' genomes; a vacant class keeps any, since none is drawn from it."""
        if self.genomes is None:
            self.genomes = population.take(winners)
        elif len(changed):
            self.genomes = self.genomes.replaced(changed, population, winners[changed])
