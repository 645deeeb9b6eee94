"""What a person who watches a run sees: its cells, and what changed since a generation.

The page, the socket and `?since=` all ask here, so that they cannot tell different stories.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches
from django.db.models import F, Prefetch, Q, QuerySet, Value
from django.template.loader import render_to_string

from fooling_web.runs.models import Champion, HeldQuerySet, Run
from models_zoo.errors import UnknownClassifier

STRIP = 10  # champions on a run's card
MOST_FIGURES = 40  # classes that a page shows as figures; more hang on a wall that the browser builds
SHORT_HASH = 12  # characters of a genome's hash that a small picture's address carries
PLAIN = 60  # classes that a page of many shows where there is no JavaScript
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
    """Add to each run, as `cells`, its best champions for its card; one query for all."""
    strip = Champion.objects.without_genomes().order_by("-confidence", "class_index")[:STRIP]
    return runs.select_related("owner").prefetch_related(Prefetch("champions", strip, to_attr="cells"))


def labels_of(run: Run) -> tuple[str, ...]:
    """Return the names of all classes, looked up once; none where the classifier is gone."""
    try:
        return run.classifier_entry.labels
    except UnknownClassifier:
        return ()


def has_many_classes(run: Run) -> bool:
    """Whether the run has more classes than a page shows as figures."""
    return (len(labels_of(run)) or run.champions.count()) > MOST_FIGURES


def cells_of(run: Run, classes: Collection[int] | None = None) -> list[Cell]:
    """Return every class of the run, or some of them, vacant ones too."""
    held, labels = _champions_of(run), labels_of(run)
    if classes is not None:
        held = held.filter(class_index__in=classes)
    champions = {champion.class_index: champion for champion in held}
    if not labels:  # of a classifier that is gone, what its champions held is known
        return [Cell(index, str(index), champion) for index, champion in champions.items()]
    shown = range(len(labels)) if classes is None else [index for index in classes if index < len(labels)]
    return [Cell(index, labels[index], champions.get(index)) for index in shown]


def page_of(run: Run) -> dict[str, Any]:
    """Return what the run's page shows."""
    climbed = run.climbed_classes
    if has_many_classes(run):
        champions: dict[str, Any] = {
            "champions": cells_of(run, climbed[:PLAIN] or range(PLAIN)),
            "champion_lines": lines_of(run, -1),
        }
    else:
        champions = {"champions": sorted(cells_of(run), key=lambda cell: cell.class_index not in climbed)}
    return {
        "run": run,
        **champions,
        "takeovers": _ticker(run),
        "statistics_json": _points(run, -1),
        "since": _since(run),
    }


def changes_of(run: Run, since: int) -> dict[str, Any]:
    """Return what changed after a generation."""
    if has_many_classes(run):
        champions: dict[str, Any] = {"champion_lines": lines_of(run, since)}
    else:
        champions = {
            "cells": [
                Cell(champion.class_index, champion.label, champion, is_new=True)
                for champion in _champions_of(run).filter(generation__gt=since)
            ]
        }
    return {
        "run": run,
        **champions,
        "takeovers": _ticker(run),
        "statistics_json": _points(run, since),
        "since": _since(run),
        "oob": True,
    }


def lines_of(run: Run, since: int) -> str:
    """Return the champions that came after a generation as words of five numbers, for pages of many classes.

    These are class index, number of the individual, the beginning of its genome's hash, confidence, generation.
    """
    champions = run.champions.filter(generation__gt=since).values_list(
        "class_index", "individual__number", "individual__genome_hash", "confidence", "generation"
    )
    return " ".join(
        f"{class_index}:{number}:{genome_hash[:SHORT_HASH]}:{confidence:.9g}:{generation}"
        for class_index, number, genome_hash, confidence, generation in champions
    )


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


def _champions_of(run: Run) -> HeldQuerySet:
    """Return the champions, with who bred those that came in from outside."""
    champions: HeldQuerySet = run.champions.without_genomes()
    return champions.with_breeders() if run.guests else champions


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
