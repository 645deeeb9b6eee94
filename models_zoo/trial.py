"""Tries a classifier on labelled pictures, which shows at once whether its preprocessing is right.

The pictures lie in a folder with a `labels.csv` that has at least the columns `file` and `class_index`; files are
looked for beside it and in its subfolder `images`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models_zoo.classifier import Classifier
from models_zoo.errors import ImportRefused
from models_zoo.imported import Measured
from models_zoo.known_classes import LABELS_FILE, listed_classes
from models_zoo.memory import keep_freed_memory
from models_zoo.pictures import read_picture
from models_zoo.preprocessing import ChannelOrder

BATCH = 20
FEW = 200  # pictures on which channel orders are compared
POOR = 0.8  # of top-1; below it the other channel order is tried
CLEARLY = 0.05  # of top-1, before another channel order is suggested


@dataclass(frozen=True, kw_only=True)
class LabelledPicture:
    """A picture file and the class it shows."""

    path: Path
    class_index: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How many of some pictures a classifier gets right, and in the other channel order, where that was tried."""

    right: int
    of: int
    other_right: int = 0
    other_order: str = ""

    @property
    def is_other_better(self) -> bool:
        """Whether the other channel order gets clearly more right; a single picture more may be chance."""
        return self.other_right - self.right > self._chance

    @property
    def is_other_worse(self) -> bool:
        """Whether it gets clearly fewer right."""
        return bool(self.other_order) and self.right - self.other_right > self._chance

    @property
    def is_open(self) -> bool:
        """Whether these pictures are too few to tell which order is right."""
        return bool(self.other_order) and not self.is_other_better and not self.is_other_worse

    @property
    def _chance(self) -> float:
        return max(1, CLEARLY * self.of)


def labelled_pictures(folder: Path, n_classes: int) -> list[LabelledPicture]:
    """Return the pictures that a folder's labels.csv lists; raises ImportRefused."""
    path = folder / LABELS_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImportRefused(
            f"{path} cannot be read; give a folder with a labels.csv of file and class_index"
        ) from error
    return [
        LabelledPicture(path=_found(folder, file), class_index=class_index)
        for file, class_index in listed_classes(lines, n_classes).items()
    ]


def measure(classifier: Classifier, pictures: Sequence[LabelledPicture]) -> Iterator[Measured]:
    """Yield, after every batch, how the classifier has done so far on these pictures; the last one is the result."""
    if classifier.device.type == "cpu":
        keep_freed_memory()
    top_1, top_5, confidences = 0, 0, np.empty(0, np.float32)
    for start in range(0, len(pictures), BATCH):
        batch = pictures[start : start + BATCH]
        answers = classifier(np.stack([read_picture(each.path, classifier.entry) for each in batch]))
        shown = np.array([each.class_index for each in batch])[:, None]  # (B, 1)
        best = np.argsort(-answers, axis=1, kind="stable")[:, :5]  # (B, 5)
        top_1 += int((best[:, :1] == shown).sum())
        top_5 += int((best == shown).sum())
        confidences = np.append(confidences, answers.max(axis=1))
        yield Measured(
            images=len(confidences),
            top_1=top_1 / len(confidences),
            top_5=top_5 / len(confidences),
            median_confidence=float(np.median(confidences)),
        )


def a_few(pictures: Sequence[LabelledPicture], most: int = FEW) -> Sequence[LabelledPicture]:
    """Return some of the pictures, evenly spread."""
    return pictures[:: max(1, -(-len(pictures) // most))]


def judge(classifier: Classifier, images: np.ndarray, classes: Sequence[int | None]) -> Verdict | None:
    """Return how many of these images (B, C, H, W) it gets right; None where no class is known."""
    known = [number for number, class_index in enumerate(classes) if class_index is not None]
    if not known:
        return None
    shown = np.array([classes[number] for number in known])  # (B,)

    def right(asked: Classifier) -> int:
        return int((asked(images[known]).argmax(axis=1) == shown).sum())

    return _verdict(classifier, right, len(known))


def judge_on(classifier: Classifier, pictures: Sequence[LabelledPicture]) -> Verdict:
    """Return how many of these pictures it gets right."""

    def right(asked: Classifier) -> int:
        *_, measured = measure(asked, pictures)
        return round(measured.top_1 * measured.images)

    return _verdict(classifier, right, len(pictures))


def in_other_order(classifier: Classifier) -> Classifier | None:
    """Return the classifier with red and blue exchanged, mean and std as they were; None for grey."""
    preprocessing = classifier.entry.preprocessing
    order = other_order(preprocessing.channel_order)
    if not order:
        return None
    entry = replace(classifier.entry, preprocessing=replace(preprocessing, channel_order=order))
    return Classifier(classifier.network, entry, classifier.device, classifier.weights_sha256)


def _verdict(classifier: Classifier, right: Callable[[Classifier], int], of: int) -> Verdict:
    """Ask again in the other channel order where it does poorly."""
    own = right(classifier)
    other = in_other_order(classifier) if own < POOR * of else None
    if not other:
        return Verdict(right=own, of=of)
    return Verdict(
        right=own, of=of, other_right=right(other), other_order=other.entry.preprocessing.channel_order
    )


def suggestion(own: Measured, turned: Measured, channel_order: str) -> str:
    """Say that the other channel order would do better; empty where it would not, clearly."""
    if turned.top_1 < own.top_1 + CLEARLY:
        return ""
    return (
        f"On {own.images} of these pictures {channel_order.upper()} order gets {turned.top_1:.3f} right instead of "
        f"{own.top_1:.3f}: the channel order is probably wrong."
    )


def other_order(channel_order: ChannelOrder) -> ChannelOrder | None:
    """Return the other channel order; None for grey."""
    others: dict[str, ChannelOrder] = {"rgb": "bgr", "bgr": "rgb"}
    return others.get(channel_order)


def _found(folder: Path, file: str) -> Path:
    """Return where a listed picture lies; raises ImportRefused."""
    for place in (folder / file, folder / "images" / file):
        if place.is_file():
            return place
    raise ImportRefused(f"{file!r} of {LABELS_FILE} is neither in {folder} nor in its images/")
