"""Pages of takeovers between classes: a diagram of who took from whom, and where a class's genes came from."""

import csv
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.db.models.functions import Length
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.takeover_diagram import diagram_of
from fooling_web.runs.takeovers import (
    NO_CLASS,
    NO_PARENT,
    NOBODY,
    Group,
    Numbers,
    Rows,
    Standing,
    are_switches,
    bands_of,
    between,
    givers_of,
    groups_of,
    label_in,
    line_of,
    matrix_of,
    single,
    standings_of,
    takeovers_of,
    totals_of,
)
from fooling_web.runs.views import Request
from fooling_web.runs.watching import has_many_classes, labels_of

PER_PAGE = 24  # takeovers with pictures
STRETCHES = 60  # of a line, on a page
BEST = 8  # givers and takers that are named
KNOWN = {"from", "to", "count", "page"}  # words of an address
MOST_COMPLAINTS, MOST_LETTERS = 3, 40
CLASS = re.compile(r"class-([0-9]{1,9})")
COLUMNS = (
    "generation",
    "class_index",
    "label",
    "individual",
    "confidence",
    "parent",
    "source_class_index",
    "source_label",
    "kind",
    "ousted_individual",
)


@dataclass(frozen=True)
class Shown:
    """An image that held a class when it was shown to win or to breed; for templates, like a takeover."""

    individual: Individual
    confidence: float
    genome_bytes: int
    class_index: int
    label: str


@dataclass(frozen=True)
class Taken:
    """A takeover with its pictures."""

    generation: int
    winner: Shown
    parent: Shown
    ousted: int | None


@dataclass(frozen=True)
class Stretch:
    """Ancestors in a row that held the class by which the line goes on."""

    ancestors: int
    first: int  # generation
    last: int
    shown: Shown  # the last of them


@dataclass(frozen=True)
class Share:
    """How many ancestors of a line belong to a group or a class."""

    group: Group
    ancestors: int


@gzip_page
@require_safe
def takeovers(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Show who took classes from whom in a run."""
    run = _visible_run(request, run_id)
    rows = _rows(run)
    givers, counts_all = givers_of(rows), request.GET.get("count") == "all"
    groups = groups_of(run, _n_classes(rows))
    totals = totals_of(rows, givers)
    context = {
        "run": run,
        "totals": totals,
        "has_sources": totals.own + totals.switches > 0,
        "counts_all": counts_all,
        **_kinds(groups),
        "diagram": diagram_of(
            matrix_of(rows, givers, groups, only_switches=not counts_all),
            groups,
            query="count=all&" if counts_all else "",
        ),
        "bands": bands_of(rows, givers),
        "across": _across(rows, givers, groups),
        **_best(run, standings_of(rows, givers)),
        **_chosen(request, run, rows, givers, groups, only_switches=not counts_all),
    }
    return render(request, "runs/takeovers.html", context)


@require_safe
def takeovers_csv(request: Request, run_id: uuid.UUID) -> StreamingHttpResponse:
    """Send every takeover of a run as a file, each with its source."""
    run = _visible_run(request, run_id)
    response = StreamingHttpResponse(_written(run, _rows(run)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="takeovers-{run.pk}.csv"'
    return response


@require_safe
def genes(request: Request, run_id: uuid.UUID, class_index: int) -> HttpResponse:
    """Show which classes the ancestors of a class's champion held."""
    run = _visible_run(request, run_id)
    rows = _rows(run)
    n_classes = max(run.n_classes, _n_classes(rows))
    if class_index >= n_classes:
        raise Http404(f"{run.classifier_title} knows {n_classes} classes, numbered from 0.")
    line = line_of(rows, class_index)
    groups = groups_of(run, n_classes)
    parts = list(_stretches(rows, line))
    page = Paginator(parts, STRETCHES).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "group": single(run, class_index),
        "class_index": class_index,
        "ancestors": max(0, len(line) - 1),
        "switches": int(are_switches(rows)[line].sum()) if line else 0,
        "begins": _begins(run, rows, line),
        "by_group": _shares(rows, line[1:], groups) if has_many_classes(run) else [],
        "by_class": _shares(rows, line[1:], _classes_of(run, rows, line[1:])),
        "page": page,
        "stretches": _with_pictures(run, rows, list(page.object_list)),
    }
    return render(request, "runs/genes.html", context)


