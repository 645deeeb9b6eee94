"""Doors for Celery: they take ids and hand over at once."""

import logging

from kombu.exceptions import OperationalError

from fooling_web.celery import app
from fooling_web.classifiers.models import Fetch, Import, Trial

logger = logging.getLogger(__name__)
AWAY = "The worker cannot be reached at the moment. Try again later."


def ask(trial: Trial) -> None:
    """Ask the interactive worker to answer a trial; where the broker is away the trial says so."""
    try:
        answer.delay(str(trial.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for trial %s did not ring: %s", trial.pk, error)
        trial.fail(AWAY)


def ask_in(wanted: Import) -> None:
    """Ask the interactive worker to take a classifier in; where the broker is away the import says so."""
    try:
        take_in.delay(str(wanted.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for import %s did not ring: %s", wanted.pk, error)
        wanted.end(AWAY)


def ask_for(wanted: Fetch) -> None:
    """Ask the interactive worker to fetch weights; where the broker is away the fetch says so."""
    try:
        fetch.delay(str(wanted.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for fetch %s did not ring: %s", wanted.pk, error)
        wanted.end(AWAY)


@app.task
def answer(trial_id: str) -> None:
    """Answer a trial that still waits."""
    from fooling_web.classifiers.answering import answer_trial  # loads torch, which only workers need

    for trial in Trial.objects.filter(pk=trial_id, done_at=None):
        answer_trial(trial)


@app.task
def take_in(import_id: str) -> None:
    """Take a classifier in that still waits."""
    from fooling_web.classifiers.answering import take_classifier_in

    for wanted in Import.objects.filter(pk=import_id, done_at=None):
        take_classifier_in(wanted)


@app.task
def fetch(fetch_id: str) -> None:
    """Fetch weights that nobody else is fetching."""
    from fooling_web.classifiers.fetching import fetch_weights

    for wanted in Fetch.objects.filter(pk=fetch_id, done_at=None):
        fetch_weights(wanted)
