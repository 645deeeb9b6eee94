"""How a run or an image is cited: as a part of its page, as a page of its own, and as a file for a bibliography."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from fooling_web.exports.citing import Citation, citation_of_image, citation_of_run
from fooling_web.galleries.images import Request as ImageRequest
from fooling_web.galleries.images import image_or_404, told
from fooling_web.galleries.models import image_url
from fooling_web.runs.models import Run


@require_safe
@vary_on_headers("HX-Request")
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Show how a run is cited."""
    return _shown(request, _of_run(request, run_id), reverse("exports:cite_run_bib", args=[run_id]))


@require_safe
def run_bib(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Send a run's entry of a bibliography."""
    return _file(_of_run(request, run_id))


@require_safe
@vary_on_headers("HX-Request")
def image(request: ImageRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show how an image is cited."""
    citation = _of_image(request, run_id, number)
    return _shown(request, citation, reverse("exports:cite_image_bib", args=[run_id, number]))


@require_safe
def image_bib(request: ImageRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Send an image's entry of a bibliography."""
    return _file(_of_image(request, run_id, number))


def _of_run(request: HttpRequest, run_id: uuid.UUID) -> Citation:
    visible = Run.objects.visible_to(request.user).select_related("owner").without_burdens()
    return citation_of_run(get_object_or_404(visible, pk=run_id), request.build_absolute_uri)


def _of_image(request: ImageRequest, run_id: uuid.UUID, number: int) -> Citation:
    known = told(request, image_or_404(request, run_id, number))
    address = request.build_absolute_uri(image_url(run_id, number))
    return citation_of_image(known.individual, known.title, address)


def _shown(request: HttpRequest, citation: Citation, file: str) -> HttpResponse:
    is_fragment = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    template = "exports/_cite.html" if is_fragment else "exports/cite.html"
    return render(request, template, {"citation": citation, "file": file})


def _file(citation: Citation) -> HttpResponse:
    return HttpResponse(
        citation.bibtex,
        content_type="application/x-bibtex; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{citation.key}.bib"'},
    )
