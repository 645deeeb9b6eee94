"""The doorbell of live pages: "something changed", and no more. What changed is asked of the database.

Where the channel layer is away nobody hears the bell; pages then ask by themselves, and nothing is lost.
"""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.signals import user_logged_out
from django.dispatch import Signal, receiver
from redis.exceptions import RedisError

from fooling_web.runs.models import Run
from fooling_web.users.models import User

logger = logging.getLogger(__name__)

rested = Signal()  # a worker gave a run back at the end of a slice; sent with `run`


def group_of(run_id: object) -> str:
    """Return the name of the group of sockets that watch a run."""
    return f"run.{run_id}"


def group_of_user(user_id: object) -> str:
    """Return the name of the group of sockets that a person has open."""
    return f"user.{user_id}"


def announce(run: Run) -> None:
    """Tell everybody who watches the run that it has changed."""
    _ring(group_of(run.pk), "run.changed")


@receiver(user_logged_out)
def dismiss(user: User | None, **signal: Any) -> None:
    """Tell a person's sockets that somebody of that name went: they close, and who is still here comes back."""
    if user:
        _ring(group_of_user(user.pk), "user.left")


def _ring(group: str, event: str) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, {"type": event})
    except (RedisError, OSError) as error:
        logger.debug("nobody in %s heard %s: %s", group, event, error)
