"""The Celery application: workers evolve images here, and the scheduler rings for runs that wait."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")

app = Celery("fooling_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def warm_up(**signal: Any) -> None:
    """Load torch and the kernels before the first run arrives, so that pressing Launch answers at once."""
    if "runs" in app.amqp.queues:  # other workers never need them
        from fooling_web.runs.execution import warm_up

        warm_up()
