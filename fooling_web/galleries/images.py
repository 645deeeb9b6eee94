"""Pages of one image: the picture at any of a few sizes, what was said of it, its family, and what travels elsewhere.

Other parts of the page come from modules of their own and are fetched by the browser once they come into sight.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from csp.decorators import csp_replace
from django.db.models import F
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from evolution.errors import GenomeError
from fooling_web.galleries.absence import absence_of
from fooling_web.galleries.cards import card_of
from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.galleries.lineage import children_of, line_of, parents_of
from fooling_web.galleries.models import Exhibit, image_url
from fooling_web.galleries.provenance import AGREEING, made_with, making_of, provenance_of
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import ALL_SIZES, SIZES, file_of_size
from fooling_web.runs.watching import SHORT_HASH

LARGEST_KEY = 2**62
LARGEST_PIXELATED = 64  # pixels a side: shown pixel by pixel
SHOWN_AT = 512  # pixels a side of a network's picture on the page
FREE = 512  # pixels a side: pictures up to here are quick enough for everybody
UNIT = 1024 * 1024  # pixels of which an address may have so many a minute, in larger pictures
UNITS_A_MINUTE = 60
AT_ONCE = 2  # large pictures in a process; the others wait so many seconds
PATIENCE = 10.0
SEEN_A_MINUTE = 120  # images that one address may be counted for: a school is one address
SURELY = 0.5  # no other class can be as likely
REMEMBERED = 500  # images that a session knows it has seen
QUOTED = 40  # characters of what stands in an address
KINDS = {"png": "image/png", "webp": "image/webp"}
FOR_EVER = "private, max-age=31536000, immutable"  # by browsers alone: a run may be hidden later
A_WHILE = "private, max-age=3600"
ANYWHERE = {"frame-ancestors": ["*"]}

_drawing = threading.BoundedSemaphore(AT_ONCE)


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@dataclass(frozen=True)
class Light:
    """A class in whose light an image is told, and what it has to do with the image."""

    class_index: int
    label: str
    confidence: float
    since: int | None = None  # the generation in which the image took the class
    holds: bool = False  # it still does


@dataclass(frozen=True)
class Told:
    """An image in the light of one of its classes; none where nothing is known of what the classifier says."""

    individual: Individual
    light: Light | None
    holds: list[Light]
    held: list[Light]

    @property
    def rival(self) -> str | None:
        """The label that the classifier likes better; none where it likes none better."""
        top = self.individual.top
        if not self.light or not top or top[0][0] == self.light.class_index:
            return None
        return self.individual.run.label_of(top[0][0])

    @property
    def is_said(self) -> bool:
        """Whether the classifier takes the image for the class in whose light it is told."""
        if not self.light:
            return False
        return self.rival is None if self.individual.top else self.light.confidence > SURELY

    @property
    def said(self) -> str:
        """What the classifier says, in words."""
        title = self.individual.run.classifier_title
        if not self.light:
            return f"No. {self.individual.number:,} against {title}"
        if self.individual.run.is_claimed:
            return f"{self.light.label}, as is claimed for {title}"
        return f"{title} {'says' if self.is_said else 'on'} {self.light.label}"

    @property
    def own_title(self) -> str:
        """The title that a person gave the image; empty where there is none, or where a moderator took it away."""
        exhibit = getattr(self.individual, "exhibit", None)
        return exhibit.title if exhibit and not exhibit.hidden else ""

    @property
    def is_hidden(self) -> bool:
        """Whether a moderator took the image out of the galleries."""
        exhibit = getattr(self.individual, "exhibit", None)
        return bool(exhibit and exhibit.hidden)

    @property
    def title(self) -> str:
        """What the image is called."""
        return self.own_title or self.said

    @property
    def query(self) -> str:
        """The part of an address that keeps the light."""
        return f"?class={self.light.class_index}" if self.light else ""


def image_or_404(request: HttpRequest, run_id: uuid.UUID, number: int) -> Individual:
    """Return an individual of a run that this person may see, without its genome, with its run and exhibit."""
    runs = Run.objects.visible_to(request.user).select_related("owner").defer("random_state")
    run = get_object_or_404(runs, pk=run_id)
    if number > LARGEST_KEY:
        raise Http404("There is no such individual.")
    individuals = run.individuals.select_related("exhibit").defer("genome")
    return get_object_or_404(individuals.annotate(genome_bytes=Length("genome")), number=number)


def told(request: HttpRequest, individual: Individual) -> Told:
    """Return an image in the light that the address asks for, or else of the class that it holds or is surest of."""
    run = individual.run
    now = individual.championships.values_list("class_index", "confidence", "generation")
    holds = {light.class_index: light for light in _lights(run, now, holds=True)}
    ever = individual.takeovers.values_list("class_index", "confidence", "generation")
    held = {light.class_index: light for light in _lights(run, ever) if light.class_index not in holds}
    said = {index: Light(index, run.label_of(index), confidence) for index, confidence in individual.top}
    known = {**said, **held, **holds}
    wanted = known.get(_whole(request.GET.get("class", "")))
    usual = next((light for lights in (holds, held, said) for light in lights.values()), None)
    return Told(individual, wanted or usual, list(holds.values()), list(held.values()))


@require_safe
def image(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show an image with what is known of it."""
    individual = image_or_404(request, run_id, number)
    run, known = individual.run, told(request, individual)
    light = known.light.class_index if known.light else None
    context = {
        **_shared(request, known),
        "sizes": _sizes(individual),
        "embed_code": _embed_code(request, known),
        "parents": parents_of(run, individual),
        "line": line_of(run, individual, light),
        "absence": absence_of(run),
        "making": making_of(run, individual),
        "made_with": made_with(run),
        "agreeing": AGREEING,
        "notes": list(_left_out(request, known)),
        "gallery_query": request.GET.urlencode() if request.GET.get("at", "").isdecimal() else "",
    }
    return render(request, "galleries/image.html", context)


