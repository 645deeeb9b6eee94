"""Letting evolution try: twenty generations from pictures of a litter towards the target, in a worker.

What was picked is the first population. Each generation adds two litters of children, a third each with half the
change that the session asks for, with that, and with three times that, and keeps one litter of those that the network
is surest of, parents included: so the best never gets worse. A worker goes on for about a second, stores how far it
came and rings again, so that others have their turn in between; one that dies loses that second. The result is a
litter like any other.
"""

import json
import logging
import secrets
import time
import uuid
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from evolution.errors import EvolutionError
from evolution.parameters import Parameters
from fooling_web.breeding.events import announce_attempt
from fooling_web.breeding.litters import add_litter, parameters_of
from fooling_web.breeding.models import Attempt, BreedingSession, Litter
from fooling_web.breeding.opinions import judged, looking_on
from fooling_web.classifiers.wording import sentence
from models_zoo.errors import ZooError
from models_zoo.registry import find

logger = logging.getLogger(__name__)

SECONDS = 1.0  # for which a worker goes on before others have their turn
FORSAKEN = timedelta(seconds=30)  # after which an attempt that did not come on has lost its worker
LONGEST = timedelta(hours=1)  # after which one is given up
STRIDES = (
    0.5,
    1.0,
    3.0,
)  # times the change that the session asks for: alike steps soon make all pictures alike
ERROR = "An error in the program stopped this attempt; the worker’s log tells more."
TOO_LONG = "This attempt was given up after an hour. The pictures that it began with are as they were."
DIGITS = 9  # decimals of a confidence that are kept
Status = Attempt.Status
Documents = list[dict[str, Any]]


class NotAttempted(EvolutionError):
    """Evolution cannot try from here; the message says why and what can be done."""


@dataclass(frozen=True)
class Population:
    """Genomes with the network's confidence in the target and the places of those that they descend from."""

    documents: Documents
    confidences: npt.NDArray[np.float32]  # (B,)
    founders: list[list[int]]

    def joined_with(self, other: "Population") -> "Population":
        """Return these followed by the others."""
        confidences = np.concatenate([self.confidences, other.confidences])
        return Population(self.documents + other.documents, confidences, self.founders + other.founders)

    def best(self, count: int) -> "Population":
        """Return those of which the network is surest, the surest first; of two alike the elder."""
        rows = [int(row) for row in np.argsort(-self.confidences, kind="stable")[:count]]
        return Population(
            [self.documents[row] for row in rows],
            self.confidences[rows],
            [self.founders[row] for row in rows],
        )


def begin(session: BreedingSession, litter: Litter, picked: list[int]) -> Attempt:
    """Note an attempt from the picked tiles, or from all; whoever calls rings for a worker.

    Raises NotAttempted, and ZooError where the classifier's weights are not here.
    """
    classifier, target = _aim(session)
    with transaction.atomic():
        locked = BreedingSession.objects.select_for_update().get(pk=session.pk)
        if locked.attempts.filter(status__in=Attempt.UNFINISHED).exists():
            raise NotAttempted("evolution tries already in this session; wait for its end, or stop it")
        return Attempt.objects.create(
            session=locked,
            litter=litter,
            picked=picked,
            classifier=classifier,
            class_index=target,
            seed=secrets.randbits(62),
        )


def stop(attempt: Attempt) -> None:
    """End an attempt here; what it came to becomes a litter, if it came to anything."""
    unfinished = Attempt.objects.filter(pk=attempt.pk, status__in=Attempt.UNFINISHED)
    if unfinished.update(status=Status.STOPPED, touched_at=timezone.now()):
        attempt.refresh_from_db()
        if attempt.generation:
            _keep_litter(attempt)
        announce_attempt(attempt.session_id)


def fail(attempt: Attempt, reason: str) -> None:
    """End an attempt with the reason why it cannot go on."""
    unfinished = Attempt.objects.filter(pk=attempt.pk, status__in=Attempt.UNFINISHED)
    if unfinished.update(status=Status.FAILED, error=sentence(reason), touched_at=timezone.now()):
        announce_attempt(attempt.session_id)


def forsaken() -> QuerySet[Attempt]:
    """Return attempts whose worker was lost, or whose bell was."""
    late = Attempt.objects.filter(touched_at__lt=timezone.now() - FORSAKEN)
    return late.filter(status__in=Attempt.UNFINISHED)


def advance(attempt: Attempt, seconds: float = SECONDS) -> bool:
    """Go on with an attempt for about so long; return whether it is to go on after that."""
    if not _claim(attempt):
        return False
    try:
        if timezone.now() - attempt.created_at > LONGEST:
            raise NotAttempted(TOO_LONG)
        return _go_on(attempt, time.monotonic() + seconds)
    except (EvolutionError, ZooError) as error:
        fail(attempt, str(error))
    except Exception:
        logger.exception("%s stopped", attempt)
        fail(attempt, ERROR)
    return False


def population_of(attempt: Attempt) -> Population:
    """Return the best so far, the surest first; none before the first generation."""
    documents = json.loads(zlib.decompress(bytes(attempt.genomes))) if attempt.genomes else []
    return Population(documents, np.array(attempt.held, np.float32), attempt.founders)


