"""Verify what an archive file claims of its genomes, its pictures and its champions' confidences.

The file itself is checked first (`ArchiveFile.check`): its hashes, its genomes, and that its takeovers lead to its
archive. That says that nothing was damaged, and not that pictures and numbers are true. Pictures are drawn again for
that, and the numbers are asked of the classifier.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from evolution.archive_file import ArchiveFile
from evolution.archive_lines import Individual
from evolution.encoding import encoding_for
from evolution.errors import ArchiveFileError, GenomeError
from fooling_web.exports.extras import png_of
from fooling_web.exports.packing import PICTURE_SIZES
from fooling_web.runs.pictures import picture_of_size
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


@dataclass(frozen=True)
class Redrawn:
    """What came of developing every genome and drawing every picture of a file again."""

    genomes: int = 0
    pictures: int = 0
    largest: int = 0  # difference of a value, of 255
    others: tuple[str, ...] = ()  # pictures that show something else


def draw_again(archive: ArchiveFile, progress: Callable[[int, int], None] | None = None) -> Redrawn:
    """Develop every genome of a checked file, and compare the pictures that it carries with what is drawn now.

    `progress` hears how many individuals were looked at, of how many. Raises ArchiveFileError for a genome that
    cannot be developed, and for a picture that is none.
    """
    shown: dict[int, list[str]] = {}
    for class_index, name in archive.pictures():
        if class_index not in archive.champions:
            raise ArchiveFileError(f"{archive.path}: {name} is of a class that nobody holds")
        shown.setdefault(archive.champions[class_index].individual, []).append(name)
    genomes, differences = 0, dict[str, int]()
    for number, some in enumerate(_in_bunches(archive.individuals(trusting=True)), 1):
        kept = [individual for individual in some if individual.genome]
        _develop(archive, kept)
        genomes += len(kept)
        for individual in kept:
            for name in shown.get(individual.number, ()):
                differences[name] = _difference(archive, individual, name)
        if progress:
            progress(min(number * TOGETHER, archive.counts["individuals"]), archive.counts["individuals"])
    others = tuple(sorted(name for name, size in differences.items() if size))
    return Redrawn(genomes, len(differences), max(differences.values(), default=0), others)


def _in_bunches(individuals: Iterator[Individual]) -> Iterator[list[Individual]]:
    while some := list(islice(individuals, TOGETHER)):
        yield some


def _develop(archive: ArchiveFile, individuals: list[Individual]) -> None:
    """Draw individuals as the classifier saw them."""
    encoding = encoding_for(archive.run.parameters)
    try:
        if individuals:
            encoding.develop(encoding.from_bytes([individual.genome for individual in individuals]))
    except GenomeError as error:
        numbers = f"{individuals[0].number} to {individuals[-1].number}"
        raise ArchiveFileError(
            f"{archive.path}: a genome of {numbers} cannot be developed: {error}"
        ) from error


def _difference(archive: ArchiveFile, individual: Individual, name: str) -> int:
    """Return by how much, of 255, a picture differs at most from its individual drawn anew; 255 for another size."""
    try:
        with Image.open(io.BytesIO(archive.read(name)), formats=["PNG"]) as picture:
            side = picture.width
            if (
                side not in PICTURE_SIZES or picture.height != side
            ):  # before it is unpacked: it may be endless
                return 255
            told = np.asarray(picture.convert("RGB"), dtype=np.int16)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ArchiveFileError(f"{archive.path}: {name} is no picture") from error
    drawn = picture_of_size(archive.run.parameters, individual.genome, side)
    now = np.asarray(Image.open(io.BytesIO(png_of(drawn))).convert("RGB"), dtype=np.int16)
    return int(np.abs(told - now).max())


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
    for some in _in_bunches(_champions(archive, held)):
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
