"""The part of a published picture's page on which it is offered to archives, and which tells what came of it."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from fooling_web.breeding.models import Offer, Publication
from fooling_web.breeding.offering import NotOffered, archives_for, offer
from fooling_web.breeding.tasks import ask_to_consider
from fooling_web.galleries.images import image_or_404, told
from fooling_web.galleries.limits import is_within
from fooling_web.runs.models import Individual, Run

OFFERS_A_MINUTE = 20  # from one address
PATIENCE = timedelta(minutes=2)  # for which a page goes on asking
MOST_SHOWN = 50  # offers, the latest first


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@dataclass(frozen=True)
class Prize:
    """A class that an offered picture took."""

    class_index: int
    label: str
    confidence: float
    before: float
    is_held: bool  # still


@dataclass(frozen=True)
class Told:
    """An offer as its picture's page tells it."""

    offer: Offer
    prizes: list[Prize]
    surest: str  # the label that the classifier likes best; empty where it was not asked
    confidence: float


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def offering(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show to which archives a published picture was and can be offered; a POST offers it to one."""
    individual = image_or_404(request, run_id, number)
    publication = _publication_or_404(individual)
    complaint = _offer(request, publication) if request.method == "POST" else ""
    if request.method == "POST" and not request.htmx and not complaint:
        messages.success(request, "Offered. What comes of it is told here in a few seconds.")
        return redirect(_address(individual))
    offers = _offers_of(request, publication)
    context = {
        "run": individual.run,
        "individual": individual,
        "told": told(request, individual),
        "offers": offers,
        "is_waiting": any(_is_expected(one.offer) for one in offers),
        "archives": archives_for(request.user, publication) if request.user.is_authenticated else [],
        "complaint": complaint,
        "address": _address(individual),
    }
    template = "breeding/_offering.html" if request.htmx else "breeding/offering.html"
    return render(request, template, context, status=422 if complaint and not request.htmx else 200)


def _offer(request: Request, publication: Publication) -> str:
    """Offer a picture to the archive that a form names; return why not, if not."""
    if not request.user.is_authenticated:
        return "Sign in to offer a picture to an archive."
    if not is_within(request, "offers", 1, OFFERS_A_MINUTE):
        return f"That were {OFFERS_A_MINUTE} offers in a minute. Wait a little before the next one."
    try:
        made = offer(publication, _run_id(request), request.user)
    except NotOffered as error:
        return str(error)
    transaction.on_commit(lambda: ask_to_consider(made.run))
    return ""


def _run_id(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("run", ""))
    except ValueError:
        raise NotOffered("Choose an archive first.") from None


def _publication_or_404(individual: Individual) -> Publication:
    publications = Publication.objects.select_related("individual__run", "individual__exhibit")
    publication = publications.filter(individual=individual).first()
    if publication is None:
        raise Http404("This image was not published by a breeder.")
    return publication


def _offers_of(request: Request, publication: Publication) -> list[Told]:
    """Return a picture's offers to runs that this person may see."""
    visible = Run.objects.visible_to(request.user).values("pk")
    offers = publication.offers.filter(run__in=visible).select_related("run", "by", "individual")
    light = offers.defer("run__random_state", "run__founders", "individual__genome")
    return [_told(each) for each in light[:MOST_SHOWN]]


def _told(each: Offer) -> Told:
    run = each.run
    held = set(each.individual.championships.values_list("class_index", flat=True)) if each.individual else ()
    prizes = [
        Prize(index, run.label_of(index), confidence, before, index in held)
        for index, confidence, before in each.won
    ]
    surest, confidence = each.top[0] if each.top else (None, 0.0)
    return Told(each, prizes, "" if surest is None else run.label_of(surest), confidence)


def _is_expected(each: Offer) -> bool:
    """Whether a page should go on asking for an answer."""
    is_waiting = each.status == Offer.Status.WAITING
    return is_waiting and timezone.now() - each.offered_at < PATIENCE


def _address(individual: Individual) -> str:
    return reverse("breeding:offer", args=[individual.run_id, individual.number])
