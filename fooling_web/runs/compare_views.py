"""The page on which runs stand side by side, and the choice of what is to stand there."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from fooling_web.runs.comparing import (
    FEWEST,
    MOST,
    Confidences,
    Shared,
    Side,
    aligned,
    by_difference,
    confidences_of,
    curves_of,
    figures_of,
    found_for,
    lines_of,
    shared_by,
    wanted_in,
)
from fooling_web.runs.kinds import classes_named
from fooling_web.runs.models import Run
from fooling_web.runs.sweep_views import title_of
from fooling_web.runs.views import Request
from models_zoo.registry import all_entries
from models_zoo.wordnet import IMAGENET_LABELS, groups

CLASSES_PER_PAGE = 10  # side by side
OFFERED = 30  # runs to choose from
SORTS = {"": "in their own order", "difference": "by the largest difference"}


@gzip_page
@require_safe
def compare(request: Request) -> HttpResponse:
    """Show runs side by side, or what there is to choose from while there are fewer than two."""
    sides, unseen, too_many = found_for(wanted_in(request.GET), request.user)
    context = {
        "sides": sides,
        "query": "&".join(side.query for side in sides),
        "unseen": unseen,
        "too_many": too_many,
        "most": MOST,
    }
    if len(sides) < FEWEST or request.GET.get("choose"):
        return render(request, "runs/compare_choose.html", {**context, **_offer(request, sides)})
    lines, confidences = lines_of(sides), confidences_of(sides)
    context |= {
        "figures": [(one, _without(sides, one.side)) for one in figures_of(sides, lines, confidences)],
        "curves": curves_of(sides, lines),
        "by_evaluations": request.GET.get("by") == "evaluations",
        "on_imagenet": any(side.labels == IMAGENET_LABELS for side in sides),
        "has_sweeps": any(side.sweep for side in sides),
        "some_climb_few": any(side.run.climbed_classes for side in sides),
        **_images(request, sides, confidences),
    }
    return render(request, "runs/compare.html", context)


def _without(sides: Sequence[Side], removed: Side) -> str:
    return "&".join(side.query for side in sides if side is not removed)


def _offer(request: Request, sides: Sequence[Side]) -> dict[str, Any]:
    """Return runs that may be added: begun ones that tell the same classes apart, the latest first."""
    name = request.GET.get("find", "").replace("\0", "").strip()[:100]
    runs: QuerySet[Run] = (
        Run.objects.listed_for(request.user).searches().leading().filter(generation__isnull=False)
    )
    if sides:
        runs = runs.exclude(pk__in=[run.pk for side in sides for run in side.runs])
        labels = sides[0].labels
        alike = [entry.name for entry in all_entries() if entry.labels == labels]
        runs = runs.filter(classifier__in=[*alike, sides[0].run.classifier])
    if name:
        runs = runs.filter(name__icontains=name)
    offered = runs.select_related("owner", "sweep").defer("random_state")[:OFFERED]
    return {"offered": offered, "find": name, "room": MOST - len(sides)}


def _images(request: Request, sides: Sequence[Side], confidences: Confidences) -> dict[str, Any]:
    """Return a page of the classes that were asked for, with every side's champions."""
    shared = shared_by(sides)
    wanted, group = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("group", "")
    sort = request.GET.get("sort", "") if request.GET.get("sort") in SORTS else ""
    labels = sides[0].labels
    has_groups = labels == IMAGENET_LABELS
    found = by_difference(_filtered(shared, labels, wanted, group), sides, confidences)
    if sort:
        found.sort(key=lambda pair: -pair[1])
    page = Paginator(found, CLASSES_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "n_shared": len(shared),
        "wanted": wanted,
        "group": group,
        "groups": [(name, title_of(name)) for name in groups()] if has_groups else [],
        "sort": sort,
        "sorts": SORTS.items(),
        "is_searchable": len(shared) > CLASSES_PER_PAGE,
        "page": page,
        "classes": page.object_list,
        "rows": aligned(sides, [one for one, _ in page.object_list]),
    }


def _filtered(shared: list[Shared], labels: tuple[str, ...], wanted: str, group: str) -> list[Shared]:
    """Return the shared classes of a name and of a group; both are looked up on the first side."""
    found = set(classes_named(labels, wanted))
    if labels == IMAGENET_LABELS and group in groups():
        found &= set(groups()[group])
    return [one for one in shared if one.class_indices[0] in found]
