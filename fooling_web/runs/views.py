"""Pages of runs: a list, launching, watching, steering, and a champion up close."""

import csv
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Min
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, reswap
from django_htmx.middleware import HtmxDetails

from evolution.errors import GenomeError
from evolution.parameters import MAX_CLASSES
from fooling_web.runs.atlas import atlas_of, milestone_of
from fooling_web.runs.climbing import ascent_of, difference_png
from fooling_web.runs.estimation import estimate as estimate_for
from fooling_web.runs.events import announce
from fooling_web.runs.forms import Founding, LaunchForm, RunForm
from fooling_web.runs.heatmap import heatmap_of
from fooling_web.runs.kinds import classes_named, classes_of
from fooling_web.runs.models import Champion, Climb, Individual, Run, RunQuerySet, Sweep
from fooling_web.runs.pictures import SIZES, genome_file_of, png_of, webp_of
from fooling_web.runs.plain_pictures import page_of_pictures
from fooling_web.runs.quotas import complaint_about_active
from fooling_web.runs.removing import remove, restore
from fooling_web.runs.sweeps import with_cards
from fooling_web.runs.tasks import ring
from fooling_web.runs.watching import (
    SHORT_HASH,
    cells_of,
    generation_from,
    has_many_classes,
    labels_of,
    page_of,
    render_changes,
)
from fooling_web.users.models import User


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


PER_PAGE = 24
CLASSES_PER_PAGE = 60
MOST_BRED = 24  # champions that people bred, named on a run's page
CLIMBS = 200  # images of a gradient ascent on its page; all are in the file
HISTORY = 100  # of a class's champions, newest first
FOR_EVER = "private, max-age=31536000, immutable"  # by browsers alone: a run may be hidden later


def _visible_run(request: Request, run_id: uuid.UUID) -> Run:
    return get_object_or_404(Run.objects.visible_to(request.user).select_related("owner"), pk=run_id)


def _removed_by(user: Any) -> RunQuerySet:
    """Return a person's runs that were deleted and can come back, the last first."""
    away = Run.everything.owned_by(user).filter(removed_at__isnull=False).exclude(visibility_before="")
    return away.listable().exclude(pk__in=away.due_to_go(timezone.now())).order_by("-removed_at")


def _to_picture(run: Run, route: str) -> HttpResponse:
    """Lead to a page of the picture that a person bred and for which the run was made: the last of its images."""
    last = run.individuals.order_by("-number").values_list("number", flat=True).first()
    if last is None:
        raise Http404("There is no picture in this run.")
    return redirect(route, run.pk, last)


def _controlled_run(request: Request, run_id: uuid.UUID) -> Run:
    run = _visible_run(request, run_id)
    if not run.is_controlled_by(request.user):
        raise Http404("Only its owner may do this with a run.")
    return run


@require_safe
def run_list(request: Request) -> HttpResponse:
    """List the runs that this person may find."""
    listed = Run.objects.listed_for(request.user).listable()
    mine, status = request.GET.get("mine") == "1", request.GET.get("status", "")
    if mine:
        listed = listed.owned_by(request.user)
    statuses = [*Run.Status.choices, Run.STOPPED]
    runs = listed.shown_as(status) if status in dict(statuses) else listed
    page = Paginator(with_cards(runs, listed), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "mine": mine,
        "status": status,
        "statuses": statuses,
        "some_active": any(run.is_active for run in page),
        "removed": _removed_by(request.user) if mine else [],
        "days": settings.REMOVED_RUNS_DAYS,
    }
    return render(request, "runs/list.html", context)


@login_required
def launch(request: Request) -> HttpResponse:
    """Offer the form, and store and queue what was chosen."""
    return launch_page(request, cloned=_cloned(request))


def launch_page(
    request: Request, *, cloned: Run | None = None, founding: Founding | None = None
) -> HttpResponse:
    """Offer the form to somebody who is signed in, perhaps with a run or pictures to begin with, and launch."""
    owner = cast(User, request.user)
    with one_at_a_time(owner):
        form = LaunchForm(
            request.POST or None,
            owner=owner,
            cloned=cloned,
            classifier=request.GET.get("classifier"),
            preset=request.GET.get("preset"),
            encoding=request.GET.get("encoding"),
            founding=founding,
        )
        if request.method == "POST" and form.is_valid():
            launched = form.save()
            transaction.on_commit(lambda: _begin(launched))
            if form.left_out:
                messages.info(request, _left_out(form))
            return redirect(launched)
    context = {
        "form": form,
        "cloned": form.cloned,
        "estimate": _estimate(form),
        "active_limit": owner.runs_at_a_time,
    }
    return render(request, "runs/launch.html", context, status=422 if form.errors else 200)


