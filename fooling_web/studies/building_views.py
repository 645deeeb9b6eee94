"""Pages on which a study is built: its list, its hub, design, images, freezing and the ways to invite people."""

import io
import uuid
from urllib.parse import quote

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.studies import building
from fooling_web.studies.choosing import Refused, forget_trials
from fooling_web.studies.forms import DesignForm, InviteForm
from fooling_web.studies.freezing import NotReady, changing, complaints_about, freeze, hash_of
from fooling_web.studies.models import Frozen, Participant, Study, StudyImage
from fooling_web.studies.owning import managed_or_404, n_sessions, told_of_forgotten
from fooling_web.studies.presets import PRESETS
from fooling_web.studies.steps import address, way_of
from fooling_web.studies.tasks import ask_to_recount

SHOWN = 60  # studies of each kind on a list
LISTED = (Frozen, NotReady, Refused)
PROLIFIC = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
PROLIFIC_END = "https://app.prolific.com/submissions/complete?cc="


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    """List what one can take part in, one's own studies, and presets to begin from."""
    own = Study.objects.none()
    if request.user.is_authenticated:
        own = Study.objects.filter(owner=request.user)
    context = {
        "inviting": Study.objects.inviting().order_by("-changed_at")[:SHOWN],
        "own": [(study, way_of(study)) for study in own[:SHOWN]],
        "presets": building.numbered_presets(),
    }
    return render(request, "studies/studies.html", context)


@login_required
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Begin a study, from a preset or from scratch."""
    preset = request.POST.get("preset", "")
    if preset and preset not in PRESETS:
        raise Http404("There is no such preset.")
    return redirect(building.begin(request.user, preset))


@login_required
@require_safe
def study(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show where a study stands, and what comes next."""
    shown = managed_or_404(request, study_id)
    context = {
        "study": shown,
        "way": way_of(shown),
        "preset": PRESETS.get(shown.plan.preset),
        "pictures": shown.images.filter(role=StudyImage.Role.MAIN)[:12],
        "can_be_deleted": building.can_be_deleted(shown),
        "classrooms": address("classrooms", shown) if "class" in shown.ways_in else "",
    }
    return render(request, "studies/study.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def design(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show a study's design and, before it is frozen, let it be changed."""
    shown = managed_or_404(request, study_id)
    form = DesignForm(request.POST or None, study=shown)
    if request.method == "POST" and form.is_valid():
        try:
            forgotten = _redesigned(shown, form)
        except Frozen as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Saved.{told_of_forgotten(forgotten)}")
            return redirect(shown)
    context = {"study": shown, "form": form, "n_pilot": n_sessions(shown)}
    return render(request, "studies/design.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def freezing(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Say what freezing means, and freeze."""
    shown = managed_or_404(request, study_id)
    if request.method == "POST":
        try:
            freeze(shown)
        except LISTED as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Frozen. Its hash begins with {shown.design_sha256[:12]}.")
            return redirect(shown)
    people = shown.participants.of_phase(Participant.Phase.PILOT)
    context = {
        "study": shown,
        "complaints": [] if shown.is_frozen else complaints_about(shown),
        "n_images": shown.images.count(),
        "n_pilot": people.count(),
        "is_sound": not shown.is_frozen or hash_of(shown) == shown.design_sha256,
    }
    return render(request, "studies/freeze.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show the links by which people come in, and let the ways in be chosen."""
    shown = managed_or_404(request, study_id)
    form = InviteForm(request.POST or None, instance=shown)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("studies:invite", shown.pk)
    link = _link(request, shown)
    context = {
        "study": shown,
        "form": form,
        "link": link,
        "prolific": f"{link}?{PROLIFIC}",
        "prolific_end": PROLIFIC_END + quote(shown.completion_code),
        "classrooms": address("classrooms", shown),
        "complaints": [] if shown.is_frozen else complaints_about(shown),
    }
    return render(request, "studies/invite.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def qr(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Send the link to take part as a code that telephones read."""
    link = _link(request, managed_or_404(request, study_id))
    picture = io.BytesIO()
    segno.make(link, micro=False).save(picture, kind="svg", scale=8, border=3, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@login_required
@require_POST
def open_up(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Let people take part."""
    shown = managed_or_404(request, study_id)
    try:
        if building.open_up(shown):
            kind = (
                ""
                if shown.is_frozen
                else " for its pilot: what comes in before freezing is never mixed with the rest"
            )
            messages.success(request, f"It is open{kind}.")
    except LISTED as refusal:
        messages.error(request, str(refusal))
    return redirect("studies:invite", shown.pk)


@login_required
@require_POST
def close(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Let nobody take part any more."""
    shown = managed_or_404(request, study_id)
    if building.close(shown):
        ask_to_recount(shown)
        messages.success(request, "It is closed: its link says so to whoever comes.")
    return redirect(shown)


@login_required
@require_POST
def copy(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Make a draft with the same design and images."""
    twin = building.copy(managed_or_404(request, study_id), request.user)
    messages.success(request, "A draft with the same design and images, and no data.")
    return redirect(twin)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Ask, then delete a study that holds nobody's answers in earnest."""
    shown = managed_or_404(request, study_id)
    if request.method == "POST":
        try:
            building.delete(shown)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(shown)
        messages.success(request, f"“{shown.title}” is deleted.")
        return redirect("studies:list")
    context = {"study": shown, "can_be_deleted": building.can_be_deleted(shown), "n_pilot": n_sessions(shown)}
    return render(request, "studies/delete.html", context)


def _redesigned(shown: Study, form: DesignForm) -> int:
    """Store a design; return how many pilot sessions were deleted because they were about another one."""
    with changing(shown) as held:
        is_other = building.restructured(held.plan, form.design)
        held.title, held.design = form.cleaned_data["title"], form.design.to_json()
        held.save(update_fields=["title", "design", "changed_at"])
        return forget_trials(held) if is_other else 0


def _link(request: HttpRequest, shown: Study) -> str:
    """Return the address at which people take part, in full."""
    try:
        return request.build_absolute_uri(shown.take_url)
    except NoReverseMatch:
        return request.build_absolute_uri(reverse("studies:list"))
