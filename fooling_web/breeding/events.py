"""The doorbell of a session's page: which litter was looked at, or that an attempt came on. What, the database says.

Where the channel layer is away nobody hears the bell; pages then ask by themselves.
"""

import logging
import uuid
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from fooling_web.breeding.models import Litter

logger = logging.getLogger(__name__)


def group_of(session_id: object) -> str:
    """Return the name of the group of sockets that show a session."""
    return f"breeding.{session_id}"


def announce_opinions(litter: Litter) -> None:
    """Tell whoever shows the litter that a network has looked at it."""
    _ring(litter.session_id, {"type": "litter.heard", "number": litter.number})


def announce_attempt(session_id: uuid.UUID) -> None:
    """Tell whoever shows the session that its attempt came on, or to its end."""
    _ring(session_id, {"type": "attempt.changed"})


def _ring(session_id: uuid.UUID, event: dict[str, Any]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(session_id), event)
    except (RedisError, OSError) as error:
        logger.debug("nobody in session %s heard %s: %s", session_id, event["type"], error)
