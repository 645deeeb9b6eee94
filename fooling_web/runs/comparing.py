"""Runs side by side: what was asked for, their curves, their numbers, and the classes that they share.

A side is a run, or a sweep whose runs are taken together: a sweep's curve is the median over its runs, within a band
from the lowest to the highest, and its images are those of its first run. Where a sweep is all that was asked for,
each of its runs is a side. Every question is asked of the database once for all sides.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import QueryDict

from fooling_web.runs.models import Champion, GenerationStat, Run, Sweep
from fooling_web.runs.sweeps import Row, Spread, rows_of, spread_of
from fooling_web.runs.watching import labels_of
from models_zoo.wordnet import CATS_AND_DOGS_CLASSES, IMAGENET_LABELS

FEWEST, MOST = 2, 8  # sides
MOST_OF_SWEEP = 10  # runs, the first by their seeds
MOST_READ = 40  # names of runs and sweeps in an address
LETTERS = "ABCDEFGH"
POINTS = 300  # of a curve
CATS_AND_DOGS = frozenset(CATS_AND_DOGS_CLASSES)
LINE = ("run_id", "generation", "evaluations", "median", "share_99", "share_9999")


@dataclass(frozen=True)
class Wanted:
    """The runs and sweeps that an address asks for, each once."""

    runs: tuple[uuid.UUID, ...]
    sweeps: tuple[uuid.UUID, ...]
    unreadable: int  # names that are none


@dataclass(frozen=True)
class Side:
    """What is compared: a run, or the runs of a sweep."""

    letter: str
    runs: list[Run]  # one at least
    sweep: Sweep | None
    left_out: int = 0  # runs of the sweep

    @property
    def run(self) -> Run:
        """The run whose images are shown: of a sweep the first that has any."""
        return next((run for run in self.runs if run.generation is not None), self.runs[0])

    @property
    def name(self) -> str:
        """What people call it."""
        return self.sweep.name if self.sweep else self.runs[0].name

    @property
    def address(self) -> str:
        """Where its page is."""
        return (self.sweep or self.runs[0]).get_absolute_url()

    @property
    def query(self) -> str:
        """How an address asks for it."""
        return f"sweep={self.sweep.pk}" if self.sweep else f"run={self.runs[0].pk}"

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The names of its classes; none where the classifier is gone."""
        return labels_of(self.run)


class Found(NamedTuple):
    """What an address came to."""

    sides: list[Side]
    unseen: int  # asked for, but not to be seen by this person
    too_many: int  # that were left out


class Line(NamedTuple):
    """A generation of a run in numbers."""

    run: uuid.UUID
    generation: int
    evaluations: int
    median: float
    share_99: float
    share_9999: float


@dataclass(frozen=True)
class Figures:
    """A side in numbers, at the last generation of each of its runs; None where there is none yet."""

    side: Side
    generation: int | None  # of the run that came farthest, as are its evaluations
    evaluations: int | None
    median: Spread | None
    share_99: Spread | None
    share_9999: Spread | None
    cats_and_dogs: Spread | None  # medians over classes of ImageNet
    other_classes: Spread | None


@dataclass(frozen=True)
class Shared:
    """A class that all sides know, with its index on each side."""

    label: str
    class_indices: tuple[int, ...]


Part = tuple[list[Run], Sweep | None]
Confidences = dict[uuid.UUID, dict[int, float]]  # of each run's champions, by class


def wanted_in(query: QueryDict) -> Wanted:
    """Read which runs and sweeps an address asks for."""
    runs, sweeps = query.getlist("run")[:MOST_READ], query.getlist("sweep")[:MOST_READ]
    read_runs, read_sweeps = _read(runs), _read(sweeps)
    unreadable = len(set(runs)) + len(set(sweeps)) - len(read_runs) - len(read_sweeps)
    return Wanted(read_runs, read_sweeps, max(0, unreadable))


def found_for(wanted: Wanted, user: Any) -> Found:
    """Return what a person may see of what was asked for, in that order; two queries."""
    sweeps = {one.pk: one for one in Sweep.objects.visible_to(user).filter(pk__in=wanted.sweeps)}
    chosen = Q(pk__in=wanted.runs) | Q(sweep__in=list(sweeps))
    visible = Run.objects.visible_to(user).filter(chosen).select_related("owner").defer("random_state")
    runs = list(visible.order_by("seed", "created_at"))
    known = {run.pk: run for run in runs}
    alone: list[Part] = [([known[key]], None) for key in wanted.runs if key in known]
    swept = _swept(runs, [sweeps[key] for key in wanted.sweeps if key in sweeps])
    unseen = wanted.unreadable + len(wanted.runs) + len(wanted.sweeps) - len(alone) - len(swept)
    if len(swept) == 1 and not alone:
        parts: list[Part] = [([run], None) for run in swept[0][0]]
    else:
        parts = alone + swept
    sides = [
        Side(letter, own[:MOST_OF_SWEEP], sweep, max(0, len(own) - MOST_OF_SWEEP))
        for letter, (own, sweep) in zip(LETTERS, parts, strict=False)
    ]
    return Found(sides, unseen, max(0, len(parts) - MOST))


