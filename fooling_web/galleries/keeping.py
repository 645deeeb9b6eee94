"""What people keep and say of images: each deed in one transaction, with the exhibit's numbers in it.

An exhibit's numbers are counted anew from their rows whenever one of these changes, while the exhibit is locked;
so two people who press at the same moment never lose each other's stars.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import (
    Aggregate,
    Avg,
    Count,
    Exists,
    Field,
    FloatField,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, Length
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from fooling_web.galleries.models import (
    Collected,
    Collection,
    Comment,
    Exhibit,
    Favourite,
    Rating,
    Report,
    Tag,
    Tagging,
)
from fooling_web.runs.models import Individual, Run
from fooling_web.users.models import User

MOST_TAGS = 20  # of an image
MOST_COLLECTIONS = 200  # of a person
MOST_COLLECTED = 1000  # images in a collection
MOST_OPEN_REPORTS = 20  # of a person
PATIENCE = {timedelta(minutes=1): 5, timedelta(hours=1): 40}  # comments of a person in such a time
TWICE = timedelta(minutes=1)  # within which the same words are the same comment, sent twice
SUGGESTED = 12  # tags
STRIP = 5  # images on a collection's card
RECOUNTED_AT_ONCE = 500  # exhibits
IN_PUBLIC = Q(exhibit__individual__run__visibility=Run.Visibility.PUBLIC, exhibit__hidden=False)  # of rows


class Refused(Exception):
    """Something that cannot be taken now, in words for whoever asked."""


@dataclass(frozen=True)
class Hung:
    """An image in a list of things kept, with the row that keeps it; the template's `picture` takes it as it is."""

    exhibit: Exhibit
    row: Any = None

    @property
    def run(self) -> Run:
        """The run that found it."""
        return self.individual.run

    @property
    def individual(self) -> Individual:
        """The image itself, without its genome."""
        return self.exhibit.individual

    @property
    def genome_bytes(self) -> int:
        """The length of its genome: 0 where it was dropped."""
        counted = self.exhibit if hasattr(self.exhibit, "genome_bytes") else self.individual
        return int(getattr(counted, "genome_bytes", 1))

    @property
    def confidence(self) -> float:
        """How sure its classifier was of what it says first."""
        return float(self.individual.top[0][1]) if self.individual.top else 0.0

    @property
    def label(self) -> str:
        """What its classifier says first."""
        return self.run.label_of(self.individual.top[0][0]) if self.individual.top else "nothing"


@contextmanager
def _locked(individual: Individual) -> Iterator[Exhibit]:
    """Hold an image's exhibit, made now if need be, against all others; count it anew in the end."""
    with transaction.atomic():
        made, _ = Exhibit.objects.get_or_create(individual=individual)
        yield Exhibit.objects.select_for_update().get(pk=made.pk)
        recount([made.pk])


def recount(exhibits: Sequence[int]) -> None:
    """Count stars, favourites and comments of some exhibits anew, from their rows."""
    Exhibit.objects.filter(pk__in=exhibits).update(
        stars=_of_rows(Rating.objects.all(), Avg("stars"), FloatField()),
        n_ratings=_of_rows(Rating.objects.all(), Count("pk"), IntegerField()),
        n_favourites=_of_rows(Favourite.objects.all(), Count("pk"), IntegerField()),
        n_comments=_of_rows(Comment.objects.filter(hidden=False), Count("pk"), IntegerField()),
    )


def _of_rows(rows: QuerySet[Any], what: Aggregate, kind: "Field[Any, Any]") -> Any:
    """Return a number that an exhibit's rows come to, as an expression; 0 where it has none."""
    of_one = rows.filter(exhibit=OuterRef("pk")).order_by().values("exhibit").annotate(number=what)
    return Coalesce(Subquery(of_one.values("number")), 0, output_field=kind)


def rate(individual: Individual, person: User, stars: int) -> None:
    """Give an image 1 to 5 stars, in place of those that the person gave before."""
    with _locked(individual) as exhibit:
        Rating.objects.update_or_create(exhibit=exhibit, person=person, defaults={"stars": stars})


def withdraw_rating(individual: Individual, person: User) -> None:
    """Take a person's stars back."""
    with _locked(individual) as exhibit:
        Rating.objects.filter(exhibit=exhibit, person=person).delete()


def favour(individual: Individual, person: User, wanted: bool) -> None:
    """Keep an image among a person's favourites, or no longer; doing either twice changes nothing."""
    with _locked(individual) as exhibit:
        if wanted:
            Favourite.objects.get_or_create(exhibit=exhibit, person=person)
        else:
            Favourite.objects.filter(exhibit=exhibit, person=person).delete()


