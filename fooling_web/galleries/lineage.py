"""Where an image comes from and what came of it: parents, children, and the line back to a random ancestor.

Parents are always champions, so every ancestor is a row of the run's history. A line follows the first parent alone:
with networks there is no other, and of two it is the elder.

Told backwards, each ancestor stands for the source of its child's takeover, as `fooling_web.runs.takeovers` has it:
the class by which it bred. Where that is another class than the child's, there was a goal switch. One that held no
class when it bred, as in other searches, stands for one that it held at any time, and is no switch.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Prefetch, Q
from django.db.models.functions import Length

from fooling_web.runs.models import Individual, Run, Takeover
from fooling_web.runs.takeovers import NEVER, NO_CLASS, NO_PARENT, NOBODY, ROW, givers_of, sources_of

MOST_STEPS = 60  # of a line that a page shows
LEAST_FOLDED = 2  # ancestors in a row without a picture, which are told together
CHILDREN = 48  # on a page
LINE = """
WITH RECURSIVE line (depth, id, run_id, number, parents) AS (
    SELECT 0, id, run_id, number, parents FROM runs_individual WHERE id = %s
    UNION ALL
    SELECT line.depth + 1, parent.id, parent.run_id, parent.number, parent.parents
    FROM line JOIN runs_individual parent
        ON parent.run_id = line.run_id
        AND parent.number = CAST(line.parents ->> 0 AS BIGINT)
        AND parent.number < line.number
)
SELECT line.depth, held.number, held.generation, held.genome_hash, LENGTH(held.genome), held.parents ->> 0,
    takeover.class_index, takeover.confidence, takeover.generation, (
        SELECT MIN(later.generation) FROM runs_takeover later
        WHERE later.run_id = takeover.run_id AND later.class_index = takeover.class_index
            AND later.generation > takeover.generation
    )
FROM line
JOIN runs_individual held ON held.id = line.id
LEFT JOIN runs_takeover takeover ON takeover.individual_id = line.id
ORDER BY line.depth, takeover.confidence DESC, takeover.class_index
"""  # SQLite and PostgreSQL read it alike


@dataclass(frozen=True)
class Relative:
    """An individual as a page shows it, by the class that it is told by; for templates, like a takeover."""

    individual: Individual
    genome_bytes: int
    class_index: int | None
    label: str
    confidence: float | None
    others: tuple[str, ...] = ()  # labels of the other classes that it held, the surest first


@dataclass(frozen=True)
class Step:
    """An ancestor in a line."""

    relative: Relative
    is_switch: bool = False  # it bred by another class than its child took
    left_out: int = 0  # ancestors between the step before and this one


@dataclass(frozen=True)
class Fold:
    """Ancestors that follow each other and whose pictures were not kept, told together."""

    steps: list[Step]
    left_out: int = 0

    @property
    def n_switches(self) -> int:
        """How many of them bred by another class than their child took."""
        return sum(step.is_switch for step in self.steps)

    @property
    def is_switch(self) -> bool:
        """Whether the way left a class among them."""
        return self.n_switches > 0

    @property
    def labels(self) -> list[str]:
        """The classes that they are told by, each once, the eldest's first."""
        return list(dict.fromkeys(step.relative.label for step in self.steps if step.relative.label))


@dataclass(frozen=True)
class Line:
    """The way from the first ancestor that is known to an individual, which ends it."""

    steps: list[Step | Fold]
    length: int  # ancestors, and the individual itself
    n_switches: int
    begins_at_random: bool  # in the first population
    begins_by_hand: bool  # with a picture that a person bred: a founder of the run, or one that came in later
    is_of_one_class: bool  # every ancestor is told by the class of the individual

    @property
    def shown(self) -> list[Step]:
        """Those that are shown each by itself."""
        return [step for step in self.steps if isinstance(step, Step)]

    @property
    def is_thinned(self) -> bool:
        """Whether some ancestors are left out."""
        return any(step.left_out for step in self.steps)

    @property
    def has_gaps(self) -> bool:
        """Whether the picture of any ancestor was not kept."""
        return len(self.shown) < len(self.steps) or not all(one.relative.genome_bytes for one in self.shown)


Held = list[tuple[int, float]]  # class_index and confidence, the surest first


def line_of(run: Run, individual: Individual, class_index: int | None) -> Line:
    """Return how an individual came to be, told by one of its classes; one query, however long the line."""
    with connection.cursor() as cursor:
        cursor.execute(LINE, [individual.pk])
        rows = cursor.fetchall()
    steps = list(_told(run, rows, class_index))[::-1]
    number, generation, is_parentless = rows[-1][1], rows[-1][2], rows[-1][5] is None
    is_by_hand = (generation > 0 and run.guests > 0) or number < run.n_founders
    return Line(
        steps=_thinned(_folded(steps)),
        length=len(steps),
        n_switches=sum(step.is_switch for step in steps),
        begins_at_random=is_parentless and not is_by_hand,
        begins_by_hand=is_parentless and is_by_hand,
        is_of_one_class=len({step.relative.class_index for step in steps}) == 1,
    )


def parents_of(run: Run, individual: Individual) -> list[Relative | int]:
    """Return an individual's parents; the bare number of one that the history does not hold."""
    if not individual.parents:
        return []
    found = {one.individual.number: one for one in _relatives(run, Q(number__in=individual.parents))}
    return [found.get(number, number) for number in individual.parents]


