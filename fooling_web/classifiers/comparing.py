"""How easily classifiers are fooled: the share of classes at 99 % after equally many evaluations.

What counts are public runs of the same kind, MAP-Elites with CPPNs, each at its last generation within the number of
evaluations; a run that has not got that far does not count. Where there are several, the middle one stands for them.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from fooling_web.runs.models import GenerationStat, Run, RunQuerySet

BUDGETS = (10_000, 50_000, 100_000)  # evaluations
MOST_RUNS = 500  # the latest; more would not change the picture
OTHER_METHODS = ("single-class", "novelty")


@dataclass(frozen=True)
class Fooled:
    """The share of classes at 99 % or more in a run that stands for so many."""

    share: float
    run: Run
    runs: int

    @property
    def percent(self) -> float:
        """The share in percent."""
        return 100 * self.share


def fooled_shares() -> dict[str, list[Fooled | None]]:
    """Return for each classifier that was evolved against what is known for each number of evaluations."""
    by_classifier: defaultdict[str, list[Run]] = defaultdict(list)
    for run in _comparable()[:MOST_RUNS]:
        by_classifier[run.classifier].append(run)
    return {name: [_middle(runs, budget) for budget in BUDGETS] for name, runs in by_classifier.items()}


def _comparable() -> RunQuerySet:
    """Return runs of the kind that is compared, each with its share at every number of evaluations."""
    within = {_column(budget): Subquery(_last_within(budget)) for budget in BUDGETS}
    other = Q(parameters__method__in=OTHER_METHODS)
    kind = Run.objects.public().searches().filter(encoding="cppn", evaluations__gte=BUDGETS[0])
    return kind.exclude(pk__in=kind.filter(other).values("pk")).annotate(**within).defer("random_state")


def _last_within(budget: int) -> Any:
    statistics = GenerationStat.objects.filter(run=OuterRef("pk"), evaluations__lte=budget)
    reached = statistics.filter(run__evaluations__gte=budget)
    return reached.order_by(F("generation").desc()).values("share_99")[:1]


def _column(budget: int) -> str:
    return f"share_at_{budget}"


def _middle(runs: list[Run], budget: int) -> Fooled | None:
    """Return the run with the median share; of two in the middle, the lower one."""
    shares = [(getattr(run, _column(budget)), run) for run in runs]
    known = sorted(((share, run) for share, run in shares if share is not None), key=lambda pair: pair[0])
    if not known:
        return None
    share, run = known[(len(known) - 1) // 2]
    return Fooled(share=share, run=run, runs=len(known))
