"""Pages on which runs leave the site as archive files, and on which such files come in."""

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.exports import arrivals
from fooling_web.exports.archive_files import order_archives, title_of
from fooling_web.exports.archive_forms import ArrivalForm, ExportForm
from fooling_web.exports.jobs import Refused
from fooling_web.exports.models import ExportJob, ImportJob
from fooling_web.exports.picture_files import EXAMPLE, MOST_PICTURES
from fooling_web.exports.tasks import ask_to_export, ask_to_import
from fooling_web.galleries.limits import is_within
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import User

MOST_RUNS = 500  # in one file
EXPORTS, IMPORTS = 20, 10  # a minute, of an address
TOO_OFTEN = "Too many were asked for from your address in the last minute. Wait for a minute."
SHOWN = 20  # files on a page
KEPT = ("kind", "classifier", "visibility")  # of what was chosen, for another try


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def order(request: HttpRequest) -> HttpResponse:
    """Offer what can be chosen for a file of one run or several, and have it made."""
    runs, title = _runs_meant(request)
    form = ExportForm(request.POST or None, runs=runs)
    if form.is_bound and form.is_valid():
        try:
            if not is_within(request, "export", 1, EXPORTS):
                raise Refused(TOO_OFTEN)
            job = order_archives(cast(User, request.user), runs, form.chosen, title)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            transaction.on_commit(lambda: ask_to_export(job))
            return redirect(job)
    return _page(request, form, title)


def asked_for(request: HttpRequest, runs: list[Run]) -> HttpResponse:
    """Offer the choices for runs that somebody chose in a list, and may export."""
    return _page(request, ExportForm(runs=runs))


def _page(request: HttpRequest, form: ExportForm, title: str = "") -> HttpResponse:
    runs = form.runs
    context = {"form": form, "runs": runs, "title": title or title_of(runs), "count": len(runs)}
    return render(request, "exports/order.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """List the files that were made for somebody, the last first."""
    jobs = ExportJob.objects.filter(by=cast(User, request.user))
    page = Paginator(jobs, SHOWN).get_page(request.GET.get("page"))
    return render(request, "exports/mine.html", {"page": page, "days": ExportJob.KEPT_FOR.days})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def take_in(request: HttpRequest) -> HttpResponse:
    """Let somebody send a file, and show those that they sent before."""
    owner = cast(User, request.user)
    wished = {
        **{name: request.GET[name] for name in KEPT if name in request.GET},
        "anyway": "anyway" in request.GET,
    }
    form = ArrivalForm(request.POST or None, request.FILES or None, initial=wished)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            if not is_within(request, "import", 1, IMPORTS):
                raise Refused(TOO_OFTEN)
            job = arrivals.order(
                owner,
                cleaned["file"],
                cleaned["visibility"],
                ImportJob.Kind(cleaned["kind"]),
                anyway=cleaned["anyway"],
                classifier=cleaned["classifier"],
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            transaction.on_commit(lambda: ask_to_import(job))
            return redirect(job)
    sent = ImportJob.objects.filter(by=owner).prefetch_related("runs")[:SHOWN]
    context = {
        "form": form,
        "complaint": arrivals.complaint_about(owner),
        "sent": sent,
        "example": EXAMPLE,
        "most": MOST_PICTURES,
    }
    return render(request, "exports/import.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def arrival(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Tell how a file's coming in goes, and what came of it."""
    job = _own_arrival(request, job_id)
    is_fragment = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    runs = Run.objects.filter(imports=job).visible_to(request.user).select_related("owner")
    context = {"job": job, "runs": runs, "others": [run for run in runs if run.owner != job.by]}
    return render(request, "exports/_arrival.html" if is_fragment else "exports/arrival.html", context)


@require_POST
@login_required
def cancel_arrival(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Give an import up that has not ended."""
    job = _own_arrival(request, job_id)
    if not arrivals.cancel(job):
        messages.info(request, "It had ended already.")
    return redirect(job)


def _own_arrival(request: HttpRequest, job_id: uuid.UUID) -> ImportJob:
    """Return a job of this person's, or to the staff anybody's."""
    jobs = ImportJob.objects.select_related("by")
    if not cast(User, request.user).is_staff:
        jobs = jobs.filter(by=cast(User, request.user))
    return get_object_or_404(jobs, pk=job_id)


def _runs_meant(request: HttpRequest) -> tuple[list[Run], str]:
    """Return the runs that an address or a form names, all of them this person's, and a sweep's title."""
    told = request.POST if request.method == "POST" else request.GET
    if sweep_id := told.get("sweep"):
        sweep = get_object_or_404(Sweep.objects.visible_to(request.user), pk=_key(sweep_id))
        runs = list(Run.objects.filter(sweep=sweep).order_by("seed", "created_at"))
        title = sweep.name
    else:
        keys = [_key(text) for text in told.getlist("run")[: MOST_RUNS + 1]]
        found = Run.objects.visible_to(request.user).select_related("sweep").in_bulk(keys)
        if len(found) < len(set(keys)):
            raise Http404("A run is private or deleted.")
        runs, title = [found[key] for key in dict.fromkeys(keys)], ""
    if not runs:
        raise Http404("No run was named.")
    if len(runs) > MOST_RUNS:
        raise PermissionDenied(f"{MOST_RUNS} runs in one file are the most. Choose fewer.")
    if not all(run.is_controlled_by(request.user) for run in runs):
        raise PermissionDenied(
            "Only the owner of a run and administrators may export its archive. Anybody may download pictures and "
            "genomes one by one."
        )
    return runs, title


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404("This is no number of a run.") from None
