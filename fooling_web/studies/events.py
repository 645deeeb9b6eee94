"""The doorbell of a study's results: "something came in", and no more. What, the database says.

Two hundred people who answer at once would ring hundreds of times a second. A process therefore rings at once, and
then at most once a second, the last time after the last answer. Where the channel layer is away nobody hears the
bell; pages then ask by themselves.
"""

import logging
import threading
import time

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
APART = 1.0  # seconds between two rings of one study, in one process

_rung: dict[str, float] = {}  # when a study's bell is free again
_waiting: set[str] = set()  # studies whose bell rings when it is
_lock = threading.Lock()


def group_of(study_id: object) -> str:
    """Return the name of the group of sockets that show a study's results."""
    return f"study.{study_id}"


def announce(study_id: object) -> None:
    """Tell whoever shows the study's results that something came in, once it is committed."""
    transaction.on_commit(lambda: _ring_soon(str(study_id)))


def _ring_soon(study_id: str) -> None:
    with _lock:
        if study_id in _waiting:
            return
        wait = _rung.get(study_id, 0.0) - time.monotonic()
        if wait > 0:
            _waiting.add(study_id)
        else:
            _rung[study_id] = time.monotonic() + APART
    if wait <= 0:
        _ring(study_id)
        return
    timer = threading.Timer(wait, _ring_late, [study_id])
    timer.daemon = True
    timer.start()


def _ring_late(study_id: str) -> None:
    with _lock:
        _waiting.discard(study_id)
        _rung[study_id] = time.monotonic() + APART
    _ring(study_id)


def _ring(study_id: str) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(study_id), {"type": "study.changed"})
    except (RedisError, OSError) as error:
        logger.debug("nobody at study %s heard: %s", study_id, error)
