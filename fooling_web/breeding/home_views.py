"""The entrance of breeding: ways to begin and to go on, what people published, and who breeds."""

import random
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from fooling_web.breeding.breeders import MEASURES, PERIODS, top_breeders
from fooling_web.breeding.models import BreedingSession, Publication
from fooling_web.breeding.owning import visitor_of
from fooling_web.breeding.shelves import ORDERS, SEEDS, USUAL, ordered, shelves
from fooling_web.breeding.views import Request
from fooling_web.users.models import User

PER_PAGE = 48
SESSIONS = 3  # to go on with
SHOWN = 40  # characters of what stands in an address


@require_safe
def home(request: Request) -> HttpResponse:
    """Show how to begin, what one began, and what others bred."""
    mine = BreedingSession.objects.owned_by(request.user, visitor_of(request)).select_related("place")
    context = {
        "sessions": list(mine.defer("place__genomes", "place__hashes")[:SESSIONS]),
        "shelves": shelves(),
        "orders": ORDERS,
    }
    return render(request, "breeding/home.html", context)


@require_safe
def pictures(request: Request) -> HttpResponse:
    """Show all published pictures, or one person's, in one of the orders."""
    asked, name = request.GET.get("order", USUAL), request.GET.get("breeder", "").replace("\0", "")
    order = asked if asked in ORDERS else USUAL
    seed = _seed(request.GET.get("seed", ""))
    if order == "random" and seed is None:
        drawn = random.randrange(1, SEEDS)  # noqa: S311 - an order guards nothing
        query: dict[str, Any] = {"order": order, "seed": drawn, **({"breeder": name} if name else {})}
        return redirect(f"{reverse('breeding:pictures')}?{urlencode(query)}")
    breeder = User.objects.filter(username__iexact=name, is_active=True).first() if name else None
    publications = Publication.objects.public()
    if breeder:
        publications = Publication.objects.listed_for(request.user).filter(author=breeder)
    page = Paginator(ordered(publications, order, seed or 1), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "order": order,
        "title": ORDERS[order],
        "orders": ORDERS,
        "breeder": breeder,
        "notes": list(_left_out(asked, name, breeder)),
    }
    return render(request, "breeding/pictures.html", context)


@require_safe
def breeders(request: Request) -> HttpResponse:
    """Show who breeds most, best, and what others branch from."""
    measure, period = request.GET.get("by", ""), request.GET.get("period", "")
    measure = measure if measure in MEASURES else "pictures"
    period = period if period in PERIODS else "all"
    context = {
        "breeders": top_breeders(measure, period),
        "measure": measure,
        "measures": MEASURES,
        "title": MEASURES[measure],
        "period": period,
        "periods": {name: title for name, (title, _) in PERIODS.items()},
    }
    return render(request, "breeding/breeders.html", context)


def _seed(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) else None


def _left_out(asked: str, name: str, breeder: User | None) -> Any:
    """Yield a line for each part of the address that makes no sense."""
    if asked not in ORDERS:
        yield f"“{asked[:SHOWN]}” is no order here, and was left out."
    if name and breeder is None:
        yield f"Nobody here is called “{name[:SHOWN]}”; this is what everybody bred."
