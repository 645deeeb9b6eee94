"""What a wall of many classes needs to know of them: names, and what they are kinds of.

By their kinds they are hung in branches, and "lizard" finds the iguana. Who names classes to climb may write names,
too.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from evolution.errors import ParameterError
from models_zoo.wordnet import CLASSES, IMAGENET_LABELS, branches

ALMOST = 3  # names that are offered in the place of one that is not known
RANGE = re.compile(r"([0-9]{1,9})(?:\s*[-\N{EN DASH}]\s*([0-9]{1,9}))?")  # or one class index alone


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


def classes_told(text: str, labels: tuple[str, ...]) -> tuple[int, ...]:
    """Read "starfish, 200, 151-160" into class indices, each once; raises ParameterError naming all it cannot find.

    A number is a class index, be it that a class is called by another number.
    """
    found: dict[int, None] = {}
    complaints = []
    for word in filter(None, map(str.strip, re.split(r"[,;\n]", text))):
        try:
            found |= dict.fromkeys(_classes_told(word, labels))
        except ParameterError as error:
            complaints.append(str(error))
    if complaints:
        raise ParameterError("; ".join(complaints))
    if not found:
        raise ParameterError(f"{text[:40]!r} names no class; give some like 200, 151-160, or names")
    return tuple(found)


def _classes_told(word: str, labels: tuple[str, ...]) -> Iterator[int]:
    """Yield the class of one name or number, or those of one range; raises ParameterError."""
    if between := RANGE.fullmatch(word):
        first, last = int(between[1]), int(between[2] or between[1])
        if max(first, last) >= len(labels):
            raise ParameterError(f"{word} is out of range: classes are numbered from 0 to {len(labels) - 1}")
        if last < first:
            raise ParameterError(f"{word} runs backwards: write {last}-{first}")
        yield from range(first, last + 1)
        return
    named = [index for index, label in enumerate(labels) if label.lower() == word.lower()]
    if len(named) == 1:
        yield named[0]
        return
    if named:
        raise ParameterError(
            f"“{word[:40]}” is the name of {len(named)} classes: give {named[0]} or {named[1]}"
        )
    almost = ", ".join(f"{labels[index]} ({index})" for index in classes_named(labels, word)[:ALMOST])
    raise ParameterError(f"no class is called “{word[:40]}”" + (f"; perhaps {almost}" if almost else ""))


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
