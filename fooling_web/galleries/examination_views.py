"""Parts of an image's page that a worker has to find out: opinions of others, crops, robustness, saliency.

Each is a fragment of the image's page and a page of its own. A GET shows what is known and starts nothing; a POST
has it found out. Where that is quick the browser posts by itself once the part comes into sight.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from fooling_web.classifiers.wording import sentence
from fooling_web.galleries import charts
from fooling_web.galleries.absence import absence_of
from fooling_web.galleries.examining import ask_for, class_known_to, opinion_subject, sees_all, side_for
from fooling_web.galleries.images import Request, Told, image_or_404, told
from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.galleries.models import Examination
from fooling_web.runs.models import Individual, Run
from models_zoo.registry import ClassifierEntry, all_entries

ALIKE = 0.001  # confidences that differ by less are the same, computed by another machine
SAME = 1e-5  # those that differ by less even in the same batches: the one that was kept is shown
ONE_CROP, TEN_CROPS = 1, 10  # of a picture, that a run asks about
LARGEST_PIXELATED = 64  # pixels a side: shown pixel by pixel
# A page that waits asks again after so many seconds, while it has waited for less than so many.
PAUSES = ((10, 1), (60, 3))
LONGEST_PAUSE = 10
Deed = Examination.Deed


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the page: `cost` counts against the limit; what is quick is asked for without a button."""

    name: str
    title: str
    cost: int
    is_quick: bool
    button: str


