"""Ask classifiers about a study's images that they have not seen yet: what they say first, and what of the label.

A worker does it; a page that waits asks again whether all are answered. What a classifier could not be asked stays
open, with the reason in the study's own corner of the cache for as long as somebody may look.
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.cache import cache

from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.sixteen import LABELS as CATEGORY_LABELS
from fooling_web.studies.sixteen import SIXTEEN, decision_of
from models_zoo.errors import ZooError
from models_zoo.pictures import read_picture
from models_zoo.registry import ClassifierEntry, load

logger = logging.getLogger(__name__)
AT_ONCE = 20  # images
TOLD_FOR = 3600  # seconds
UNKNOWN = "An error in the program stopped this; the worker’s log tells more."
DIGITS = 9  # decimals of a confidence that are kept


def ask_all(study: Study) -> int:
    """Ask about all images that wait for an answer; return how many there were."""
    tell(study, "")
    waiting = list(waiting_of(study))
    for name in sorted({image.classifier for image in waiting}):
        try:
            _ask(name, [image for image in waiting if image.classifier == name])
        except ZooError as error:
            tell(study, f"{name}: {error}")
        except Exception:
            logger.exception("asking %s about images of %s stopped", name, study.pk)
            tell(study, f"{name}: {UNKNOWN}")
    return len(waiting)


def waiting_of(study: Study) -> Any:
    """Return the images that a classifier was not asked about yet; of a frozen study none."""
    if study.is_frozen:
        return study.images.none()
    return study.images.filter(machine_index=None).exclude(classifier="")


def tell(study: Study, complaint: str) -> None:
    """Note what went wrong, for the page that waits."""
    cache.set(f"studies:asking:{study.pk}", complaint, TOLD_FOR)


def complaint_of(study: Study) -> str:
    """Return what went wrong when the classifier was last asked; nothing where it went well."""
    return str(cache.get(f"studies:asking:{study.pk}", ""))


def _ask(name: str, images: Sequence[StudyImage]) -> None:
    classifier = load(name)
    for first in range(0, len(images), AT_ONCE):
        part = images[first : first + AT_ONCE]
        confidences = classifier(np.stack([_as_seen(image, classifier.entry) for image in part]))
        for image, row in zip(part, confidences, strict=True):
            _store(image, classifier.entry, row)


def _as_seen(image: StudyImage, entry: ClassifierEntry) -> np.ndarray:
    """Return a picture as a classifier takes it (C, H, W)."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file, image.picture.open("rb") as kept:
        file.write(kept.read())
        file.flush()
        return read_picture(Path(file.name), entry)


def _store(image: StudyImage, entry: ClassifierEntry, row: np.ndarray) -> None:
    """Keep what the classifier said, unless the study was frozen meanwhile."""
    said = _among_sixteen(image, row) if image.dataset == SIXTEEN else _among_all(image, entry, row)
    StudyImage.objects.filter(pk=image.pk, machine_index=None, study__frozen_at=None).update(**said)


def _among_all(image: StudyImage, entry: ClassifierEntry, row: np.ndarray) -> dict[str, Any]:
    best = np.argsort(-row, kind="stable")[:2]
    first, second = int(best[0]), next(int(index) for index in best if index != image.class_index)
    known = image.class_index < len(row)
    return {
        "machine_index": first,
        "machine_label": entry.labels[first][:200],
        "machine_confidence": _kept(row[first]),
        "second_index": second,
        "second_label": entry.labels[second][:200],
        "confidence": _kept(row[image.class_index]) if known else None,
    }


def _among_sixteen(image: StudyImage, row: np.ndarray) -> dict[str, Any]:
    """Return the network's decision among the sixteen categories, whose confidences are sums over their classes."""
    decision = decision_of(row, besides=image.class_index)
    return {
        "machine_index": decision.first,
        "machine_label": CATEGORY_LABELS[decision.first],
        "machine_confidence": _kept(decision.confidences[decision.first]),
        "second_index": decision.second,
        "second_label": CATEGORY_LABELS[decision.second],
        "confidence": _kept(decision.confidences[image.class_index]),
    }


def _kept(confidence: Any) -> float:
    return round(float(confidence), DIGITS)
