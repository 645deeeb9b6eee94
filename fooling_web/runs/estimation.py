"""How long a run will take here, from how long runs like it took."""

from dataclasses import dataclass

from django.db.models import Sum

from fooling_web.runs.models import Run, RunQuerySet

REMEMBERED = 20  # the latest runs that are asked


@dataclass(frozen=True)
class Estimate:
    """What launching a run would mean."""

    evaluations: int
    seconds: float | None  # of computing; unknown on a site where nothing has run
    is_rough: bool  # nothing with this classifier and encoding has run here yet
    waiting: int  # active runs that share the workers


def estimate(classifier: str, encoding: str, evaluations: int) -> Estimate:
    """Return an estimate from the pace of the latest runs alike, or of any runs where there are none."""
    measured = Run.objects.filter(seconds__gt=0)
    pace = _pace(measured.filter(classifier=classifier, encoding=encoding))
    rough_pace = pace or _pace(measured)
    return Estimate(
        evaluations=evaluations,
        seconds=rough_pace and evaluations * rough_pace,
        is_rough=pace is None,
        waiting=Run.objects.active().count(),
    )


def _pace(runs: RunQuerySet) -> float | None:
    """Return the seconds for an evaluation in the latest of these runs."""
    latest = Run.objects.filter(pk__in=list(runs.values_list("pk", flat=True)[:REMEMBERED]))
    total = latest.aggregate(evaluations=Sum("evaluations"), seconds=Sum("seconds"))
    return float(total["seconds"] / total["evaluations"]) if total["evaluations"] else None
