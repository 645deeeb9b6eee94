"""Doors for Celery: they take ids and hand over at once."""

import logging

from kombu.exceptions import OperationalError

from fooling_web.breeding.models import Offer
from fooling_web.celery import app
from fooling_web.runs.models import Run
from fooling_web.runs.tasks import ring

logger = logging.getLogger(__name__)


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
