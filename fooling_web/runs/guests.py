"""Images that come into a run's archive from outside, such as pictures that people bred.

A guest that takes a class is a generation of its own, of one evaluation: it has the next number, no parents, and the
history stays append-only. The search goes on after it as it would have gone on without, from an archive in which the
guest holds its classes. A guest that takes no class leaves no trace in the run.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import transaction

from evolution.statistics import classes_that_count, summarise
from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Takeover

Confidences = npt.NDArray[np.float32]


class Won(NamedTuple):
    """A class that a guest took."""

    class_index: int
    confidence: float
    before: float  # the champion's confidence; 0 of a vacant class


class Guest(NamedTuple):
    """An image from outside, as the run's classifier judged it."""

    genome: bytes
    genome_hash: str
    confidences: Confidences  # (n_classes,)
    top: Sequence[tuple[int, float]]


def admit(run: Run, guest: Guest) -> tuple[Individual | None, list[Won]]:
    """Let a guest compete for every class, and return as whom it stands in the history, if it took one, and which.

    A strictly higher confidence takes a class, as in the archive; from itself a picture takes none, however the
    arithmetic of a smaller batch may round. Whoever calls holds the run's lease; raises
    LeaseLost where it is lost, and then nothing is kept. The run has a first generation.
    """
    assert run.generation is not None
    with transaction.atomic():
        champions = {champion.class_index: champion for champion in run.champions.without_genomes()}
        before = np.zeros(len(guest.confidences), np.float32)  # (n_classes,)
        for class_index, champion in champions.items():
            before[class_index] = champion.confidence
        own = {index for index, one in champions.items() if one.individual.genome_hash == guest.genome_hash}
        won = [
            Won(int(index), float(guest.confidences[index]), float(before[index]))
            for index in np.flatnonzero(guest.confidences > before)
            if int(index) not in own
        ]
        if not won:
            return None, []
        after = before.copy()
        after[[one.class_index for one in won]] = [one.confidence for one in won]
        return _written(run, guest, won, champions, after), won


def _written(
    run: Run, guest: Guest, won: list[Won], champions: dict[int, Champion], after: Confidences
) -> Individual:
    """Write the guest's generation and return its individual."""
    number, generation = run.evaluations, (run.generation or 0) + 1
    summary = summarise(after[classes_that_count(run.settings, len(after))])
    run.keep(
        generation=generation,
        generations=run.generations + 1,
        evaluations=number + 1,
        median_confidence=summary.median,
        max_confidence=summary.max,
    )
    individual = Individual.objects.create(
        run=run,
        number=number,
        generation=generation,
        top=[list(pair) for pair in guest.top],
        genome=guest.genome,
        genome_hash=guest.genome_hash,
    )
    Takeover.objects.bulk_create(
        Takeover(
            run=run,
            generation=generation,
            class_index=index,
            individual=individual,
            confidence=confidence,
            taken_from=champions[index].individual.number if index in champions else None,
        )
        for index, confidence, _ in won
    )
    Champion.objects.bulk_create(
        [
            Champion(
                run=run,
                class_index=index,
                individual=individual,
                confidence=confidence,
                generation=generation,
            )
            for index, confidence, _ in won
        ],
        update_conflicts=True,
        unique_fields=["run", "class_index"],
        update_fields=["individual", "confidence", "generation"],
    )
    GenerationStat.objects.create(
        run=run,
        generation=generation,
        takeovers=len(won),
        evaluations=number + 1,
        seconds=run.seconds,
        **asdict(summary),
    )
    return individual