@require_safe
@vary_on_headers("HX-Request")
def children(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show the children of an image: alone, or as a part of its page."""
    individual = image_or_404(request, run_id, number)
    page, relatives = children_of(individual.run, individual, request.GET.get("page"))
    template = "galleries/_children.html" if request.htmx else "galleries/children.html"
    context = {**_shared(request, told(request, individual)), "page": page, "children": relatives}
    return render(request, template, context)


@require_safe
def picture(request: Request, run_id: uuid.UUID, number: int, size: int, ending: str) -> HttpResponse:
    """Send an image's picture in one of a few sizes; an address that names the genome may be kept for ever."""
    individual = image_or_404(request, run_id, number)
    named = request.GET.get("genome")
    if size not in ALL_SIZES or ending not in KINDS or named not in (None, _short(individual)):
        raise Http404("There is no such picture in this run.")
    if size > FREE and not is_within(request, "pictures", size * size // UNIT, UNITS_A_MINUTE):
        return _too_many(request)
    if size > max(SIZES) and not _drawing.acquire(timeout=PATIENCE):
        return _busy()
    try:
        with _damage_as_404():
            content = file_of_size(individual.run, individual, size, ending)
    finally:
        if size > max(SIZES):
            _drawing.release()
    return HttpResponse(
        content, content_type=KINDS[ending], headers={"Cache-Control": FOR_EVER if named else A_WHILE}
    )


@require_safe
def card(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Send the picture that goes with a link to this image elsewhere."""
    individual = image_or_404(request, run_id, number)
    if not is_within(request, "pictures", 1, UNITS_A_MINUTE):
        return _too_many(request)
    known = told(request, individual)
    if known.is_hidden:
        raise Http404("A moderator took this image out of the galleries.")
    confidence = known.light.confidence if known.light else None
    with _damage_as_404():
        content = card_of(individual, known.own_title, known.said, confidence)
    return HttpResponse(content, content_type="image/png", headers={"Cache-Control": A_WHILE})


@xframe_options_exempt
@csp_replace(ANYWHERE)  # type: ignore[arg-type]  # its types know no arguments from the path
@require_safe
def embed(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show an image alone, in a frame on somebody's page; of a hidden one, that it hangs there no more."""
    known = told(request, image_or_404(request, run_id, number))
    status = 404 if known.is_hidden else 200
    return render(request, "galleries/embed.html", _shared(request, known), status=status)


@require_safe
def provenance(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Send everything that says where an image comes from, as JSON."""
    individual = image_or_404(request, run_id, number)
    document = provenance_of(individual.run, individual, request.build_absolute_uri)
    name = f"provenance-{number}.json"
    return JsonResponse(
        document,
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
def seen(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Count that somebody looked at an image for a while: once a session."""
    individual = image_or_404(request, run_id, number)
    known = request.session.get("seen", [])
    if individual.pk not in known and is_within(request, "seen", 1, SEEN_A_MINUTE):
        request.session["seen"] = [*known, individual.pk][-REMEMBERED:]
        exhibit, _ = Exhibit.objects.get_or_create(individual=individual)
        Exhibit.objects.filter(pk=exhibit.pk).update(views=F("views") + 1)
    return HttpResponse(status=204)


def _lights(run: Run, rows: Any, *, holds: bool = False) -> Iterator[Light]:
    """Yield classes, the surest first."""
    for class_index, confidence, generation in rows.order_by("-confidence", "class_index"):
        yield Light(class_index, run.label_of(class_index), confidence, generation, holds)


def _whole(text: str) -> int | None:
    """Return a class index from an address; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _left_out(request: Request, known: Told) -> Iterator[str]:
    """Yield a line for each part of the address that has nothing to do with the image."""
    wanted, place, run = request.GET.get("class", ""), request.GET.get("at", ""), known.individual.run
    index = _whole(wanted)
    is_class = index is not None and (index < run.n_classes or not run.known_classifier)
    if wanted and not is_class:
        yield f"“{Truncator(wanted).chars(QUOTED)}” is no class here, and was left out."
    elif index is not None and (known.light is None or known.light.class_index != index):
        yield f"This image has nothing to do with class “{run.label_of(index)}”, which was left out."
    if place and not place.isdecimal():
        yield f"“{Truncator(place).chars(QUOTED)}” is no place in a gallery, and was left out."


def _shared(request: Request, known: Told) -> dict[str, Any]:
    """Return what every page of an image says."""
    individual = known.individual
    run = individual.run
    native, is_network = run.settings.width, run.encoding == "cppn"
    is_pixelated = native <= LARGEST_PIXELATED
    shows_native = is_pixelated or not is_network
    address = request.build_absolute_uri(image_url(run.pk, individual.number))
    return {
        "run": run,
        "individual": individual,
        "told": known,
        "is_kept": individual.genome_bytes > 0,  # type: ignore[attr-defined]  # counted by image_or_404
        "native": native,
        "is_pixelated": is_pixelated,
        "is_network": is_network,
        "shown_at": native if shows_native else SHOWN_AT,
        "picture_url": _native_url(individual) if shows_native else picture_url(individual, SHOWN_AT, "webp"),
        "permalink": f"{address}{known.query}",
        "card_url": f"{address}card.png{known.query}",
    }


def _sizes(individual: Individual) -> list[dict[str, Any]]:
    """Return what an image can be looked at in: as the classifier saw it, and developed at a few sizes."""
    native = individual.run.settings.width
    saw = {"size": native, "is_native": True, "png": _native_url(individual)}
    if native in ALL_SIZES:
        saw["webp"] = picture_url(individual, native, "webp")
    others = [
        {
            "size": size,
            "is_native": False,
            "png": picture_url(individual, size, "png"),
            "webp": picture_url(individual, size, "webp"),
        }
        for size in ALL_SIZES
        if size != native
    ]
    return sorted([saw, *others], key=lambda one: int(one["size"]))


def picture_url(individual: Individual, size: int, ending: str) -> str:
    """Return the address of a picture, which names the genome so that browsers keep it."""
    address = reverse("galleries:picture", args=[individual.run_id, individual.number, size, ending])
    return f"{address}?genome={_short(individual)}"


def _native_url(individual: Individual) -> str:
    return reverse("runs:image", args=[individual.run_id, individual.number, individual.genome_hash])


def _short(individual: Individual) -> str:
    return individual.genome_hash[:SHORT_HASH]


def _embed_code(request: Request, known: Told) -> str:
    """Return what a person pastes into a page of their own."""
    run, number = known.individual.run, known.individual.number
    address = request.build_absolute_uri(reverse("galleries:embed", args=[run.pk, number]))
    return format_html(
        '<iframe src="{}{}" title="{}" width="320" height="420" loading="lazy"></iframe>',
        address,
        known.query,
        known.title,
    )


def _too_many(request: Request) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response


def _busy() -> HttpResponse:
    """Answer whoever waited in vain for the processor."""
    text = "Other large pictures are being drawn. Try again in a few seconds.\n"
    return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "5"})


@contextmanager
def _damage_as_404() -> Iterator[None]:
    try:
        yield
    except GenomeError as error:
        raise Http404(f"This picture cannot be drawn: {error}") from error
