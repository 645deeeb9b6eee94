"""What is missing before a study can begin, and its freezing: from then on design and images never change.

The hash of a frozen study covers the canonical text of its design, and of every image the picture's own hash with all
that is known of it. Whoever has the exported design and images can compute it again.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from fooling_web.studies.design import LABELLED, Design, DesignError, Task
from fooling_web.studies.models import Frozen, Study, StudyImage
from fooling_web.studies.sixteen import LABELS as CATEGORY_LABELS
from fooling_web.studies.sixteen import SIXTEEN

FEWEST_LABELS = 2
HASHED = (  # of each image, in this order
    "number",
    "role",
    "is_natural",
    "source",
    "sha256",
    "side",
    "class_index",
    "label",
    "confidence",
    "second_index",
    "second_label",
    "machine_index",
    "machine_label",
    "machine_confidence",
    "classifier",
    "dataset",
    "encoding",
    "branch",
)


class NotReady(Exception):
    """A study that cannot be frozen or opened as it is; the message is the first complaint."""


@dataclass(frozen=True)
class Complaint:
    """Something that stands in a study's way, what helps, and on which page."""

    text: str
    remedy: str
    step: str  # images or design
    is_for_now: bool = False  # it goes by itself, in a moment

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}"


@contextmanager
def changing(study: Study) -> Iterator[Study]:
    """Hold a study for a change of its design or images; raises Frozen where it can change no more."""
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        if held.is_frozen:
            raise Frozen(
                f"“{held.title}” is frozen, and neither its design nor its images can change. Copy it instead."
            )
        yield held


def freeze(study: Study) -> None:
    """Fix design and images for ever; raises Frozen where they are, and NotReady where something is missing."""
    with changing(study) as held:
        if complaints := complaints_about(held):
            raise NotReady(str(complaints[0]))
        now = timezone.now()
        frozen = Study.objects.filter(pk=held.pk, frozen_at=None)
        frozen.update(frozen_at=now, design_sha256=hash_of(held), status=Study.Status.DRAFT, changed_at=now)
    study.refresh_from_db()


def hash_of(study: Study) -> str:
    """Return the hash of a study's design and images as they are now."""
    return hashlib.sha256(hashed(study).encode()).hexdigest()


def hashed(study: Study) -> str:
    """Return the text that is hashed: the design on one line, the images on the next."""
    images = [[getattr(image, name) for name in HASHED] for image in study.images.order_by("number")]
    lines = json.dumps(images, separators=(",", ":"), ensure_ascii=False)
    return f"{study.plan.canonical()}\n{lines}"


def complaints_about(study: Study) -> list[Complaint]:
    """Return all that is missing, the most important first; nothing where the study can begin."""
    try:
        design = study.plan
        design.check()
    except DesignError as error:
        return [Complaint(str(error), "Change the design.", "design")]
    images = list(study.images.all())
    asked_about = [image for image in images if image.role == StudyImage.Role.MAIN]
    if not asked_about:
        return [Complaint("This study has no images yet.", "Choose some.", "images")]
    return [
        *_about_words(design),
        *_about_labels(design, asked_about),
        *_about_foils(design, asked_about),
        *_about_comparison(design, asked_about),
        *_about_number(design, images),
        *_about_machine(design, images),
    ]


def _about_words(design: Design) -> Iterator[Complaint]:
    if not design.consent.strip():
        yield Complaint(
            "It has no words that people agree to before they begin.", "Write a consent.", "design"
        )


def _about_labels(design: Design, images: Sequence[StudyImage]) -> Iterator[Complaint]:
    labels = Counter(image.label for image in images)
    if design.task not in LABELLED:
        return
    if len(labels) < FEWEST_LABELS:
        yield Complaint(
            f"All of its images have one label, “{images[0].label}”, so there is nothing to choose between.",
            "Add images with other labels.",
            "images",
        )
    elif design.task == Task.PICK_IMAGE:
        others = len(images) - max(labels.values()) + 1
        if others < design.n_options:
            yield Complaint(
                f"Each trial shows {design.n_options} images with different labels beside the right one, and there "
                f"are {others} to choose from.",
                "Add images with other labels, or show fewer at once.",
                "images",
            )
    elif design.foil == "random" and len(labels) < design.n_options and not _are_sixteen(design, images):
        yield Complaint(
            f"Each trial offers {design.n_options} labels, and the images have {len(labels)}.",
            "Add images with other labels, or offer fewer.",
            "images",
        )


def _are_sixteen(design: Design, images: Sequence[StudyImage]) -> bool:
    """Whether every trial offers the sixteen categories, however many of them the images show."""
    return design.n_options == len(CATEGORY_LABELS) and {image.dataset for image in images} == {SIXTEEN}


