"""The page on which a study is tried out: let people who are nobody take part, look at the results, remove them."""

import secrets
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fooling_web.studies import piloting
from fooling_web.studies.freezing import complaints_about
from fooling_web.studies.models import Participant, Study
from fooling_web.studies.owning import managed_or_404
from fooling_web.studies.results_forms import SimulatingForm
from fooling_web.studies.tasks import ask_to_simulate

FROZEN = "The study is frozen: whoever takes part from now on counts, and nobody can be simulated any more."
LARGEST_SEED = 2**31


@login_required
@require_safe
def pilot(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show how a study can be tried out."""
    return _page(request, managed_or_404(request, study_id), SimulatingForm())


@login_required
@require_POST
def simulate(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Let people who are nobody take part: a few at once, many by a worker."""
    study = managed_or_404(request, study_id)
    form = SimulatingForm(request.POST)
    if complaint := _complaint(study):
        messages.error(request, complaint)
        return redirect("studies:pilot", study.pk)
    if not form.is_valid():
        return _page(request, study, form, status=422)
    _simulate(request, study, form)
    return redirect("studies:pilot", study.pk)


@login_required
@require_POST
def remove(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Remove whoever was simulated."""
    study = managed_or_404(request, study_id)
    if study.is_frozen:
        messages.error(request, "The study is frozen: who took part before stays with its pilot.")
        return redirect("studies:pilot", study.pk)
    number = piloting.remove_simulated(study)
    messages.success(request, f"{number:,} simulated participants were removed, with all their answers.")
    return redirect("studies:pilot", study.pk)


def _complaint(study: Study) -> str:
    """Return why nobody can be simulated; nothing where somebody can."""
    if study.is_frozen:
        return FROZEN
    if complaints := complaints_about(study):
        return str(complaints[0])
    if piloting.simulated_in(study) >= piloting.MOST:
        return f"{piloting.MOST:,} participants are simulated already. Remove them first."
    return ""


def _simulate(request: HttpRequest, study: Study, form: SimulatingForm) -> None:
    number, accuracy = form.cleaned_data["number"], form.cleaned_data["accuracy"] / 100
    seed = secrets.randbelow(LARGEST_SEED)
    rest = number
    if number <= piloting.AT_ONCE:
        rest = piloting.simulate_some(study, number, accuracy, seed)
    if not rest:
        messages.success(request, f"{number} simulated participants have taken part.")
    elif ask_to_simulate(study, rest, accuracy, seed):
        messages.success(request, f"{number:,} simulated participants are taking part. Watch the results.")
    else:
        messages.error(request, "The worker cannot be reached at the moment. Try again later.")


def _page(request: HttpRequest, study: Study, form: SimulatingForm, status: int = 200) -> HttpResponse:
    pilots = study.participants.of_phase(Participant.Phase.PILOT)
    context = {
        "study": study,
        "form": form,
        "complaint": _complaint(study),
        "simulated": piloting.simulated_in(study),
        "others": pilots.exclude(entry=Participant.SIMULATED).count(),
    }
    return render(request, "studies/pilot.html", context, status=status)
