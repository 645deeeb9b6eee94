"""Tries a classifier on labelled pictures, which shows at once whether its preprocessing is right.

The pictures lie in a folder with a `labels.csv` that has at least the columns `file` and `class_index`; files are
looked for beside it and in its subfolder `images`.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_zoo.classifier import Classifier
from models_zoo.errors import ImportRefused
from models_zoo.imported import Measured
from models_zoo.memory import keep_freed_memory
from models_zoo.pictures import read_picture
from models_zoo.preprocessing import ChannelOrder

LABELS_FILE = "labels.csv"
BATCH = 20
FEW = 200  # pictures on which channel orders are compared
CLEARLY = 0.05  # of top-1, before another channel order is suggested


@dataclass(frozen=True, kw_only=True)
class LabelledPicture:
    """A picture file and the class it shows."""

    path: Path
    class_index: int


def labelled_pictures(folder: Path, n_classes: int) -> list[LabelledPicture]:
    """Return the pictures that a folder's labels.csv lists; raises ImportRefused."""
    path = folder / LABELS_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImportRefused(
            f"{path} cannot be read; give a folder with a labels.csv of file and class_index"
        ) from error
    if not rows or not {"file", "class_index"} <= set(rows[0]):
        raise ImportRefused(f"{path} has no columns file and class_index; name them in its first line")
    return [_picture(folder, row, n_classes) for row in rows]


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


def a_few(pictures: Sequence[LabelledPicture]) -> Sequence[LabelledPicture]:
    """Return some of the pictures, evenly spread."""
    return pictures[:: max(1, -(-len(pictures) // FEW))]


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


def _picture(folder: Path, row: dict[str, str], n_classes: int) -> LabelledPicture:
    text, file = row["class_index"] or "", row["file"] or ""
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) < n_classes):
        raise ImportRefused(
            f"{LABELS_FILE} gives class_index {text[:20]!r} for {file}; classes are 0 to {n_classes - 1}"
        )
    places = (folder / file, folder / "images" / file)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ImportRefused(f"{file!r} of {LABELS_FILE} is neither in {folder} nor in its images/")
    return LabelledPicture(path=path, class_index=int(text))
