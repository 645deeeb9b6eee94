"""A run's whole archive as it stood in any generation, read from its takeovers.

Nothing is stored for this: who held a class in a generation is the class's last takeover up to it, which the index
over run, class and generation finds at once, however long the run. What was said of a generation that the run has
kept never changes, so browsers may keep it for ever.
"""

import bisect
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.cache import caches
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Length

from fooling_web.runs.models import GenerationStat, Run, Takeover
from fooling_web.runs.percentages import confidence, finely, share
from fooling_web.runs.watching import SHORT_HASH

MOST_POINTS = 240  # of the curve above the slider
REMEMBERED = 600  # seconds for which the milestones of a run are kept
FIELDS = (
    "class_index",
    "individual__number",
    "individual__genome_hash",
    "confidence",
    "generation",
    "individual_id",
)


class Holding(NamedTuple):
    """Who held a class in a generation, and since when."""

    class_index: int
    number: int
    genome_hash: str
    confidence: float
    since: int
    individual: int
    genome_bytes: int

    @property
    def is_kept(self) -> bool:
        """Whether the genome is still there to be drawn."""
        return self.genome_bytes > 0


class Moment(NamedTuple):
    """An archive in one generation."""

    generation: int
    holdings: list[Holding]
    statistic: GenerationStat | None

    @property
    def changed(self) -> list[Holding]:
        """The classes that changed hands in this very generation."""
        return [holding for holding in self.holdings if holding.since == self.generation]

    @property
    def n_lost(self) -> int:
        """How many pictures are gone: their genomes were not kept."""
        return sum(not holding.is_kept for holding in self.holdings)

    @property
    def figures(self) -> dict[str, str]:
        """The generation in numbers, written as pages write them."""
        return _figures(self.statistic)


def generation_wanted(text: str | None, last: int, otherwise: int) -> int:
    """Read a generation that a person typed; what is outside the run means its nearest end."""
    word = (text or "").strip()
    negative, digits = word.startswith("-"), word.lstrip("+-")
    if not digits.isascii() or not digits.isdecimal():
        return otherwise
    return 0 if negative else min(last, int(digits[:12]))


def moment_of(run: Run, generation: int) -> Moment:
    """Return the archive as it stood in a generation that the run has kept; two queries."""
    statistics = run.statistics.filter(generation__lte=generation).order_by("-generation")
    return Moment(generation, holdings_at(run, generation), statistics.first())


def holdings_at(run: Run, generation: int) -> list[Holding]:
    """Return who held each class, in the order of classes; a class that nobody held yet is left out."""
    last = (
        Takeover.objects.filter(
            run=OuterRef("run"), class_index=OuterRef("class_index"), generation__lte=generation
        )
        .order_by("-generation")
        .values("pk")[:1]
    )
    latest = run.champions.order_by().annotate(latest=Subquery(last)).values("latest")
    rows = (
        Takeover.objects.filter(pk__in=latest)
        .order_by("class_index")
        .values_list(*FIELDS, Length("individual__genome"))
    )
    return [Holding(*row) for row in rows]


def differing(before: Iterable[Holding], after: Iterable[Holding]) -> list[Holding]:
    """Return what is held after by another individual than before."""
    held = {holding.class_index: holding.number for holding in before}
    return [holding for holding in after if held.get(holding.class_index) != holding.number]


def document_of(moment: Moment) -> dict[str, Any]:
    """Return a moment as a page reads it: a column for each thing, short, since there are a thousand classes."""
    held = moment.holdings
    return {
        "generation": moment.generation,
        "classes": [holding.class_index for holding in held],
        "numbers": [holding.number for holding in held],
        "hashes": "".join(f"{holding.genome_hash[:SHORT_HASH]:-<{SHORT_HASH}}" for holding in held),
        "confidences": [float(f"{holding.confidence:.9g}") for holding in held],
        "since": [holding.since for holding in held],
        "lost": [place for place, holding in enumerate(held) if not holding.is_kept],
        "figures": moment.figures,
    }


def curve_of(run: Run, last: int) -> list[tuple[int, float]]:
    """Return generations and medians, some hundred of them, evenly chosen."""
    step = max(1, (last + 1) // MOST_POINTS)
    wanted = {*range(0, last + 1, step), last}
    return list(
        run.statistics.filter(generation__in=wanted)
        .order_by("generation")
        .values_list("generation", "median")
    )


def milestones_of(run: Run, spacing: int) -> list[int]:
    """Return generations between any two of which about `spacing` classes change hands, or a single one more."""
    key = f"milestones:{run.pk}:{run.generation}:{spacing}"
    return caches["fragments"].get_or_set(key, lambda: _milestones(run, spacing), REMEMBERED) or []


def nearest(milestones: list[int], generation: int) -> list[int]:
    """Return the milestones before and after a generation."""
    place = bisect.bisect_right(milestones, generation)
    return milestones[max(0, place - 1) : place + 1]


def _milestones(run: Run, spacing: int) -> list[int]:
    found, since = [], spacing
    changes = run.statistics.filter(generation__lte=run.generation or 0).order_by("generation")
    for generation, takeovers in changes.values_list("generation", "takeovers"):
        since += takeovers
        if since >= spacing:
            found.append(generation)
            since = 0
    return found


def _figures(statistic: GenerationStat | None) -> dict[str, str]:
    if statistic is None:
        return {}
    return {
        "median": finely(statistic.median),
        "mean": confidence(statistic.mean),
        "max": finely(statistic.max),
        "share_99": share(statistic.share_99),
        "share_9999": share(statistic.share_9999),
        "takeovers": f"{statistic.takeovers:,}",
        "evaluations": f"{statistic.evaluations:,}",
    }
