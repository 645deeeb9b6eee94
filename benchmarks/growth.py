"""What grows with the number of classes and with the length of a run: time, memory and the database.

Everything is measured on whole runs, storage and live updates included, with stand-ins for the classifier.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.measurement import Measurement, Target
from benchmarks.site import home_of_its_own, launched
from benchmarks.stand_ins import Cheap, Unhurried, enter
from evolution.parameters import Parameters

if TYPE_CHECKING:
    from fooling_web.runs.models import Run

FEW, MANY = 10, 1000  # classes
SMALL = Parameters(channels=3, height=28, width=28)
# The start of a run, in which most classes change hands.
FIRST = SMALL.replaced(generations=200, first_population=400, offspring=400)
LONG = SMALL.replaced(generations=5000, first_population=20, offspring=20)
EARLY = 500  # generations of the long run, after which its memory is first looked at

# Lines of a whole run of fig7, as docs/performance.md extrapolates them from real runs.
FIG7_LINES = {"takeover": 35_000, "individual": 28_000, "generationstat": 5001, "champion": 1000}


def measure_time_by_classes(rounds: int) -> Iterator[Measurement]:
    """Yield how many times as long a generation takes with 1,000 classes as with 10."""
    torch.set_num_threads(1)
    with home_of_its_own() as home:
        few, many = (enter(Unhurried, count, home) for count in (FEW, MANY))
        _timed(few, FIRST.replaced(generations=3))
        _timed(many, FIRST.replaced(generations=3))
        pairs = [(_timed(few, FIRST), _timed(many, FIRST)) for _ in range(min(rounds, 2))]
    yield Measurement(
        f"{MANY:,} classes: a generation's time, times that of {FEW}, in the first {FIRST.generations}",
        [with_many.seconds / with_few.seconds for with_few, with_many in pairs],
        "{:.3f}",
        Target(1.1, at_least=False),
    )
    yield Measurement(
        "the same over a whole run of fig7, extrapolated by its takeovers",
        [over_fig7(with_few, with_many) for with_few, with_many in pairs],
        "{:.3f}",
    )


def measure_a_long_run(rounds: int) -> Iterator[Measurement]:
    """Yield how a worker's memory grows over 5,000 generations, and what a run takes in the database."""
    torch.set_num_threads(1)
    with home_of_its_own() as home:
        classifier = enter(Cheap, MANY, home)
        memory = _memory(classifier)
        yield Measurement(
            f"{LONG.generations:,} generations, {MANY:,} classes: memory, times that after {EARLY}",
            memory,
            "{:.3f}",
            Target(1.05, at_least=False),
            why_not="" if memory else "this system does not say how much memory a process has",
        )
        yield from _sizes()


@dataclass(frozen=True)
class Timed:
    """A whole run: its processor seconds and takeovers."""

    seconds: float
    takeovers: int


def _timed(classifier: str, parameters: Parameters) -> Timed:
    start = time.process_time()
    run = _executed(classifier, parameters, Notes())
    return Timed(time.process_time() - start, run.takeovers.count())


def over_fig7(few: Timed, many: Timed) -> float:
    """Return the ratio of two runs as long as fig7, in which nothing but takeovers makes a difference."""
    a_takeover = (many.seconds - few.seconds) / (many.takeovers - few.takeovers)
    whole = few.seconds * FIG7_LINES["generationstat"] / (FIRST.generations + 1)
    return 1 + a_takeover * FIG7_LINES["takeover"] / whole


def _memory(classifier: str) -> list[float]:
    """Return the process's memory at the end of a long run as a share of what it was early on."""
    notes = Notes()
    _executed(classifier, LONG, notes)
    early = next(resident for generation, resident in notes.memory if generation >= EARLY)
    return [notes.memory[-1][1] / early] if early else []


def _executed(classifier: str, parameters: Parameters, notes: "Notes") -> "Run":
    from fooling_web.runs.execution import execute

    run = launched(classifier, parameters)
    execute(run, holder="benchmark", lease_number=run.lease_number, watch=notes)
    assert run.status == run.Status.FINISHED, run.error
    return run


class Notes:
    """What a run's memory was each time that it kept something: generation and bytes."""

    def __init__(self) -> None:
        self.memory: list[tuple[int, int]] = []

    def __call__(self, run: "Run") -> None:
        """Take a note."""
        self.memory.append((run.generation or 0, _resident()))


def _resident() -> int:
    """Return the bytes of this process that lie in memory; 0 where only other systems than Linux would know."""
    try:
        words = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return int(words[1]) * 4096


def _sizes() -> Iterator[Measurement]:
    """Yield the bytes of each kind of line, indexes included, and what they come to in a run of fig7."""
    bytes_of = {kind: _bytes_per_line(kind) for kind in FIG7_LINES}
    for kind in ("individual", "takeover"):
        yield Measurement(f"database: bytes of {_with_article(kind)}", [bytes_of[kind]])
    yield Measurement("database: bytes of a genome, compressed", [_bytes_of_a_genome()])
    whole = sum(count * bytes_of[kind] for kind, count in FIG7_LINES.items())
    yield Measurement(
        "database of a whole run of fig7, extrapolated, MB",
        [whole / 1e6],
        "{:.1f}",
        Target(100, at_least=False),
    )


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _bytes_per_line(kind: str) -> float:
    """Return the bytes of the pages that a table and its indexes fill in SQLite, for each of its lines."""
    from django.db import connection

    table = f"runs_{kind}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = %s)",
            [table],
        )
        (filled,) = cursor.fetchone()
        cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - our own table
        (lines,) = cursor.fetchone()
    return float(filled) / int(lines)


def _bytes_of_a_genome() -> float:
    """Return the mean."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT AVG(LENGTH(genome)) FROM runs_individual")
        return float(cursor.fetchone()[0])
