"""Pages of sweeps: runs that belong together, watched and steered as one."""

import functools
import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from evolution.presets import PRESETS
from fooling_web.runs.events import announce
from fooling_web.runs.forms import SweepForm
from fooling_web.runs.kinds import classes_named
from fooling_web.runs.models import Run, Sweep
from fooling_web.runs.quotas import complaint_about_active
from fooling_web.runs.sweeps import progress_of, rows_of, runs_of
from fooling_web.runs.tasks import ring
from fooling_web.runs.views import Request, one_at_a_time
from fooling_web.runs.watching import labels_of
from fooling_web.users.models import User
from models_zoo.wordnet import IMAGENET_LABELS, TITLES, groups

CLASSES_PER_PAGE = 10  # side by side
ROWS_PER_PAGE = 30


def _visible_sweep(request: Request, sweep_id: uuid.UUID) -> Sweep:
    return get_object_or_404(Sweep.objects.visible_to(request.user).select_related("owner"), pk=sweep_id)


def _controlled_sweep(request: Request, sweep_id: uuid.UUID) -> Sweep:
    sweep = _visible_sweep(request, sweep_id)
    if not sweep.is_controlled_by(request.user):
        raise Http404("Only its owner may do this with a sweep.")
    return sweep


@require_safe
def detail(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Show a sweep: how far its runs are, what they come to, and their images side by side."""
    sweep = _visible_sweep(request, sweep_id)
    runs = runs_of(sweep, request.user)
    context = {
        "sweep": sweep,
        "first": runs[0] if runs else None,
        "preset_title": PRESETS[sweep.preset].title if sweep.preset in PRESETS else "",
        "controlled": sweep.is_controlled_by(request.user),
        **progress_of(runs),
        **_images(request, runs),
    }
    return render(request, "runs/sweep.html", context)


@require_safe
def progress(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Send what changes on a sweep's page while its runs are at work."""
    sweep = _visible_sweep(request, sweep_id)
    runs = runs_of(sweep, request.user)
    context = {
        "sweep": sweep,
        "first": runs[0] if runs else None,
        "controlled": sweep.is_controlled_by(request.user),
        **progress_of(runs),
        "oob": True,
    }
    return render(request, "runs/_sweep_progress.html", context)


@require_safe
def images(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Send the champions of all runs for the classes that are looked at."""
    sweep = _visible_sweep(request, sweep_id)
    return render(request, "runs/_sweep_rows.html", _images(request, runs_of(sweep, request.user)))


@require_POST
@login_required
def pause(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Let every run of a sweep rest; what they found is kept."""
    return _steer(request, sweep_id, Sweep.pause)


@require_POST
@login_required
def resume(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Let the paused runs of a sweep go on, as many at a time as its owner has room for."""
    sweep = _controlled_sweep(request, sweep_id)
    owner = sweep.owner or cast(User, request.user)
    with one_at_a_time(owner):
        complaint = "" if sweep.is_at_work else complaint_about_active(owner)
        if complaint:
            messages.error(request, complaint)
            return redirect(sweep)
        return _steer(request, sweep_id, _resume_and_ring)


@require_POST
@login_required
def cancel(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """End every run of a sweep before its time; what they found stays."""
    return _steer(request, sweep_id, Sweep.cancel)


@login_required
def edit(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Let its owner rename a sweep, and open or close it and its runs to others."""
    sweep = _controlled_sweep(request, sweep_id)
    form = SweepForm(request.POST or None, instance=sweep)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            sweep.runs.update(visibility=form.cleaned_data["visibility"])
        messages.success(request, "Saved.")
        return redirect(sweep)
    sweep.refresh_from_db()  # a form that fails has written on it
    context = {"form": form, "sweep": sweep}
    return render(request, "runs/sweep_edit.html", context, status=422 if form.errors else 200)


@login_required
def delete(request: Request, sweep_id: uuid.UUID) -> HttpResponse:
    """Ask, then remove a sweep that has ended, with its runs and everything they found."""
    sweep = _controlled_sweep(request, sweep_id)
    if sweep.is_unfinished:
        messages.error(request, "A sweep that has not ended cannot be deleted. Cancel it first.")
        return redirect(sweep)
    if request.method != "POST":
        return render(request, "runs/sweep_delete.html", {"sweep": sweep, "runs": sweep.runs.count()})
    sweep.delete()
    messages.success(request, f"“{sweep.name}” was deleted.")
    return redirect("runs:list")


def _steer(request: Request, sweep_id: uuid.UUID, verb: Callable[[Sweep], list[Run]]) -> HttpResponse:
    """Apply a verb to a sweep of this person's and tell all who watch its runs."""
    sweep = _controlled_sweep(request, sweep_id)
    changed = verb(sweep)
    for run in changed:
        announce(run)
    if not changed:
        messages.info(request, "Nothing to do: no run of this sweep could be changed so.")
    return redirect(sweep)


def _resume_and_ring(sweep: Sweep) -> list[Run]:
    resumed = sweep.resume()
    for run in sweep.admit():
        transaction.on_commit(functools.partial(ring, run))
    return resumed


def _images(request: Request, runs: list[Run]) -> dict[str, Any]:
    """Return the classes that were asked for, a page of them, with every run's champions."""
    wanted, group = request.GET.get("q", "").strip(), request.GET.get("group", "")
    known = labels_of(runs[0]) if runs else ()
    has_groups = known == IMAGENET_LABELS
    found = classes_named(known, wanted)
    if has_groups and group in groups():
        found = [class_index for class_index in groups()[group] if class_index in set(found)]
    page = Paginator(found, CLASSES_PER_PAGE).get_page(request.GET.get("page"))
    rows = Paginator(runs, ROWS_PER_PAGE).get_page(request.GET.get("rows"))
    classes = list(page.object_list)
    return {
        "wanted": wanted,
        "group": group,
        "groups": [(name, title_of(name)) for name in groups()] if has_groups else [],
        "is_searchable": len(known) > CLASSES_PER_PAGE,
        "classes": [(class_index, known[class_index]) for class_index in classes],
        "page": page,
        "rows": rows_of(list(rows.object_list), classes),
        "row_page": rows,
    }


def title_of(group: str) -> str:
    """Return the name of a group of classes for people."""
    return TITLES[group][0] if group in TITLES else group.replace("-", " ").capitalize()
