"""The plane: for every image, how many people recognise it against how sure the classifier is.

The paper's word "unrecognizable", measured. Recognised above chance is the share of people who see an image as its
label has it, rescaled so that guessing is 0: max(0, (share - chance) / (1 - chance)). The fooling index of an image
is the classifier's confidence times what people do not recognise: confidence x (1 - recognised above chance); it is
1 for an image that the classifier is sure of and that people merely guess at.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from fooling_web.studies import measures
from fooling_web.studies.answers import Answers
from fooling_web.studies.models import Trial


@dataclass(frozen=True)
class Point:
    """One image on the plane."""

    number: int
    label: str
    is_natural: bool
    confidence: float | None  # of the classifier in the label; None: it was not asked
    seen: measures.Share  # how many see it as its label has it, raw and with the exact interval
    recognised: float  # above chance
    fooling_index: float | None
    said_most: str  # the label chosen most; empty: none was


def above_chance(value: float, chance: float) -> float:
    """Return a share rescaled so that guessing is 0 and everybody 1."""
    return max(0.0, (value - chance) / (1 - chance)) if chance < 1 else 0.0


def fooling_index(confidence: float, recognised: float) -> float:
    """Return how far an image fools the classifier and not people, from 0 to 1."""
    return confidence * (1 - recognised)


def plane_of(answers: Answers) -> list[Point]:
    """Return a point for every main image that anybody was asked about, by number."""
    shares = {int(row.name): row for row in measures.yes_by_image(answers).counted}
    said = _said_most(answers)
    images = answers.images
    return [
        _point(answers, at, shares[number], said.get(number, ""))
        for at, number in enumerate(images.number.tolist())
        if number in shares and images.role[at] == Trial.Role.MAIN
    ]


def _point(answers: Answers, at: int, seen: measures.Share, said_most: str) -> Point:
    images = answers.images
    confidence = float(images.confidence[at])
    recognised = above_chance(seen.value, seen.chance)
    was_asked = not np.isnan(confidence)
    return Point(
        number=int(images.number[at]),
        label=str(images.label[at]),
        is_natural=bool(images.is_natural[at]),
        confidence=confidence if was_asked else None,
        seen=seen,
        recognised=recognised,
        fooling_index=fooling_index(confidence, recognised) if was_asked else None,
        said_most=said_most,
    )


def _said_most(answers: Answers) -> dict[int, str]:
    """Return for each image the label that was chosen most; of several the first in the alphabet."""
    main = answers.main
    given = main.only(main.chosen >= 0)
    counts: dict[int, Counter[int]] = {}
    pairs, times = np.unique(np.stack([given.image, given.chosen], axis=1), axis=0, return_counts=True)
    for (number, label), n in zip(pairs.tolist(), times.tolist(), strict=True):
        counts.setdefault(number, Counter())[label] = n
    return {number: answers.labels[counter.most_common(1)[0][0]] for number, counter in counts.items()}
