"""Doors for Celery: they take ids and hand over at once."""

import logging
import os
import socket

from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from fooling_web.celery import app  # by name: a task of no app would ring at a broker that is not ours
from fooling_web.runs.models import Film, Run, Sweep

logger = logging.getLogger(__name__)
ORDER_SECONDS = 1.5  # for which others wait


def ring(run: Run) -> None:
    """Ask the workers to advance a run; where the broker is away the scheduler asks again."""
    Run.objects.filter(pk=run.pk).update(rung_at=timezone.now())
    try:
        execute_run.delay(str(run.pk), run.lease_number)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for run %s did not ring: %s", run.pk, error)


@app.task
def execute_run(run_id: str, lease_number: int) -> None:
    """Advance a run for a slice, then ask for the next."""
    from fooling_web.runs.execution import execute  # loads torch, which only workers need

    run = Run.objects.filter(pk=run_id).first()
    holder = f"{socket.gethostname()}:{os.getpid()}"
    if run and execute(run, holder=holder, lease_number=lease_number, seconds=settings.RUN_SLICE_SECONDS):
        for unfinished in Run.objects.active().filter(pk=run_id):  # none if it was deleted meanwhile
            ring(unfinished)


@app.task
def ring_for_waiting_runs() -> None:
    """Ring for runs of sweeps whose turn has come, and for those that nobody holds: their bell was lost."""
    for sweep in Sweep.objects.pending():
        sweep.admit()
    for run in Run.objects.waiting(timezone.now()):
        ring(run)


@app.task
def keep_order() -> None:
    """Measure the room that runs take, and let those go that were removed long ago; some seconds of each."""
    from fooling_web.runs.removing import purge_all
    from fooling_web.runs.storage import measure_all

    measure_all(seconds=ORDER_SECONDS)
    purge_all(seconds=ORDER_SECONDS)


def ask_for_film(film: Film) -> None:
    """Ask a worker to go on with a film; where the broker is away the film says so."""
    try:
        make_film.delay(str(film.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for film %s did not ring: %s", film.pk, error)
        film.note(
            status=Film.Status.FAILED, error="The worker cannot be reached at the moment. Try again later."
        )


def ask_for_key_frames(run: Run) -> None:
    """Ask a worker to draw what makes the time of a run quick; where the broker is away, it is slower."""
    try:
        draw_key_frames.delay(str(run.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for key frames of run %s did not ring: %s", run.pk, error)


@app.task
def make_film(film_id: str) -> None:
    """Make a film for a slice, then ask for the next."""
    from fooling_web.runs.films import make_safely

    for film in Film.objects.filter(pk=film_id, status=Film.Status.WAITING).select_related("run"):
        if make_safely(film):
            ask_for_film(film)


@app.task
def draw_key_frames(run_id: str) -> None:
    """Draw key frames of a run for a slice, then ask for the next."""
    from fooling_web.runs.keyframes import prepare

    for run in Run.objects.filter(pk=run_id):
        if prepare(run):
            ask_for_key_frames(run)
