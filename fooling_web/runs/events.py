"""The doorbell of live pages: "something changed", and no more. What changed is asked of the database.

Where the channel layer is away nobody hears the bell; pages then ask by themselves, and nothing is lost.
"""

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from fooling_web.runs.models import Run

logger = logging.getLogger(__name__)


def group_of(run_id: object) -> str:
    """Return the name of the group of sockets that watch a run."""
    return f"run.{run_id}"


def announce(run: Run) -> None:
    """Tell everybody who watches the run that it has changed."""
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(run.pk), {"type": "run.changed"})
    except (RedisError, OSError) as error:
        logger.debug("nobody was told that run %s changed: %s", run.pk, error)
