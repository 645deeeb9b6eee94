"""What a person who watches a sweep sees: how far its runs are, what they come to, their images side by side.

Each question is asked of the database once for all runs.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any

from django.db.models import F, Prefetch, QuerySet

from fooling_web.runs.models import Champion, GenerationStat, Run, RunQuerySet, Sweep
from fooling_web.runs.watching import with_cells

BY_URGENCY = (  # of a sweep's runs the first of these tells its status
    Run.Status.RUNNING,
    Run.Status.QUEUED,
    Run.Status.PENDING,
    Run.Status.PAUSED,
    Run.Status.FINISHED,
    Run.Status.FAILED,
    Run.Status.CANCELLED,
)
POINTS = 300  # of the chart, whatever the length of the runs
CONFIDENCES = {"Median over the classes": "median", "Mean over the classes": "mean", "Best class": "max"}
SHARES = {"Classes at 99 % or more": "share_99", "Classes at 99.99 % or more": "share_9999"}


@dataclass(frozen=True)
class Line:
    """A run with the statistics of its latest generation, if it has one."""

    run: Run
    latest: GenerationStat | None


@dataclass(frozen=True)
class Spread:
    """One number over several runs."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """What several runs come to together."""

    status: str
    status_title: str
    runs: int
    finished: int
    progress: float
    evaluations: int
    seconds: float
    median_confidence: Spread | None  # over the runs that have one

    @property
    def is_active(self) -> bool:
        """Whether any of the runs is at work or will be."""
        return self.status in (Run.Status.PENDING, *Run.ACTIVE)

    @property
    def is_unfinished(self) -> bool:
        """Whether any of the runs can still go on."""
        return self.status in Run.UNFINISHED


@dataclass(frozen=True)
class Row:
    """The champions of one run for some classes; None where a class is vacant."""

    run: Run
    champions: list[Champion | None]


def summarise(runs: Sequence[Run]) -> Summary:
    """Return what runs come to together; a sweep is as far as the one of them that has most to do."""
    statuses = {run.status for run in runs}
    status = next((status for status in BY_URGENCY if status in statuses), Run.Status.FINISHED)
    begun = [run.median_confidence for run in runs if run.generation is not None]
    return Summary(
        status=status,
        status_title=Run.Status(status).label,
        runs=len(runs),
        finished=sum(run.status == Run.Status.FINISHED for run in runs),
        progress=sum(run.progress for run in runs) / len(runs) if runs else 0.0,
        evaluations=sum(run.evaluations for run in runs),
        seconds=sum(run.seconds for run in runs),
        median_confidence=spread_of(begun),
    )


def spread_of(values: Sequence[float]) -> Spread | None:
    """Return median, lowest and highest of some numbers; None where there are none."""
    return Spread(median(values), min(values), max(values)) if values else None


def with_cards(runs: RunQuerySet, listed: RunQuerySet) -> QuerySet[Run]:
    """Return what a list shows of runs: those alone with their cells, and of each sweep the first of its runs.

    A sweep's runs among those `listed` at all are its `listed`; one query for all sweeps.
    """
    light = listed.defer("parameters", "random_state")
    alone_or_first = with_cells(runs.leading()).select_related("sweep")
    return alone_or_first.prefetch_related(Prefetch("sweep__runs", light, to_attr="listed"))


def runs_of(sweep: Sweep, user: Any) -> list[Run]:
    """Return the runs of a sweep that a person may see, by their seeds."""
    visible = sweep.runs.visible_to(user).select_related("owner").defer("random_state")
    return list(visible.order_by("seed", "created_at"))


def progress_of(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the part of a sweep's page that changes: its table, its statistics and its chart."""
    latest = {
        line.run_id: line
        for line in GenerationStat.objects.filter(run__in=runs, generation=F("run__generation"))
    }
    lines = [Line(run, latest.get(run.pk)) for run in runs]
    return {
        "lines": lines,
        "summary": summarise(runs),
        "confidences": _spreads(lines, CONFIDENCES),
        "shares": _spreads(lines, SHARES),
        "chart_json": json.dumps(_bands(runs)),
    }


def rows_of(runs: Sequence[Run], classes: Sequence[int]) -> list[Row]:
    """Return every run's champions for some classes, in their order."""
    held = Champion.objects.filter(run__in=runs, class_index__in=classes).without_genomes()
    known = {run.pk: run for run in runs}
    found = {}
    for champion in held:
        champion.run = known[champion.run_id]  # which is here, and need not be asked for
        found[champion.run_id, champion.class_index] = champion
    return [Row(run, [found.get((run.pk, class_index)) for class_index in classes]) for run in runs]


def _spreads(lines: Sequence[Line], said: dict[str, str]) -> list[tuple[str, Spread | None]]:
    """Return what is said of all runs at their latest generation, each by its title."""
    latest = [line.latest for line in lines if line.latest]
    return [(title, spread_of([getattr(line, name) for line in latest])) for title, name in said.items()]


def _bands(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Return, generation by generation, median, lowest and highest over the runs that have got so far."""
    reached = max((run.generation or 0 for run in runs), default=0)
    step = max(1, reached // POINTS)
    wanted = [*range(0, reached, step), *(run.generation for run in runs if run.generation is not None)]
    points = GenerationStat.objects.filter(run__in=runs, generation__in=sorted(set(wanted)))
    return _columns(points.order_by("generation").values_list("generation", "median"))


def _columns(lines: Iterable[tuple[int, float]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {"generation": [], "median": [], "low": [], "high": [], "runs": []}
    for generation, together in groupby(lines, key=itemgetter(0)):
        values = [value for _, value in together]
        numbers = (generation, median(values), min(values), max(values), len(values))
        for name, number in zip(columns, numbers, strict=True):
            columns[name].append(round(number, 9))
    return columns
