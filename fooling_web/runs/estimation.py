"""How long a run will take here, from how long runs like it took."""

from dataclasses import dataclass

from django.db.models import Sum

from fooling_web.runs.models import Run

REMEMBERED = 20  # the latest runs that are asked


@dataclass(frozen=True)
class Estimate:
    """What launching a run would mean."""

    evaluations: int
    seconds: float | None  # of computing; unknown where nothing like it has run here
    waiting: int  # active runs that share the workers


def estimate(classifier: str, encoding: str, evaluations: int) -> Estimate:
    """Return an estimate from the pace of the latest runs with the same classifier and encoding."""
    alike = Run.objects.filter(classifier=classifier, encoding=encoding, seconds__gt=0)
    latest = Run.objects.filter(pk__in=list(alike.values_list("pk", flat=True)[:REMEMBERED]))
    total = latest.aggregate(evaluations=Sum("evaluations"), seconds=Sum("seconds"))
    seconds = evaluations * total["seconds"] / total["evaluations"] if total["evaluations"] else None
    return Estimate(evaluations, seconds, Run.objects.active().count())
