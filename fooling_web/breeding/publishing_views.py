"""Pages on which a bred picture is published, said something else of, and deleted; and what others bred from it."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from fooling_web.breeding import publishing
from fooling_web.breeding.models import BreedingSession, Goal, Litter, Opinion, Publication
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.breeding.pictures import is_pixelated
from fooling_web.breeding.publishing_forms import SEEN, PublishForm
from fooling_web.breeding.showing import LARGE
from fooling_web.breeding.tasks import ask_to_judge
from fooling_web.breeding.views import Request
from fooling_web.galleries.images import image_or_404, told
from fooling_web.galleries.keeping import Refused
from fooling_web.galleries.limits import is_within

PUBLISHED_A_MINUTE = 20  # from one address: a class publishes together
TOO_MANY = (
    f"From your address came {PUBLISHED_A_MINUTE} pictures within a minute. Wait a little, then try again."
)
BRANCHES_PER_PAGE = 24


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Request, session_id: uuid.UUID, number: int, place: int) -> HttpResponse:
    """Ask what a tile is called and who may see it, and publish it; who has no account signs up first."""
    session = session_or_refusal(request, session_id)
    litter = litter_or_404(session, number)
    if place >= len(litter):
        raise Http404("This litter has no such picture.")
    if not request.user.is_authenticated:
        return redirect_to_login(request.path, reverse("account_signup"))
    target_label = _target_of(session, litter, place)
    initial = {"seen": _seen_before(session, litter, place)}
    form = PublishForm(request.POST or None, target_label=target_label, initial=initial)
    before = publishing.published(session, litter, place)
    if request.method == "POST" and before is None and form.is_valid():
        if not is_within(request, "publications", 1, PUBLISHED_A_MINUTE):
            form.add_error(None, TOO_MANY)
        else:
            return _publish(request, session, litter, place, form)
    context = {
        "session": session,
        "litter": litter,
        "place": place,
        "tile_number": place + 1,
        "large": LARGE,
        "is_pixelated": is_pixelated(litter),
        "form": form,
        "target_label": target_label,
        "goal_title": _goal_title(session.goal),
        "classifier": publishing.classifier_of(session),
        "before": before,
    }
    return render(request, "breeding/publish.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Let its breeder say something else of a published picture."""
    publication = _own_or_404(request, run_id, number)
    initial = {
        "title": publication.title,
        "description": publication.description,
        "tags": ", ".join(publishing.tags_of(publication)),
        "visibility": publication.run.visibility,
        "seen": _word_of(publication.seen),
    }
    form = PublishForm(request.POST or None, target_label=publication.target_label, initial=initial)
    if request.method == "POST" and form.is_valid() and _changed(publication, form):
        messages.success(request, "Saved.")
        return redirect(publication.get_absolute_url())
    context = {"form": form, "publication": publication, "target_label": publication.target_label}
    return render(request, "breeding/publication_edit.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def unpublish(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Ask, then delete a published picture; the session keeps it."""
    publication = _own_or_404(request, run_id, number)
    if request.method != "POST":
        n_branches = publication.individual.branches.count()
        context = {"publication": publication, "n_branches": n_branches}
        return render(request, "breeding/unpublish.html", context)
    name, session = publication.title or publication.run.name, publication.session
    publishing.unpublish(publication)
    messages.success(request, f"“{name}” is not published any more.")
    return redirect(session if session and session.owner_id == request.user.pk else "breeding:home")


@require_safe
def verdict(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Let a page that waits for the classifier be loaded again once it has answered, or failed to."""
    publication = _publication_or_404(request, run_id, number)
    if publication.is_judged or publication.run.error:
        return HttpResponseClientRefresh()
    return render(request, "breeding/_verdict.html", {"publication": publication})


@require_safe
@vary_on_headers("HX-Request")
def branches(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show what people bred from an image: alone, or as a part of its page."""
    individual = image_or_404(request, run_id, number)
    listed = Publication.objects.listed_for(request.user).filter(branched_from=individual)
    pictures = listed.with_pictures().order_by("-published_at", "-pk")
    page = Paginator(pictures, BRANCHES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "run": individual.run,
        "individual": individual,
        "told": told(request, individual),
        "page": page,
        "address": reverse("breeding:branches", args=[run_id, number]),
    }
    return render(request, "breeding/_branches.html" if request.htmx else "breeding/branches.html", context)


def _publish(
    request: Request, session: BreedingSession, litter: Litter, place: int, form: PublishForm
) -> HttpResponse:
    try:
        publication = publishing.publish(session, litter, place, form.said)
    except publishing.AlreadyPublished as error:
        messages.info(request, str(error))
        return redirect(error.publication.get_absolute_url())
    if not publication.is_judged:
        transaction.on_commit(lambda: ask_to_judge(publication))
    messages.success(request, f"“{form.said.title}” is published.")
    return redirect(publication.get_absolute_url())


def _changed(publication: Publication, form: PublishForm) -> bool:
    """Say something else of a picture; what is refused stands beside the field, and nothing was changed."""
    try:
        publishing.change(publication, form.said)
    except Refused as error:
        form.add_error("tags", str(error))
        return False
    if not publication.is_judged:
        transaction.on_commit(lambda: ask_to_judge(publication))
    return True


def _publication_or_404(request: Request, run_id: uuid.UUID, number: int) -> Publication:
    visible = Publication.objects.visible_to(request.user).with_pictures()
    publication: Any = visible.filter(individual=image_or_404(request, run_id, number)).first()
    if publication is None:
        raise Http404("This image was not published by a breeder.")
    return publication  # type: ignore[no-any-return]


def _own_or_404(request: Request, run_id: uuid.UUID, number: int) -> Publication:
    publication = _publication_or_404(request, run_id, number)
    if not publication.run.is_controlled_by(request.user):
        raise Http404("Only its breeder may do this with a picture.")
    return publication


def _target_of(session: BreedingSession, litter: Litter, place: int) -> str:
    """Return the class that a tile was bred towards, in words; empty where there was none."""
    target = publishing.target_of(session, litter, place)
    return "" if target is None else publishing.classifier_of(session).labels[target]


def _seen_before(session: BreedingSession, litter: Litter, place: int) -> str:
    """Return what a person said while breeding of whether they see the target in a tile."""
    opinion = Opinion.objects.filter(litter=litter, classifier__in=session.classifiers[:1]).first()
    said = [
        seen
        for tile, target, seen in (opinion.seen if opinion else [])
        if (tile, target) == (place, session.target)
    ]
    return _word_of(said[-1] if said else None)


def _word_of(seen: bool | None) -> str:
    return next(word for word, meant in SEEN.items() if meant is seen)


def _goal_title(goal: str) -> str:
    return str(Goal(goal).label) if goal else ""
