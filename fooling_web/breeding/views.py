"""The page of a session: a litter, what can be picked in it, and the steps from it.

A step answers with the new litter alone where htmx asks, and with a redirection to its address otherwise. What a
person asked for and cannot have is said in one sentence; the session stays as it was.
"""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from evolution.errors import EvolutionError
from fooling_web.breeding import stepping
from fooling_web.breeding.forms import EvolveForm, SettingsForm, StepForm
from fooling_web.breeding.litters import stand_at
from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.breeding.pictures import digest_of, sheet_of, tile_of
from fooling_web.breeding.showing import LARGE, Shown, context_of, sentence_of
from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.runs.pictures import FORMATS, SIZES

FOR_EVER = "private, max-age=31536000, immutable"  # a litter never changes
KINDS = {"png": "image/png", "webp": "image/webp"}
TILE_SIZES = (*SIZES, LARGE, 1024)  # pixels a side
STEPS_A_MINUTE = 1500  # from one address: a school is one address
LARGE_A_MINUTE = 120  # pictures of tiles alone
TOO_QUICK = (
    f"From your address came {STEPS_A_MINUTE:,} steps within a minute. Wait a little before the next one."
)


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@require_safe
@vary_on_headers("HX-Request")
def session(request: Request, session_id: uuid.UUID) -> HttpResponse:
    """Show a session at the litter where it stands."""
    one = session_or_refusal(request, session_id)
    if one.place is None:
        raise Http404("This session has no litter.")
    return _page(request, Shown(one, litter_or_404(one, one.place.number), _picked(request)))


