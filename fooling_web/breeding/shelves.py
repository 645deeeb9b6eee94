"""Published pictures in the orders in which people look through them."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import BigIntegerField, ExpressionWrapper, F, Value
from django.db.models.functions import Mod
from django.utils import timezone

from fooling_web.breeding.models import Publication, PublicationQuerySet

ORDERS: dict[str, str] = {
    "best-new": "Best new",
    "rated": "Highest rated",
    "branched": "Most branched",
    "newest": "Newest",
    "random": "Random",
}
USUAL = "newest"
ON_A_SHELF = 6
NEW_FOR = timedelta(days=30)
SEEDS = 10_000  # orders at random
GOLDEN, PLACES = 2654435761, 2**31 - 1  # a number times the one, cut off by the other, is anywhere
LIKED = ("-individual__exhibit__stars", "-individual__exhibit__n_ratings")
BRANCHED = "-individual__exhibit__n_branches"
LATEST = ("-published_at", "-pk")


@dataclass(frozen=True)
class Shelf:
    """The first pictures of an order."""

    name: str
    title: str
    publications: list[Publication]


def shelves() -> list[Shelf]:
    """Return the beginning of every order; a query for each. An order without pictures is left out."""
    seed = random.randrange(1, SEEDS)  # noqa: S311 - an order guards nothing
    found = (
        Shelf(name, title, list(ordered(Publication.objects.public(), name, seed)[:ON_A_SHELF]))
        for name, title in ORDERS.items()
    )
    return [shelf for shelf in found if shelf.publications]


def ordered(publications: PublicationQuerySet, order: str, seed: int = 1) -> Any:
    """Return published pictures in an order, with all that a list shows of them; some orders leave some out."""
    listed = publications.with_pictures()
    if order == "best-new":
        recent = listed.filter(published_at__gte=timezone.now() - NEW_FOR)
        return recent.order_by(*LIKED, BRANCHED, *LATEST)
    if order == "rated":
        return listed.filter(individual__exhibit__n_ratings__gt=0).order_by(*LIKED, *LATEST)
    if order == "branched":
        return listed.filter(individual__exhibit__n_branches__gt=0).order_by(BRANCHED, *LATEST)
    if order == "random":
        return listed.order_by(_scattered(seed), "pk")
    return listed.order_by(*LATEST)


def _scattered(seed: int) -> Any:
    """Return a place for each key, other ones for each seed: neighbours do not stay so, as their squares do not."""
    step, big = Value(seed * GOLDEN % PLACES), {"output_field": BigIntegerField()}
    square = Mod(F("pk") * F("pk"), Value(PLACES), **big)
    return Mod(
        ExpressionWrapper(square * step, **big) + ExpressionWrapper(F("pk") * step, **big),
        Value(PLACES),
        **big,
    )
