"""What the interactive worker does: look at pictures, and take classifiers in."""

import logging
import shutil
import tempfile
from pathlib import Path

import numpy as np

from fooling_web.classifiers.forms import description_of
from fooling_web.classifiers.models import Import, Trial
from models_zoo.classifier import top
from models_zoo.errors import ZooError
from models_zoo.importing import prepare
from models_zoo.registry import find, load

logger = logging.getLogger(__name__)
SHOWN = 5  # classes of each picture
UNKNOWN = "An error in the program stopped this; the worker's log tells more."


def answer_trial(trial: Trial) -> None:
    """Ask the classifier about the pictures; a trial that fails says why."""
    try:
        trial.answer(_answers(trial))
    except ZooError as error:
        trial.fail(str(error))
    except Exception:
        logger.exception("trial %s stopped", trial.pk)
        trial.fail(UNKNOWN)


def take_classifier_in(wanted: Import) -> None:
    """Look at the weights, store the classifier, and answer the trial that came with it."""
    try:
        _store(wanted)
    except ZooError as error:
        _refuse(wanted, str(error))
    except Exception:
        logger.exception("import %s stopped", wanted.pk)
        _refuse(wanted, UNKNOWN)
    else:
        wanted.end()
        if wanted.trial:
            answer_trial(wanted.trial)


def _answers(trial: Trial) -> list[list[tuple[int, float]]]:
    entry = find(trial.classifier)
    shape = (len(trial.names), entry.channels, entry.height, entry.width)
    images = np.frombuffer(bytes(trial.pixels or b""), np.uint8).reshape(shape)
    confidences = load(trial.classifier)(images.astype(np.float32) / 255)  # (B, n_classes)
    return [
        [(int(index), float(row[index])) for index in best]
        for row, best in zip(confidences, top(confidences, SHOWN), strict=True)
    ]


def _store(wanted: Import) -> None:
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        weights = Path(folder) / Path(str(wanted.weights.name)).name
        with wanted.weights.open("rb") as sent, weights.open("wb") as file:
            shutil.copyfileobj(sent, file)
        prepare(description_of(wanted.texts), weights).store()


def _refuse(wanted: Import, reason: str) -> None:
    wanted.end(reason)
    if wanted.trial:
        wanted.trial.fail("The classifier was not taken in.")
