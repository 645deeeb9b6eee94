"""What the interactive worker finds out about an image: what others say of it, what it stands, what matters in it.

An examination's subject names what it is about: the class in whose light the image is told ("200"), and for an
opinion also whose it is ("mnist-mlp@1f2e3d4c:3": a classifier with the beginning of its weights' hash, so that other
weights under the same name are asked anew). Pages ask by `ask_for`; a worker answers by `examine`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction

from evolution.errors import EvolutionError
from fooling_web.galleries.models import Examination
from fooling_web.galleries.tasks import ask_to_examine
from fooling_web.galleries.weighing import weighed
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import picture_of_size
from models_zoo.errors import ZooError
from models_zoo.occluding import drops, patch_side, starts
from models_zoo.perturbing import perturbed, series_for
from models_zoo.registry import ClassifierEntry, find, load

logger = logging.getLogger(__name__)
UNKNOWN = "An error in the program stopped this; the worker’s log tells more."
SHOWN = 5  # classes of each opinion
HASH = 8  # letters of the weights' hash that tell one set of weights from another
DIGITS = 9  # decimals of a confidence that are kept
Deed = Examination.Deed


@dataclass(frozen=True)
class Seen:
    """An image as one classifier takes it, and which part of it the network sees."""

    image: np.ndarray  # (C, side, side), float32 in [0, 1]
    margin: int  # pixels around the centre crop
    size: int  # pixels a side, of the centre crop

    @property
    def middle(self) -> np.ndarray:
        """Return the centre crop (C, size, size)."""
        return self.crop(self.margin, self.margin)

    def crop(self, top: int, left: int) -> np.ndarray:
        """Return a crop (C, size, size)."""
        return self.image[:, top : top + self.size, left : left + self.size]


def ask_for(individual: Individual, deed: str, subject: str) -> Examination:
    """Have something found out about an image, unless it was or is being; what failed is tried again."""
    examination, is_to_be_asked = Examination.objects.wanted(individual, deed, subject)
    if is_to_be_asked:
        transaction.on_commit(lambda: ask_to_examine(examination))
    return examination


def examine(examination: Examination) -> None:
    """Find out what was asked and keep it; what fails says why."""
    individual = examination.individual
    try:
        result = DEEDS[examination.deed](individual.run, individual, examination.subject)
    except (ZooError, EvolutionError) as error:
        examination.fail(str(error))
    except Exception:
        logger.exception("examining %s stopped", examination)
        examination.fail(UNKNOWN)
    else:
        examination.answer(result)


def opinion_subject(entry: ClassifierEntry, class_index: int | None) -> str:
    """Return the subject of one classifier's opinion; weights without a card that can be read have no hash."""
    try:
        vouched = entry.card["sha256"][:HASH]
    except ZooError:
        vouched = ""
    return f"{entry.name}@{vouched}:{'' if class_index is None else class_index}"


def class_known_to(entry: ClassifierEntry, run: Run, class_index: int | None) -> int | None:
    """Return the class of another classifier that is the one of the run's; None where it knows no such class."""
    own = run.known_classifier
    if class_index is None or own is None:
        return None
    if own.dataset == entry.dataset and own.labels == entry.labels:
        return class_index
    label = own.labels[class_index]
    return entry.labels.index(label) if label in entry.labels else None


def sees_all(run: Run) -> bool:
    """Whether the run's classifier saw the whole picture: there is nothing around the centre crop."""
    own = run.known_classifier
    return bool(own and run.settings.width == own.preprocessing.input_size)


def side_for(entry: ClassifierEntry, run: Run) -> int:
    """Return how many pixels a side an image has for a classifier, which sees all of it if the run's did."""
    return entry.preprocessing.input_size if sees_all(run) else entry.height


