"""The gallery comes in through a worker, so that the first start need not wait for it."""

import io
import logging
from typing import Any

from celery.signals import worker_ready
from django.core.management import call_command
from kombu.exceptions import OperationalError

from fooling_web.celery import app

logger = logging.getLogger(__name__)


@app.task
def load_newcomers_gallery() -> None:
    """Take in what this site has not had yet; what is here already costs a look at each file."""
    said = io.StringIO()
    call_command("load_newcomers_gallery", stdout=said)
    for line in said.getvalue().splitlines():
        logger.info(line)


@worker_ready.connect
def ask_for_gallery(**signal: Any) -> None:
    """Ask for the gallery once workers are up."""
    try:
        load_newcomers_gallery.delay()
    except (OperationalError, OSError) as error:
        logger.warning("the gallery waits for the next start: %s", error)