def _visible_run(request: Request, run_id: uuid.UUID) -> Run:
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    if run.are_pictures:
        raise Http404("These are pictures from elsewhere: they have no generations.")
    return run


def _rows(run: Run) -> Rows:
    return takeovers_of(run, -1 if run.generation is None else run.generation)


def _n_classes(rows: Rows) -> int:
    return int(rows["class_index"].max(initial=-1)) + 1


def _kinds(groups: Sequence[Group]) -> dict[str, Any]:
    """Say what a line of the diagram is: a class, a branch of classes, or a range of them."""
    by_class = all(len(group.class_indices) == 1 for group in groups)
    kind, kinds = ("class", "classes") if by_class else ("branch", "branches")
    if any(group.name.startswith("range-") for group in groups):
        kind, kinds = "range", "ranges of classes"
    return {"by_class": by_class, "kind": kind, "kinds": kinds}


def _across(rows: Rows, givers: Numbers, groups: Sequence[Group]) -> int:
    """Return how many goal switches went from one group to another."""
    matrix = matrix_of(rows, givers, groups, only_switches=True)
    return int(matrix.sum() - matrix.trace())


def _best(run: Run, standings: list[Standing]) -> dict[str, Any]:
    """Return the classes that gave most, and those that took most."""
    labels = labels_of(run)

    def named(chosen: Iterable[Standing]) -> list[tuple[Standing, str]]:
        return [(standing, label_in(labels, standing.class_index)) for standing in chosen]

    gave = sorted(standings, key=lambda standing: -standing.gave)[:BEST]
    took = sorted(standings, key=lambda standing: -standing.took)[:BEST]
    return {"best_givers": named(gave), "best_takers": named(took)}


def _chosen(
    request: Request, run: Run, rows: Rows, givers: Numbers, groups: Sequence[Group], *, only_switches: bool
) -> dict[str, Any]:
    """Return a page of the takeovers that were asked for, by who gave and who took."""
    giving = _group_named(run, groups, request.GET.get("from", ""), _n_classes(rows))
    taking = _group_named(run, groups, request.GET.get("to", ""), _n_classes(rows))
    complaints = _complaints(request, giving, taking)
    if giving is None and taking is None:
        return {"giving": None, "taking": None, "complaints": complaints}
    found = between(rows, givers, giving, taking, only_switches=only_switches)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    taken = _taken(run, rows, [int(row) for row in page.object_list])
    return {"giving": giving, "taking": taking, "page": page, "taken": taken, "complaints": complaints}


def _complaints(request: Request, giving: Group | None, taking: Group | None) -> list[str]:
    """Say what of an address this page does not know, and what is shown instead; at most once for each word."""
    said = [
        f"“{_short(request.GET[name])}” is no class and no group of classes here; it was passed over."
        for name, found in (("from", giving), ("to", taking))
        if request.GET.get(name) and found is None
    ]
    if request.GET.get("count", "all") not in ("all", ""):
        said.append(f"“{_short(request.GET['count'])}” is nothing to count by; goal switches are counted.")
    unknown = sorted(set(request.GET) - KNOWN)[:MOST_COMPLAINTS]
    return said + [f"This page knows no “{_short(name)}”; it was passed over." for name in unknown]


def _short(word: str) -> str:
    """Return a word that somebody wrote into an address, no longer than a line bears."""
    word = word.replace("\0", "").strip()
    return f"{word[:MOST_LETTERS]}…" if len(word) > MOST_LETTERS else word


def _group_named(run: Run, groups: Sequence[Group], name: str, n_classes: int) -> Group | None:
    """Return a group of the diagram, or a single class such as class-7; None where there is none of this name."""
    if found := CLASS.fullmatch(name):
        class_index = int(found[1])
        return single(run, class_index) if class_index < max(run.n_classes, n_classes) else None
    return next((group for group in groups if group.name == name), None)


