"""Execute runs: the one module that knows the database, the engine and the classifiers.

A run is executed in slices. Each slice claims the run by its lease, continues from what the database holds, and at
most once a second keeps what it found in one transaction. Every flush is a checkpoint: champions and the random
generator's state are all that a run needs to go on, bit for bit, as if it had never stopped.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from django.conf import settings
from django.db import OperationalError, transaction
from torch import Tensor

from evolution.checkpoint import Checkpoint, Holding, random_state_of
from evolution.encoding import Encoding, encoding_for
from evolution.errors import EvolutionError
from evolution.gradient_ascent import NOT_YET, Ascent, targets_of
from evolution.map_elites import Generation, Search, evolve, judged
from evolution.parameters import Parameters
from evolution.searching import Method, generations, method_for
from evolution.statistics import classes_that_count, summarise
from fooling_web.runs.events import announce, rested
from fooling_web.runs.models import Champion, Climb, GenerationStat, Individual, LeaseLost, Run, Takeover
from models_zoo.classifier import Classifier
from models_zoo.errors import ZooError
from models_zoo.registry import CLASSIFIERS, load

logger = logging.getLogger(__name__)
torch.set_num_threads(
    1
)  # runs share the cores as processes; torch's own threads would spin against each other

TOP = 5  # confidences that an individual keeps
FLUSH_SHARE = 10  # a search with a state of its own computes so many times as long as it takes to keep that
MOST_AT_ONCE = 500  # images that a classifier sees in one batch: bounds its memory, whatever the population


class Judged(NamedTuple):
    """Genomes that a run's classifier looked at."""

    genomes: list[tuple[bytes, str]]  # as they are stored, with their hashes
    confidences: npt.NDArray[np.float32]  # (B, n_classes)
    tops: list[list[tuple[int, float]]]


class Unwanted(Exception):
    """The run was paused or cancelled in the midst of a generation, which is dropped and bred again on resuming."""


def execute(
    run: Run,
    *,
    holder: str,
    lease_number: int,
    seconds: float = float("inf"),
    watch: Callable[[Run], None] = lambda run: None,
) -> bool:
    """Advance a run for a slice of some seconds; whether it was ours to advance.

    `watch` is called after every flush. A run that cannot go on fails with a reason that its owner reads. Where
    the database itself is away or full, the lease runs out and the run is tried again.
    """
    if not run.claim(holder, lease_number):
        return False
    try:
        _advance(run, time.monotonic() + seconds, watch)
    except LeaseLost as error:
        logger.warning("%s; what was found since its last flush is dropped", error)
        return False
    except Unwanted:
        logger.info("run %s rests after generation %s", run.pk, run.generation)
    except OperationalError:
        logger.exception("what run %s found since its last flush could not be written", run.pk)
        return False
    except (EvolutionError, ZooError) as error:
        run.fail(str(error))
    except Exception:
        logger.exception("run %s stopped", run.pk)
        run.fail("an error in the program stopped this run; the worker's log tells more")
    run.release()
    if not run.is_unfinished:
        run.search_states.all().delete()
    announce(run)
    rested.send_robust(Run, run=run)  # what others do at rest is no fault of the run
    return True


def archive_sha256(run: Run) -> str:
    """Return the hash over every champion's genome and confidence in class order."""
    encoding, n_classes = encoding_for(run.settings), run.classifier_entry.n_classes
    return _restore(run, encoding, n_classes).archive.sha256(encoding)


def judged_by(run: Run, documents: list[Any]) -> Judged:
    """Return genomes as a run stores them and as its classifier judges them, just as in a generation of its own.

    Raises GenomeError where one is of another kind than the run's, ZooError where the classifier is not here or not
    the one that the run began with.
    """
    parameters = run.settings
    classifier = load(run.classifier).with_views(crops=parameters.crops, precision=parameters.precision)
    _refuse_other_weights(run, classifier)
    encoding = encoding_for(parameters, str(classifier.device))
    population = encoding.from_json(documents)  # type: ignore[attr-defined]  # networks alone come from outside
    genomes = [encoding.written(population, row) for row in range(len(population))]
    confidences = judged(encoding, classifier, population)
    return Judged(genomes, confidences, [_top(row) for row in confidences])


