"""Pages on which a study's images are chosen, labelled and removed, and the pictures themselves."""

import random
import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.galleries.images import image_or_404
from fooling_web.runs.views import Request
from fooling_web.studies import arranging, asking, building, choosing, naturals
from fooling_web.studies.choosing import Added, Refused
from fooling_web.studies.forms import EvolvedForm, NaturalForm
from fooling_web.studies.freezing import complaints_about
from fooling_web.studies.models import Frozen, Study, StudyImage
from fooling_web.studies.owning import managed_or_404, n_sessions, told_of_forgotten
from fooling_web.studies.pictures import name_of
from fooling_web.studies.presets import PRESETS
from fooling_web.studies.tasks import ask_about_images
from fooling_web.studies.written import add_written

FOR_EVER = "public, max-age=31536000, immutable"  # a picture is named by its hash
UNDO = "studies_undo"  # in a session: the last change of images, by study
SHOWN = 60  # drafts to choose from
LISTED = (Frozen, Refused)
ROLES = (
    (StudyImage.Role.MAIN, "Asked about"),
    (StudyImage.Role.CATCH, "Catch trials"),
    (StudyImage.Role.PRACTICE, "Practice"),
)


@login_required
@require_safe
def images(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show a study's images, and forms that add others."""
    return _images_page(request, managed_or_404(request, study_id))


@login_required
@require_POST
def fulfil(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Add the images that the preset wants."""
    shown = managed_or_404(request, study_id)
    return _adding(request, shown, lambda: building.fulfil(shown, request.user, random.SystemRandom()))


@login_required
@require_POST
def add_evolved(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Add images from the galleries, a run, a collection or one's favourites."""
    shown = managed_or_404(request, study_id)
    form = EvolvedForm(request.POST, person=request.user)
    if not form.is_valid():
        return _images_page(request, shown, evolved=form)
    return _adding(
        request, shown, lambda: choosing.add_evolved(shown, request.user, form.asked, random.SystemRandom())
    )


@login_required
@require_POST
def add_natural(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Add digits, photographs, uploaded pictures, or words that say which label to choose."""
    shown = managed_or_404(request, study_id)
    form = NaturalForm(request.POST, usual=building.main_dataset(shown))
    if not form.is_valid():
        return _images_page(request, shown, natural=form)
    return _adding(request, shown, lambda: _natural(request, shown, form.cleaned_data))


@login_required
@require_POST
def change_images(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Remove images, use them for something else, or give one another label."""
    shown = managed_or_404(request, study_id)
    numbers = [
        int(number) for number in request.POST.getlist("image") if number.isdecimal() and len(number) < 9
    ]
    deed, n_before = request.POST.get("deed", ""), n_sessions(shown)
    try:
        if deed == "remove":
            change, told = arranging.remove(shown, numbers), "Removed."
        elif deed == "label":
            change = arranging.relabel(shown, numbers, request.POST.get("label", ""))
            told = "Labelled anew."
        else:
            change, told = arranging.give_role(shown, numbers, deed), "Saved."
    except LISTED as refusal:
        messages.error(request, str(refusal))
    else:
        _remember(request, shown, change)
        messages.success(request, f"{told}{told_of_forgotten(n_before)}")
        _ask_if_need_be(shown)
    return redirect("studies:images", shown.pk)


@login_required
@require_POST
def undo(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Undo the last change of a study's images."""
    shown = managed_or_404(request, study_id)
    changes = request.session.get(UNDO, {})
    change = changes.pop(str(shown.pk), None)
    request.session[UNDO] = changes
    if change is None:
        messages.info(request, "There is nothing to undo.")
        return redirect("studies:images", shown.pk)
    try:
        arranging.undo(shown, change)
    except LISTED as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Undone.")
        _ask_if_need_be(shown)
    return redirect("studies:images", shown.pk)


@login_required
@require_POST
def ask(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Have the classifier asked again about images that wait, or do without its answers."""
    shown = managed_or_404(request, study_id)
    if request.POST.get("deed") == "without":
        try:
            _remember(request, shown, arranging.do_without_answers(shown))
        except Frozen as refusal:
            messages.error(request, str(refusal))
    else:
        _ask_if_need_be(shown)
    return redirect("studies:images", shown.pk)


@login_required
@require_safe
def waiting(request: Request, study_id: uuid.UUID) -> HttpResponse:
    """Say how many images wait for the classifier; a page that waited is loaded again once none does."""
    shown = managed_or_404(request, study_id)
    n_waiting = asking.waiting_of(shown).count()
    complaint = asking.complaint_of(shown)
    if not n_waiting and request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"study": shown, "n_waiting": n_waiting, "complaint": complaint}
    return render(request, "studies/_waiting.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_picked(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Use an image that was picked on its page in one of one's drafts."""
    individual = image_or_404(request, run_id, number)
    drafts = Study.objects.filter(owner=cast(Any, request.user), frozen_at=None)
    text = request.POST.get("class", request.GET.get("class", ""))
    class_index = int(text) if text.isdecimal() and len(text) < 9 else None
    if request.method == "POST":
        chosen = get_object_or_404(drafts, pk=_uuid(request.POST.get("study", "")))
        return _adding(request, chosen, lambda: choosing.add_one(chosen, individual, class_index))
    context = {"individual": individual, "run": individual.run, "drafts": drafts[:SHOWN], "class_index": text}
    return render(request, "studies/pick.html", context)


@require_safe
def picture(request: HttpRequest, sha256: str) -> HttpResponse:
    """Send a study's picture to whoever knows its hash."""
    try:
        with default_storage.open(name_of(sha256)) as file:
            content = file.read()
    except OSError as error:
        raise Http404("No study shows such a picture.") from error
    return HttpResponse(content, content_type="image/png", headers={"Cache-Control": FOR_EVER})


def _images_page(
    request: HttpRequest,
    shown: Study,
    *,
    evolved: EvolvedForm | None = None,
    natural: NaturalForm | None = None,
) -> HttpResponse:
    preset = PRESETS.get(shown.plan.preset)
    n_main = shown.images.filter(role=StudyImage.Role.MAIN).count()
    wanted = sum(wish.count for wish in preset.wishes) if preset else 0
    n_waiting = asking.waiting_of(shown).count()  # first: an answer that comes meanwhile is no complaint then
    complaints = [] if shown.is_frozen else complaints_about(shown)
    context = {
        "study": shown,
        "groups": _grouped(shown),
        "labels": sorted({label for name in naturals.datasets() for label in naturals.labels_of(name)}),
        "evolved": evolved or EvolvedForm(person=request.user),
        "natural": natural or NaturalForm(usual=building.main_dataset(shown)),
        "preset": preset,
        "runs_that_help": [
            (wish.said, f"{reverse('runs:launch')}?{urlencode(wish.recipe)}")
            for wish in building.lacking(shown)
        ],
        "is_wanting": preset is not None and n_main < wanted,
        "complaints": [one for one in complaints if not one.is_for_now],
        "is_ready": not complaints,
        "n_waiting": n_waiting,
        "complaint": asking.complaint_of(shown),
        "n_pilot": n_sessions(shown),
        "can_undo": str(shown.pk) in request.session.get(UNDO, {}),
    }
    has_errors = bool((evolved and evolved.errors) or (natural and natural.errors))
    return render(request, "studies/images.html", context, status=422 if has_errors else 200)


def _grouped(shown: Study) -> list[tuple[str, list[StudyImage]]]:
    """Return the images by what they are for."""
    images = list(shown.images.select_related("individual").defer("individual__genome"))
    groups = [(title, [one for one in images if one.role == role]) for role, title in ROLES]
    return [(title, of_role) for title, of_role in groups if of_role]


def _adding(request: HttpRequest, shown: Study, deed: Callable[[], Added]) -> HttpResponse:
    """Add images, say what came of it, and go to the page of images."""
    n_before = n_sessions(shown)
    try:
        added = deed()
    except LISTED as refusal:
        messages.error(request, str(refusal))
        return redirect("studies:images", shown.pk)
    if added.numbers:
        _remember(request, shown, {"added": added.numbers})
        count = len(added.numbers)
        messages.success(
            request, f"{count} {'image' if count == 1 else 'images'} added.{told_of_forgotten(n_before)}"
        )
    for note in added.notes:
        messages.warning(request, note)
    _ask_if_need_be(shown)
    return redirect("studies:images", shown.pk)


def _natural(request: HttpRequest, shown: Study, chosen: dict[str, Any]) -> Added:
    kind, role = chosen["kind"], chosen["role"]
    dataset = {"digits": "mnist", "photographs": "imagenet"}.get(kind) or chosen["dataset"] or "imagenet"
    classifier = chosen["classifier"] or building.usual_classifier(shown, dataset)
    if kind == "upload":
        files: Any = request.FILES.getlist("files")
        return naturals.add_uploads(
            shown, files, dataset=dataset, label=chosen["label"], role=role, classifier=classifier
        )
    rng = random.SystemRandom()
    if kind == "written":
        return add_written(shown, chosen["count"], rng)
    if kind == "digits":
        return naturals.add_digits(shown, chosen["count"], role=role, classifier=classifier, rng=rng)
    return naturals.add_photographs(shown, chosen["count"], role=role, classifier=classifier, rng=rng)


def _remember(request: HttpRequest, shown: Study, change: arranging.Change) -> None:
    """Keep the last change of a study's images for undoing it."""
    request.session[UNDO] = {str(shown.pk): change}


def _ask_if_need_be(shown: Study) -> None:
    if asking.waiting_of(shown).exists():
        transaction.on_commit(lambda: ask_about_images(shown))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404("There is no such study.") from error
