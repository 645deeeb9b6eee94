"""The networks look on: who does, what they say of a litter, and letting evolution try.

What is asked for here is answered by a worker later; a page hears of it by its socket, or asks again.
"""

import functools
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html_join
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evolution.errors import EvolutionError
from fooling_web.breeding import attempts, opinions
from fooling_web.breeding.forms import EvolveForm
from fooling_web.breeding.looking import Looking
from fooling_web.breeding.looking_forms import NetworksForm
from fooling_web.breeding.models import BreedingSession, Litter, Opinion
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.breeding.pictures import picture_of
from fooling_web.breeding.showing import sentence_of
from fooling_web.breeding.tasks import ask_for_opinion, ask_to_advance
from fooling_web.breeding.views import FOR_EVER, Request
from fooling_web.galleries.limits import is_within
from models_zoo.errors import UnknownClassifier, ZooError
from models_zoo.registry import find

OPINIONS_A_MINUTE = 600  # from one address: a school is one address
ATTEMPTS_A_MINUTE = 12
TOO_MANY_OPINIONS = (
    "From your address networks were asked very often within a minute. Wait a little, then ask again."
)
TOO_MANY_ATTEMPTS = (
    f"From your address came {ATTEMPTS_A_MINUTE} attempts within a minute. Wait a little before the next one."
)
AWAY = "The worker cannot be reached at the moment, so evolution cannot try. Try again later."
TOO_MANY = 429


@require_POST
def networks(request: Request, session_id: uuid.UUID) -> HttpResponse:
    """Keep who looks on, for which class, and what is played for."""
    session = session_or_refusal(request, session_id)
    form = NetworksForm(request.POST, session=session)
    if form.is_valid():
        form.save()
        return _settled(request, session, note=form.note)
    session.refresh_from_db()
    mistyped = request.POST.get("target", "") if "target" in form.errors else ""
    return _settled(request, session, complaint=form.complaint, mistyped=mistyped)


