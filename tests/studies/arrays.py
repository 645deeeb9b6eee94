"""Answers without a database: arrays as `answers_of` would give them, for tests of what is computed from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fooling_web.studies.answers import NONE, Answers, Images, People
from fooling_web.studies.design import Task


@dataclass(frozen=True, kw_only=True)
class Said:
    """One response, as short as it can be said; `label` is what was chosen, nothing: too late."""

    person: int
    image: int
    label: str | None
    right: bool | None = None  # None: the label is the image's
    role: str = "main"
    condition: str = ""
    place: int = 0  # on the screen
    n_options: int = 2
    rt_ms: float = 700
    sureness: float = np.nan
    has_key: bool = True


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One image."""

    number: int
    label: str
    role: str = "main"
    is_natural: bool = False
    confidence: float = np.nan
    machine_is_right: int = NONE
    machine_confidence: float = np.nan


def gathered(
    images: Sequence[Shown],
    said: Sequence[Said],
    *,
    task: str = Task.CHOOSE_LABEL,
    incomplete: Sequence[int] = (),
    framing: str = "machine",
) -> Answers:
    """Return responses as arrays; everybody who said something takes part, and the incomplete."""
    label_of = {image.number: image.label for image in images}
    ordered = sorted(said, key=lambda one: one.person)
    numbers = sorted({one.person for one in said} | set(incomplete))
    chosen = {one.label for one in said if one.label is not None}
    labels = sorted(set(label_of.values()) | chosen)
    answers = [NONE if one.label is None else one.place for one in ordered]
    return Answers(
        task=task,
        people=People(
            number=np.array(numbers, dtype=np.int64),
            is_complete=np.array([number not in incomplete for number in numbers], dtype=np.bool_),
            framing=np.array([framing] * len(numbers)),
            entry=np.array(["link"] * len(numbers)),
        ),
        images=Images(
            number=np.array([image.number for image in images]),
            role=np.array([image.role for image in images]),
            is_natural=np.array([image.is_natural for image in images], dtype=np.bool_),
            label=np.array([image.label for image in images]),
            confidence=np.array([image.confidence for image in images]),
            machine_is_right=np.array([image.machine_is_right for image in images]),
            machine_confidence=np.array([image.machine_confidence for image in images]),
        ),
        labels=tuple(labels),
        participant=np.array([one.person for one in ordered], dtype=np.int64),
        trial=np.arange(len(ordered)),
        image=np.array([one.image for one in ordered], dtype=np.int64),
        role=np.array([one.role for one in ordered], dtype=np.str_),
        condition=np.array([one.condition for one in ordered], dtype=np.str_),
        answer=np.array(answers, dtype=np.int64),
        key=np.array([_key(one, label_of) for one in ordered], dtype=np.int64),
        chosen=np.array(
            [NONE if one.label is None else labels.index(one.label) for one in ordered], dtype=np.int64
        ),
        n_options=np.array([one.n_options for one in ordered], dtype=np.int64),
        rt_ms=np.array([np.nan if one.label is None else one.rt_ms for one in ordered], dtype=np.float64),
        sureness=np.array([one.sureness for one in ordered], dtype=np.float64),
        by=np.array(["key"] * len(ordered), dtype=np.str_),
    )


def _key(one: Said, label_of: dict[int, str]) -> int:
    if not one.has_key:
        return NONE
    right = one.label == label_of[one.image] if one.right is None else one.right
    return one.place if right else one.place + 1


def judged(right: Sequence[Sequence[int | None]]) -> Answers:
    """Return answers of people (rows) to images (columns): 1 right, 0 wrong, None: not shown."""
    images = [Shown(number=number + 1, label="yes") for number in range(len(right[0]))]
    said = [
        Said(
            person=person + 1,
            image=image + 1,
            label="yes" if value else "no",
            place=0 if value else 1,
        )
        for person, row in enumerate(right)
        for image, value in enumerate(row)
        if value is not None
    ]
    return gathered(images, said)