def seen_by(entry: ClassifierEntry, run: Run, individual: Individual) -> Seen:
    """Return an image as a classifier takes it: drawn or resized to its side, in its channels."""
    side, size = side_for(entry, run), entry.preprocessing.input_size
    picture = picture_of_size(run.settings, bytes(individual.genome), side)
    levels = np.atleast_3d(np.asarray(picture.convert("L" if entry.channels == 1 else "RGB"), np.float32))
    image = np.ascontiguousarray(levels.transpose(2, 0, 1)) / np.float32(255)
    return Seen(image, (side - size) // 2, size)


def _opinion(run: Run, individual: Individual, subject: str) -> dict[str, Any]:
    """Return a classifier's likeliest classes, its confidence in the class, and that class's rank."""
    name, wanted = subject.partition("@")[0], subject.rpartition(":")[2]
    entry = find(name)
    classifier, seen = load(name), seen_by(entry, run, individual)
    confidences = classifier(seen.image[None])[0]  # (n_classes,)
    known = class_known_to(entry, run, int(wanted) if wanted else None)
    best = np.argsort(-confidences, kind="stable")[:SHOWN]
    return {
        "top": [[int(index), _kept(confidences[index])] for index in best],
        "class_index": known,
        "confidence": None if known is None else _kept(confidences[known]),
        "rank": None if known is None else int((confidences > confidences[known]).sum()) + 1,
    }


def _crops(run: Run, individual: Individual, subject: str) -> dict[str, Any]:
    """Return the confidence in a class of each of ten crops, as they are and mirrored, and what each is taken for."""
    class_index, classifier = int(subject), _classifier_of(run)
    seen = seen_by(classifier.entry, run, individual)
    edge, middle = 2 * seen.margin, seen.margin
    places = [(0, 0), (0, edge), (edge, 0), (edge, edge), (middle, middle)]
    views = np.stack([seen.crop(*place) for place in places])  # (5, C, size, size)
    confidences = classifier(np.concatenate([views, views[..., ::-1]]))  # (10, n_classes)
    rows = _rows(confidences, class_index)
    return {
        "size": seen.size,
        "side": len(seen.image[0]),
        "crops": [
            {"top": top, "left": left, "as_is": rows[row], "mirrored": rows[row + len(places)]}
            for row, (top, left) in enumerate(places)
        ],
        "mean": _rows(confidences.mean(axis=0, keepdims=True), class_index)[0],
        "centre": rows[len(places) - 1],
    }


def _robustness(run: Run, individual: Individual, subject: str) -> dict[str, Any]:
    """Return the confidence in a class along every series, and what the picture is taken for at each amount."""
    class_index, classifier = int(subject), _classifier_of(run)
    seen, colour = seen_by(classifier.entry, run, individual), _colour(classifier.entry)
    found = []
    for series in series_for(len(seen.image[0])):
        images = np.stack(list(perturbed(seen.image, series, colour)))  # (amounts, C, side, side)
        rows = _rows(classifier(images), class_index)
        found.append({"name": series.name, "amounts": list(series.amounts), "rows": rows})
    return {
        "side": len(seen.image[0]),
        "size": seen.size,
        "colour": _levels(colour),
        "whole": _rows(classifier(seen.image[None]), class_index)[0],
        "series": found,
    }


def _saliency(run: Run, individual: Individual, subject: str) -> dict[str, Any]:
    """Return by how much the confidence in a class falls where a patch hides a part of the picture."""
    class_index, classifier = int(subject), _classifier_of(run)
    seen, colour = seen_by(classifier.entry, run, individual), _colour(classifier.entry)
    whole = classifier(seen.middle[None])
    fallen = drops(classifier, seen.middle, class_index, float(whole[0, class_index]), colour)
    return {
        "side": len(seen.image[0]),
        "margin": seen.margin,
        "size": seen.size,
        "patch": patch_side(seen.size),
        "starts": starts(seen.size).tolist(),
        "colour": _levels(colour),
        "whole": _rows(whole, class_index)[0],
        "drops": [[_kept(drop) for drop in row] for row in fallen],
    }


DEEDS: dict[str, Callable[[Run, Individual, str], dict[str, Any]]] = {
    Deed.OPINIONS: _opinion,
    Deed.CROPS: _crops,
    Deed.ROBUSTNESS: _robustness,
    Deed.SALIENCY: _saliency,
    Deed.WEIGHT: weighed,
}


def _classifier_of(run: Run) -> Any:
    """Return the run's classifier, as precise as the run asked it, with one view of a picture."""
    classifier = load(run.classifier).with_views(precision=run.settings.precision)
    if classifier.weights_sha256 != run.classifier_sha256:
        raise ZooError(
            f"the weights of {run.classifier} have changed since this run was launched; restore them"
        )
    return classifier


def _rows(confidences: np.ndarray, class_index: int) -> list[list[float]]:
    """Return of each image its confidence in the class, the likeliest class, and the confidence in that."""
    best = confidences.argmax(axis=1)  # (B,)
    return [
        [_kept(row[class_index]), int(top), _kept(row[top])]
        for row, top in zip(confidences, best, strict=True)
    ]


def _colour(entry: ClassifierEntry) -> np.ndarray:
    """Return the mean colour of the classifier's data set (C,), as a file can hold it."""
    levels = np.rint(np.array(entry.mean_colour) * 255)
    colour: np.ndarray = levels.astype(np.float32) / np.float32(255)
    return colour


def _levels(colour: np.ndarray) -> list[int]:
    return [round(float(level) * 255) for level in colour]


def _kept(confidence: Any) -> float:
    return round(float(confidence), DIGITS)
