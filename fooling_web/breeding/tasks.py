"""Doors for Celery: they take ids and hand over at once."""

import logging
import uuid

from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from fooling_web.breeding.models import Attempt, Offer, Opinion, Publication
from fooling_web.celery import app
from fooling_web.runs.models import Run
from fooling_web.runs.tasks import ring

logger = logging.getLogger(__name__)
WARM = 300  # seconds for which a worker that has loaded them is taken to have them
AWAY = "The worker cannot be reached at the moment. Try again later."


def ask_to_consider(run: Run) -> None:
    """Ask a worker to consider the offers that wait for a run; where the broker is away the scheduler asks again."""
    try:
        consider_offers.delay(str(run.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for offers to run %s did not ring: %s", run.pk, error)


@app.task
def consider_offers(run_id: str) -> None:
    """Consider what was offered to a run; its worker's bell was for a lease that is gone by, so it rings again."""
    from fooling_web.breeding.offering import consider

    for run in Run.objects.filter(pk=run_id):
        if consider(run) and run.is_active:
            ring(run)


@app.task
def ring_for_waiting_offers() -> None:
    """Ask for every run for which offers wait and that nobody holds."""
    for run in Offer.waited_for():
        ask_to_consider(run)


def ask_to_judge(publication: Publication) -> None:
    """Ask a worker for the verdict on a published picture; where the broker is away the scheduler asks again."""
    Run.objects.filter(pk=publication.individual.run_id).update(rung_at=timezone.now())
    try:
        judge_publication.delay(publication.pk)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for published picture %s did not ring: %s", publication.pk, error)


@app.task
def judge_publication(publication_id: int) -> None:
    """Find out what the classifier says of a published picture."""
    from fooling_web.breeding.judging import judge

    for publication in Publication.objects.filter(pk=publication_id).select_related("individual__run"):
        judge(publication)


@app.task
def ring_for_unjudged_publications() -> None:
    """Ask again for pictures whose verdict never came."""
    from fooling_web.breeding.judging import unjudged

    for publication in unjudged():
        ask_to_judge(publication)


def ask_for_opinion(opinion: Opinion) -> None:
    """Ask the interactive worker to let a classifier look at a litter; where the broker is away, it says so."""
    from fooling_web.breeding.opinions import fail

    try:
        give_opinion.delay(str(opinion.litter.session_id), opinion.classifier)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for opinion %s did not ring: %s", opinion.pk, error)
        fail(opinion, AWAY)


@app.task
def give_opinion(session_id: str, classifier: str) -> None:
    """Let a classifier look at the newest litter of a session that waits for it."""
    from fooling_web.breeding.opinions import answer_newest  # loads torch, which only workers need

    answer_newest(uuid.UUID(session_id), classifier)


def ask_to_warm_up(channels: int = 3) -> None:
    """Ask the interactive worker to load what looks on at first, before the first litter is shown."""
    if not cache.add("breeding-warm-up", True, WARM):
        return
    try:
        prepare_to_look_on.apply_async([channels], expires=30)
    except (OperationalError, OSError) as error:
        logger.debug("the bell to warm up did not ring: %s", error)


@app.task
def prepare_to_look_on(channels: int) -> None:
    """Load a classifier, and the kernels that draw and breed."""
    from fooling_web.breeding import opinions, stepping

    opinions.warm_up(channels)
    stepping.warm_up()


def ask_to_advance(attempt: Attempt) -> bool:
    """Ask the interactive worker to go on with an attempt; whether the broker was there to be asked."""
    try:
        advance_attempt.delay(attempt.pk)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for attempt %s did not ring: %s", attempt.pk, error)
        return False
    return True


@app.task
def advance_attempt(attempt_id: int) -> None:
    """Go on with an attempt for a second, then ask for the next."""
    from fooling_web.breeding.attempts import advance  # loads torch, which only workers need

    for attempt in Attempt.objects.filter(pk=attempt_id).select_related("session", "litter"):
        if advance(attempt):
            ask_to_advance(attempt)


@app.task
def ring_for_forsaken_attempts() -> None:
    """Ask again for attempts whose worker was lost."""
    from fooling_web.breeding.attempts import forsaken

    for attempt in forsaken():
        ask_to_advance(attempt)
