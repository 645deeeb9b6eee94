"""Find the entries of one page of a view, in its order, however many entries there are.

A view of few entries is found by its filters and sorted. Of many, the index of the order is walked until the page is
full: entries that the filters let through are then never far. Which of the two is quicker follows from how many
there are, which the sums tell; and by the sums of bands the order by confidence begins in the right band.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    UUIDField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from fooling_web.galleries.models import BANDS, Entry, Exhibit, Tally
from fooling_web.galleries.sifting import FEW, Columns, Sieve
from fooling_web.galleries.wanted import DEEPEST

DEAR = 8  # what an entry that is found costs, in entries that are walked past
NEW_FOR = timedelta(days=7)
PLACES = 2**31
GOLDEN = 2654435761  # a seed times this, cut off, is anywhere
LEADING = Columns()
FOLLOWING = Columns(
    approach="approach_too", image_class="image_class_too", run="run_too", band="band_too", branch=""
)
FOREMOST = 5_000  # images that an order by opinion looks through, before filters
OPINIONS = {  # such orders: what an exhibit must have any of, and the columns that it is sorted by
    "viewed": ("views", "views"),
    "rated": ("n_ratings", "stars", "n_ratings"),
    "branched": ("n_branches", "n_branches"),
    "fooling": ("n_asked", "fooling_index"),
}


@dataclass(frozen=True)
class Stretch:
    """Keys of entries in order, and how many the whole view has."""

    keys: list[int]
    total: int


def stretch_of(sieve: Sieve, first: int, size: int) -> Stretch:
    """Return the keys of entries from a position of the view on."""
    sort = sieve.wanted.sort
    if not sieve.total:
        return Stretch([], 0)
    if sort in OPINIONS:
        return _by_opinion(sieve, first, size)
    if sort == "best-new":
        return _best_new(sieve, first, size)
    keys = {"newest": _newest, "random": _at_random}.get(sort, _surest)(sieve, first, size)
    return Stretch(list(keys), sieve.total)


def _surest(sieve: Sieve, first: int, size: int) -> Any:
    """Walk only the bands in which the page lies."""
    position, high = first, len(BANDS) - 1
    while high > 0 and position >= sieve.bands[high]:
        position -= sieve.bands[high]
        high -= 1
    low, hits = high, sieve.bands[high]
    while sieve.wanted.band is None and low > 0 and hits < position + size:
        low -= 1
        hits += sieve.bands[low]
    between = Q(confidence__gte=BANDS[low]) if low else Q()
    if high + 1 < len(BANDS):
        between &= Q(confidence__lt=BANDS[high + 1])
    there = Tally.objects.filter(band__range=(low, high)).aggregate(sum=Sum("entries"))["sum"] or 0
    if _is_found_sooner(hits, position + size, there):
        found = _found(sieve, with_band=False).filter(between).order_by(_unindexed("confidence").desc(), "pk")
    else:
        found = _followed(sieve, with_band=False).filter(between).order_by("-confidence", "pk")
    return found[position : position + size]


def _newest(sieve: Sieve, first: int, size: int) -> Any:
    if _is_found_sooner(sieve.total, first + size, sieve.entries):
        found = _found(sieve).order_by(_unindexed("hung_at", DateTimeField()).desc(), "pk")
    else:
        found = _followed(sieve).order_by("-hung_at", "pk")
    return found[first : first + size]


def _at_random(sieve: Sieve, first: int, size: int) -> Any:
    """Begin at a place that the seed names; of many, it lies so early that their end is never reached."""
    start = sieve.wanted.seed * GOLDEN % (PLACES // 4)
    if _is_found_sooner(sieve.total, first + size, sieve.entries):
        is_before = Case(When(place__gte=start, then=Value(0)), default=Value(1))
        found = _found(sieve).order_by(is_before, _unindexed("place", IntegerField()), "pk")
    else:
        found = _followed(sieve).filter(place__gte=start).order_by("place", "pk")
    return found[first : first + size]


def _best_new(sieve: Sieve, first: int, size: int) -> Stretch:
    entries = _found(sieve) if sieve.total <= FEW else _followed(sieve)
    found = entries.filter(hung_at__gte=timezone.now() - NEW_FOR)
    keys = found.order_by(_unindexed("confidence").desc(), "pk")[first : first + size]
    return Stretch(list(keys), found.count())


def _by_opinion(sieve: Sieve, first: int, size: int) -> Stretch:
    """Begin at the exhibits: there are far fewer. The tables meet without that of individuals between them."""
    counted, *columns = OPINIONS[sieve.wanted.sort]
    least = _least_of_foremost(counted, columns[0])
    entries = _found(sieve) if sieve.total <= FEW else _followed(sieve)
    found = entries.extra(  # noqa: S610 - names of our own models
        tables=["galleries_exhibit"],
        where=[
            "galleries_exhibit.individual_id = galleries_entry.individual_id",
            f"galleries_exhibit.{counted} > 0",
            f"galleries_exhibit.{columns[0]} >= %s",
        ],
        params=[least],
    )
    order = [RawSQL(f"galleries_exhibit.{column}", ()).desc() for column in columns]  # noqa: S611 - as above
    keys = list(found.order_by(*order, "pk")[:DEEPEST])
    return Stretch(keys[first : first + size], len(keys))


def _least_of_foremost(counted: str, column: str) -> float:
    """Return what the last of the foremost exhibits has: further ones are not looked for, however few these are."""
    spoken_of = Exhibit.objects.filter(**{f"{counted}__gt": 0}).order_by(f"-{column}")
    last = spoken_of.values_list(column, flat=True)[FOREMOST - 1 : FOREMOST]
    return next(iter(last), 0)


def _is_found_sooner(hits: int, until: int, entries: int) -> bool:
    """Whether to find all hits and sort them is quicker than to walk past entries until there are enough."""
    return hits <= FEW or DEAR * hits < until * entries / hits


def _found(sieve: Sieve, with_band: bool = True) -> QuerySet[Entry, int]:
    """Entries of the view, by the index of a filter."""
    return _with_band(sieve, Entry.objects.filter(sieve.predicate(LEADING)), LEADING, with_band)


def _followed(sieve: Sieve, with_band: bool = True) -> QuerySet[Entry, int]:
    """Entries of the view, by the index of an order: filters speak of columns in a way that no index answers."""
    aliases = {
        FOLLOWING.approach: ExpressionWrapper(F("approach_id") + 0, IntegerField()),
        FOLLOWING.image_class: ExpressionWrapper(F("image_class_id") + 0, IntegerField()),
        FOLLOWING.band: ExpressionWrapper(F("band") + 0, IntegerField()),
        FOLLOWING.run: Coalesce(F("run_id"), Value(uuid.UUID(int=0)), output_field=UUIDField()),
    }
    entries = Entry.objects.alias(**aliases).filter(sieve.predicate(FOLLOWING))
    return _with_band(sieve, entries, FOLLOWING, with_band)


def _with_band(
    sieve: Sieve, entries: QuerySet[Entry], columns: Columns, with_band: bool
) -> QuerySet[Entry, int]:
    band = sieve.wanted.band
    if with_band and band is not None:
        entries = entries.filter(**{columns.band: band})
    return entries.values_list("pk", flat=True)


def _unindexed(column: str, field: Any = None) -> Any:
    """Return a column to sort by, such that its index is not walked in place of finding and sorting."""
    if isinstance(field, DateTimeField):
        return Coalesce(F(column), F(column))
    return ExpressionWrapper(F(column) + 0, field or FloatField())
