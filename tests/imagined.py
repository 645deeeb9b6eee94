"""Runs of many classes for tests of pages: their images are real, their confidences are drawn by lot.

To look at one in a site: `FOOLING_HOME=... .venv/bin/python -m tests.imagined [CLASSES [GENERATIONS]]`, and with
`--live` it goes on once a second, 100 takeovers each time, until Ctrl-C.
"""

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

CLASSIFIER = "efficientnet-lite0"
GENOMES = 60  # distinct ones, which individuals share
STEPS = 25  # of variation, that each genome has behind it


class Imagined:
    """A run whose history is made up, one generation after another."""

    def __init__(self, classes: int = 1000, seed: int = 1, **choices: Any) -> None:
        from tests.factories import launched

        self.rng = np.random.default_rng(seed)
        self.run = launched(CLASSIFIER, generations=1000, population=400, **choices)
        self.genomes = self._genomes()
        self.confidences = self.rng.beta(0.5, 4, classes)
        self.numbers = 0
        self.holders = [-1] * classes
        self.takeovers: list[Any] = []
        self.individuals: list[Any] = []
        self.statistics: list[Any] = []

    def imagine(self, changed: Sequence[int]) -> None:
        """Add a generation in which these classes change hands."""
        generation = self.run.generation
        self.run.generation = 0 if generation is None else generation + 1
        for class_index in changed:
            if generation is not None:
                self.confidences[class_index] **= 0.6
            self._take(int(class_index))
        self.statistics.append(self._summary(len(changed)))

    def _take(self, class_index: int) -> None:
        from fooling_web.runs.models import Individual, Takeover

        confidence, holder = float(self.confidences[class_index]), self.holders[class_index]
        genome, genome_hash = self.genomes[self.rng.integers(len(self.genomes))]
        at = {"run": self.run, "generation": self.run.generation}
        individual = Individual(
            number=self.numbers, genome=genome, genome_hash=genome_hash, top=[[class_index, confidence]], **at
        )
        takeover = Takeover(
            class_index=class_index,
            individual=individual,
            confidence=confidence,
            taken_from=None if holder < 0 else holder,
            **at,
        )
        self.individuals.append(individual)
        self.takeovers.append(takeover)
        self.holders[class_index] = self.numbers
        self.numbers += 1

    def _summary(self, takeovers: int) -> Any:
        from fooling_web.runs.models import GenerationStat

        shown, done = self.confidences, self.run.generation + 1
        return GenerationStat(
            run=self.run,
            generation=self.run.generation,
            median=float(np.median(shown)),
            mean=float(shown.mean()),
            max=float(shown.max()),
            share_99=float((shown >= 0.99).mean()),
            share_9999=float((shown >= 0.9999).mean()),
            takeovers=takeovers,
            evaluations=400 * done,
            seconds=float(done),
        )

    def keep(self, status: str = "running") -> None:
        """Write what was imagined since the last time."""
        from django.db import transaction
        from django.utils import timezone

        from fooling_web.runs.models import Champion, GenerationStat, Individual, Takeover

        with transaction.atomic():
            Individual.objects.bulk_create(self.individuals)
            Takeover.objects.bulk_create(self.takeovers)
            GenerationStat.objects.bulk_create(self.statistics)
            Champion.objects.bulk_create(
                self._champions(),
                update_conflicts=True,
                unique_fields=["run", "class_index"],
                update_fields=["individual", "confidence", "generation"],
            )
            latest = self.statistics[-1]
            self.run.status = status
            self.run.lease_until = timezone.now() + timedelta(days=1)  # so that no worker takes it up
            self.run.evaluations, self.run.seconds = latest.evaluations, latest.seconds
            self.run.median_confidence, self.run.max_confidence = latest.median, latest.max
            self.run.save()
        self.individuals, self.takeovers, self.statistics = [], [], []

    def _champions(self) -> list[Any]:
        from fooling_web.runs.models import Champion

        last = {takeover.class_index: takeover for takeover in self.takeovers}
        return [
            Champion(
                run=self.run,
                class_index=class_index,
                individual=takeover.individual,
                confidence=takeover.confidence,
                generation=takeover.generation,
            )
            for class_index, takeover in last.items()
        ]

    def _genomes(self) -> list[tuple[bytes, str]]:
        from evolution.encoding import encoding_for

        encoding = encoding_for(self.run.settings)
        population = encoding.random(GENOMES, self.rng)
        for generation in range(STEPS):
            population, _ = encoding.vary(population, generation, self.rng)
        return [
            (encoding.to_bytes(population, row), encoding.fingerprint(population, row))
            for row in range(GENOMES)
        ]


def imagined(
    classes: int = 1000, generations: int = 300, status: str = "finished", **choices: Any
) -> Imagined:
    """Store a run whose classes change hands ever more seldom."""
    history = Imagined(classes, **choices)
    history.imagine(range(classes))
    for generation in range(1, generations + 1):
        changes = min(classes, history.rng.poisson(3 * classes / (generation + 10)))
        history.imagine(history.rng.choice(classes, changes, replace=False).tolist())
    history.keep(status)
    return history


def go_on(history: Imagined, changes: int = 100) -> None:
    """Add a generation in which this many classes change hands, and tell those who watch."""
    from fooling_web.runs.events import announce

    classes = len(history.holders)
    history.imagine(history.rng.choice(classes, changes, replace=False).tolist())
    history.keep()
    announce(history.run)


def main(arguments: list[str]) -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
    django.setup()
    numbers = [int(argument) for argument in arguments if argument.isdecimal()]
    live = "--live" in arguments
    history = imagined(*numbers, status="running" if live else "finished", name="Imagined")
    print(history.run.get_absolute_url(), flush=True)
    while live:
        time.sleep(1)
        go_on(history)


if __name__ == "__main__":
    main(sys.argv[1:])
