"""Pages of a study's results: live while people answer, readable without scripts, and of one phase at a time.

Every section is rendered by itself and bears a word that stands for what it says. A page that asks again gets the
sections; those that say the same as before are left alone, so that nothing is replaced under a finger. Where nothing
came in, the answer is empty.
"""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from fooling_web.studies import results
from fooling_web.studies.analysing import asked_for
from fooling_web.studies.events import announce
from fooling_web.studies.models import Study
from fooling_web.studies.owning import managed_or_404
from fooling_web.studies.participation import phase_shown, phases_of, state_of
from fooling_web.studies.results_forms import PublishingForm
from fooling_web.studies.tasks import AWAY, ask_to_analyse
from fooling_web.studies.wishes import Wish

NO_CONTENT = 204


class Request(HttpRequest):
    """What the middleware hands to a view."""

    htmx: HtmxDetails


@require_safe
def show(request: Request, study_id: uuid.UUID) -> HttpResponse:
    """Show what came out of a study so far."""
    study = _readable_or_404(request, study_id)
    return render(request, "studies/results.html", _context(request, study))


@require_safe
def part(request: Request, study_id: uuid.UUID) -> HttpResponse:
    """Send the sections anew, or nothing where nothing came in since the state that the page knows."""
    study = _readable_or_404(request, study_id)
    if not request.htmx:
        return redirect(f"{results_url(study)}?{request.GET.urlencode()}")
    context = _context(request, study)
    if request.GET.get("state") == context["state"]:
        return HttpResponse(status=NO_CONTENT)
    return render(request, "studies/_results.html", {**context, "is_part": True})


@login_required
@require_POST
def publish(request: Request, study_id: uuid.UUID) -> HttpResponse:
    """Let others read the results, or no longer."""
    study = managed_or_404(request, study_id)
    form = PublishingForm(request.POST, instance=study)
    if not form.is_valid():
        raise Http404("There is no such visibility.")
    form.save()
    messages.success(request, form.said)
    return redirect(results_url(study))


@login_required
@require_POST
def analyse(request: Request, study_id: uuid.UUID) -> HttpResponse:
    """Ask a worker for the effect of the comparison, from the answers that there are now."""
    study = managed_or_404(request, study_id)
    phase = phase_shown(study, request.POST.get("phase", ""))
    analysis = asked_for(study, phase)
    if not ask_to_analyse(analysis):
        analysis.delete()
        messages.error(request, AWAY)
    announce(study.pk)
    return redirect(f"{results_url(study)}?phase={phase}#results-effect")


def results_url(study: Study) -> str:
    """Return the address of a study's results."""
    return reverse("studies:results", args=[study.pk])


def _readable_or_404(request: Request, study_id: uuid.UUID) -> Study:
    """Return a study whose results this person may read."""
    readable = Study.objects.readable_by(request.user).select_related("owner")
    return get_object_or_404(readable, pk=study_id)


def _context(request: Request, study: Study) -> dict[str, Any]:
    wish = Wish.read(request.GET)
    phase = phase_shown(study, wish.phase)
    is_manager = Study.objects.managed_by(request.user).filter(pk=study.pk).exists()
    state = state_of(study, phase)
    return {
        "study": study,
        "phase": phase,
        "phases": phases_of(study),
        "state": state,
        "wish": wish,
        "is_manager": is_manager,
        "sections": results.sections_of(study, phase, state, wish, user=request.user, is_manager=is_manager),
        "part_query": urlencode(wish.given),
        "form": PublishingForm(instance=study) if is_manager else None,
    }
