"""The genome editor: its page, the picture that follows each change, and what keeps the result.

Nothing but keeping writes. A genome that cannot be is refused with one sentence, and the session stays as it was.
"""

import base64
import uuid
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from evolution.errors import EvolutionError, GenomeError
from fooling_web.breeding.beginning import MOST_BYTES
from fooling_web.breeding.editing import (
    Draft,
    changed,
    draft_of,
    draw,
    draw_nodes,
    keep,
    read_draft,
)
from fooling_web.breeding.models import Litter
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.breeding.pictures import is_pixelated
from fooling_web.breeding.showing import sentence_of
from fooling_web.galleries.graphs import TooLarge
from fooling_web.galleries.limits import MINUTE, is_within

PICTURES_A_MINUTE = 600  # from one address, of a genome that is being changed
NODES_A_MINUTE = 240  # of all its nodes
TOO_QUICK = "From your address came more changes within a minute than can be drawn. Wait a little."


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Show the genome of a picture; a POST makes the changes of a page without scripts, and shows what they do."""
    litter = _litter(request, session_id, number, place)
    if request.method != "POST":
        return _page(request, draft_of(litter, place))
    draft, complaint = _posted(litter, place, request.POST)
    return _page(request, draft, complaint)


@require_POST
def edit_picture(request: HttpRequest, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Send the picture of the genome in the body."""
    return _drawn(request, _litter(request, session_id, number, place), place, draw, PICTURES_A_MINUTE)


@require_POST
def edit_nodes(request: HttpRequest, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Send what each node of the genome in the body computes."""
    return _drawn(request, _litter(request, session_id, number, place), place, draw_nodes, NODES_A_MINUTE)


@require_POST
def edit_keep(request: HttpRequest, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Add a litter with the changed picture, and go there with it picked."""
    litter = _litter(request, session_id, number, place)
    draft, complaint = _posted(litter, place, request.POST)
    if complaint:
        return _page(request, draft, complaint)
    try:
        kept = keep(draft, _token(request.POST))
    except EvolutionError as error:
        return _page(request, draft, sentence_of(error))
    return redirect(f"{kept.get_absolute_url()}?picked={place}")


def _litter(request: HttpRequest, session_id: uuid.UUID, number: int, place: int) -> Litter:
    litter = litter_or_404(session_or_refusal(request, session_id), number)
    if place >= len(litter):
        raise Http404("This litter has no such picture.")
    return litter


def _drawn(
    request: HttpRequest, litter: Litter, place: int, drawing: Callable[[Draft], bytes], most: int
) -> HttpResponse:
    """Draw the genome in the body, which is read only as far as a genome may be long."""
    if not is_within(request, drawing.__name__, 1, most):
        response = _told(TOO_QUICK, 429)
        response["Retry-After"] = str(MINUTE)
        return response
    try:
        picture = drawing(read_draft(litter, place, request.read(MOST_BYTES + 1)))
    except GenomeError as error:
        return _told(sentence_of(error), 422)
    return HttpResponse(picture, content_type="image/webp", headers={"Cache-Control": "no-store"})


def _told(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=status)


def _posted(litter: Litter, place: int, fields: QueryDict) -> tuple[Draft, str]:
    """Return what a form made of a genome, or how it was before, with a sentence that says why it stays so."""
    draft = draft_of(litter, place)
    try:
        draft = read_draft(litter, place, fields.get("genome", "") or draft.as_text)
        return changed(draft, {name: str(fields[name]) for name in fields}), ""
    except GenomeError as error:
        return draft, sentence_of(error)


def _token(fields: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(fields.get("token", ""))
    except ValueError:
        return uuid.uuid4()


def _page(request: HttpRequest, draft: Draft, complaint: str = "") -> HttpResponse:
    context = {
        "session": draft.litter.session,
        "litter": draft.litter,
        "draft": draft,
        "complaint": complaint,
        "token": uuid.uuid4(),
        "is_pixelated": is_pixelated(draft.litter),
    }
    status = 422 if complaint else 200
    try:
        context["network"] = draft.network
    except TooLarge as error:
        return render(
            request, "breeding/edit.html", {**context, "is_too_large": sentence_of(error)}, status=status
        )
    if draft.is_changed:
        context["picture"] = base64.b64encode(draw(draft)).decode()
    return render(request, "breeding/edit.html", context, status=status)
