"""What the interactive worker does: look at pictures, and take classifiers in."""

import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fooling_web.classifiers.forms import description_of
from fooling_web.classifiers.models import Import, Trial
from fooling_web.home import data_dir
from models_zoo.classifier import top
from models_zoo.errors import ZooError
from models_zoo.importing import prepare
from models_zoo.registry import ClassifierEntry, find, load
from models_zoo.trial import LabelledPicture, Verdict, a_few, judge, judge_on, labelled_pictures

logger = logging.getLogger(__name__)
SHOWN = 5  # classes of each picture
SAMPLE = "imagenet_sample"  # a folder of labelled photographs among the data sets
SAMPLED = 60  # of them; a slow network takes half a minute for as many, twice
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
        wanted.verdict = _verdict(wanted)
        if wanted.trial:
            answer_trial(wanted.trial)
        wanted.end()


def _answers(trial: Trial) -> list[list[tuple[int, float]]]:
    confidences = load(trial.classifier)(_images(trial))  # (B, n_classes)
    return [
        [(int(index), float(row[index])) for index in best]
        for row, best in zip(confidences, top(confidences, SHOWN), strict=True)
    ]


def _images(trial: Trial) -> np.ndarray:
    """Return the pictures as images (B, C, H, W) in [0, 1]."""
    entry = find(trial.classifier)
    shape = (len(trial.names), entry.channels, entry.height, entry.width)
    return np.frombuffer(bytes(trial.pixels or b""), np.uint8).reshape(shape).astype(np.float32) / 255


def _verdict(wanted: Import) -> dict[str, Any] | None:
    """Return how it does on the pictures that were sent, or on the site's sample; None where neither tells."""
    try:
        classifier = load(wanted.classifier)
        trial, sample = wanted.trial, _sample(classifier.entry)
        verdict = judge(classifier, _images(trial), trial.classes) if trial else None
        if sample and (verdict is None or verdict.is_open):
            return _as_page("sample", judge_on(classifier, sample))
        return _as_page("sent", verdict) if verdict else None
    except ZooError as error:  # it is in all the same
        logger.warning("no verdict on %s: %s", wanted.classifier, error)
    except Exception:
        logger.exception("no verdict on %s", wanted.classifier)
    return None


def _as_page(on: str, verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as the page reads it."""
    claims = {name: getattr(verdict, name) for name in ("is_other_better", "is_other_worse")}
    return {**asdict(verdict), **claims, "on": on}


def _sample(entry: ClassifierEntry) -> Sequence[LabelledPicture]:
    """Return some labelled photographs of the site's, for a classifier with ImageNet's labels; none without them."""
    folder = data_dir() / SAMPLE
    if entry.dataset != "imagenet" or not folder.is_dir():
        return []
    return a_few(labelled_pictures(folder, entry.n_classes), SAMPLED)


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