def _about_foils(design: Design, images: Sequence[StudyImage]) -> Iterator[Complaint]:
    if design.task not in (Task.CHOOSE_LABEL, Task.NAME_THEN_CHOOSE):
        return
    if design.foil == "second" and (without := [image for image in images if not image.second_label]):
        yield Complaint(
            f"The machine’s second choice is not known for {_images(len(without))} ({_numbers(without)}).",
            "Have the classifier asked, remove them, or take foils at random.",
            "images",
        )
    if design.foil == "branch" and (without := [image for image in images if not image.branch]):
        yield Complaint(
            f"{_images(len(without)).capitalize()} ({_numbers(without)}) lie in no WordNet group, so no foil comes "
            "from it.",
            "Remove them, or take foils at random.",
            "images",
        )


def _about_comparison(design: Design, images: Sequence[StudyImage]) -> Iterator[Complaint]:
    cells = {_cell(design.comparison, image) for image in images}
    least = 4 if design.comparison == "encoding-and-dataset" else 2
    if design.comparison in ("none", "framing") or len(cells) >= least:
        return
    there = ", ".join(sorted(" of ".join(part for part in cell if part) for cell in cells))
    yield Complaint(
        f"It compares {least} kinds of images, and has these alone: {there}.",
        "Add images of the missing kinds, or compare nothing.",
        "images",
    )


def _cell(comparison: str, image: StudyImage) -> tuple[str, ...]:
    """Return of which kind an image is in a comparison."""
    if comparison == "natural":
        return ("natural" if image.is_natural else "evolved",)
    encoding = image.encoding or "natural"
    return {"encoding": (encoding,), "dataset": (image.dataset,)}.get(comparison, (encoding, image.dataset))


def _about_number(design: Design, images: Sequence[StudyImage]) -> Iterator[Complaint]:
    roles = Counter(image.role for image in images)
    n_main, role = roles[StudyImage.Role.MAIN], StudyImage.Role
    if design.images_per_participant > n_main:
        yield Complaint(
            f"Each participant is to see {design.images_per_participant} images, and there are {n_main}.",
            "Add images, or show each participant fewer.",
            "images",
        )
    n_catch = n_catch_trials(design, n_main)
    if roles[role.CATCH] < n_catch:
        yield Complaint(
            f"Catch trials as {design.catch_share:.0%} of all take {_images(n_catch)}, and there "
            f"{'is' if roles[role.CATCH] == 1 else 'are'} {roles[role.CATCH] or 'none'} for them.",
            "Add natural images with a clear label as catch trials, or lower their share.",
            "images",
        )
    if roles[role.PRACTICE] < design.n_practice:
        yield Complaint(
            f"Practice trials take {_images(design.n_practice)}, and there "
            f"{'is' if roles[role.PRACTICE] == 1 else 'are'} {roles[role.PRACTICE] or 'none'} for them.",
            "Add practice images, or lower their number.",
            "images",
        )


def n_catch_trials(design: Design, n_main: int) -> int:
    """Return how many catch trials a participant gets, none of them twice."""
    n_shown = min(design.images_per_participant or n_main, n_main)
    n_trials = n_shown + math.ceil(design.repeat_share * n_shown)
    return math.ceil(design.catch_share * n_trials / (1 - design.catch_share))


def _about_machine(design: Design, images: Sequence[StudyImage]) -> Iterator[Complaint]:
    """Name images whose classifier did not answer yet: a frozen study could not take its answer any more."""
    waiting = [image for image in images if image.classifier and image.machine_index is None]
    if waiting:
        yield Complaint(
            f"The classifier has not answered yet about {_images(len(waiting))} ({_numbers(waiting)}).",
            "Wait a moment, have it asked again, or do without its answers.",
            "images",
            is_for_now=True,
        )
    evolved = [image for image in images if not image.is_natural]
    others = [image for image in evolved if image.machine_is_right is False]
    if design.asks_what_it_said and others:
        yield Complaint(
            f"Participants are asked what the machine said, and it says something else first about "
            f"{_images(len(others))} ({_numbers(others)}).",
            "Remove them, give them the label that it says, or ask what they look like.",
            "images",
        )
    silent = [image for image in images if image.is_natural and not image.classifier]
    main = [image for image in silent if image.role == StudyImage.Role.MAIN]
    if design.task == Task.RIGHT_OR_WRONG and main:
        yield Complaint(
            f"Whether the machine is right is not known for {_images(len(main))} ({_numbers(main)}).",
            "Have a classifier asked about them, or remove them.",
            "images",
        )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _numbers(images: Sequence[StudyImage], shown: int = 5) -> str:
    numbers = ", ".join(f"no. {image.number}" for image in images[:shown])
    return f"{numbers}, …" if len(images) > shown else numbers


def as_values(image: StudyImage) -> dict[str, Any]:
    """Return all that is known of an image as plain values, from which it can be made again."""
    return {name: getattr(image, name) for name in (*HASHED, "individual_id")} | {
        "picture": image.picture.name
    }
