"""Finds out which classes pictures show: from a list beside them, or from their names. Importable without torch."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from models_zoo.errors import ImportRefused
from models_zoo.wordnet import IMAGENET_LABELS, WNIDS

LABELS_FILE = "labels.csv"
WNID = re.compile(r"n\d{8}")
NUMBERED = re.compile(r"\b(?:class|digit|label) (\d{1,6})\b")
COUNTED = re.compile(
    r"(?: copy)?(?: \d+)?$"
)  # what tells pictures of one class apart: "goldfish 2", "goldfish (3)"


def listed_classes(lines: Iterable[str], n_classes: int) -> dict[str, int]:
    """Return class indices by file from the lines of a labels.csv; raises ImportRefused."""
    try:
        rows = list(csv.DictReader(lines))
    except csv.Error as error:
        raise ImportRefused(
            f"{LABELS_FILE} is no list ({error}); give columns file and class_index"
        ) from error
    if not rows or not {"file", "class_index"} <= set(rows[0]):
        raise ImportRefused(f"{LABELS_FILE} has no columns file and class_index; name them in its first line")
    return {row["file"] or "": _class_index(row, n_classes) for row in rows}


def class_of_name(name: str, labels: Sequence[str]) -> int | None:
    """Return the class that a file's name carries: a label, "class 7" or a WordNet id; None where it carries none."""
    words = _words(PurePath(name).stem)
    by_label = {_words(label): index for index, label in enumerate(labels)}
    for text in (words, COUNTED.sub("", words)):
        if text in by_label and not text.isdecimal():  # a number alone may as well count pictures
            return by_label[text]
    wnid = WNID.search(words)
    if wnid and tuple(labels) == IMAGENET_LABELS and wnid[0] in WNIDS:
        return WNIDS.index(wnid[0])
    numbered = NUMBERED.search(words)
    return int(numbered[1]) if numbered and int(numbered[1]) < len(labels) else None


def _words(text: str) -> str:
    """Return a name's words in small letters, a space between them."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _class_index(row: dict[str, str], n_classes: int) -> int:
    text = row["class_index"] or ""
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) < n_classes):
        raise ImportRefused(
            f"{LABELS_FILE} gives class_index {text[:20]!r} for {row['file']}; classes are 0 to {n_classes - 1}"
        )
    return int(text)