@require_http_methods(["GET", "HEAD", "POST"])
def hear(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Tell what the networks said of a litter; a POST has them asked, if they were not."""
    session, litter = _opened(request, session_id, number)
    complaint = _ask(request, session, litter) if request.method == "POST" else ""
    if not request.htmx:
        if complaint:
            messages.warning(request, complaint)
        return redirect(litter)
    context = {
        "looking": Looking(session, litter),
        "litter": litter,
        "session": session,
        "complaint": complaint,
    }
    return render(request, "breeding/_opinions.html", context)


@require_POST
def see(request: Request, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Keep whether a person sees the target in a picture."""
    session, litter = _opened(request, session_id, number)
    looking = Looking(session, litter)
    answer = {"yes": True, "no": False}.get(request.POST.get("seen", ""))
    if answer is None or place >= len(litter) or not looking.first or not looking.target:
        raise Http404("There is no such question about this picture.")
    opinions.keep_seen(litter, looking.first.name, place, session.target, answer)
    if not request.htmx:
        return redirect(litter)
    context = {"looking": Looking(session, litter), "litter": litter, "session": session, "is_part": True}
    return render(request, "breeding/_looking_state.html", context)


@require_safe
def labels(request: HttpRequest, classifier: str) -> HttpResponse:
    """Send the names of a classifier's classes, to choose a target from."""
    try:
        options = _options(tuple(find(classifier).labels))
    except UnknownClassifier as error:
        raise Http404(str(error)) from None
    return HttpResponse(options, headers={"Cache-Control": "private, max-age=3600"})


@require_POST
def attempt(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Let evolution try from the picked pictures, or from all."""
    session, litter = _opened(request, session_id, number)
    complaint = _begin(request, session, litter)
    return _told(request, session, litter, complaint)


@require_safe
def attempt_state(request: Request, session_id: uuid.UUID) -> HttpResponse:
    """Tell how far the latest attempt of a session is."""
    session = session_or_refusal(request, session_id)
    return _told(request, session, _place_of(session))


@require_POST
def attempt_stop(request: Request, session_id: uuid.UUID, attempt_id: int) -> HttpResponse:
    """End an attempt here; what it came to is kept."""
    session = session_or_refusal(request, session_id)
    one = get_object_or_404(session.attempts.select_related("session", "litter"), pk=attempt_id)
    complaint = ""
    try:
        attempts.stop(one)
    except EvolutionError as error:
        complaint = sentence_of(error)
    session.refresh_from_db()
    return _told(request, session, _place_of(session), complaint)


@require_safe
def attempt_picture(
    request: Request, session_id: uuid.UUID, attempt_id: int, generation: int
) -> HttpResponse:
    """Send the best picture of an attempt so far; the address names the generation, so that it is asked anew."""
    session = session_or_refusal(request, session_id)
    one = get_object_or_404(session.attempts, pk=attempt_id)
    documents = attempts.population_of(one).documents
    if not documents:
        raise Http404("This attempt has no picture yet.")
    headers = {"Cache-Control": FOR_EVER if generation == one.generation else "no-store"}
    return HttpResponse(picture_of(session, documents[0]), content_type="image/webp", headers=headers)


def _opened(request: Request, session_id: uuid.UUID, number: int) -> tuple[BreedingSession, Litter]:
    session = session_or_refusal(request, session_id)
    return session, litter_or_404(session, number)


def _place_of(session: BreedingSession) -> Litter:
    if session.place is None:
        raise Http404("This session has no litter.")
    return session.place


def _ask(request: Request, session: BreedingSession, litter: Litter) -> str:
    """Have networks asked about a litter; return why they are not, if they are not."""
    cost = opinions.open_ones(session, litter)
    if cost and not is_within(request, "opinions", cost, OPINIONS_A_MINUTE):
        return TOO_MANY_OPINIONS
    asked: list[Opinion] = opinions.ask(session, litter)
    for one in asked:
        ask_for_opinion(one)
    return ""


def _begin(request: Request, session: BreedingSession, litter: Litter) -> str:
    """Begin an attempt; return why not, if it is not begun."""
    picked: list[int] = []
    if request.POST.getlist("picked"):
        form = EvolveForm(request.POST, session=session, litter=litter)
        if not form.is_valid():
            return form.complaint
        form.save()
        picked = form.cleaned_data["picked"]
    if not is_within(request, "attempts", 1, ATTEMPTS_A_MINUTE):
        return TOO_MANY_ATTEMPTS
    try:
        one = attempts.begin(session, litter, picked)
    except (EvolutionError, ZooError) as error:
        return sentence_of(error)
    if not ask_to_advance(one):
        attempts.fail(one, AWAY)
    return ""


def _told(request: Request, session: BreedingSession, litter: Litter, complaint: str = "") -> HttpResponse:
    """Show how an attempt goes."""
    if not request.htmx:
        if complaint:
            messages.error(request, complaint)
        return redirect(litter)
    context: dict[str, Any] = {"looking": Looking(session, litter), "session": session, "litter": litter}
    return render(request, "breeding/_attempt.html", {**context, "complaint": complaint})


def _settled(
    request: Request, session: BreedingSession, *, note: str = "", complaint: str = "", mistyped: str = ""
) -> HttpResponse:
    """Show who looks on now; or why nothing was changed, with what was typed."""
    litter = _place_of(session)
    if not request.htmx:
        if note or complaint:
            messages.add_message(request, messages.ERROR if complaint else messages.INFO, note or complaint)
        return redirect(session)
    context = {"looking": Looking(session, litter), "session": session, "litter": litter}
    context |= {"looking_note": note, "looking_complaint": complaint, "looking_target": mistyped}
    response = render(request, "breeding/_looking_on.html", context, status=422 if complaint else 200)
    if complaint:
        response["HX-Retarget"], response["HX-Reswap"] = "#looking-on", "innerHTML"
    return response


@functools.lru_cache(maxsize=16)
def _options(names: tuple[str, ...]) -> str:
    return format_html_join("", '<option value="{}"></option>', ((name,) for name in names))
