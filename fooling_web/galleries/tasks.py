"""Doors for Celery: they hand over at once."""

import logging

from kombu.exceptions import OperationalError

from fooling_web.celery import app
from fooling_web.galleries.models import Examination

logger = logging.getLogger(__name__)
AWAY = "The worker cannot be reached at the moment. Try again later."
SECONDS = 2.0  # for which galleries are hung before other work has its turn


@app.task
def hang_galleries() -> None:
    """Let the galleries follow the runs."""
    from fooling_web.galleries.hanging import hang_all

    hang_all(seconds=SECONDS)


def ask_to_examine(examination: Examination) -> None:
    """Ask the interactive worker to examine an image; where the broker is away the examination says so."""
    try:
        examine.delay(examination.pk)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for examination %s did not ring: %s", examination.pk, error)
        examination.fail(AWAY)


@app.task
def examine(examination_id: int) -> None:
    """Examine an image that still waits for it."""
    from fooling_web.galleries import examining  # loads torch, which only workers need

    examinations = Examination.objects.waiting().select_related("individual__run")
    for examination in examinations.filter(pk=examination_id):
        examining.examine(examination)