def judge_for(
    classifier_name: str, parameters: Parameters
) -> Callable[[list[bytes]], npt.NDArray[np.float32]]:
    """Return what develops genomes of a run's kind and asks its classifier: (B, n_classes) of B genomes.

    Raises ZooError where the classifier or its weights are not here; what is returned raises GenomeError.
    """
    classifier = load(classifier_name).with_views(crops=parameters.crops, precision=parameters.precision)
    encoding = encoding_for(parameters, str(classifier.device))
    return lambda genomes: judged(encoding, classifier, encoding.from_bytes(genomes))


def warm_up() -> None:
    """Load torch, the small classifiers and the compiled kernels before the first run asks for them."""
    for entry in CLASSIFIERS.values():
        if entry.dataset != "mnist":
            continue  # its first run can wait the second that it takes, and not every worker needs its memory
        try:
            classifier = load(entry.name)
        except ZooError as error:
            logger.warning("classifier %s is not available: %s", entry.name, error)
            continue
        encoding = encoding_for(Parameters())
        search = Search.begin(classifier.n_classes, seed=0)
        for _ in evolve(encoding, classifier, Parameters(generations=1), search):
            pass


def _advance(run: Run, deadline: float, watch: Callable[[Run], None]) -> None:
    if run.attempts > settings.RUN_ATTEMPTS:
        raise EvolutionError(
            f"the run was begun {settings.RUN_ATTEMPTS} times without progress; its worker may lack memory"
        )
    announce(run)
    parameters = run.settings
    classifier = load(run.classifier).with_views(crops=parameters.crops, precision=parameters.precision)
    encoding = encoding_for(parameters, str(classifier.device))
    _refuse_other_weights(run, classifier)
    method = method_for(encoding, Attentive(run, classifier), parameters)
    ledger = Ledger.opened(run, encoding, method, _restore(run, encoding, classifier.n_classes))
    try:
        for generation in generations(method, parameters, ledger.search):
            ledger.record(generation)
            over = time.monotonic() > max(deadline, ledger.worthwhile)
            if over or ledger.is_due():
                ledger.keep()
                watch(run)
                if over or not run.go_on():
                    return
    except Unwanted:
        ledger.keep_whole_steps()
        raise
    ledger.keep(finished=True)
    watch(run)


def _top(confidences: npt.NDArray[np.float32]) -> list[tuple[int, float]]:
    """Return the highest confidences of one image, (n_classes,), as pairs of class_index and confidence."""
    count = min(TOP, len(confidences))
    likely = np.flatnonzero(
        confidences >= np.partition(confidences, -count)[-count]
    )  # sorting all takes longer
    best = likely[np.argsort(-confidences[likely], kind="stable")[:count]]
    return [(int(class_index), float(confidences[class_index])) for class_index in best]


def _refuse_other_weights(run: Run, classifier: Classifier) -> None:
    if run.classifier_sha256 != classifier.weights_sha256:
        raise ZooError(
            f"the weights of {run.classifier} have changed since this run was launched; "
            "restore them, or clone the run to start anew"
        )


def _restore(run: Run, encoding: Encoding, n_classes: int) -> Search:
    """Return the search as the last flush left it; raises CheckpointError where a row is damaged."""
    if run.generation is None:
        founders = encoding.from_json(run.founding_genomes) if run.n_founders else None  # type: ignore[attr-defined]
        return Search.begin(n_classes, run.seed, founders)
    holdings = tuple(
        Holding(
            class_index=champion.class_index,
            number=champion.individual.number,
            confidence=champion.confidence,
            genome=bytes(champion.individual.genome),
            genome_hash=champion.individual.genome_hash,
        )
        for champion in run.champions.select_related("individual")
    )
    checkpoint = Checkpoint(run.generation + 1, run.random_state or {}, holdings, run.guests)
    return checkpoint.restored(encoding, n_classes)


