"""Pages to look around in: the gallery of everything public, a class's own, and the neighbours of an image in it.

Whatever a person chose stands in the address; a page is read from it and from nothing else.
"""

import math
import random
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from fooling_web.galleries.classes import (
    exemplified,
    fooled_how_far,
    found_classes,
    named_like,
    neighbours_of,
    path_to,
    sections_of_classes,
)
from fooling_web.galleries.describing import Chip, band_title, chips_of, in_words
from fooling_web.galleries.forms import GalleryForm, SavedViewForm
from fooling_web.galleries.models import ImageClass, SavedView
from fooling_web.galleries.paper import said_of
from fooling_web.galleries.searching import Facet, Hits, Option, at_position, facets_of, page_of
from fooling_web.galleries.sifting import Sieve
from fooling_web.galleries.wanted import DEEPEST, SORTS, Wanted
from fooling_web.users.models import User

PER_PAGE = 48  # whole rows of 2, 3, 4, 6 and 8
SHORT = 8  # options of a filter that are shown at once
OPEN = ("classifier", "encoding", "method", "branch")  # filters that are not folded
WHOLE = ("surest", "newest", "random")  # orders in which every image of a view hangs
SEEDS = 10_000  # orders at random
LARGEST_KEY = 2**62
BAR = 100  # of a histogram, its full height


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@dataclass(frozen=True)
class Room:
    """Where a gallery stands: over all classes, or for one whose name is in the path and not in the query."""

    path: str
    image_class: ImageClass | None = None

    def address(self, query: str) -> str:
        """Return the address of a view in this room."""
        if self.image_class:
            query = urlencode([(name, value) for name, value in parse_qsl(query) if name != "image_class"])
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True)
class Group:
    """A filter as the page shows it: the first options and what is chosen at once, the others folded."""

    facet: Facet
    first: list[Option]
    rest: list[Option]
    is_open: bool

    @property
    def size(self) -> int:
        """How many options there are."""
        return len(self.first) + len(self.rest)


@dataclass(frozen=True)
class Bar:
    """A band of the histogram."""

    option: Option
    title: str
    height: int  # of BAR, by the root of the count: or one full band would leave nothing of the others

    @property
    def top(self) -> int:
        """Where the bar begins, counted from above."""
        return BAR - self.height


@require_safe
@vary_on_headers("HX-Request", "HX-Trigger")
def gallery(request: Request) -> HttpResponse:
    """Show what is public, filtered and ordered as the address says."""
    return _shown(request, GalleryForm(request.GET), Room(reverse("galleries:gallery")), "gallery", {})


@require_safe
@vary_on_headers("HX-Request", "HX-Trigger")
def class_detail(request: Request, slug: str) -> HttpResponse:
    """Show all champions of a class over all runs, and who is fooled how far."""
    image_class = get_object_or_404(ImageClass, slug=slug)
    about = {} if _is_part(request) else _about(image_class)
    room = Room(image_class.get_absolute_url(), image_class)
    return _shown(request, GalleryForm(request.GET, image_class), room, "class", about)


@require_safe
def class_list(request: Request) -> HttpResponse:
    """Show the classes: by branches, those of one branch, or those whose name was asked for."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    dataset, branch = request.GET.get("dataset", ""), request.GET.get("branch", "")
    sections = sections_of_classes()
    section = next((one for one in sections if (one.dataset, one.branch) == (dataset, branch)), None)
    place = sections.index(section) if section else None
    context = {
        "text": text,
        "sections": sections if text or section else exemplified(sections),
        "section": section,
        "is_unknown": bool(dataset or branch) and section is None,
        "previous": sections[place - 1] if place else None,
        "next": sections[place + 1] if place is not None and place + 1 < len(sections) else None,
        "found": found_classes(text, section, request.GET.get("page", "")) if text or section else None,
    }
    return render(request, "galleries/classes.html", context)


@require_safe
def class_options(request: Request) -> HttpResponse:
    """Send classes whose name is like what is being written."""
    text = request.GET.get("image_class", "").replace("\0", "").strip()[:100]
    return render(request, "galleries/_class_options.html", {"options": named_like(text) if text else []})


@require_safe
def neighbours(request: Request) -> HttpResponse:
    """Send the way to the images before and after one, in the view in which it was found."""
    form, at = GalleryForm(request.GET), _position(request.GET.get("at", ""))
    total = _total(form.wanted)
    if at is None or at >= min(total, DEEPEST):
        return HttpResponse()
    wanted = replace(form.wanted, page=at // PER_PAGE + 1)
    context = {
        "wanted": wanted,
        "before": at_position(wanted, at - 1),
        "after": at_position(wanted, at + 1),
        "at": at,
        "total": total,
        "words": in_words(form),
        "gallery": f"{_address(wanted)}#at-{at}",
    }
    return render(request, "galleries/_neighbours.html", context)


@login_required
def save_view(request: Request) -> HttpResponse:
    """Keep a gallery as it stands under a name."""
    if request.method != "POST":  # somebody who had to sign in on the way
        return redirect("galleries:gallery")
    form = SavedViewForm(request.POST, owner=cast(User, request.user))
    if form.is_valid():
        saved = form.save()
        messages.success(request, f"Saved as “{saved.title}”.")
        return redirect(saved)
    for error in (error for errors in form.errors.values() for error in errors):
        messages.error(request, f"Not saved: {error}")
    return redirect(_address(GalleryForm(QueryDict(request.POST.get("query", "")[:2000])).wanted))


@require_POST
@login_required
def delete_view(request: Request, pk: int) -> HttpResponse:
    """Forget a saved view of this person's."""
    if pk > LARGEST_KEY:
        raise Http404("There is no such view.")
    saved = get_object_or_404(SavedView, pk=pk, owner=cast(User, request.user))
    saved.delete()
    messages.success(request, f"“{saved.title}” was deleted.")
    return redirect(saved)