def _taken(run: Run, rows: Rows, wanted: list[int]) -> list[Taken]:
    """Return takeovers with the pictures of winners and parents, one query for all."""
    sources = rows["source"][wanted].tolist()
    shown = _shown(run, rows, [*wanted, *sources])
    return [
        Taken(
            generation=int(rows["generation"][row]),
            winner=shown[row],
            parent=shown[source],
            ousted=None if rows["ousted"][row] == NOBODY else int(rows["ousted"][row]),
        )
        for row, source in zip(wanted, sources, strict=True)
        if row in shown and source in shown
    ]


def _shown(run: Run, rows: Rows, wanted: list[int]) -> dict[int, Shown]:
    """Return the winners of takeovers by their rows; one query."""
    numbers = rows["number"][wanted].tolist()
    individuals = run.individuals.filter(number__in=set(numbers)).defer("genome")
    found = {one.number: one for one in individuals.annotate(genome_bytes=Length("genome"))}
    labels = labels_of(run)
    return {
        row: _as_shown(found[number], rows[row], labels)
        for row, number in zip(wanted, numbers, strict=True)
        if number in found
    }


def _as_shown(individual: Any, row: Any, labels: Sequence[str]) -> Shown:
    class_index = int(row["class_index"])
    label = label_in(labels, class_index)
    return Shown(individual, float(row["confidence"]), individual.genome_bytes, class_index, label)


def _stretches(rows: Rows, line: list[int]) -> Iterator[list[int]]:
    """Yield the ancestors of a line, the champion too, by runs of one class; the latest first."""
    for _, together in groupby(line, key=lambda row: int(rows["class_index"][row])):
        yield list(together)


def _with_pictures(run: Run, rows: Rows, parts: list[list[int]]) -> list[Stretch]:
    shown = _shown(run, rows, [part[0] for part in parts])
    return [
        Stretch(
            ancestors=len(part),
            first=int(rows["generation"][part[-1]]),
            last=int(rows["generation"][part[0]]),
            shown=shown[part[0]],
        )
        for part in parts
        if part[0] in shown
    ]


def _shares(rows: Rows, line: list[int], groups: Sequence[Group]) -> list[Share]:
    """Return the groups that any ancestor stands for, those with most ancestors first."""
    held = rows["class_index"][line].tolist()
    counted = [Share(group, sum(index in group.class_indices for index in held)) for group in groups]
    return sorted((share for share in counted if share.ancestors), key=lambda share: -share.ancestors)


def _classes_of(run: Run, rows: Rows, line: list[int]) -> list[Group]:
    return [single(run, class_index) for class_index in sorted(set(rows["class_index"][line].tolist()))]


def _begins(run: Run, rows: Rows, line: list[int]) -> str:
    """Say what the oldest ancestor is: "random", bred by "hand", "start" of a climb, or "unknown"."""
    if not line:
        return ""
    oldest = rows[line[-1]]
    if oldest["source"] == NO_CLASS:
        return "unknown"
    if oldest["generation"] == 0:
        return "hand" if oldest["number"] < run.n_founders else "random"
    return "hand" if run.guests else "start"


class _Echo:
    """What a CSV writer takes for a file: it hands every line back."""

    def write(self, line: str) -> str:
        return line


def _written(run: Run, rows: Rows) -> Iterator[str]:
    lines, labels = csv.writer(_Echo()), labels_of(run)
    yield lines.writerow(COLUMNS)
    for row, giver in zip(rows.tolist(), givers_of(rows).tolist(), strict=True):
        generation, class_index, confidence, ousted, number, parent, _ = row
        yield lines.writerow(
            [
                generation,
                class_index,
                label_in(labels, class_index),
                number,
                f"{confidence:.9g}",
                "" if parent == NOBODY else parent,
                giver if giver >= 0 else "",
                label_in(labels, giver) if giver >= 0 else "",
                _kind(giver, class_index),
                "" if ousted == NOBODY else ousted,
            ]
        )


def _kind(giver: int, class_index: int) -> str:
    if giver == NO_PARENT:
        return "no parent"
    if giver == NO_CLASS:
        return "parent held no class"
    return "own class" if giver == class_index else "goal switch"
