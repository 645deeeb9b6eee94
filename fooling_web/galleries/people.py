"""Pages of people: what one ran, put together and liked, open to everybody; and one's own favourites."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from fooling_web.galleries.keeping import (
    IN_PUBLIC,
    Hung,
    hang_strips,
    hung,
    numbers_of,
    shown,
    with_numbers,
    with_pictures,
)
from fooling_web.galleries.models import Collection, Exhibit, Favourite, Rating
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.sweeps import with_cards
from fooling_web.runs.views import Request
from fooling_web.users.models import User

RUNS_PER_PAGE = 9
IMAGES = 12  # at a glance
LIKED = 4  # stars, at least
COLLECTIONS = 6  # at a glance
FAVOURITES_PER_PAGE = 48


def person_named(username: str) -> User:
    """Return a person who may still sign in."""
    if "\0" in username:
        raise Http404("Nobody has this name.")
    return get_object_or_404(User, username=username, is_active=True)


@require_safe
def person(request: Request, username: str) -> HttpResponse:
    """Show what a person ran, put together and rated; private things to themselves alone."""
    someone = person_named(username)
    is_own = someone == request.user
    listed = Run.objects.listed_for(request.user).listable().filter(owner=someone)
    runs = Paginator(with_cards(listed, listed), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "person": someone,
        "is_own": is_own,
        "runs": runs,
        "some_hidden": is_own and any(run.visibility != Run.Visibility.PUBLIC for run in runs),
        "best": _best_of(someone),
        "liked": _liked_by(someone),
        "collections": collections_at_a_glance(someone, request),
        "numbers": numbers_of(someone),
    }
    return render(request, "galleries/person.html", context)


@login_required
@require_safe
def favourites(request: Request) -> HttpResponse:
    """Show what one has kept, the latest first; what may no longer be seen is left out."""
    owner = cast(User, request.user)
    kept = shown(Favourite.objects.filter(person=owner), owner, owner)
    page = Paginator(kept, FAVOURITES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "galleries/favourites.html", {"page": page, "images": hung(page)})


def collections_at_a_glance(someone: User, request: Request) -> list[Collection]:
    """Return a person's latest collections, with a few images of each."""
    listed = Collection.objects.listed_for(request.user).filter(owner=someone)
    latest = list(with_numbers(listed, request.user, someone)[:COLLECTIONS])
    hang_strips(latest, request.user, someone)
    return latest


def _best_of(someone: User) -> list[Hung]:
    """Return the images of a person's public runs that people rated highest."""
    theirs = Individual.objects.filter(
        pk=OuterRef("individual"), run__owner=someone, run__visibility=Run.Visibility.PUBLIC
    )
    # Asked in this way, a database walks down what is rated and never through all that the person found.
    rated = Exhibit.objects.filter(Exists(theirs), n_ratings__gt=0, hidden=False)
    best = list(rated.order_by("-stars", "-n_ratings").values_list("pk", flat=True)[:IMAGES])
    exhibits = with_pictures(Exhibit.objects.all()).in_bulk(best)
    return [Hung(exhibits[pk]) for pk in best if pk in exhibits]


def _liked_by(someone: User) -> list[Hung]:
    """Return the images of public runs that a person rated highest."""
    public = Rating.objects.filter(IN_PUBLIC, person=someone, stars__gte=LIKED)
    return hung(public.order_by("-stars", "-rated_at")[:IMAGES])
