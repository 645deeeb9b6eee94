"""Doors for Celery: files are made for people in slices or aside, others are taken in, and the gallery comes in.

So the first start need not wait for the gallery.
"""

import io
import logging
from typing import Any

from celery.signals import worker_ready
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from kombu.exceptions import OperationalError

from fooling_web.celery import app
from fooling_web.exports import arrivals, aside, jobs
from fooling_web.exports.bundles import give_up_leftovers
from fooling_web.exports.models import ExportJob, ImportJob

logger = logging.getLogger(__name__)


def ask_to_export(job: ExportJob) -> None:
    """Ask a worker to go on with a file; where the broker is away the scheduler asks again."""
    try:
        if job.kind == ExportJob.Kind.ARCHIVES:
            work_on_files.delay(aside.OUT)
        else:
            make_export.delay(str(job.pk))
    except (OperationalError, OSError) as error:
        logger.warning("the bell for export %s did not ring: %s", job.pk, error)


def ask_to_import(job: ImportJob) -> None:
    """Ask a worker to have a file taken in; where the broker is away the scheduler asks again."""
    try:
        work_on_files.delay(aside.IN)
    except (OperationalError, OSError) as error:
        logger.warning("the bell for import %s did not ring: %s", job.pk, error)


@app.task
def work_on_files(way: str) -> None:
    """Let a process of low priority work off what waits."""
    aside.start(way)


@app.task
def make_export(job_id: str) -> None:
    """Make a file for a slice, then ask for the next."""
    if jobs.advance(job_id):
        for job in ExportJob.objects.filter(pk=job_id):
            ask_to_export(job)


@app.task
def keep_exports() -> None:
    """Ring for files that nobody works on, of either way, and remove those whose time is over."""
    now = timezone.now()
    for job in jobs.waiting(now):
        ask_to_export(job)
    jobs.tidy_up(now)
    for arrival in arrivals.waiting(now)[:1]:
        ask_to_import(arrival)
    arrivals.tidy_up()
    give_up_leftovers(now)


@app.task
def load_newcomers_gallery() -> None:
    """Take in what this site has not had yet; what is here already costs a look at each file."""
    said = io.StringIO()
    call_command("load_newcomers_gallery", stdout=said)
    for line in said.getvalue().splitlines():
        logger.info(line)


@worker_ready.connect
def ask_for_gallery(**signal: Any) -> None:
    """Ask for the gallery once workers are up, unless the site shall begin without."""
    if not settings.NEWCOMERS_GALLERY:
        return
    try:
        load_newcomers_gallery.delay()
    except (OperationalError, OSError) as error:
        logger.warning("the gallery waits for the next start: %s", error)
