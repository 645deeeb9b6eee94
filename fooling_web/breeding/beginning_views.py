"""Ways into breeding: begin with nothing, an image or a file, and go on with what was begun."""

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from evolution.errors import EvolutionError
from fooling_web.breeding.beginning import Beginning, begin_session, from_file, from_image, from_nothing
from fooling_web.breeding.forms import BeginForm, ImportForm
from fooling_web.breeding.models import BreedingSession
from fooling_web.breeding.owning import visitor_of
from fooling_web.breeding.showing import sentence_of
from fooling_web.breeding.tasks import ask_to_warm_up
from fooling_web.breeding.views import Request
from fooling_web.galleries.images import image_or_404, told
from fooling_web.galleries.limits import is_within
from fooling_web.runs.models import Individual

BEGINNINGS_A_MINUTE = 60  # from one address
TOO_MANY = f"From your address came {BEGINNINGS_A_MINUTE} beginnings within a minute. Wait a little."
SESSIONS_PER_PAGE = 24


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: Request) -> HttpResponse:
    """Show what breeding can begin with; a POST begins, with nothing, with an image, or with a file."""
    if request.method != "POST":
        ask_to_warm_up()
        return render(request, "breeding/begin.html")
    if request.FILES:
        return import_genome(request)
    form = BeginForm(request.POST)
    if not form.is_valid():
        return _refused(request, form.complaint)
    if not is_within(request, "beginnings", 1, BEGINNINGS_A_MINUTE):
        return _refused(request, TOO_MANY, status=429)
    run, number = form.cleaned_data["run"], form.cleaned_data["number"]
    if run is None or number is None:
        return redirect(begin_session(request, from_nothing(form.cleaned_data["picture"] or "colour")))
    try:
        beginning = _from_image(request, run, number)
    except EvolutionError as error:
        return _refused(request, sentence_of(error))
    return redirect(begin_session(request, beginning))


@require_http_methods(["GET", "HEAD", "POST"])
def import_genome(request: Request) -> HttpResponse:
    """Show the form that takes a genome in; a POST begins with it."""
    if request.method != "POST":
        return render(request, "breeding/import.html", {"form": ImportForm()})
    form = ImportForm(request.POST, request.FILES)
    if not is_within(request, "beginnings", 1, BEGINNINGS_A_MINUTE):
        form.add_error(None, TOO_MANY)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            return redirect(begin_session(request, from_file(file.read(), file.name)))
        except EvolutionError as error:
            form.add_error("file", sentence_of(error))
    return render(request, "breeding/import.html", {"form": form}, status=422)


@require_safe
def sessions(request: Request) -> HttpResponse:
    """Show what somebody has bred so far, the latest first."""
    mine = BreedingSession.objects.owned_by(request.user, visitor_of(request)).select_related("place")
    light = mine.defer("place__genomes", "place__hashes")
    page = Paginator(light, SESSIONS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "breeding/sessions.html", {"page": page})


def _from_image(request: Request, run_id: uuid.UUID, number: int) -> Beginning:
    """Return a beginning with an image that this person may see."""
    seen = image_or_404(request, run_id, number)
    individual = Individual.objects.select_related("run").get(pk=seen.pk)
    return from_image(individual, told(request, seen).title)


def _refused(request: Request, complaint: str, status: int = 422) -> HttpResponse:
    context: dict[str, Any] = {"complaint": complaint}
    return render(request, "breeding/begin.html", context, status=status)
