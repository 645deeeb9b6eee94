"""Retention: drop genomes that nobody needs any more from the histories of runs that ended long ago.

An individual keeps its place in the history, its parents and its confidences; only the genome goes, as in runs whose
genomes are pixels it goes at once. Champions always keep theirs, and so does what another part of the site has
spoken of: an image that somebody rated, collected, published or bred from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Length

from fooling_web.runs.models import Champion, Individual, Run, RunQuerySet, Takeover
from fooling_web.runs.storage import measure

LINEAGES, CHAMPIONS = "lineages", "champions"
CHUNK = 500  # rows in one statement: writers wait no longer than for one
OF_THE_HISTORY = (Takeover, Champion)


@dataclass(frozen=True)
class Thinned:
    """What went from a run's history, or would go."""

    run: Run
    genomes: int
    bytes: int


def long_ended(since: datetime) -> RunQuerySet:
    """Return runs that ended before a moment; what people bred is never thinned."""
    ended = Q(finished_at__lt=since) | Q(finished_at=None, created_at__lt=since)
    return Run.objects.searches().exclude(status__in=Run.UNFINISHED).filter(ended).without_burdens()


def thin(run: Run, keep: str = LINEAGES, *, really: bool = False) -> Thinned:
    """Drop the genomes of all but champions and, with LINEAGES, their ancestors; or only count them."""
    genomes = size = 0
    for some in _chunks(_superfluous(run, keep)):
        rows = Individual.objects.filter(pk__in=some)
        counted = rows.aggregate(n=Count("pk"), bytes=Sum(Length("genome")))
        genomes, size = genomes + counted["n"], size + (counted["bytes"] or 0)
        if really:
            with transaction.atomic():
                rows.exclude(championships__isnull=False).update(genome=b"")
    if really and genomes:
        measure(run)
    return Thinned(run, genomes, size)


def _superfluous(run: Run, keep: str) -> list[int]:
    """Return the keys of individuals whose genomes are there and not needed."""
    needed = set(run.champions.values_list("individual__number", flat=True))
    if keep == LINEAGES:
        needed |= _ancestors(run, needed)
    there = run.individuals.annotate(size=Length("genome")).filter(size__gt=0).exclude(_spoken_of())
    return [pk for pk, number in there.values_list("pk", "number").iterator() if number not in needed]


def _ancestors(run: Run, champions: set[int]) -> set[int]:
    """Return the numbers of all ancestors of the champions."""
    parents = dict(run.individuals.values_list("number", "parents").iterator())
    found: set[int] = set()
    newest = champions
    while newest:
        newest = {parent for number in newest for parent in parents.get(number, ())} - found
        found |= newest
    return found


def _spoken_of() -> Q:
    """Return what tells individuals that other apps hold on to: this one need not know which these are."""
    found = Q(pk__in=[])
    for relation in Individual._meta.related_objects:
        if relation.related_model not in OF_THE_HISTORY:
            rows = relation.related_model._default_manager.all()
            found |= Q(
                pk__in=rows.filter(**{f"{relation.field.name}__isnull": False}).values(relation.field.name)
            )
    return found


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
