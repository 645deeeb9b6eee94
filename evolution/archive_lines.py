"""The lines of an archive file's tables: what they hold, how they are written, and how they are read again.

Nothing that is read is trusted: a line is what the writer writes, or it is refused. What lines mean together (who
held which class) is for `archive_file.py` to check.
"""

import math
import struct
from typing import NamedTuple

import numpy as np

INDIVIDUALS = "number,generation,parents,top,genome_hash"
TAKEOVERS = "generation,class_index,individual,confidence,taken_from"
STATISTICS = "generation,median,mean,max,share_99,share_9999,takeovers,evaluations,seconds"
CLIMBS = "class_index,start,step_top,step_99,step_999,step_9999"
MOST_DIGITS = 18  # of a whole number: it fits into 64 bits
MOST_PARENTS = 2
TOP = 5  # confidences that an individual keeps
HASH_DIGITS = 64  # of a SHA-256


class Individual(NamedTuple):
    """An image that ever held a class. Without a genome it is known by its place in the history alone."""

    number: int
    generation: int
    parents: tuple[int, ...]
    top: tuple[tuple[int, float], ...]  # its highest confidences, as class_index and confidence
    genome_hash: str  # empty where the file does not hold it
    genome: bytes = b""  # empty where it is not kept


class Takeover(NamedTuple):
    """A class changing hands."""

    generation: int
    class_index: int
    individual: int
    confidence: float
    taken_from: int | None  # who held the class before


class Statistics(NamedTuple):
    """One generation in numbers; confidences are those of the champions, over all classes."""

    generation: int
    median: float
    mean: float
    max: float
    share_99: float
    share_9999: float
    takeovers: int
    evaluations: int
    seconds: float


class Climb(NamedTuple):
    """An image of gradient ascent, and the first steps at which it came past a milestone, None where it did not."""

    class_index: int
    start: int
    step_top: int | None
    step_99: int | None
    step_999: int | None
    step_9999: int | None


def as_float32(confidence: float) -> float:
    """Return the float32 nearest to a number, which is what a classifier answers with."""
    return float(struct.unpack("f", struct.pack("f", confidence))[0])


def write_individual(individual: Individual) -> str:
    """Return an individual's line, its genome left out."""
    parents = " ".join(map(str, individual.parents))
    top = " ".join(f"{index}:{_shortest(confidence)}" for index, confidence in individual.top)
    return f"{individual.number},{individual.generation},{parents},{top},{individual.genome_hash}"


def write_takeover(takeover: Takeover) -> str:
    """Return a takeover's line."""
    before = "" if takeover.taken_from is None else takeover.taken_from
    confidence = _shortest(takeover.confidence)
    return f"{takeover.generation},{takeover.class_index},{takeover.individual},{confidence},{before}"


def write_statistics(statistics: Statistics) -> str:
    """Return a generation's line."""
    seconds = round(statistics.seconds, 3)
    return ",".join(map(repr, (*statistics[:-1], seconds)))


def write_climb(climb: Climb) -> str:
    """Return a climb's line."""
    return ",".join("" if number is None else str(number) for number in climb)


def read_individual(line: str) -> Individual:
    """Read what `write_individual` wrote; raises ValueError."""
    number, generation, parents, top, genome_hash = line.split(",")
    individual = Individual(
        _whole(number),
        _whole(generation),
        tuple(map(_whole, parents.split())),
        tuple(map(_read_top, top.split())),
        _hash(genome_hash),
    )
    if any(parent >= individual.number for parent in individual.parents):
        raise ValueError(f"individual {number} descends from one that came later: {parents}")
    if len(individual.parents) > MOST_PARENTS or len(individual.top) > TOP:
        raise ValueError(f"individual {number} has more parents or confidences than one can have")
    return individual


def read_takeover(line: str) -> Takeover:
    """Read what `write_takeover` wrote; raises ValueError."""
    generation, class_index, individual, confidence, taken_from = line.split(",")
    return Takeover(
        _whole(generation),
        _whole(class_index),
        _whole(individual),
        _confidence(confidence),
        _whole(taken_from) if taken_from else None,
    )


def read_statistics(line: str) -> Statistics:
    """Read what `write_statistics` wrote; raises ValueError."""
    generation, *shares, takeovers, evaluations, seconds = line.split(",")
    median, mean, highest, share_99, share_9999 = map(_share, shares)
    return Statistics(
        _whole(generation),
        median,
        mean,
        highest,
        share_99,
        share_9999,
        _whole(takeovers),
        _whole(evaluations),
        _seconds(seconds),
    )


def read_climb(line: str) -> Climb:
    """Read what `write_climb` wrote; raises ValueError."""
    class_index, start, *steps = line.split(",")
    top, *sure = (_whole(step) if step else None for step in steps)
    step_99, step_999, step_9999 = sure
    return Climb(_whole(class_index), _whole(start), top, step_99, step_999, step_9999)


def _shortest(confidence: float) -> str:
    """Return the shortest decimals that read back as the same float32."""
    return str(np.float32(confidence))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise ValueError(f"{text[:30]!r} is not a whole number")
    return int(text)


def _read_top(text: str) -> tuple[int, float]:
    class_index, _, confidence = text.partition(":")
    return _whole(class_index), as_float32(_share(confidence))


def _hash(text: str) -> str:
    if text and (len(text) != HASH_DIGITS or not set(text) <= set("0123456789abcdef")):
        raise ValueError(f"{text[:30]!r} is not a SHA-256")
    return text


def _confidence(text: str) -> float:
    confidence = as_float32(_share(text))
    if not confidence > 0:
        raise ValueError(f"a confidence of {text[:30]} takes no class")
    return confidence


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:  # false for NaN too
        raise ValueError(f"{text[:30]!r} does not lie between 0 and 1")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{text[:30]!r} is no time in seconds")
    return seconds
