"""How long a study's data are kept: for the time that its owner gave, from its closing on, and then no longer.

Design, images and what was refused stay; participants with all they answered, and who they are elsewhere, go.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from fooling_web.studies.models import Study
from fooling_web.users.auditing import record

DEED = "delete study data"


def ends_at(study: Study) -> datetime | None:
    """Return when a study's data go; None: they stay, or the study is not closed."""
    if not study.retention_days or study.closed_at is None:
        return None
    return study.closed_at + timedelta(days=study.retention_days)


def expired(now: datetime) -> list[Study]:
    """Return studies whose data must go."""
    closed = Study.objects.filter(
        status=Study.Status.CLOSED, retention_days__gt=0, participants__isnull=False
    ).distinct()
    return [study for study in closed if (end := ends_at(study)) and end <= now]


def delete_data(study: Study, by: object = None) -> int:
    """Delete every participant of a study with all that belongs to them; return how many they were."""
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        number = study.participants.count()
        study.participants.all().delete()
        study.analyses.all().delete()
        record(by, DEED, f"{study.title} ({study.pk})", outcome=f"{number:,} participants deleted")
    return number


def delete_expired() -> int:
    """Delete the data of all studies whose time is over; return how many studies."""
    studies = expired(timezone.now())
    for study in studies:
        delete_data(study)
    return len(studies)