def _aim(session: BreedingSession) -> tuple[str, int]:
    """Return the classifier and the class that a session aims at."""
    lookers = looking_on(session)
    if not lookers:
        raise NotAttempted("no network looks on that evolution could try to please; choose one first")
    first = lookers[0]
    if session.target is None:
        raise NotAttempted("evolution needs a target to go towards; choose one first")
    if session.target >= first.n_classes:
        raise NotAttempted(
            f"{first.title} knows {first.n_classes} classes, and the target is none of them; choose another"
        )
    first.require_weights()
    return first.name, session.target


def _claim(attempt: Attempt) -> bool:
    """Take an attempt on, so that of two workers with the same bell one goes on."""
    now = timezone.now()
    as_it_was = Attempt.objects.filter(
        pk=attempt.pk, touched_at=attempt.touched_at, status__in=Attempt.UNFINISHED
    )
    attempt.touched_at = now
    return bool(as_it_was.update(status=Status.RUNNING, touched_at=now))


def _go_on(attempt: Attempt, until: float) -> bool:
    """Evolve until then; return whether this worker is to go on, not where another took the attempt on."""
    settings = attempt.session.settings
    population = population_of(attempt) if attempt.generation else _first(attempt, settings)
    confidences = attempt.confidences or [_kept(population.confidences.max())]
    generation = attempt.generation
    while generation < Attempt.GENERATIONS:
        generation += 1
        population = _next(attempt, settings, population, generation)
        confidences = [*confidences, _kept(population.confidences[0])]
        if time.monotonic() > until:
            break
    if not _store(attempt, generation, confidences, population):
        return False
    if generation == Attempt.GENERATIONS:
        _finish(attempt)
    announce_attempt(attempt.session_id)
    return generation < Attempt.GENERATIONS


def _first(attempt: Attempt, settings: Parameters) -> Population:
    """Return what the attempt begins with."""
    documents = attempt.litter.documents
    places = attempt.picked or list(range(len(documents)))
    chosen = [documents[place] for place in places]
    return Population(chosen, _judged(attempt, settings, chosen), [[place] for place in places])


def _next(attempt: Attempt, settings: Parameters, population: Population, generation: int) -> Population:
    """Return the next generation: children of all, and the best of them and their parents."""
    rng = np.random.default_rng([attempt.seed, generation])
    size = attempt.session.litter_size
    children: Documents = []
    founders: list[list[int]] = []
    for stride, count in zip(STRIDES, _shared_out(2 * size), strict=True):
        some, parents = _children(attempt, settings, population, count, stride, rng)
        children += some
        founders += [sorted({one for row in rows for one in population.founders[row]}) for rows in parents]
    offspring = Population(children, _judged(attempt, settings, children), founders)
    return population.joined_with(offspring).best(size)


def _children(
    attempt: Attempt,
    settings: Parameters,
    population: Population,
    count: int,
    stride: float,
    rng: np.random.Generator,
) -> tuple[Documents, list[list[int]]]:
    """Return so many children of parents in a random order, and of each the rows of its parents."""
    from evolution.breeding import litter_of

    rows = [int(row) for row in rng.permutation(len(population.documents))]
    children, parents = litter_of(
        [population.documents[row] for row in rows],
        count,
        change=min(1.0, stride * attempt.session.change),
        focus=attempt.session.focus,
        parameters=parameters_of(settings, population.documents),
        rng=rng,
    )
    return children, [[rows[one] for one in places] for places in parents]


def _shared_out(count: int) -> list[int]:
    """Return how many children take each stride."""
    return [count // len(STRIDES) + (row < count % len(STRIDES)) for row in range(len(STRIDES))]


def _judged(attempt: Attempt, settings: Parameters, documents: Documents) -> npt.NDArray[np.float32]:
    confidences: npt.NDArray[np.float32] = judged(attempt.classifier, settings, documents).confidences
    if attempt.class_index >= confidences.shape[1]:
        raise NotAttempted(f"{find(attempt.classifier).title} does not know the target any more")
    return confidences[:, attempt.class_index]


def _store(attempt: Attempt, generation: int, confidences: list[float], population: Population) -> bool:
    """Keep how far an attempt came; whether it was still this worker's."""
    ours = Attempt.objects.filter(pk=attempt.pk, touched_at=attempt.touched_at, status=Status.RUNNING)
    changes = {
        "generation": generation,
        "confidences": confidences,
        "genomes": Litter.packed(population.documents),
        "held": [_kept(one) for one in population.confidences],
        "founders": population.founders,
        "touched_at": timezone.now(),
    }
    is_kept = bool(ours.update(**changes))
    attempt.refresh_from_db()
    return is_kept


def _finish(attempt: Attempt) -> None:
    _keep_litter(attempt)
    Attempt.objects.filter(pk=attempt.pk, status=Status.RUNNING).update(status=Status.FINISHED)


def _keep_litter(attempt: Attempt) -> None:
    """Add what an attempt came to as a litter, once; a person who went on meanwhile stays where they are."""
    population, litter = population_of(attempt), attempt.litter
    result = add_litter(
        attempt.session,
        deed=Litter.Deed.ATTEMPT,
        documents=population.documents,
        before=litter,
        parent=litter,
        picked=attempt.picked,
        parents=population.founders,
        token=uuid.uuid5(uuid.NAMESPACE_OID, f"attempt {attempt.pk}"),
        stands_at=litter,
        seed=attempt.seed,
        in_colour=litter.in_colour,
        change=attempt.session.change,
        focus=attempt.session.focus,
    )
    Attempt.objects.filter(pk=attempt.pk).update(result=result)


def _kept(confidence: Any) -> float:
    return round(float(confidence), DIGITS)
