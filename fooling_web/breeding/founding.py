"""Pictures that a run begins with: tiles of a litter, what a person published, a collection, or single images.

Whatever a person may see and a network draws can found a run; nothing is changed by it. The launch form decides which
of them fit the classifier that is chosen.
"""

import json
import uuid
import zlib
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from fooling_web.breeding.models import Litter, Publication
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.galleries.keeping import shown
from fooling_web.galleries.models import Collection
from fooling_web.runs.forms import Founding
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.watching import SHORT_HASH

MOST_FOUNDERS = 500
THUMBNAIL = 128  # pixels
LARGEST_KEY = 2**63 - 1


class NothingToFound(Exception):
    """No picture was named with which a run could begin; the sentence is for the person."""


def founding_of(request: HttpRequest) -> Founding:
    """Return the pictures that an address names; raises NothingToFound, Http404 and PermissionDenied."""
    asked = request.GET
    if "session" in asked:
        return _of_litter(request, asked)
    if "collection" in asked:
        return _of_collection(request, asked.get("collection", ""))
    if "image" in asked:
        return _of_images(_named(request.user, asked.getlist("image")), "pictures of your choice")
    return _of_images(_published_by(request.user), "what you published")


def query_of(litter: Litter, picked: Iterable[str]) -> str:
    """Return what the address says that names tiles of a litter."""
    query = QueryDict(mutable=True)
    query["session"], query["litter"] = str(litter.session_id), str(litter.number)
    query.setlist("picked", list(picked))
    return query.urlencode()


def _of_litter(request: HttpRequest, asked: QueryDict) -> Founding:
    """Return the picked tiles of a litter, all of them where none is picked."""
    session = session_or_refusal(request, _uuid(asked.get("session", "")))
    litter = litter_or_404(session, _whole(asked.get("litter", "")))
    places = sorted({_whole(place) for place in asked.getlist("picked")}) or list(range(len(litter)))
    if places[-1] >= len(litter):
        raise NothingToFound(f"Litter {litter.number} has {len(litter)} pictures, and none at {places[-1]}.")
    documents = litter.documents
    addresses = (
        reverse("breeding:tile", args=[session.pk, litter.number, place, THUMBNAIL, "webp"])
        for place in places
    )
    words = f"litter {litter.number} of your breeding"
    return Founding([documents[place] for place in places], words, tuple(addresses))


def _of_collection(request: HttpRequest, key: str) -> Founding:
    """Return the pictures of a collection that networks draw, in its order, as far as this person may see them."""
    collections = Collection.objects.visible_to(request.user)
    collection = get_object_or_404(collections.select_related("owner"), pk=min(_whole(key), LARGEST_KEY))
    items = shown(collection.items.all(), request.user, collection.owner)
    keys = list(items.values_list("exhibit__individual", flat=True)[:MOST_FOUNDERS])
    found = _drawn_by_networks(Individual.objects.filter(pk__in=keys)).in_bulk()
    return _of_images([found[key] for key in keys if key in found], f"the collection {collection.title}")


def _published_by(person: Any) -> list[Individual]:
    """Return the pictures that a person published, the latest first."""
    latest = Publication.objects.filter(author=person).order_by("-published_at")
    keys = list(latest.values_list("pk", flat=True)[:MOST_FOUNDERS])
    found = _drawn_by_networks(Individual.objects.filter(pk__in=keys)).in_bulk()
    return [found[key] for key in keys if key in found]


def _named(person: Any, names: list[str]) -> list[Individual]:
    """Return images by the ids of their runs and their numbers, as far as this person may see them."""
    wanted = Q(pk__in=[])
    for name in names[:MOST_FOUNDERS]:
        run_id, _, number = name.partition("/")
        wanted |= Q(run=_uuid(run_id), number=min(_whole(number), LARGEST_KEY))
    visible = Individual.objects.filter(run__in=Run.objects.visible_to(person).order_by().values("pk"))
    return list(_drawn_by_networks(visible.filter(wanted)))


def _drawn_by_networks(individuals: QuerySet[Individual]) -> QuerySet[Individual]:
    """Narrow images to those whose genomes are networks, and were kept."""
    return individuals.filter(run__encoding="cppn").exclude(genome=b"")


def _of_images(individuals: list[Individual], words: str) -> Founding:
    documents = [json.loads(zlib.decompress(bytes(one.genome))) for one in individuals]
    if not documents:
        raise NothingToFound(
            f"There is no picture that a run could begin with in {words}. Publish one that you bred, or begin from a "
            "litter of a breeding session."
        )
    return Founding(documents, words, tuple(map(_thumbnail, individuals)))


def _thumbnail(individual: Individual) -> str:
    short_hash = individual.genome_hash[:SHORT_HASH]
    return reverse("runs:small_image", args=[individual.run_id, individual.number, short_hash, THUMBNAIL])


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NothingToFound(f"“{text[:40]}” names no session or run. Follow a link of this site.") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 30):
        raise NothingToFound(f"“{text[:40]}” is no number of a litter, picture or collection.")
    return int(text)