@require_safe
def estimate(request: Request) -> HttpResponse:
    """Say how long the run that is being filled in will take."""
    return render(request, "runs/_estimate.html", {"estimate": _estimate(LaunchForm(request.GET))})


@require_safe
def detail(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Show a run, live while it lasts; of a picture that a person bred, the page of the picture."""
    run = _visible_run(request, run_id)
    if run.kind == Run.Kind.BREEDING:
        return _to_picture(run, "galleries:image")
    if run.are_pictures:
        return _pictures(request, run)
    context = {
        **page_of(run),
        "controlled": run.is_controlled_by(request.user),
        "command": run.command,
        "sweep": _sweep_of(request, run),
        "milestone": milestone_of(run),
        "classes": {**classes_of(labels_of(run)), "climbed": run.climbed_classes},
        **_climbs(run),
        **_guests(run),
    }
    return render(request, "runs/detail.html", context)


def _pictures(request: Request, run: Run) -> HttpResponse:
    """Show plain pictures, which have no history to follow."""
    page, shown = page_of_pictures(run, request.GET.get("page"))
    context = {
        "run": run,
        "page": page,
        "shown": shown,
        "n_classes": run.champions.count(),
        "controlled": run.is_controlled_by(request.user),
    }
    return render(request, "runs/pictures.html", context)


@require_safe
def milestones(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Send how far the images of a gradient ascent have come."""
    run = _visible_run(request, run_id)
    return render(request, "runs/_milestones.html", {"run": run, **_climbs(run)})


@require_safe
def milestones_csv(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Send the same of all images as a file, with empty fields where a milestone was not passed."""
    run = _visible_run(request, run_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="milestones-{run.pk}.csv"'
    lines = csv.writer(response)
    lines.writerow(["class_index", "label", "start", *Climb.MILESTONES])
    lines.writerows([climb.class_index, climb.label, climb.start, *climb.steps] for climb in run.climbs.all())
    return response


@require_safe
def advance(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Send what changed since a generation, for pages whose socket is away."""
    run = _visible_run(request, run_id)
    known = generation_from(request.GET.get("since", ""))
    return HttpResponse(render_changes(run, known, controlled=run.is_controlled_by(request.user)))


@require_POST
@login_required
def pause(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Let a run rest; what it found is kept."""
    return _steer(request, run_id, Run.pause)


@require_POST
@login_required
def resume(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Let a paused run go on."""
    run = _controlled_run(request, run_id)
    owner = run.owner or cast(User, request.user)
    with one_at_a_time(owner):
        complaint = "" if _takes_its_turn(run) else complaint_about_active(owner)
        if complaint:
            messages.error(request, complaint)
            return HttpResponseClientRedirect(run.get_absolute_url()) if request.htmx else redirect(run)
        return _steer(request, run_id, _resume_and_ring)


@require_POST
@login_required
def cancel(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """End a run before its time; what it found stays."""
    return _steer(request, run_id, Run.cancel)


@login_required
def edit(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Let its owner rename a run, and open or close it to others."""
    run = _controlled_run(request, run_id)
    if run.kind == Run.Kind.BREEDING and not run.origin:
        return _to_picture(run, "breeding:publication_edit")
    form = RunForm(request.POST or None, instance=run)
    if request.method == "POST" and form.is_valid():
        Run.objects.filter(pk=run.pk).update(**form.cleaned_data)  # a worker may be writing the rest
        announce(run)
        messages.success(request, "Saved.")
        return redirect(run)
    run.refresh_from_db()  # a form that fails has written on it
    return render(request, "runs/edit.html", {"form": form, "run": run}, status=422 if form.errors else 200)


@login_required
def delete(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Ask, then remove a run that has ended, with everything it found; for some weeks this can be undone."""
    run = _controlled_run(request, run_id)
    if run.kind == Run.Kind.BREEDING and not run.origin:
        return _to_picture(run, "breeding:unpublish")
    if run.is_unfinished:
        messages.error(request, "A run that has not ended cannot be deleted. Cancel it first.")
        return redirect(run)
    if request.method != "POST":
        context = {"run": run, "days": settings.REMOVED_RUNS_DAYS}
        return render(request, "runs/confirm_delete.html", context)
    remove(run, request.user)
    messages.success(request, render_to_string("runs/_removed.html", {"run": run}, request))
    return redirect("runs:list")


@require_POST
@login_required
def undelete(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Bring a run back that was deleted a while ago."""
    run = get_object_or_404(Run.everything.filter(removed_at__isnull=False), pk=run_id)
    if not run.is_controlled_by(request.user):
        raise Http404("Only its owner may do this with a run.")
    if not restore(run, request.user):
        messages.error(request, f"“{run.name}” is going for good, and cannot come back.")
        return redirect("runs:list")
    announce(run)
    messages.success(request, f"“{run.name}” is back.")
    return redirect(run)


@require_safe
def class_list(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """List the classes of a run page by page, or those whose name was asked for: one that is alone is shown."""
    run = _visible_run(request, run_id)
    wanted = request.GET.get("q", "").strip()
    found = classes_named(labels_of(run), wanted)
    if wanted and len(found) == 1:
        return redirect("runs:champion", run.pk, found[0])
    page = Paginator(found, CLASSES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"run": run, "wanted": wanted, "page": page, "cells": cells_of(run, list(page.object_list))}
    return render(request, "runs/classes.html", context)


@require_safe
def champion(request: Request, run_id: uuid.UUID, class_index: int) -> HttpResponse:
    """Show the champion of a class up close, and who held the class before."""
    run = _visible_run(request, run_id)
    if class_index >= run.n_classes:
        raise Http404(f"{run.classifier_title} knows {run.n_classes} classes, numbered from 0.")
    [cell] = cells_of(run, [class_index])
    holder = cell.champion
    history = run.takeovers.without_genomes().filter(class_index=class_index).order_by("-generation")
    if run.guests:
        history = history.with_breeders()
    context = {
        "run": run,
        "cell": cell,
        "rival": _rival(run, holder, class_index) if holder else None,
        "also_holds": _also_holds(run, holder.individual_id, class_index) if holder else [],
        "history": history.annotate(genome_bytes=Length("individual__genome"))[:HISTORY],
        "neighbours": _neighbours(run, class_index),
        "searchable": has_many_classes(run),
        **_ascent(run, holder),
    }
    return render(request, "runs/champion.html", context)


def _ascent(run: Run, holder: Champion | None) -> dict[str, Any]:
    """Return what is said of the ascent of a champion; nothing of one that evolved, or that cannot be drawn."""
    if holder is None or run.encoding != "gradient" or not run.known_classifier:
        return {}
    try:
        return ascent_of(run, holder.individual)
    except GenomeError:
        return {}


def _rival(run: Run, holder: Champion, class_index: int) -> str | None:
    """Return the label that the classifier likes better for a champion's image; None where it likes none better."""
    best = holder.individual.top[0][0] if holder.individual.top else class_index
    return None if best == class_index else run.label_of(best)


@require_safe
def image(request: Request, run_id: uuid.UUID, number: int, genome_hash: str) -> HttpResponse:
    """Send an individual's picture; its address names its content, so browsers may keep it for ever."""
    run, individual = _individual(request, run_id, number)
    if individual.genome_hash != genome_hash:
        raise Http404("There is no such picture in this run.")
    with _damage_as_404():
        return _for_ever(png_of(run, individual), "image/png")


@require_safe
def difference(request: Request, run_id: uuid.UUID, number: int, genome_hash: str) -> HttpResponse:
    """Send what a gradient ascent changed in an image, multiplied so that it is seen."""
    run, individual = _individual(request, run_id, number)
    if individual.genome_hash != genome_hash or run.encoding != "gradient" or not run.known_classifier:
        raise Http404("There is no such picture in this run.")
    with _damage_as_404():
        return _for_ever(difference_png(run, individual), "image/png")


@require_safe
def small_image(request: Request, run_id: uuid.UUID, number: int, short_hash: str, size: int) -> HttpResponse:
    """Send an individual's picture in one of a few small sizes."""
    run, individual = _individual(request, run_id, number)
    if size not in SIZES or individual.genome_hash[:SHORT_HASH] != short_hash:
        raise Http404("There is no such picture in this run.")
    with _damage_as_404():
        return _for_ever(webp_of(run, individual, size), "image/webp")


@require_safe
def atlas(request: Request, run_id: uuid.UUID, generation: int, number: int) -> HttpResponse:
    """Send hundreds of a generation's champions in one picture."""
    run = _run_at(request, run_id, generation)
    picture = atlas_of(run, generation, number) if number < MAX_CLASSES else None
    if picture is None:
        raise Http404("There are no classes of these numbers.")
    return _for_ever(picture, "image/webp")


@gzip_page
@require_safe
def heatmap(request: Request, run_id: uuid.UUID, generation: int) -> HttpResponse:
    """Send how sure the classifier was of every class's champion, generation by generation."""
    run = _run_at(request, run_id, generation)
    return _for_ever(heatmap_of(run, generation), "application/octet-stream")


@require_safe
def genome(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Send an individual's genome as a file."""
    run, individual = _individual(request, run_id, number)
    with _damage_as_404():
        content, ending = genome_file_of(run, individual)
    kind = "image/png" if ending == "png" else "application/json"
    name = f"individual-{number}-genome.{ending}"
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _steer(request: Request, run_id: uuid.UUID, verb: Callable[[Run], bool]) -> HttpResponse:
    """Apply a verb to a run of this person's, tell all who watch, and show the controls anew."""
    run = _controlled_run(request, run_id)
    changed = verb(run)
    if changed:
        announce(run)
    if request.htmx:
        return reswap(HttpResponse(render_changes(run, _generation(run), controlled=True)), "none")
    if not changed:
        messages.info(request, f"Nothing to do: this run is {run.get_status_display().lower()}.")
    return HttpResponseRedirect(run.get_absolute_url())


def _resume_and_ring(run: Run) -> bool:
    resumed = run.resume()
    if resumed:
        transaction.on_commit(lambda: ring(run))
    return resumed


def _sweep_of(request: Request, run: Run) -> Sweep | None:
    """Return the sweep that a run belongs to, where this person may see it."""
    return Sweep.objects.visible_to(request.user).filter(pk=run.sweep_id).first() if run.sweep_id else None


def _takes_its_turn(run: Run) -> bool:
    """Whether a run belongs to a sweep that is counted already, and will wait in it."""
    return bool(run.sweep and run.sweep.is_at_work)


def _begin(launched: Run | Sweep) -> None:
    """Ring for a run, or for as many of a sweep's as may be at work together."""
    for run in launched.admit() if isinstance(launched, Sweep) else [launched]:
        ring(run)


@contextmanager
def one_at_a_time(owner: User) -> Iterator[None]:
    """Let no two requests of one person pass the limit on active runs together."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        yield


def _run_at(request: Request, run_id: uuid.UUID, generation: int) -> Run:
    """Return a run that has kept a generation."""
    run = _visible_run(request, run_id)
    if run.generation is None or generation > run.generation:
        raise Http404("This generation is still to come.")
    return run


def _for_ever(content: bytes, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": FOR_EVER})


def _neighbours(run: Run, class_index: int) -> dict[str, tuple[int, str]]:
    """Return the classes before and after one, each with its label."""
    nearby, labels = {"previous": class_index - 1, "next": class_index + 1}, labels_of(run)
    return {side: (index, labels[index]) for side, index in nearby.items() if 0 <= index < len(labels)}


def _generation(run: Run) -> int:
    return -1 if run.generation is None else run.generation


def _individual(request: Request, run_id: uuid.UUID, number: int) -> tuple[Run, Individual]:
    run = _visible_run(request, run_id)
    if number > 2**62:
        raise Http404("There is no such individual.")
    return run, get_object_or_404(run.individuals, number=number)


@contextmanager
def _damage_as_404() -> Iterator[None]:
    try:
        yield
    except GenomeError as error:
        raise Http404(f"This genome is damaged: {error}") from error


def _climbs(run: Run) -> dict[str, Any]:
    """Return the images of a gradient ascent that its page shows; none for other runs."""
    if run.encoding != "gradient":
        return {}
    return {"climbs": run.climbs.all()[:CLIMBS], "n_climbs": run.climbs.count()}


def _left_out(form: LaunchForm) -> str:
    """Say how many pictures the run does not begin with, and why the first of them."""
    number = len(form.left_out)
    pictures = "One picture was" if number == 1 else f"{number:,} pictures were"
    return f"{pictures} left out: {form.left_out[0]}."


def _guests(run: Run) -> dict[str, Any]:
    """Return what a run's page says of pictures that came in from outside; nothing where none did."""
    if not run.guests:
        return {}
    guests = run.guest_individuals.values("pk")
    took = run.takeovers.filter(individual__in=guests)
    numbers = took.aggregate(n_bred=Count("class_index", distinct=True), first_guest=Min("generation"))
    held = run.champions.filter(individual__in=guests).without_genomes().with_breeders()
    return {**numbers, "bred_champions": held[:MOST_BRED]}


def _also_holds(run: Run, individual_id: int, class_index: int) -> list[Any]:
    """Return the other classes that the same image holds."""
    return list(run.champions.filter(individual_id=individual_id).exclude(class_index=class_index))


def _cloned(request: Request) -> Run | None:
    """Return the run whose settings the form starts from."""
    try:
        run_id = uuid.UUID(request.GET.get("clone", ""))
    except ValueError:
        return None
    run = _visible_run(request, run_id)
    if run.are_pictures:
        raise Http404("These are pictures from elsewhere: no settings made them that a run could begin with.")
    return run


def _estimate(form: LaunchForm) -> Any:
    """Return what launching the form as it stands would mean; None while it is not valid."""
    if not form.is_bound:
        form = LaunchForm({name: value for name, value in form.initial.items() if value is not None})
    if not form.is_valid():
        return None
    return estimate_for(form.cleaned_data["classifier"], form.parameters, form.n_runs)