def children_of(run: Run, individual: Individual, page: str | None) -> tuple[Page[Any], list[Relative]]:
    """Return a page of the children that held a class themselves, the eldest first."""
    number = individual.number
    descends = Q(parents__0=number) | Q(parents__1=number)
    numbers = run.individuals.filter(descends, number__gt=number).order_by("number")
    shown = Paginator(list(numbers.values_list("number", flat=True)), CHILDREN).get_page(page)
    return shown, list(_relatives(run, Q(number__in=shown.object_list))) if shown.object_list else []


def _told(run: Run, rows: list[Any], class_index: int | None) -> Iterator[Step]:
    """Yield an individual and its ancestors, each told by the class from which its child came."""
    givers, giver = _givers(rows), NO_CLASS
    for _, lines in groupby(rows, key=itemgetter(0)):
        ancestor = list(lines)
        held: Held = [(row[6], row[7]) for row in ancestor if row[6] is not None]
        is_switch = giver not in (NO_CLASS, class_index)
        if is_switch:
            class_index = giver
        elif held and class_index not in dict(held):
            class_index = held[0][0]
        _, number, generation, genome_hash, genome_bytes = ancestor[0][:5]
        known = Individual(number=number, generation=generation, genome_hash=genome_hash)
        shown = None if run.kind == Run.Kind.BREEDING and not held else class_index
        yield Step(_relative(run, known, genome_bytes, held, shown), is_switch)
        giver = givers.get((number, class_index), NO_CLASS)


def _givers(lines: list[Any]) -> dict[tuple[int, int | None], int]:
    """Return of each takeover on a line, by number and class, the class of its source, or NO_CLASS."""
    taken = [line for line in lines if line[6] is not None]
    rows, ends = np.zeros(len(taken), ROW), np.full(len(taken), NEVER)
    for place, (_, number, _, _, _, parent, class_index, confidence, generation, end) in enumerate(taken):
        rows[place] = (
            generation,
            class_index,
            confidence,
            NOBODY,
            number,
            int(NOBODY if parent is None else parent),
            NO_CLASS,
        )
        ends[place] = NEVER if end is None else end
    rows["source"] = sources_of(rows, ends)
    givers = givers_of(rows)
    givers[givers == NO_PARENT] = NO_CLASS
    return dict(
        zip(
            zip(rows["number"].tolist(), rows["class_index"].tolist(), strict=True),
            givers.tolist(),
            strict=True,
        )
    )


def _relative(
    run: Run, individual: Individual, genome_bytes: int, held: Held, class_index: int | None
) -> Relative:
    return Relative(
        individual=individual,
        genome_bytes=genome_bytes,
        class_index=class_index,
        label="" if class_index is None else run.label_of(class_index),
        confidence=dict(held).get(class_index) if class_index is not None else None,
        others=tuple(run.label_of(other) for other, _ in held if other != class_index),
    )


def _folded(steps: list[Step]) -> list[Step | Fold]:
    """Tell ancestors without a picture together where two or more follow each other; never the end of the line."""
    folded: list[Step | Fold] = []
    for is_kept, some in groupby(steps[:-1], key=lambda step: step.relative.genome_bytes > 0):
        together = list(some)
        folded += together if is_kept or len(together) < LEAST_FOLDED else [Fold(together)]
    return [*folded, *steps[-1:]]


def _thinned(steps: list[Step | Fold]) -> list[Step | Fold]:
    """Leave ancestors out where there are very many, evenly, and as few goal switches as possible."""
    if len(steps) <= MOST_STEPS:
        return steps
    last = len(steps) - 1
    ends_and_switches = {0, last, *(place for place, step in enumerate(steps) if step.is_switch)}
    chosen = sorted(_evenly(sorted(ends_and_switches), MOST_STEPS))
    others = [place for place in range(last) if place not in ends_and_switches]
    chosen = sorted([*chosen, *_evenly(others, MOST_STEPS - len(chosen))])
    return [
        replace(steps[place], left_out=sum(_ancestors(one) for one in steps[before + 1 : place]))
        for before, place in zip([-1, *chosen], chosen, strict=False)
    ]


def _ancestors(step: Step | Fold) -> int:
    return len(step.steps) if isinstance(step, Fold) else 1


def _evenly(places: list[int], most: int) -> list[int]:
    """Return at most so many of these, the first and the last among them."""
    if len(places) <= most:
        return places
    return [places[index * (len(places) - 1) // max(most - 1, 1)] for index in range(most)]


def _relatives(run: Run, which: Q) -> Iterable[Relative]:
    """Yield individuals of a run by number, each told by the class that it was surest of when it took it."""
    surest = Takeover.objects.order_by("-confidence", "class_index").only(
        "individual", "class_index", "confidence"
    )
    individuals = (
        run.individuals.filter(which)
        .defer("genome")
        .annotate(genome_bytes=Length("genome"))
        .order_by("number")
        .prefetch_related(Prefetch("takeovers", surest))
    )
    for individual in individuals:
        held: Held = [(taken.class_index, taken.confidence) for taken in individual.takeovers.all()]
        told = held[0][0] if held else None
        yield _relative(run, individual, individual.genome_bytes, held, told)