class Attentive:
    """A classifier that looks up between batches, to see whether the run is still ours and still wanted."""

    def __init__(self, run: Run, classifier: Classifier) -> None:
        self.run, self.classifier = run, classifier
        self._looked_up = time.monotonic()

    @property
    def device(self) -> str:
        """Where the classifier computes."""
        return str(self.classifier.device)

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """The mean of the images that the classifier was trained on, for each channel."""
        return self.classifier.entry.mean_colour

    def differentiate(self, images: Tensor, class_indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return confidences and gradients as the classifier does; raises LeaseLost and Unwanted."""
        if time.monotonic() - self._looked_up >= settings.RUN_FLUSH_SECONDS:
            self._look_up()
        return self.classifier.differentiate(images, class_indices)

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the confidences (B, n_classes) of images (B, C, H, W); raises LeaseLost and Unwanted."""
        confidences, most = [], min(MOST_AT_ONCE, self.classifier.batch_size)
        for start in range(0, len(images), most):
            if start and time.monotonic() - self._looked_up >= settings.RUN_FLUSH_SECONDS:
                self._look_up()
            confidences.append(self.classifier(images[start : start + most]))
        return np.concatenate(confidences) if len(confidences) > 1 else confidences[0]

    def _look_up(self) -> None:
        self.run.extend_lease()
        if not self.run.go_on():
            raise Unwanted
        self._looked_up = time.monotonic()


class Ledger:
    """What a run has found since its last flush."""

    def __init__(self, run: Run, encoding: Encoding, method: Method, search: Search) -> None:
        self.run, self.encoding, self.method, self.search = run, encoding, method, search
        self._seconds_before = run.seconds
        self._begun = self._flushed = time.monotonic()
        self._effort = 0.0  # seconds that reading or writing the state of the search took
        self._counted = classes_that_count(run.settings, search.archive.n_classes)
        self._milestones_kept: npt.NDArray[np.int32] | None = None
        self._clear()

    @classmethod
    def opened(cls, run: Run, encoding: Encoding, method: Method, champions: Search) -> "Ledger":
        """Return the ledger of a search that goes on from its champions; raises CheckpointError."""
        begun = time.monotonic()
        if run.generation is None:
            return cls(run, encoding, method, method.begun(champions))
        state = run.kept_state()
        ledger = cls(run, encoding, method, method.resumed(champions, state))
        if state:
            run.extend_lease()  # a large one takes longer to read than a lease lasts
            ledger._effort = time.monotonic() - begun
        return ledger

    @property
    def worthwhile(self) -> float:
        """Until when to compute before the next flush, be it that the slice is over: a large state takes its time."""
        return self._flushed + FLUSH_SHARE * self._effort

    def record(self, generation: Generation) -> None:
        """Take down one generation."""
        takeovers = generation.takeovers
        newcomers = {
            int(row): self._individual(generation, int(row)) for row in sorted(set(takeovers.rows.tolist()))
        }
        self._individuals.extend(newcomers.values())
        self._takeovers.extend(
            Takeover(
                run_id=self.run.pk,
                generation=generation.number,
                class_index=int(class_index),
                individual=newcomers[int(row)],
                confidence=float(confidence),
                taken_from=None if taken_from < 0 else int(taken_from),
            )
            for class_index, row, confidence, taken_from in zip(
                takeovers.class_indices,
                takeovers.rows,
                takeovers.confidences,
                takeovers.taken_from,
                strict=True,
            )
        )
        self._statistics.append(
            GenerationStat(
                run_id=self.run.pk,
                generation=generation.number,
                takeovers=len(takeovers),
                evaluations=generation.evaluations,
                seconds=self._seconds(),
                **asdict(summarise(self.search.archive.confidences[self._counted])),
            )
        )

    def is_due(self) -> bool:
        """Whether the last flush is long enough ago."""
        return time.monotonic() >= max(self._flushed + settings.RUN_FLUSH_SECONDS, self.worthwhile)

    def keep_whole_steps(self) -> None:
        """Write what an interrupted ascent has found: until a step is done it leaves the search as it was."""
        if isinstance(self.search, Ascent) and self._statistics:
            self.keep()

    def keep(self, finished: bool = False) -> None:
        """Write everything in one transaction, then ring; raises LeaseLost and writes nothing if fenced off."""
        begun = time.monotonic()
        state = b"" if finished else self.method.state_of(self.search)
        with transaction.atomic():
            self.run.keep(**self._progress())
            Individual.objects.bulk_create(self._individuals)
            Takeover.objects.bulk_create(self._takeovers)
            Champion.objects.bulk_create(
                self._champions(),
                update_conflicts=True,
                unique_fields=["run", "class_index"],
                update_fields=["individual", "confidence", "generation"],
            )
            GenerationStat.objects.bulk_create(self._statistics)
            if not self.run.settings.keeps_every_genome:
                self._forget_dethroned()
            self._keep_climbs()
            if state:
                self.run.keep_state(state)
                self.run.extend_lease()  # again: a large one takes longer to write than a lease lasts
            if finished:
                self.run.finish()
        announce(self.run)
        self._flushed = time.monotonic()
        self._effort = self._flushed - begun if state else 0.0
        self._clear()

    def _keep_climbs(self) -> None:
        """Write the milestones of an ascent that were passed since the last flush."""
        if not isinstance(self.search, Ascent):
            return
        milestones, targets = (
            self.search.milestones,
            targets_of(self.run.settings.gradient, self.search.archive.n_classes),
        )
        kept = self._milestones_kept
        changed = range(len(targets)) if kept is None else np.flatnonzero((milestones != kept).any(axis=1))
        Climb.objects.bulk_create(
            [self._climb(int(targets[row]), int(row), milestones[row]) for row in changed],
            update_conflicts=True,
            unique_fields=["run", "class_index", "start"],
            update_fields=Climb.MILESTONES,
        )
        self._milestones_kept = milestones.copy()

    def _climb(self, class_index: int, row: int, milestones: npt.NDArray[np.int32]) -> Climb:
        steps = (None if step == NOT_YET else int(step) for step in milestones)
        start = row % self.run.settings.gradient.starts
        return Climb(
            run=self.run,
            class_index=class_index,
            start=start,
            **dict(zip(Climb.MILESTONES, steps, strict=True)),
        )

    def _forget_dethroned(self) -> None:
        """Drop large genomes that hold no class any more: of them the history keeps the numbers alone."""
        seen = {individual.number for individual in self._individuals}
        seen |= {takeover.taken_from for takeover in self._takeovers if takeover.taken_from is not None}
        dethroned = seen - set(self.search.archive.holders.tolist())
        self.run.individuals.filter(number__in=dethroned).update(genome=b"")

    def _clear(self) -> None:
        self._individuals: list[Individual] = []
        self._takeovers: list[Takeover] = []
        self._statistics: list[GenerationStat] = []

    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._begun

    def _progress(self) -> dict[str, Any]:
        if not self._statistics:
            return {}
        latest = self._statistics[-1]
        return {
            "generation": latest.generation,
            "evaluations": latest.evaluations,
            "seconds": latest.seconds,
            "median_confidence": latest.median,
            "max_confidence": latest.max,
            "random_state": random_state_of(self.search.rng),
        }

    def _individual(self, generation: Generation, row: int) -> Individual:
        genome, genome_hash = self.encoding.written(generation.population, row)
        return Individual(
            run_id=self.run.pk,
            number=generation.first_number + row,
            generation=generation.number,
            parents=sorted(set(generation.lineage[row].tolist())),
            top=_top(generation.confidences[row]),
            genome=genome,
            genome_hash=genome_hash,
        )

    def _champions(self) -> list[Champion]:
        """Return the last takeover of each class, as its champion."""
        last = {takeover.class_index: takeover for takeover in self._takeovers}
        return [
            Champion(
                run_id=self.run.pk,
                class_index=takeover.class_index,
                individual=takeover.individual,
                confidence=takeover.confidence,
                generation=takeover.generation,
            )
            for takeover in last.values()
        ]