@require_safe
@vary_on_headers("HX-Request")
def litter(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Show one litter of a session; where the session stands is changed by steps alone."""
    one = session_or_refusal(request, session_id)
    return _page(request, Shown(one, litter_or_404(one, number), _picked(request)))


@require_POST
def evolve(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Go on to children of the picked pictures."""
    one, here = _opened(request, session_id, number)
    form = EvolveForm(request.POST, session=one, litter=here)
    return _step(
        request, here, form, lambda: stepping.evolve(one, here, form.cleaned_data["picked"], form.once)
    )


@require_POST
def reroll(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Go on to other children of the same parents."""
    one, here = _opened(request, session_id, number)
    form = StepForm(request.POST, session=one)
    return _step(request, here, form, lambda: stepping.reroll(one, here, form.once))


@require_POST
def restart(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Begin again with what the session began with; all that was bred stays."""
    one, here = _opened(request, session_id, number)
    form = StepForm(request.POST, session=one)
    return _step(request, here, form, lambda: stepping.restart(one, here, form.once))


@require_POST
def recolour(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Switch the colour of all pictures of a litter on, or off."""
    one, here = _opened(request, session_id, number)
    form = StepForm(request.POST, session=one)
    return _step(request, here, form, lambda: stepping.recolour(one, here, form.once))


@require_POST
def go(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Stand at a litter that was shown before: back, forward, or anywhere on the way."""
    one, here = _opened(request, session_id, number)
    stand_at(one, here)
    one.place = here
    return _arrived(request, one, here)


@require_POST
def settings(request: Request, session_id: uuid.UUID) -> HttpResponse:
    """Keep how much changes, in what, and how many pictures a litter has."""
    one = session_or_refusal(request, session_id)
    form = SettingsForm(request.POST, session=one)
    if not form.is_valid():
        return _refused(request, one, one.place, form.complaint)
    form.save()
    return HttpResponse(status=204) if request.htmx else redirect(one)


@require_safe
def sheet(request: Request, session_id: uuid.UUID, number: int, digest: str) -> HttpResponse:
    """Send all pictures of a litter in one."""
    here = litter_or_404(session_or_refusal(request, session_id), number)
    if digest != digest_of(here):
        raise Http404("There is no such sheet in this session.")
    return _picture(sheet_of(here, fine="fine" in request.GET), "webp")


@require_safe
def tile(
    request: Request, session_id: uuid.UUID, number: int, place: int, size: int, ending: str
) -> HttpResponse:
    """Send one picture of a litter in one of a few sizes."""
    here = _with_place(litter_or_404(session_or_refusal(request, session_id), number), place)
    if size not in TILE_SIZES or ending not in FORMATS:
        raise Http404("There is no such picture in this session.")
    if size >= LARGE and not is_within(request, "tiles", (size // LARGE) ** 2, LARGE_A_MINUTE):
        response = render(request, "429.html", status=429)
        response["Retry-After"] = str(MINUTE)
        return response
    return _picture(tile_of(here, place, size, ending), ending)


@require_safe
def genome(request: Request, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Send the genome of one picture, as it can be taken in again here."""
    here = _with_place(litter_or_404(session_or_refusal(request, session_id), number), place)
    name = f"bred-{number}-{place + 1}-{here.hashes[place][:8]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": FOR_EVER}
    return JsonResponse(here.documents[place], headers=headers)


def _opened(request: Request, session_id: uuid.UUID, number: int) -> tuple[BreedingSession, Litter]:
    one = session_or_refusal(request, session_id)
    return one, litter_or_404(one, number)


def _with_place(here: Litter, place: int) -> Litter:
    if place >= len(here):
        raise Http404("This litter has no such picture.")
    return here


def _picked(request: Request) -> frozenset[int]:
    """Return the pictures that an address asks to be picked."""
    return frozenset(
        int(word) for word in request.GET.getlist("picked") if word.isdecimal() and len(word) < 4
    )


def _step(request: Request, here: Litter, form: StepForm, take: Callable[[], Litter]) -> HttpResponse:
    """Take a step if the form allows it, and show where it led; otherwise say why not."""
    one = form.session
    if not is_within(request, "steps", 1, STEPS_A_MINUTE):
        return _refused(request, one, here, TOO_QUICK, status=429)
    if not form.is_valid():
        return _refused(request, one, here, form.complaint)
    stood = one.place.number if one.place else here.number
    form.save()
    try:
        there = take()
    except EvolutionError as error:
        return _refused(request, one, here, sentence_of(error))
    one.place = there
    elsewhere = form.cleaned_data["stands"] not in (None, stood) and stood not in (here.number, there.number)
    return _arrived(request, one, there, stood if elsewhere else None)


def _arrived(
    request: Request, one: BreedingSession, there: Litter, elsewhere: int | None = None
) -> HttpResponse:
    """Show a litter after a step; `elsewhere` is the litter to which another tab had gone on meanwhile."""
    if not request.htmx:
        if elsewhere is not None:
            messages.info(request, _told_elsewhere(one, elsewhere))
        return redirect(there)
    context = {
        **context_of(Shown(one, there)),
        "note": "" if elsewhere is None else _told_elsewhere(one, elsewhere),
    }
    response = render(request, "breeding/_step.html", context)
    response["HX-Push-Url"] = there.get_absolute_url()
    return response


def _told_elsewhere(one: BreedingSession, number: int) -> str:
    address = one.litters.get(number=number).get_absolute_url()
    return format_html(
        "In another tab, or on another device, this session had gone on to "
        '<a href="{}">litter {}</a>. Both ways are kept.',
        address,
        number,
    )


def _refused(
    request: Request, one: BreedingSession, here: Litter | None, complaint: str, status: int = 422
) -> HttpResponse:
    """Say why something cannot be done, on the page as it was."""
    if request.htmx or here is None:
        response = render(request, "breeding/_complaint.html", {"complaint": complaint}, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#complaint", "outerHTML"
        return response
    picked = frozenset(
        int(word) for word in request.POST.getlist("picked") if word.isdecimal() and len(word) < 4
    )
    context = {**context_of(Shown(one, litter_or_404(one, here.number), picked)), "complaint": complaint}
    return render(request, "breeding/session.html", context, status=status)


def _page(request: Request, shown: Shown) -> HttpResponse:
    """Show a litter: its whole page, or what differs from another litter's."""
    is_part = request.htmx and not request.htmx.history_restore_request
    return render(request, "breeding/_step.html" if is_part else "breeding/session.html", context_of(shown))


def _picture(content: bytes, ending: str) -> HttpResponse:
    return HttpResponse(content, content_type=KINDS[ending], headers={"Cache-Control": FOR_EVER})
