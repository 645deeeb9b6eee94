"""The family tree: the overview of families, the family of one picture, and what the drawing is made from."""

import re
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from fooling_web.breeding.family import (
    family_document,
    has_publications,
    largest_families,
    published_in_place_of,
    surroundings,
)
from fooling_web.galleries.images import image_or_404
from fooling_web.runs.models import Individual

SHAPES = {"linear": "Linear", "radial": "Radial"}
CENTRE = re.compile(r"([0-9a-fA-F-]{32,36})/(\d{1,19})")
QUOTED = 60  # characters of what stands in an address


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@require_safe
@vary_on_headers("HX-Request")
def tree(request: Request) -> HttpResponse:
    """Show the family of the picture that the address names; without one, the largest families."""
    if "centre" not in request.GET:
        return _overview(request)
    try:
        centre = _centre_or_404(request)
    except Http404 as missing:
        return _overview(request, complaint=str(missing))
    found = surroundings(centre, request.user)
    context = {
        "found": found,
        "centre": found.centre,
        "shape": _shape(request),
        "shapes": SHAPES,
        "is_listed": centre.run.visibility == centre.run.Visibility.PUBLIC,
        "data_url": f"{reverse('breeding:tree_data')}?centre={found.centre.address}",
    }
    return render(request, "breeding/_family_near.html" if request.htmx else "breeding/tree.html", context)


@gzip_page
@require_safe
def tree_data(request: HttpRequest) -> HttpResponse:
    """Send the whole family of a picture."""
    try:
        centre = _centre_or_404(request)
    except Http404 as missing:
        return JsonResponse({"error": str(missing)}, status=404)
    document = family_document(centre, request.user)
    compact = {"separators": (",", ":"), "ensure_ascii": False}
    return JsonResponse(document, json_dumps_params=compact, headers={"Cache-Control": "private, no-cache"})


def _overview(request: HttpRequest, complaint: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "families": largest_families(),
        "has_publications": has_publications(),
        "complaint": complaint,
    }
    return render(request, "breeding/families.html", context, status=404 if complaint else 200)


def _centre_or_404(request: HttpRequest) -> Individual:
    """Return the picture that the address names; raises Http404 with a sentence that names what was asked for."""
    asked = request.GET.get("centre", "")
    named = f"“{asked[:QUOTED]}{'…' if len(asked) > QUOTED else ''}”"
    written = CENTRE.fullmatch(asked)
    if not written:
        raise Http404(f"{named} names no picture. A tree is asked for by ?centre=<run>/<number>.")
    try:
        individual = image_or_404(request, uuid.UUID(written[1]), int(written[2]))
    except (ValueError, Http404):
        raise Http404(f"There is no picture {named} here, or it is not public.") from None
    return published_in_place_of(individual)


def _shape(request: HttpRequest) -> str:
    asked = request.GET.get("shape", "")
    return asked if asked in SHAPES else "linear"
