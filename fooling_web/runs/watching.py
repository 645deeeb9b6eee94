"""What a person who watches a run sees: its cells, and what changed since a generation.

The page, the socket and `?since=` all ask here, so that they cannot tell different stories.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches
from django.db.models import F, Prefetch, Q, QuerySet, Value
from django.template.loader import render_to_string

from fooling_web.runs.models import Champion, Run

STRIP = 10  # champions on a run's card
TICKER = 20  # takeovers in the ticker
COLUMNS = ("generation", "median", "mean", "max", "share_9999")
REMEMBERED = 10  # seconds for which a rendered change is kept
MOST_POINTS = 2000  # of the chart, whatever the length of the run


@dataclass(frozen=True)
class Cell:
    """One class of the archive, with its champion if it has one."""

    class_index: int
    label: str
    champion: Champion | None
    is_new: bool = False


def with_cells(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Add to each run, as `cells`, the champions that its card shows; one query for all."""
    strip = Champion.objects.filter(class_index__lt=STRIP).without_genomes()
    return runs.select_related("owner").prefetch_related(Prefetch("champions", strip, to_attr="cells"))


def cells_of(run: Run) -> list[Cell]:
    """Return every class of the run, vacant ones too."""
    champions = {champion.class_index: champion for champion in run.champions.without_genomes()}
    classes = range(run.n_classes) or champions  # of a classifier that is gone, what it held is known
    return [Cell(index, run.label_of(index), champions.get(index)) for index in classes]


def page_of(run: Run) -> dict[str, Any]:
    """Return what the run's page shows."""
    return {
        "run": run,
        "champions": cells_of(run),
        "takeovers": _ticker(run),
        "statistics_json": _points(run, -1),
        "since": _since(run),
    }


def changes_of(run: Run, since: int) -> dict[str, Any]:
    """Return what changed after a generation."""
    return {
        "run": run,
        "cells": [
            Cell(champion.class_index, champion.label, champion, is_new=True)
            for champion in run.champions.without_genomes().filter(generation__gt=since)
        ],
        "takeovers": _ticker(run),
        "statistics_json": _points(run, since),
        "since": _since(run),
        "oob": True,
    }


def render_changes(run: Run, since: int, *, controlled: bool) -> str:
    """Return the fragments that bring a page from a generation up to now.

    Everybody who watches asks for nearly the same at the same moment, so it is rendered once for all.
    """

    def render() -> str:
        context = {**changes_of(run, since), "controls": True, "controlled": controlled}
        return render_to_string("runs/_advance.html", context)

    key = f"{run.pk}:{since}:{run.generation}:{run.status}:{run.lease_number}:{run.lease_holder}:{controlled}"
    return str(caches["fragments"].get_or_set(key, render, REMEMBERED))


def generation_from(text: str) -> int:
    """Read the generation that a page knows; what is none means "from the beginning"."""
    try:
        return max(-1, int(text))
    except ValueError:
        return -1


def _since(run: Run) -> int:
    return -1 if run.generation is None else run.generation


def _ticker(run: Run) -> list[Any]:
    return list(run.takeovers.without_genomes().order_by("-generation", "-id")[:TICKER])


def _points(run: Run, since: int) -> str:
    """Return the chart's columns after a generation as JSON, thinned evenly where there are very many points."""
    statistics = run.statistics.filter(generation__gt=since)
    step = max(1, ((run.generation or 0) - since) // MOST_POINTS)
    if step > 1:
        on_step = statistics.annotate(past=F("generation") % Value(step))
        statistics = on_step.filter(Q(past=0) | Q(generation=run.generation))
    points = list(statistics.values(*COLUMNS))
    return json.dumps({name: [round(point[name], 9) for point in points] for name in COLUMNS})