PARTS = {
    Deed.OPINIONS: Part(
        name="opinions",
        title="What other classifiers say of it",
        cost=2,
        is_quick=True,
        button="Ask the other classifiers",
    ),
    Deed.CROPS: Part(name="crops", title="Crop by crop", cost=1, is_quick=True, button="Ask about each crop"),
    Deed.ROBUSTNESS: Part(
        name="robustness",
        title="Shifted, rescaled, compressed, blurred",
        cost=4,
        is_quick=False,
        button="Put it to the test",
    ),
    Deed.SALIENCY: Part(
        name="saliency", title="What matters in it", cost=6, is_quick=False, button="Hide it part by part"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What one classifier says of the image, or why it has not."""

    entry: ClassifierEntry
    subject: str
    examination: Examination | None
    note: str  # how the picture was made for it, where that was not as for the run's
    knows: bool  # the class in whose light the image is told

    @property
    def is_answered(self) -> bool:
        """Whether it has said something."""
        return self.examination is not None and self.examination.is_answered

    @property
    def result(self) -> dict[str, Any]:
        """What it said."""
        assert self.examination is not None
        found: dict[str, Any] = self.examination.result or {}
        return found

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Its likeliest classes."""
        known = self.result["class_index"]
        return [
            {
                "class_index": index,
                "label": self.entry.labels[index],
                "confidence": confidence,
                "is_own": index == known,
            }
            for index, confidence in self.result["top"]
            if index < self.entry.n_classes
        ]

    @property
    def agrees(self) -> bool:
        """Whether the class is the likeliest for it."""
        return self.is_answered and self.result["rank"] == 1

    @property
    def complaint(self) -> str:
        """Why it could not say anything."""
        return sentence(self.examination.error) if self.examination else ""


def examination(request: Request, run_id: uuid.UUID, number: int, deed: str) -> HttpResponse:
    """Show what is known of an image in one respect; a POST has it found out."""
    individual = image_or_404(request, run_id, number)
    known, part = told(request, individual), PARTS[Deed(deed)]
    complaint, remedy = _complaint(individual, known, part)
    subjects = {} if complaint else _subjects(individual.run, known, deed)
    found = _found(individual, deed, subjects)
    is_refused = False
    if request.method == "POST" and not complaint:
        is_refused = not _ask(request, individual, part, subjects, found)
        found = _found(individual, deed, subjects)
    address = reverse(f"galleries:{part.name}", args=[run_id, number]) + known.query
    if request.method == "POST" and not request.htmx:
        return _too_many(request) if is_refused else redirect(address)
    context = {
        **_shared(individual, known, part, address),
        **_state(request, part, subjects, found, is_refused=is_refused),
        **SHOWN[Deed(deed)](individual, known, subjects, found),
        "complaint": complaint,
        "remedy": remedy,
    }
    template = f"galleries/_{part.name}.html" if request.htmx else "galleries/examination.html"
    return render(request, template, context)


def _view(deed: str) -> Callable[..., HttpResponse]:
    @require_http_methods(["GET", "HEAD", "POST"])
    @vary_on_headers("HX-Request")
    def view(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
        return examination(request, run_id, number, deed)

    return view


opinions, crops, robustness, saliency = (
    _view(deed) for deed in (Deed.OPINIONS, Deed.CROPS, Deed.ROBUSTNESS, Deed.SALIENCY)
)


def _complaint(individual: Individual, known: Told, part: Part) -> tuple[str, str]:
    """Return why nothing can be found out, and what the staff can do about it; both empty where it can."""
    if not individual.genome_bytes:  # type: ignore[attr-defined]  # counted by image_or_404
        return "This picture was not kept, so nothing more can be found out about it.", ""
    if part.name == Deed.OPINIONS:
        return "", ""
    absence, title = absence_of(individual.run), individual.run.classifier_title
    if absence:
        return absence.told, absence.remedy
    if not known.light:
        return f"What {title} said of this picture is not known, so there is no class to look for.", ""
    return "", ""


def _subjects(run: Run, known: Told, deed: str) -> dict[str, ClassifierEntry | None]:
    """Return what is to be found out: by subject, and whose opinion it is."""
    index = known.light.class_index if known.light else None
    if deed == Deed.OPINIONS:
        return {opinion_subject(entry, index): entry for entry in _others(run)}
    if deed == Deed.CROPS and sees_all(run):
        return {}
    return {str(index): None}


def _others(run: Run) -> list[ClassifierEntry]:
    """Return the other classifiers whose weights are here, those of the same data set first."""
    own = run.known_classifier
    others = [
        entry for entry in all_entries() if entry.name != run.classifier and entry.weights_path.exists()
    ]
    return sorted(others, key=lambda entry: (not own or entry.dataset != own.dataset, entry.title))


def _found(
    individual: Individual, deed: str, subjects: dict[str, ClassifierEntry | None]
) -> dict[str, Examination]:
    examinations = Examination.objects.filter(individual=individual, deed=deed, subject__in=subjects)
    return {one.subject: one for one in examinations}


def _ask(
    request: Request,
    individual: Individual,
    part: Part,
    subjects: dict[str, ClassifierEntry | None],
    found: dict[str, Examination],
) -> bool:
    """Have found out what is not; whether this address may."""
    open_ones = [subject for subject in subjects if _is_open(found.get(subject))]
    if not open_ones:
        return True
    if not is_within(request, "examinations", part.cost, settings.EXAMINATION_SECONDS_A_MINUTE):
        return False
    for subject in open_ones:
        ask_for(individual, part.name, subject)
    return True


def _is_open(one: Examination | None) -> bool:
    """Whether it may be asked for."""
    return one is None or bool(one.error) or one.is_overdue


def _state(
    request: Request,
    part: Part,
    subjects: dict[str, ClassifierEntry | None],
    found: dict[str, Examination],
    *,
    is_refused: bool,
) -> dict[str, Any]:
    """Return how far it is: what waits, what is still to be asked, and when the page looks again."""
    waiting = [one for one in found.values() if one.is_waiting and not one.is_overdue]
    is_new = any(subject not in found for subject in subjects)
    return {
        "is_waiting": bool(waiting),
        "failed": [sentence(one.error) for one in found.values() if one.error],
        "is_overdue": any(one.is_overdue for one in found.values()),
        "is_refused": is_refused,
        "may_ask": any(_is_open(found.get(subject)) for subject in subjects) and not waiting,
        "asks_itself": bool(request.htmx) and part.is_quick and is_new and not (waiting or is_refused),
        "pause": _pause(waiting),
        "n_answered": sum(not one.is_waiting for one in found.values()),
        "n_asked": len(subjects),
    }


def _pause(waiting: list[Examination]) -> int:
    """Return after how many seconds a page that waits looks again: the longer it has waited, the later."""
    if not waiting:
        return 0
    waited = (timezone.now() - min(one.asked_at for one in waiting)).total_seconds()
    return next((pause for less_than, pause in PAUSES if waited < less_than), LONGEST_PAUSE)


def _shared(individual: Individual, known: Told, part: Part, address: str) -> dict[str, Any]:
    run = individual.run
    return {
        "run": run,
        "individual": individual,
        "told": known,
        "part": part,
        "template": f"galleries/_{part.name}.html",
        "address": address,
        "native": run.settings.width,
        "is_pixelated": run.settings.width <= LARGEST_PIXELATED,
        "picture_url": reverse("runs:image", args=[run.pk, individual.number, individual.genome_hash]),
    }


def _shown_opinions(
    individual: Individual,
    known: Told,
    subjects: dict[str, ClassifierEntry | None],
    found: dict[str, Examination],
) -> dict[str, Any]:
    run, index = individual.run, known.light.class_index if known.light else None
    told_ones = [
        Opinion(
            entry=entry,
            subject=subject,
            examination=found.get(subject),
            note=_note(run, entry),
            knows=class_known_to(entry, run, index) is not None,
        )
        for subject, entry in subjects.items()
        if entry
    ]
    judges = [one for one in told_ones if one.knows or index is None]
    judging = [one for one in judges if one.is_answered and one.knows]
    return {
        "opinions": told_ones,
        "judges": judges,
        "strangers": [one for one in told_ones if one not in judges],
        "n_judging": len(judging),
        "n_agreeing": sum(one.agrees for one in judging),
    }


def _note(run: Run, entry: ClassifierEntry) -> str:
    """Return in words how the picture was made for a classifier; empty where it is the run's very picture."""
    parameters, side = run.settings, side_for(entry, run)
    words = []
    if side != parameters.width and run.encoding == "cppn":
        words.append(f"drawn anew with {side} × {side} pixels")
    elif side != parameters.width:
        way = "enlarged" if side > parameters.width else "made smaller"
        words.append(f"{way} to {side} × {side} pixels")
    if entry.channels < parameters.channels:
        words.append("turned grey")
    elif entry.channels > parameters.channels:
        words.append("its grey given as red, green and blue")
    return ", ".join(words)


def _shown_crops(
    individual: Individual, known: Told, subjects: dict[str, Any], found: dict[str, Examination]
) -> dict[str, Any]:
    run, result = individual.run, _result(found)
    context: dict[str, Any] = {"sees_all": sees_all(run), "run_crops": run.settings.crops, "result": result}
    if result and known.light:
        index = known.light.class_index
        context |= {
            "crops": charts.crops_of(run, index, result),
            "mean": charts.answer_of(run, index, _as_kept(known, result["mean"], TEN_CROPS)),
            "centre": charts.answer_of(run, index, _as_kept(known, result["centre"])),
        }
    return context


def _shown_robustness(
    individual: Individual, known: Told, subjects: dict[str, Any], found: dict[str, Examination]
) -> dict[str, Any]:
    run, result = individual.run, _result(found)
    context: dict[str, Any] = {"result": result, "run_crops": run.settings.crops}
    if result and known.light:
        index, whole = known.light.class_index, _as_kept(known, result["whole"])
        drawn = charts.charts_of(run, index, {**result, "whole": whole})
        context |= {
            "charts": drawn,
            "scale": charts.scale(),
            "frame": charts.FRAME,
            "colour": charts.colour_words(result["colour"]),
            "whole": charts.answer_of(run, index, whole),
            "then": _other_then(run, known, result["whole"][0]),
            "n_staying": sum(chart.staying for chart in drawn),
            "n_points": sum(len(chart.points) for chart in drawn),
        }
    return context


def _shown_saliency(
    individual: Individual, known: Told, subjects: dict[str, Any], found: dict[str, Examination]
) -> dict[str, Any]:
    run, result = individual.run, _result(found)
    context: dict[str, Any] = {"result": result, "run_crops": run.settings.crops}
    if result and known.light:
        context |= {
            "cells": charts.cells_of(result),
            "legend": charts.legend_of(result),
            "strongest": charts.strongest_of(result),
            "largest": charts.largest_of(result),  # without one, a map of nothing would lie there as a veil
            "colour": charts.colour_words(result["colour"]),
            "whole": charts.answer_of(run, known.light.class_index, _as_kept(known, result["whole"])),
            "then": _other_then(run, known, result["whole"][0]),
            "rows": charts.table_of(result),
        }
    return context


def _as_kept(known: Told, row: list[Any], crops: int = ONE_CROP) -> list[Any]:
    """Return an answer about the very views that the run saw with the confidence that was kept, if they agree."""
    if known.individual.run.settings.crops != crops or not known.light:
        return row
    confidence, *others = row
    kept = known.light.confidence
    return [kept if abs(confidence - kept) < SAME else confidence, *others]


def _other_then(run: Run, known: Told, now: float) -> float | None:
    """Return the confidence from when the image was evolved, where one and the same view gets another today."""
    if run.settings.crops != 1 or not known.light or abs(known.light.confidence - now) < ALIKE:
        return None
    return known.light.confidence


SHOWN: dict[str, Callable[..., dict[str, Any]]] = {
    Deed.OPINIONS: _shown_opinions,
    Deed.CROPS: _shown_crops,
    Deed.ROBUSTNESS: _shown_robustness,
    Deed.SALIENCY: _shown_saliency,
}


def _result(found: dict[str, Examination]) -> dict[str, Any] | None:
    """Return what was found out; None where it was not."""
    return next((one.result for one in found.values() if one.is_answered), None)


def _too_many(request: Request) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response
