"""Who breeds: people by the pictures that they published, by the stars these got, by what others branched from them.

Public pictures count, and what others do with them: nobody rises by their own stars or branches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from fooling_web.breeding.models import Publication
from fooling_web.galleries.models import Rating
from fooling_web.users.models import User

MEASURES: dict[str, str] = {"pictures": "Pictures", "stars": "Stars", "branches": "Branches"}
PERIODS: dict[str, tuple[str, timedelta | None]] = {
    "all": ("All time", None),
    "month": ("Last 30 days", timedelta(days=30)),
}
MOST = 50  # breeders on the page
SHOWN = 4  # of each one's pictures


@dataclass(frozen=True)
class Breeder:
    """A person who breeds, in numbers."""

    rank: int  # those with the same number share one
    person: User
    numbers: Mapping[str, int]
    latest: list[Publication]


def top_breeders(measure: str, period: str) -> list[Breeder]:
    """Return the foremost breeders by a measure; as many queries however many there are."""
    since = PERIODS[period][1]
    counted = _counted(measure, since).order_by("-number", "breeder")[:MOST]
    chosen = {row["breeder"]: row["number"] for row in counted if row["number"]}
    people = User.objects.in_bulk(chosen)
    numbers = {
        other: {
            row["breeder"]: row["number"] for row in _counted(other, since).filter(breeder__in=list(chosen))
        }
        for other in MEASURES
    }
    latest = _latest_of(list(chosen))
    values = list(chosen.values())
    return [
        Breeder(
            rank=values.index(number) + 1,
            person=people[pk],
            numbers={title: numbers[name].get(pk, 0) for name, title in MEASURES.items()},
            latest=latest.get(pk, []),
        )
        for pk, number in chosen.items()
        if pk in people
    ]


def _counted(measure: str, since: timedelta | None) -> QuerySet[Any, Any]:
    """Return authors and their numbers."""
    count = {"pictures": _pictures, "stars": _stars, "branches": _branches}[measure]
    return count(timezone.now() - since if since else None)


def _pictures(since: Any) -> QuerySet[Any, Any]:
    public = Publication.objects.public().filter(author__is_active=True)
    counted = public.filter(published_at__gte=since) if since else public
    return counted.order_by().values(breeder=F("author")).annotate(number=Count("pk"))


def _branches(since: Any) -> QuerySet[Any, Any]:
    """Count pictures that others branched from somebody's."""
    parent = "branched_from__publication__author"
    others = Publication.objects.public().filter(
        _is_public("branched_from"), **{f"{parent}__is_active": True}
    )
    others = others.exclude(branched_from__exhibit__hidden=True).exclude(author=F(parent))
    counted = others.filter(published_at__gte=since) if since else others
    return counted.order_by().values(breeder=F(parent)).annotate(number=Count("pk"))


def _stars(since: Any) -> QuerySet[Any, Any]:
    """Add up the stars that others gave."""
    breeder = "exhibit__individual__publication__author"
    given = Rating.objects.filter(
        _is_public("exhibit__individual"), exhibit__hidden=False, **{f"{breeder}__is_active": True}
    )
    given = given.exclude(person=F(breeder))
    counted = given.filter(rated_at__gte=since) if since else given
    return counted.order_by().values(breeder=F(breeder)).annotate(number=Sum("stars"))


def _is_public(individual: str) -> Q:
    return Q(**{f"{individual}__run__visibility": "public"})


def _latest_of(authors: list[int]) -> dict[int, list[Publication]]:
    """Return the last few public pictures of each; one query."""
    rank = Window(RowNumber(), partition_by=F("author"), order_by=[F("published_at").desc(), F("pk").desc()])
    public: Any = Publication.objects.public().filter(author__in=authors).annotate(rank=rank)
    latest: dict[int, list[Publication]] = {}
    for publication in public.filter(rank__lte=SHOWN).with_pictures().order_by("author", "rank"):
        latest.setdefault(publication.author_id or 0, []).append(publication)
    return latest
