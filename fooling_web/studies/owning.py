"""Who may change a study, and what a change does to what was tried out before."""

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from fooling_web.studies.models import Study


def managed_or_404(request: HttpRequest, study_id: uuid.UUID) -> Study:
    """Return a study that this person may change; to all others there is none."""
    found: Study = get_object_or_404(Study.objects.managed_by(request.user), pk=study_id)
    return found


def n_sessions(shown: Study) -> int:
    """Return how many sessions a change would delete."""
    count: int = 0 if shown.is_frozen else shown.participants.count()
    return count


def told_of_forgotten(count: int) -> str:
    """Return a sentence on sessions that were deleted, to follow another; nothing where none were."""
    if not count:
        return ""
    return f" {count:,} {'session' if count == 1 else 'sessions'} of the former design deleted."
