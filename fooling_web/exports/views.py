"""Pages of files that a worker makes: how far each is, and the way to it. Whoever asked for one sees its page."""

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from fooling_web.exports import jobs
from fooling_web.exports.models import ExportJob
from fooling_web.exports.tasks import ask_to_export
from fooling_web.users.models import User

GONE = (
    "This file is not there any more, or the link to it is too old, or it holds a run that is not public, for "
    "which its owner must be signed in. Its page, if you asked for it, has another."
)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def job(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Show how far a file is, and the link to it when it is finished."""
    shown = _own(request, job_id)
    is_finished = shown.status == ExportJob.Status.FINISHED
    context = {
        "job": shown,
        "link": request.build_absolute_uri(jobs.link_to(shown)) if is_finished else "",
        "back": shown.choices.get("address", ""),
        "linked_for": jobs.LINKED_FOR,
        "is_for_all": is_finished and jobs.is_open_to(shown, AnonymousUser()),
    }
    is_fragment = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    return render(request, "exports/_job.html" if is_fragment else "exports/job.html", context)


@require_POST
@login_required
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Stop a file that is being made."""
    shown = _own(request, job_id)
    jobs.cancel(shown)
    return redirect(shown)


@require_POST
@login_required
def again(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Let a file be made once more that failed, was cancelled or has been removed."""
    shown = _own(request, job_id)
    try:
        if jobs.order_again(shown):
            transaction.on_commit(lambda: ask_to_export(shown))
    except jobs.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(shown)


@require_safe
def file(request: HttpRequest, token: str) -> FileResponse:
    """Send a file to whoever has a link to it that is young enough, and may see what is in it."""
    found = jobs.linked(token)
    if found is None or not jobs.is_open_to(found, request.user):
        raise Http404(GONE)
    try:
        content = found.file.open("rb")
    except OSError as error:
        raise Http404(GONE) from error
    return FileResponse(
        content,
        as_attachment=True,
        filename=jobs.name_of(found),
        headers={"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"},
    )


def _own(request: HttpRequest, job_id: uuid.UUID) -> ExportJob:
    """Return a job that this person asked for, or any to an administrator."""
    known = ExportJob.objects.select_related("by")
    if not request.user.is_staff:
        known = known.filter(by=cast(User, request.user))
    return get_object_or_404(known, pk=job_id)