def name(individual: Individual, title: str) -> None:
    """Give an image a title; an empty one takes it away."""
    with _locked(individual) as exhibit:
        Exhibit.objects.filter(pk=exhibit.pk).update(title=title)


def make_collection(owner: User, **choices: str) -> Collection:
    """Store a new collection, once where it is sent twice; raises Refused where its owner has too many."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        just_made = owner.collections.filter(created_at__gte=timezone.now() - TWICE, **choices).first()
        if just_made:
            return just_made
        if owner.collections.count() >= MOST_COLLECTIONS:
            raise Refused(
                f"You have {MOST_COLLECTIONS} collections, the most one person may have. Delete one first."
            )
        return Collection.objects.create(owner=owner, **choices)


def collect(individual: Individual, collection: Collection) -> None:
    """Hang an image last in a collection, if it is not in it; raises Refused where it is full."""
    with _locked(individual) as exhibit:
        if not Collection.objects.select_for_update().filter(pk=collection.pk).first():
            raise Refused(f"“{collection}” was deleted meanwhile.")
        if collection.items.filter(exhibit=exhibit).exists():
            return
        if collection.items.count() >= MOST_COLLECTED:
            raise Refused(f"“{collection}” is full: a collection holds {MOST_COLLECTED:,} images.")
        last = collection.items.order_by("-position").values_list("position", flat=True).first()
        position = 0 if last is None else last + 1
        Collected.objects.create(collection=collection, exhibit=exhibit, position=position)


def rearrange(item: Collected, step: int, among: QuerySet[Collected]) -> None:
    """Move an item one place of those that its keeper sees: forward where the step is negative."""
    with transaction.atomic():
        Collection.objects.select_for_update().filter(pk=item.collection_id).first()
        order = list(Collected.objects.filter(collection=item.collection_id))
        seen = set(among.values_list("pk", flat=True))
        places = [place for place, other in enumerate(order) if other.pk in seen]
        here = next((place for place, other in enumerate(order) if other.pk == item.pk), None)
        if here is None or here not in places:
            return
        there = min(max(places.index(here) + step, 0), len(places) - 1)
        order.insert(places[there], order.pop(here))
        _number(order)


def _number(order: list[Collected]) -> None:
    """Store an order: only items whose place has changed."""
    moved = [item for place, item in enumerate(order) if item.position != place]
    for place, item in enumerate(order):
        item.position = place
    Collected.objects.bulk_update(moved, ["position"])


def give_tags(individual: Individual, person: User, names: Iterable[str]) -> None:
    """Give an image tags that it does not have; raises Refused where they are too many."""
    with _locked(individual) as exhibit:
        known = set(exhibit.taggings.values_list("tag__name", flat=True))
        new = [tag for tag in names if tag not in known]
        if len(known) + len(new) > MOST_TAGS:
            raise Refused(
                f"An image has room for {MOST_TAGS} tags. This one has {len(known)}, and you gave {len(new):,} more."
            )
        for tag in new:
            Tagging.objects.create(exhibit=exhibit, tag=Tag.objects.get_or_create(name=tag)[0], person=person)


def suggestions(beginning: str) -> list[str]:
    """Return tags of public images that begin so."""
    public = Tagging.objects.filter(IN_PUBLIC, tag=OuterRef("pk"))
    tags = Tag.objects.filter(Exists(public), name__startswith=beginning)
    return list(tags.values_list("name", flat=True)[:SUGGESTED])


def say(individual: Individual, author: User, text: str) -> None:
    """Add a comment; the same one sent twice counts once. Raises Refused where its author says too much at once."""
    with _locked(individual) as exhibit:
        User.objects.select_for_update().get(pk=author.pk)
        now = timezone.now()
        if exhibit.comments.filter(author=author, text=text, said_at__gte=now - TWICE).exists():
            return
        for time, most in PATIENCE.items():
            if author.comments.filter(said_at__gte=now - time).count() >= most:
                raise Refused(
                    "You have said much in a short time. Wait a little, then send this comment again."
                )
        Comment.objects.create(exhibit=exhibit, author=author, text=text)


def delete_comment(comment: Comment) -> None:
    """Remove a comment for good."""
    with _locked(comment.exhibit.individual):
        comment.delete()


def report(individual: Individual, reporter: User, reason: str, comment: Comment | None = None) -> bool:
    """Bring an image or a comment before the moderators; False where this person did and it is still open."""
    with _locked(individual) as exhibit:
        User.objects.select_for_update().get(pk=reporter.pk)
        if comment and not exhibit.comments.filter(pk=comment.pk).exists():
            raise Refused("This comment was deleted meanwhile.")
        is_open = reporter.reports.filter(settled_at=None)
        if has_reported(individual, reporter, comment):
            return False
        if is_open.count() >= MOST_OPEN_REPORTS:
            raise Refused(
                f"{MOST_OPEN_REPORTS} reports of yours wait for a moderator. Send this one when some are settled."
            )
        Report.objects.create(exhibit=exhibit, comment=comment, reporter=reporter, reason=reason)
    return True


def has_reported(individual: Individual, person: User, comment: Comment | None) -> bool:
    """Whether a report of this by this person waits for a moderator."""
    waiting = person.reports.filter(settled_at=None)
    return waiting.filter(exhibit__individual=individual, comment=comment).exists()


def shown(rows: QuerySet[Any], viewer: Any, keeper: Any) -> QuerySet[Any]:
    """Narrow rows that keep images to those which a viewer of the keeper's page may see.

    What one keeps oneself is shown as long as it may be opened; to others also no image of an unlisted run, whose
    address only its owner gives away.
    """
    runs = Run.objects.visible_to(viewer) if viewer == keeper else Run.objects.listed_for(viewer)
    found = rows.filter(exhibit__individual__run__in=runs.order_by().values("pk"))
    return found if viewer.is_staff else found.filter(exhibit__hidden=False)


def with_pictures(exhibits: QuerySet[Exhibit]) -> QuerySet[Exhibit]:
    """Exhibits with their images and runs in the same query, but not the genomes."""
    light = exhibits.select_related("individual__run__owner").defer(
        "individual__genome", "individual__run__random_state"
    )
    return light.annotate(genome_bytes=Length("individual__genome"))


def hung(rows: Iterable[Any]) -> list[Hung]:
    """Return the images that rows keep, in their order; one query for all."""
    rows = list(rows)
    exhibits = with_pictures(Exhibit.objects.all()).in_bulk([row.exhibit_id for row in rows])
    return [Hung(exhibits[row.exhibit_id], row) for row in rows if row.exhibit_id in exhibits]


def with_numbers(collections: QuerySet[Collection], viewer: Any, keeper: Any) -> QuerySet[Collection]:
    """Add to each collection how many images a viewer finds in it."""
    items = shown(Collected.objects.filter(collection=OuterRef("pk")), viewer, keeper)
    counted = items.order_by().values("collection").annotate(number=Count("pk")).values("number")
    return collections.select_related("owner").annotate(
        n_shown=Coalesce(Subquery(counted), 0, output_field=IntegerField())
    )


def hang_strips(collections: Sequence[Collection], viewer: Any, keeper: Any) -> None:
    """Give each collection, as `strip`, the first images in it that a viewer may see; two queries for all."""
    first = shown(Collected.objects.order_by("position", "added_at"), viewer, keeper)[:STRIP]
    prefetch_related_objects(collections, Prefetch("items", first, to_attr="first_items"))
    items = [item for collection in collections for item in collection.first_items]  # type: ignore[attr-defined]
    strips: dict[int, list[Hung]] = {}
    for image in hung(items):
        strips.setdefault(image.row.collection_id, []).append(image)
    for collection in collections:
        collection.strip = strips.get(collection.pk, [])  # type: ignore[attr-defined]


def numbers_of(person: User) -> dict[str, int]:
    """Return what a person did in public, in numbers."""
    return {
        "ratings": person.ratings.filter(IN_PUBLIC).count(),
        "comments": person.comments.filter(IN_PUBLIC, hidden=False).count(),
        "tags": person.taggings.filter(IN_PUBLIC).count(),
    }


@receiver(pre_delete, sender=User)
def _recount_without(instance: User, **signal: Any) -> None:
    """Count anew what a person who leaves had rated, kept and spoken of, once they are gone."""
    said = {
        exhibit
        for rows in (instance.ratings, instance.favourites, instance.comments)
        for exhibit in rows.values_list("exhibit_id", flat=True)
    }
    transaction.on_commit(lambda: _recount_all(sorted(said)))


def _recount_all(exhibits: list[int]) -> None:
    for first in range(0, len(exhibits), RECOUNTED_AT_ONCE):
        recount(exhibits[first : first + RECOUNTED_AT_ONCE])
