"""What the interactive worker does for a button: fetch the weights of a classifier that torchvision offers."""

import logging
import time
from collections.abc import Callable

from fooling_web.classifiers.models import Fetch
from models_zoo.downloading import download
from models_zoo.errors import ZooError

logger = logging.getLogger(__name__)
EVERY = 0.5  # seconds between two lines to the database
UNKNOWN = "An error in the program stopped this; the worker's log tells more."


def fetch_weights(wanted: Fetch) -> None:
    """Fetch, check and store; what fails says why."""
    if not wanted.claim():
        return
    try:
        download(wanted.classifier, watch=_noted_on(wanted))
    except ZooError as error:
        wanted.end(str(error))
    except Exception:
        logger.exception("fetch %s stopped", wanted.pk)
        wanted.end(UNKNOWN)
    else:
        wanted.end()


def _noted_on(wanted: Fetch) -> Callable[[int, int], None]:
    """Return what notes how many bytes are here, now and then, and the last of them at once."""
    noted = 0.0

    def note(done: int, total: int) -> None:
        nonlocal noted
        if done == total or time.monotonic() - noted > EVERY:
            noted = time.monotonic()
            wanted.move(done, total)

    return note
