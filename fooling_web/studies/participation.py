"""Who took part in a study: how many began, came to the end or went again, by which way in and when.

Counted from the participants alone, in a handful of queries however many they are. Who withdrew left nothing behind
but a number, and so is known for the study as a whole and for no phase.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import TruncDay, TruncHour, TruncMinute

from fooling_web.studies.models import Participant, Study

ENTRIES = {**Study.ENTRIES, Participant.SIMULATED: "simulated, by nobody"}
REASONS = {  # why something that was sent was not taken, as `taking_part.Refused` names it
    "class": "an answer while the class was not at work",
    "closed": "the study was closed",
    "full": "the study had as many participants as it needs",
    "name": "a name that was too long",
    "no images": "the study had no images",
    "no such trial": "an answer to a trial that there is not",
    "not open": "the study was not open yet",
    "answered": "another answer to a trial that was answered",
    "not shown": "an answer to a trial that was not the next",
    "option": "an option that was not offered, or none",
    "reaction time": "an impossible reaction time",
    "sureness": "an impossible sureness",
    "time": "an answer after the time was up",
    "way in": "a way in that the study does not have",
    "withdrawn": "an answer after withdrawal",
}
STEPS = ((timedelta(hours=3), TruncMinute), (timedelta(days=4), TruncHour))  # beyond: by day


@dataclass(frozen=True)
class Way:
    """One way in, and how many took it."""

    name: str
    title: str
    begun: int
    completed: int


@dataclass(frozen=True)
class Moment:
    """A minute, an hour or a day, and how many began and completed then."""

    at: datetime
    begun: int
    completed: int
    share: float  # of the fullest moment, from 0 to 1


@dataclass(frozen=True)
class Refused:
    """How often something was refused for one reason."""

    title: str
    times: int


@dataclass(frozen=True)
class Participation:
    """How many took part in a phase, and how."""

    phase: str
    begun: int
    completed: int
    answered: int  # responses
    planned: int  # trials
    withdrawn: int  # of the whole study
    ways: list[Way]
    moments: list[Moment]
    step: str  # what a moment is
    refusals: list[Refused]  # of the whole study

    @property
    def unfinished(self) -> int:
        """How many began and have not come to the end."""
        return self.begun - self.completed


def phases_of(study: Study) -> dict[str, int]:
    """Return how many participants each phase has, previews left out."""
    rows = study.participants.exclude(phase=Participant.Phase.PREVIEW).values_list("phase").order_by()
    return dict(rows.annotate(n=Count("pk")))


def phase_shown(study: Study, wanted: str = "") -> str:
    """Return the phase that is shown: the one asked for, else main once there is any data of it, else the pilot."""
    phases = (Participant.Phase.MAIN.value, Participant.Phase.PILOT.value)
    if wanted in phases:
        return wanted
    return phases[0] if study.participants.of_phase(phases[0]).exists() else phases[1]


def state_of(study: Study, phase: str) -> str:
    """Return a word that is another one as soon as any number of the results is, in three cheap queries."""
    sums = study.participants.of_phase(phase).aggregate(
        begun=Count("pk"), answered=Sum("n_answered"), completed=Count("completed_at"), last=Max("number")
    )
    others = Study.objects.filter(pk=study.pk).values_list(
        "status", "n_withdrawn", "design_sha256", Sum("refusals__times"), Max("refusals__pk")
    )
    analyses = study.analyses.filter(phase=phase).order_by("pk").values_list("pk", "status")
    known = [f"{pk}{status}" for pk, status in analyses]
    parts = [phase, *sums.values(), *others[0], study.changed_at.timestamp(), *known]
    return "-".join("" if part is None else str(part) for part in parts)


def participation_of(study: Study, phase: str) -> Participation:
    """Count who took part in a phase."""
    participants = study.participants.of_phase(phase)
    sums = participants.aggregate(answered=Sum("n_answered"), planned=Sum("n_trials"))
    ways = _ways(participants)
    moments, step = _moments(participants)
    return Participation(
        phase=phase,
        begun=sum(way.begun for way in ways),
        completed=sum(way.completed for way in ways),
        answered=sums["answered"] or 0,
        planned=sums["planned"] or 0,
        withdrawn=study.n_withdrawn,
        ways=ways,
        moments=moments,
        step=step,
        refusals=[
            Refused(REASONS.get(reason, reason.replace("-", " ")), times)
            for reason, times in study.refusals.order_by("-times").values_list("reason", "times")
        ],
    )


def _ways(participants: Any) -> list[Way]:
    rows = participants.order_by().values_list("entry")
    counted = rows.annotate(begun=Count("pk"), completed=Count("completed_at")).order_by("-begun", "entry")
    return [Way(entry, ENTRIES.get(entry, entry), begun, completed) for entry, begun, completed in counted]


def _moments(participants: Any) -> tuple[list[Moment], str]:
    """Count by a step that leaves some tens of moments; those in which nothing happened are left out."""
    ends = participants.aggregate(first=Min("consented_at"), last=Max("consented_at"))
    if ends["first"] is None:
        return [], ""
    long = ends["last"] - ends["first"]
    truncate = next((step for most, step in STEPS if long <= most), TruncDay)
    rows = (
        participants.order_by()
        .annotate(at=truncate("consented_at"))
        .values_list("at")
        .annotate(begun=Count("pk"), completed=Count("pk", filter=Q(completed_at__isnull=False)))
        .order_by(F("at"))
    )
    counted = list(rows)
    most = max(begun for _, begun, _ in counted)
    moments = [Moment(at, begun, completed, begun / most) for at, begun, completed in counted]
    return moments, str(truncate.kind)
