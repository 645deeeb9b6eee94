"""The page of a study's files: its data for whoever manages it, and who participants are for the owner alone."""

import tempfile
import uuid
from typing import IO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from fooling_web.studies import codebook
from fooling_web.studies.filing import PHASES, outside_csv, write_study
from fooling_web.studies.keeping import delete_data, ends_at
from fooling_web.studies.models import Participant, Study
from fooling_web.users.auditing import record

IN_MEMORY = 8_000_000  # bytes of a file before it goes to the disk
DEED, OUTSIDE_DEED = "export study", "export outside identities"


@require_safe
@login_required
def files(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Show which files there are of a study, and how long its data stay."""
    study = _managed(request, study_id)
    people = study.participants.exclude(phase=Participant.Phase.PREVIEW)
    context = {
        "study": study,
        "phases": [(phase, people.of_phase(phase).count()) for phase in PHASES],
        "n_images": study.images.count(),
        "tables": codebook.TABLES,
        "is_owner": study.owner_id == request.user.pk,
        "n_outside": study.outside_identities.count(),
        "ends_at": ends_at(study),
        "n_people": study.participants.count(),
    }
    return render(request, "studies/files.html", context)


@require_safe
@login_required
def file(request: HttpRequest, study_id: uuid.UUID) -> FileResponse:
    """Send a study as one ZIP, of one phase or of both."""
    study = _managed(request, study_id)
    asked = request.GET.get("phase", "")
    if asked and asked not in PHASES:
        raise Http404("There are two phases: main and pilot.")
    content: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the response closes it
    write_study(study, content, [asked] if asked else PHASES)
    size = content.tell()
    content.seek(0)
    record(request.user, DEED, f"{study.title} ({study.pk})", size=size)
    name = "-".join(filter(None, (slugify(study.title) or "study", asked)))
    return FileResponse(content, as_attachment=True, filename=f"{name}.zip", headers=_unkept())


@require_safe
@login_required
def outside(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Send the owner, and nobody else, who participants are where they were recruited."""
    study = get_object_or_404(Study, pk=study_id, owner=request.user.pk)
    text = outside_csv(study)
    record(request.user, OUTSIDE_DEED, f"{study.title} ({study.pk})", size=len(text.encode()))
    disposition = f'attachment; filename="{slugify(study.title) or "study"}-outside.csv"'
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition, **_unkept()},
    )


@require_POST
@login_required
def delete(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Delete the data of a closed study now, when its title was typed."""
    study = _managed(request, study_id)
    if study.status == Study.Status.OPEN:
        messages.error(request, "The study is open. Close it first; then its data can be deleted.")
    elif request.POST.get("title", "").strip() != study.title:
        messages.error(request, "Type the study's title exactly, to delete its data. Nothing was deleted.")
    else:
        number = delete_data(study, cast(object, request.user))
        messages.success(request, f"The data of {number:,} participants were deleted.")
    return redirect("studies:files", study.pk)


def _managed(request: HttpRequest, study_id: uuid.UUID) -> Study:
    return get_object_or_404(Study.objects.managed_by(request.user), pk=study_id)


def _unkept() -> dict[str, str]:
    return {"Cache-Control": "private, no-store"}
