"""Ask the classifier of an archive file again whether it is as sure of every champion as the file claims.

The file itself is checked first (`ArchiveFile.check`): its hashes, its genomes, and that its takeovers lead to its
archive. That says that nothing was damaged, and not that the numbers are true; only the classifier can say that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from evolution.archive_file import ArchiveFile
from evolution.archive_lines import Individual
from models_zoo.errors import ZooError
from models_zoo.registry import find

TOGETHER = 32  # genomes in memory
FAR = 1e-5  # a confidence that differs by more is not the same answer with other last digits


@dataclass(frozen=True)
class Difference:
    """A champion's confidence as the file claims it, and as the classifier says it now."""

    class_index: int
    claimed: float
    found: float

    @property
    def size(self) -> float:
        """How far the two are apart."""
        return abs(self.claimed - self.found)


@dataclass(frozen=True)
class Verdict:
    """What the classifier says now of every champion; `absent` says why it was not asked."""

    differences: tuple[Difference, ...] = ()
    absent: str = ""

    @property
    def largest(self) -> float:
        """The largest difference."""
        return max((one.size for one in self.differences), default=0.0)

    @property
    def mean(self) -> float:
        """The mean difference."""
        return sum(one.size for one in self.differences) / max(1, len(self.differences))

    @property
    def far(self) -> list[Difference]:
        """The champions whose confidence is another one, the worst first."""
        return sorted((one for one in self.differences if one.size > FAR), key=lambda one: -one.size)


def ask_again(archive: ArchiveFile, progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Develop every champion of a checked file anew and ask its classifier, where that is here.

    `progress` hears how many champions were asked about, of how many. Raises GenomeError.
    """
    if absent := _absence(archive):
        return Verdict(absent=absent)
    from fooling_web.runs.execution import judge_for  # loads torch

    judge = judge_for(archive.run.classifier["name"], archive.run.parameters)
    held: dict[int, list[tuple[int, float]]] = {}
    for class_index, line in archive.champions.items():
        held.setdefault(line.individual, []).append((class_index, line.confidence))
    differences: list[Difference] = []
    champions = _champions(archive, held)
    while some := list(islice(champions, TOGETHER)):
        confidences = judge([individual.genome for individual in some])
        for individual, row in zip(some, confidences, strict=True):
            differences += [
                Difference(class_index, claimed, float(row[class_index]))
                for class_index, claimed in held[individual.number]
            ]
        if progress:
            progress(len(differences), len(archive.champions))
    return Verdict(tuple(sorted(differences, key=lambda one: one.class_index)))


def _champions(archive: ArchiveFile, held: dict[int, list[tuple[int, float]]]) -> Iterator[Individual]:
    return (one for one in archive.individuals(trusting=True) if one.number in held)


def _absence(archive: ArchiveFile) -> str:
    """Return why the file's classifier cannot be asked; empty: it can."""
    told = archive.run.classifier
    try:
        entry = find(told["name"])
        entry.require_weights()
    except ZooError as error:
        return str(error)
    if entry.card["sha256"] != told["weights_sha256"]:
        return f"{entry.title} has other weights here than those that the file names"
    return ""
