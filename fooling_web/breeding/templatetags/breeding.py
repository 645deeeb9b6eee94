"""What pages of other rooms say of breeding: who published a picture, and what a person bred."""

from typing import Any

from django import template

from fooling_web.breeding.models import Publication
from fooling_web.galleries.images import picture_url
from fooling_web.runs.models import Individual, Run
from fooling_web.users.models import User

register = template.Library()

AT_A_GLANCE = 12  # pictures of a person


@register.filter
def picture_address(publication: Publication, size: int) -> str:
    """Return the address of a published picture, `size` pixels a side."""
    return picture_url(publication.individual, size, "webp")


@register.inclusion_tag("breeding/_published.html", takes_context=True)
def published(context: Any, individual: Individual) -> dict[str, Any]:
    """Say who bred a picture, what from and what for; of an ancestor, on the way to which picture it stands."""
    request, run = context["request"], individual.run
    found = Publication.objects.filter(individual__run=run).with_pictures()
    publication = found.select_related("branched_from__run", "branched_from__exhibit").defer(
        "branched_from__genome", "individual__genome", "individual__run__random_state"
    )
    one = publication.first() if run.kind == Run.Kind.BREEDING else None
    return {
        "run": run,
        "individual": individual,
        "publication": one,
        "is_itself": one is not None and one.pk == individual.pk,
        "parent": _seen_parent(one, request.user),
        "controlled": run.is_controlled_by(request.user),
        "may_read": not context["told"].is_hidden or request.user.is_staff,
        "user": request.user,
    }


@register.inclusion_tag("breeding/_bred_by.html", takes_context=True)
def bred_by(context: Any, person: User) -> dict[str, Any]:
    """Show the latest pictures that a person bred and published."""
    viewer = context["request"].user
    listed = Publication.objects.listed_for(viewer).filter(author=person).with_pictures()
    latest = list(listed.order_by("-published_at", "-pk")[: AT_A_GLANCE + 1])
    return {
        "person": person,
        "is_own": person == viewer,
        "publications": latest[:AT_A_GLANCE],
        "has_more": len(latest) > AT_A_GLANCE,
    }


def _seen_parent(publication: Publication | None, user: Any) -> Individual | None:
    """Return the image that a picture was branched from, where this person may find it."""
    parent = publication.branched_from if publication else None
    if parent is None or not Run.objects.listed_for(user).filter(pk=parent.run_id).exists():
        return None
    return None if getattr(parent, "exhibit", None) and parent.exhibit.hidden else parent