def lines_of(sides: Sequence[Side]) -> list[Line]:
    """Return the generations of all runs that curves are drawn through, their last among them; one query."""
    reached: dict[int, list[uuid.UUID]] = defaultdict(list)
    for run in _runs_of(sides):
        if run.generation is not None:
            reached[run.generation].append(run.pk)
    wanted = Q(pk__in=[])
    for last, runs in reached.items():
        step = max(1, last // POINTS)
        wanted |= Q(run__in=runs, generation__in=[*range(0, last, step), last])
    found = GenerationStat.objects.filter(wanted).order_by("generation")
    return [Line(*line) for line in found.values_list(*LINE)]


def curves_of(sides: Sequence[Side], lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return each side's curve: generations, evaluations, and the median there; of several runs their band too."""
    return [
        {"letter": side.letter, **_columns(_of(side, lines), with_band=len(side.runs) > 1)} for side in sides
    ]


def confidences_of(sides: Sequence[Side]) -> Confidences:
    """Return how sure the classifiers are of all champions; one query."""
    held = Champion.objects.filter(run__in=_runs_of(sides)).order_by()
    confidences: Confidences = defaultdict(dict)
    for run, class_index, confidence in held.values_list("run_id", "class_index", "confidence"):
        confidences[run][class_index] = confidence
    return confidences


def figures_of(sides: Sequence[Side], lines: Sequence[Line], confidences: Confidences) -> list[Figures]:
    """Return every side in numbers."""
    return [_figures(side, _of(side, lines), confidences) for side in sides]


def shared_by(sides: Sequence[Side]) -> list[Shared]:
    """Return the classes whose label all sides know, and that every ascent among them climbs.

    Of classes of one name the first answers to the first.
    """
    named = [_by_name(side) for side in sides]
    return [
        Shared(name[0], tuple(by_name[name] for by_name in named))
        for name in named[0]
        if all(name in by_name for by_name in named)
    ]


def by_difference(
    shared: Sequence[Shared], sides: Sequence[Side], confidences: Confidences
) -> list[tuple[Shared, float]]:
    """Return classes with the largest difference in confidence between two sides; a vacant class counts as 0."""

    def difference(one: Shared) -> float:
        values = [
            confidences[side.run.pk].get(class_index, 0.0)
            for side, class_index in zip(sides, one.class_indices, strict=True)
        ]
        return max(values) - min(values)

    return [(one, difference(one)) for one in shared]


def aligned(sides: Sequence[Side], shared: Sequence[Shared]) -> list[tuple[Side, Row]]:
    """Return every side's champions for some classes, in their order; one query."""
    needed = sorted({index for one in shared for index in one.class_indices})
    held = rows_of(list({side.run.pk: side.run for side in sides}.values()), needed)
    by_run = {row.run.pk: dict(zip(needed, row.champions, strict=True)) for row in held}
    return [
        (side, Row(side.run, [by_run[side.run.pk][one.class_indices[place]] for one in shared]))
        for place, side in enumerate(sides)
    ]


def _read(words: Iterable[str]) -> tuple[uuid.UUID, ...]:
    found: dict[uuid.UUID, None] = {}
    for word in words:
        try:
            found[uuid.UUID(word)] = None
        except ValueError:
            continue
    return tuple(found)


def _swept(runs: Sequence[Run], sweeps: Sequence[Sweep]) -> list[Part]:
    """Return the runs of each sweep that has any."""
    parts: list[Part] = [([run for run in runs if run.sweep_id == sweep.pk], sweep) for sweep in sweeps]
    return [part for part in parts if part[0]]


def _runs_of(sides: Iterable[Side]) -> list[Run]:
    return list({run.pk: run for side in sides for run in side.runs}.values())


def _of(side: Side, lines: Sequence[Line]) -> list[Line]:
    own = {run.pk for run in side.runs}
    return [line for line in lines if line.run in own]


def _columns(lines: Sequence[Line], *, with_band: bool) -> dict[str, list[float]]:
    names = ("generation", "evaluations", "median", "low", "high")[: 5 if with_band else 3]
    columns: dict[str, list[float]] = {name: [] for name in names}
    for generation, together in groupby(lines, key=itemgetter(1)):
        own = list(together)
        spread = spread_of([line.median for line in own])
        assert spread
        numbers = (generation, own[0].evaluations, spread.median, spread.low, spread.high)
        for name, number in zip(names, numbers, strict=False):
            columns[name].append(round(number, 9))
    return columns


def _figures(side: Side, lines: Sequence[Line], confidences: Confidences) -> Figures:
    latest = list({line.run: line for line in lines}.values())  # of each run the last stays
    held = [confidences[line.run] for line in latest] if side.labels == IMAGENET_LABELS else []
    classes = side.run.climbed_classes or range(len(side.labels))  # statistics are of these alone
    cats_and_dogs = [index for index in classes if index in CATS_AND_DOGS]
    others = [index for index in classes if index not in CATS_AND_DOGS]
    return Figures(
        side=side,
        generation=max((line.generation for line in latest), default=None),
        evaluations=max((line.evaluations for line in latest), default=None),
        median=spread_of([line.median for line in latest]),
        share_99=spread_of([line.share_99 for line in latest]),
        share_9999=spread_of([line.share_9999 for line in latest]),
        cats_and_dogs=spread_of([_median(own, cats_and_dogs) for own in held if cats_and_dogs]),
        other_classes=spread_of([_median(own, others) for own in held if others]),
    )


def _median(held: dict[int, float], classes: Sequence[int]) -> float:
    """Return the median over some classes; a vacant one counts as 0."""
    return median([held.get(class_index, 0.0) for class_index in classes])


def _by_name(side: Side) -> dict[tuple[str, int], int]:
    """Return the indices of classes that a side searched by label, and the how-manieth of that label it is."""
    climbed = side.run.climbed_classes
    return {name: index for name, index in _named(side.labels) if not climbed or index in climbed}


def _named(labels: Sequence[str]) -> Iterator[tuple[tuple[str, int], int]]:
    seen: Counter[str] = Counter()
    for class_index, label in enumerate(labels):
        yield (label, seen[label]), class_index
        seen[label] += 1
