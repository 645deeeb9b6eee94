"""What a wall of many classes needs to know of them: names, and what they are kinds of.

By their kinds they are hung in branches, and "lizard" finds the iguana.
"""

import functools
from typing import Any

from models_zoo.wordnet import CLASSES, IMAGENET_LABELS, branches


def classes_of(labels: tuple[str, ...]) -> dict[str, Any]:
    """Return labels, branches and kinds; the last two are empty for classes other than ImageNet's.

    A branch has a title, an area and its classes; a kind's classes are pairs, from and to, one pair after another.
    """
    if labels == IMAGENET_LABELS:
        return {"labels": labels, "branches": _branches(), "kinds": _kinds()}
    return {"labels": labels, "branches": [], "kinds": {}}


def classes_named(labels: tuple[str, ...], text: str) -> list[int]:
    """Return the classes in whose name, or in the names of what they are kinds of, all these words occur."""
    words = text.lower().split()
    texts = _texts() if labels == IMAGENET_LABELS else tuple(label.lower() for label in labels)
    return [index for index, known in enumerate(texts) if all(word in known for word in words)]


@functools.cache
def _branches() -> list[dict[str, Any]]:
    return [
        {"title": branch.title, "area": branch.area, "classes": branch.class_indices} for branch in branches()
    ]


@functools.cache
def _texts() -> tuple[str, ...]:
    return tuple(" ".join((known.label, *known.path)).lower() for known in CLASSES)


@functools.cache
def _kinds() -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for known in CLASSES:
        for kind in known.path[:-1]:
            members.setdefault(kind, []).append(known.class_index)
    return {kind: _pairs(indices) for kind, indices in members.items()}


def _pairs(indices: list[int]) -> list[int]:
    """Return ascending numbers as from, to, from, to, ...: classes of a kind mostly follow each other."""
    pairs: list[int] = []
    for index in indices:
        if pairs and pairs[-1] == index - 1:
            pairs[-1] = index
        else:
            pairs += [index, index]
    return pairs
