"""Doors for Celery: they take ids and hand over at once."""

import logging
import uuid

from kombu.exceptions import OperationalError

from fooling_web.celery import app
from fooling_web.studies.models import Analysis, Study

logger = logging.getLogger(__name__)
AWAY = "The worker cannot be reached at the moment. Try again later."


def ask_to_recount(study: Study) -> None:
    """Ask a worker to tell the gallery what people recognised; where the broker is away the scheduler asks."""
    try:
        recount_recognition.delay(str(study.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for recognition in study %s did not ring: %s", study.pk, error)


@app.task
def recount_recognition(study_id: str) -> None:
    """Tell the gallery what people recognised in one study."""
    from fooling_web.studies.recognition import recount  # loads what computes, which web processes need not

    for study in Study.objects.filter(pk=uuid.UUID(study_id)):
        recount(study)


@app.task
def keep_recognition() -> None:
    """Tell the gallery of every study whose data changed, and forget what came from deleted ones."""
    from fooling_web.studies import recognition

    for study in recognition.changed_studies():
        recognition.recount(study)
    recognition.forget_the_gone()


def ask_to_analyse(analysis: Analysis) -> bool:
    """Ask a worker for an analysis; whether the broker was there to be asked."""
    try:
        analyse.delay(analysis.pk)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for analysis %s did not ring: %s", analysis.pk, error)
        return False
    return True


@app.task
def ring_for_forsaken_analyses() -> None:
    """Ask again for analyses whose worker was lost."""
    from fooling_web.studies.analysing import forsaken

    for analysis in forsaken():
        ask_to_analyse(analysis)


@app.task
def analyse(analysis_id: int) -> None:
    """Find out what an analysis asks for, if it waits still."""
    from fooling_web.studies.analysing import carry_out

    for analysis in Analysis.objects.filter(pk=analysis_id, status=Analysis.Status.WAITING):
        carry_out(analysis)


def ask_to_simulate(study: Study, number: int, accuracy: float, seed: int) -> bool:
    """Ask a worker to simulate participants; whether the broker was there to be asked."""
    try:
        simulate_participants.delay(str(study.pk), number, accuracy, seed)
    except (OperationalError, OSError) as error:
        logger.warning("the bell to simulate in study %s did not ring: %s", study.pk, error)
        return False
    return True


@app.task
def simulate_participants(study_id: str, number: int, accuracy: float, seed: int) -> None:
    """Let people who are nobody take part in a study's pilot."""
    from fooling_web.studies.piloting import simulate_some

    for study in Study.objects.filter(pk=uuid.UUID(study_id)):
        if rest := simulate_some(study, number, accuracy, seed):
            ask_to_simulate(study, rest, accuracy, seed)


def ask_about_images(study: Study) -> None:
    """Ask the interactive worker to ask classifiers about a study's images; the page says where it is away."""
    from fooling_web.studies.asking import tell

    try:
        ask_classifiers.delay(str(study.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for the images of study %s did not ring: %s", study.pk, error)
        tell(study, AWAY)


@app.task
def ask_classifiers(study_id: str) -> None:
    """Ask about the images of a study that still wait for an answer."""
    from fooling_web.studies.asking import ask_all

    for study in Study.objects.filter(pk=uuid.UUID(study_id), frozen_at=None):
        ask_all(study)


@app.task
def keep_to_retention() -> None:
    """Delete the data of studies whose time is over."""
    from fooling_web.studies.keeping import delete_expired

    delete_expired()