def _shown(
    request: Request, form: GalleryForm, room: Room, name: str, further: dict[str, Any]
) -> HttpResponse:
    """Answer with a page of images alone, for scripts that add it to others, or with everything around it."""
    wanted = form.wanted
    if (tidied := _tidied(request, form)) is not None:
        return redirect(room.address(tidied.query(page=tidied.page)))
    sieve = Sieve(wanted)
    hits = page_of(wanted, PER_PAGE, sieve)
    context = _wall(request, form, room, hits)
    if _is_part(request):
        return render(request, "galleries/_wall.html", context)
    chips = chips_of(form)
    context |= {
        "form": form,
        "chips": chips,
        "words": in_words(form),
        "ignored": form.ignored + _beyond(wanted, hits),
        "ways_out": _ways_out(chips) if not hits.total else [],
        "is_nobody_asked": bool(wanted.recognised and not hits.total and not sieve.recognised()),
        **_filters(facets_of(wanted, sieve)),
        "sorts": SORTS,
        "kept_fields": _kept_fields(wanted),
        "saved_views": list(request.user.saved_views.all()) if request.user.is_authenticated else [],
        "canonical": request.build_absolute_uri(room.path),
        "is_view": bool(wanted.query(page=wanted.page, **({"image_class": ""} if form.fixed else {}))),
        **further,
    }
    return render(request, f"galleries/{name}.html", context)


def _wall(request: Request, form: GalleryForm, room: Room, hits: Hits) -> dict[str, Any]:
    """Return what the images themselves need: each with its position, and the pages around."""
    return {
        "room": room,
        "wanted": form.wanted,
        "hits": hits,
        "hung": list(enumerate(hits.entries, hits.first_position)),
        "is_earlier": bool(request.htmx) and request.htmx.trigger == "earlier",
        "is_later": bool(request.htmx) and request.htmx.trigger != "earlier",
        "deepest": DEEPEST,
    }


def _about(image_class: ImageClass) -> dict[str, Any]:
    return {
        "image_class": image_class,
        "path": path_to(image_class),
        "fooled": fooled_how_far(image_class),
        "said": said_of(image_class),
        "around": neighbours_of(image_class),
    }


def _is_part(request: Request) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request


def _tidied(request: Request, form: GalleryForm) -> Wanted | None:
    """Return the view under its best address, where this one is not: a form left fields empty, say.

    A class may go by its label, too, and an order at random may have no number yet.
    """
    if form.errors:
        return None
    wanted = form.wanted
    if wanted.sort == "random" and not wanted.seed:
        return replace(wanted, seed=random.randrange(1, SEEDS))  # noqa: S311 - an order guards nothing
    is_labelled = not form.fixed and form.data.get("image_class", wanted.image_class) != wanted.image_class
    is_empty = any(not str(value).strip() for value in request.GET.values())
    return wanted if is_labelled or is_empty else None


def _beyond(wanted: Wanted, hits: Hits) -> list[str]:
    if wanted.page <= hits.number or not hits.total:
        return []
    return [f"There are not so many pages here: this is the last one, page {hits.number:,}."]


def _ways_out(chips: list[Chip]) -> list[tuple[Chip, int]]:
    """Return how many images there would be without each of the filters."""
    return [(chip, _total(chip.without)) for chip in chips]


def _total(wanted: Wanted) -> int:
    """Return how many images a view has; some orders leave images out, so those are asked for a page."""
    return Sieve(wanted).total if wanted.sort in WHOLE else page_of(wanted, 1).total


def _filters(facets: list[Facet]) -> dict[str, Any]:
    """Part the filters into lists and the histogram."""
    return {
        "groups": [group for facet in facets if facet.name != "band" and (group := _group(facet))],
        "bars": next((_bars(facet) for facet in facets if facet.name == "band"), []),
    }


def _group(facet: Facet) -> Group | None:
    """Return a filter with the options that leave something; None where there is nothing to choose."""
    options = [option for option in facet.options if option.count or option.is_chosen]
    if not options:
        return None
    first = options[:SHORT] + [option for option in options[SHORT:] if option.is_chosen]
    rest = [option for option in options[SHORT:] if not option.is_chosen]
    is_open = facet.name in OPEN or any(option.is_chosen for option in first)
    return Group(facet, first, rest, is_open)


def _bars(facet: Facet) -> list[Bar]:
    most = max((option.count for option in facet.options), default=0) or 1
    return [
        Bar(option, band_title(int(option.value)), math.ceil(BAR * math.sqrt(option.count / most)))
        for option in facet.options
    ]


def _kept_fields(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the filters that the search form carries along, besides its own fields."""
    own = {"text", "sort", "seed", "image_class"}
    return [(name, value) for name, value in parse_qsl(wanted.query()) if name not in own]


def _address(wanted: Wanted) -> str:
    return Room(reverse("galleries:gallery")).address(wanted.query(page=wanted.page))


def _position(text: str) -> int | None:
    """Read a position in a view; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
