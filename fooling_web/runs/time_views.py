"""Pages of time: a run's whole archive in any generation, two generations side by side, and films."""

import json
import uuid
from contextlib import suppress
from typing import Any

from django.core.cache import caches
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from fooling_web.runs.films import MOST_FRAMES, FilmForm, again, asker_of, order
from fooling_web.runs.history import (
    Holding,
    Moment,
    curve_of,
    differing,
    document_of,
    generation_wanted,
    holdings_at,
    moment_of,
)
from fooling_web.runs.keyframes import has_key_frames, sheet_at
from fooling_web.runs.models import Film, Run
from fooling_web.runs.tasks import ask_for_film, ask_for_key_frames
from fooling_web.runs.tiles import is_pixelated, sides_of
from fooling_web.runs.views import FOR_EVER, Request
from fooling_web.runs.watching import has_many_classes, labels_of

CURVE_WIDTH, CURVE_HEIGHT = 1000, 60
MOST_LETTERS = 40  # of a word that is repeated
ASK_AGAIN_AFTER = 600  # seconds, for key frames of a run


@require_safe
def time(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Show the archive in a generation, or in two."""
    run = _visible_run(request, run_id)
    if run.generation is None:
        return render(request, "runs/time.html", {"run": run})
    last = run.generation
    generation = generation_wanted(request.GET.get("generation"), last, otherwise=last)
    other = generation_wanted(request.GET.get("with"), last, otherwise=-1)
    complaints = _complaints(request, last, generation)
    if other == generation:
        complaints.append(f"Generation {other:,} would be compared with itself; choose another one.")
        other = -1
    moments = [moment_of(run, generation)] + ([moment_of(run, other)] if other >= 0 else [])
    context = {
        "run": run,
        "last": last,
        "generation": generation,
        "other": other if other >= 0 else None,
        "complaints": complaints,
        "walls": _walls(run, moments),
        "n_differing": _n_differing(moments),
        "curve": _points(curve_of(run, last), last),
        "story": _story(run, moments),
        "many": has_many_classes(run),
        "form": FilmForm(run=run),
        "most_frames": MOST_FRAMES,
    }
    return render(request, "runs/time.html", context)


@gzip_page
@require_safe
def moment(request: Request, run_id: uuid.UUID, generation: int) -> HttpResponse:
    """Send who held which class in a generation."""
    run = _run_at(request, run_id, generation)
    _want_key_frames(run)
    document = json.dumps(document_of(moment_of(run, generation)), separators=(",", ":"))
    return HttpResponse(document, content_type="application/json", headers={"Cache-Control": FOR_EVER})


@require_safe
def tiles(request: Request, run_id: uuid.UUID, generation: int, side: int) -> HttpResponse:
    """Send the pictures of a generation as one sheet, or only those that changed since one that is known."""
    run = _run_at(request, run_id, generation)
    if side not in sides_of(run):
        raise Http404("Sheets of this run come in other sizes.")
    known = generation_wanted(request.GET.get("known"), run.generation or 0, otherwise=-1)
    shown = holdings_at(run, generation)
    if known >= 0:
        shown = differing(holdings_at(run, known), shown)
    if not shown:
        return HttpResponse(status=204, headers={"Cache-Control": FOR_EVER})
    sheet, kind = sheet_at(run, generation, [holding.individual for holding in shown], side)
    return HttpResponse(sheet, content_type=kind, headers={"Cache-Control": FOR_EVER})


@require_POST
def order_film(request: Request, run_id: uuid.UUID) -> HttpResponse:
    """Let a film be made, one at a time for each who asks."""
    run = _visible_run(request, run_id)
    form = FilmForm(request.POST, run=run)
    if not form.is_valid() or not run.champions.exists():
        return render(request, "runs/film_order.html", {"run": run, "form": form}, status=422)
    asker = asker_of(request)
    if film := Film.objects.waiting().filter(asked_by=asker).first():
        return redirect(film)
    film = order(run, asker, form.cleaned_data["classes"], int(form.cleaned_data["seconds"]))
    if film.is_waiting:
        transaction.on_commit(lambda: ask_for_film(film))
    return redirect(film)


@require_safe
def film(request: Request, film_id: uuid.UUID) -> HttpResponse:
    """Show a film, or how far it has come."""
    shown = _visible_film(request, film_id)
    is_fragment = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    classes = [shown.run.label_of(index) for index in shown.what[:12]]
    context = {"film": shown, "run": shown.run, "classes": classes, "n_more": len(shown.what) - len(classes)}
    return render(request, "runs/_film.html" if is_fragment else "runs/film.html", context)


@require_POST
def film_again(request: Request, film_id: uuid.UUID) -> HttpResponse:
    """Let a film whose file was removed, or that failed, be made once more."""
    wanted, asker = _visible_film(request, film_id), asker_of(request)
    other = Film.objects.waiting().filter(asked_by=asker).first()
    if other is None and (wanted.status in (Film.Status.REMOVED, Film.Status.FAILED) or wanted.is_overdue):
        again(wanted, asker)
        transaction.on_commit(lambda: ask_for_film(wanted))
    return redirect(other or wanted)


@require_safe
def film_file(request: Request, film_id: uuid.UUID) -> HttpResponse | FileResponse:
    """Send a film's file, to be shown or, where that is asked for, to be kept."""
    shown = _visible_film(request, film_id)
    if shown.status != Film.Status.FINISHED:
        raise Http404("This film is not there, or no longer.")
    try:
        file = shown.file.open("rb")
    except OSError as error:
        shown.note(status=Film.Status.REMOVED)
        raise Http404("The film's file is gone; it can be made again.") from error
    return FileResponse(
        file,
        content_type="image/webp",
        as_attachment="keep" in request.GET,
        filename=f"foolbreeder-{str(shown.pk)[:8]}.webp",
        headers={"Cache-Control": "private, max-age=3600"},
    )


def _complaints(request: Request, last: int, shown: int) -> list[str]:
    """Say what of an address is no generation of the run, and what is shown instead."""
    said = []
    for name, instead in (("generation", f"generation {shown:,} is shown"), ("with", "it was passed over")):
        word = request.GET.get(name, "").replace("\0", "").strip()
        if not word:
            continue
        wanted = generation_wanted(word, last, otherwise=-1)
        if wanted < 0:
            said.append(f"“{word[:MOST_LETTERS]}” is no generation; {instead}.")
        elif word.startswith("-") or int(word.lstrip("+")[:12]) > last:
            said.append(
                f"The run has generations 0 to {last:,}; {wanted:,} is shown for {word[:MOST_LETTERS]}."
            )
    return said


def _visible_run(request: Request, run_id: uuid.UUID) -> Run:
    run = get_object_or_404(Run.objects.visible_to(request.user).select_related("owner"), pk=run_id)
    if run.are_pictures:
        raise Http404("These are pictures from elsewhere: they have no generations.")
    return run


def _run_at(request: Request, run_id: uuid.UUID, generation: int) -> Run:
    run = _visible_run(request, run_id)
    if run.generation is None or generation > run.generation:
        raise Http404("This generation is still to come.")
    return run


def _visible_film(request: Request, film_id: uuid.UUID) -> Film:
    return get_object_or_404(Film.objects.visible_to(request.user).select_related("run"), pk=film_id)


def _want_key_frames(run: Run) -> None:
    """Ask for key frames when somebody slides; of one run not again and again."""
    key = f"key-frames:{run.pk}:{run.generation}"
    if has_key_frames(run) and caches["fragments"].add(key, True, ASK_AGAIN_AFTER):
        ask_for_key_frames(run)


def _walls(run: Run, moments: list[Moment]) -> list[dict[str, Any]]:
    """Return what hangs on each wall: cells of a few classes, or one sheet of many."""
    marked = _marked(moments)
    walls = []
    for moment_ in moments:
        wall: dict[str, Any] = {"moment": moment_, "n_changed": len(moment_.changed)}
        if not has_many_classes(run):
            wall["cells"] = _cells(run, moment_, marked)
        walls.append(wall)
    return walls


def _cells(run: Run, moment_: Moment, marked: set[int]) -> list[dict[str, Any]]:
    held = {holding.class_index: holding for holding in moment_.holdings}
    labels = dict(enumerate(labels_of(run))) or {index: str(index) for index in held}
    return [
        {"class_index": index, "label": label, "holding": held.get(index), "is_marked": index in marked}
        for index, label in labels.items()
    ]


def _marked(moments: list[Moment]) -> set[int]:
    """Return the classes that changed hands: between two moments, or in a single one's generation."""
    if len(moments) == 1:
        return {holding.class_index for holding in moments[0].changed}
    return _held_otherwise(moments[0].holdings, moments[1].holdings)


def _held_otherwise(some: list[Holding], others: list[Holding]) -> set[int]:
    both = differing(some, others) + differing(others, some)
    return {holding.class_index for holding in both}


def _n_differing(moments: list[Moment]) -> int | None:
    return len(_marked(moments)) if len(moments) > 1 else None


def _points(curve: list[tuple[int, float]], last: int) -> str:
    """Return the medians as points of a line."""
    x = CURVE_WIDTH / max(1, last)
    return " ".join(f"{generation * x:.1f},{(1 - median) * CURVE_HEIGHT:.1f}" for generation, median in curve)


def _story(run: Run, moments: list[Moment]) -> dict[str, Any]:
    """Return what the page's script needs to know."""
    return {
        "run": run.get_absolute_url(),
        "last": run.generation,
        "labels": labels_of(run),
        "sides": sides_of(run),
        "pixelated": is_pixelated(run),
        "many": has_many_classes(run),
        "classifier": run.classifier_title,
        "image": _permalink(run),
        "moments": [document_of(moment_) for moment_ in moments],
    }


def _permalink(run: Run) -> str:
    """Return the address of the run's image number 0, where galleries have pages of images."""
    with suppress(NoReverseMatch):
        return reverse("galleries:image", args=[run.pk, 0])
    return ""
