"""The Celery application: workers evolve images here, and the scheduler rings for runs that wait."""

import os
from typing import Any

from celery import Celery
from celery.exceptions import CeleryError
from celery.signals import worker_process_init
from kombu.exceptions import KombuError

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


class BrokerAway(Exception):
    """Nobody answers where the broker should be."""


def workers_say(seconds: float) -> dict[str, dict[str, Any]]:
    """Ask the workers what they do and what they listen to; those that answer in time do, by name.

    Raises BrokerAway. A worker of a single process answers between two tasks only.
    """
    try:
        with app.connection_for_write() as connection:
            asked = app.control.inspect(timeout=seconds, connection=connection)
            active, queues = asked.active() or {}, asked.active_queues() or {}
    except (KombuError, CeleryError, OSError, *app.connection_for_write().connection_errors) as error:
        raise BrokerAway(str(error)) from error
    return {
        name: {"tasks": active.get(name, []), "queues": queues.get(name, [])} for name in {*active, *queues}
    }


def waiting_in(queues: list[str]) -> dict[str, int]:
    """Return how many messages wait in each queue; raises BrokerAway."""
    lengths = {}
    try:
        with app.connection_for_write() as connection:
            for queue in queues:
                with connection.channel() as channel:
                    try:
                        lengths[queue] = channel.queue_declare(queue=queue, passive=True).message_count
                    except connection.channel_errors:
                        lengths[queue] = 0  # nothing was ever sent there
    except (KombuError, OSError, *app.connection_for_write().connection_errors) as error:
        raise BrokerAway(str(error)) from error
    return lengths
