"""Classes: some ten images for all at once, at a teacher's word, and what came out on the wall.

A teacher opens a class on a study of theirs that takes classes, or has one made at the press of a button. Who is
there, how far each has come and when time is up, the database says; the teacher's page asks it when the bell rings.
What is revealed are the class's answers of main trials beside what the network said.
"""

import random
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from fooling_web.studies import building
from fooling_web.studies.choosing import Refused as NoImages
from fooling_web.studies.design import LABELLED, Task
from fooling_web.studies.freezing import NotReady, freeze
from fooling_web.studies.measures import Share, share
from fooling_web.studies.models import (
    Classroom,
    Participant,
    Response,
    Study,
    StudyImage,
    Trial,
    new_code,
)
from models_zoo.errors import ZooError
from models_zoo.registry import find

PRESET = "P10"
N_IMAGES = 10  # of a class that is run at once
SHORTEST, LONGEST = 15, 3600  # seconds that a class may have
USUAL_SECONDS = 120
CODE_LENGTH = 6
KEPT_OPEN = timedelta(days=2)  # that a class nobody closed takes anybody
LONGEST_NAME = 100
MOST_BARS = 6
Given = tuple[list[Any], int | None, int | None]  # options, the place of the right one, the answer


class Refused(Exception):
    """A class that cannot be had; the message says why, and what would help."""


@dataclass(frozen=True)
class Seat:
    """A student, and how far they have come."""

    participant: Participant

    @property
    def name(self) -> str:
        """What the teacher calls them."""
        return self.participant.nickname or f"No. {self.participant.number}"

    @property
    def share(self) -> int:
        """How far they have come, in percent."""
        return round(100 * self.participant.n_answered / max(self.participant.n_trials, 1))


@dataclass(frozen=True)
class Bar:
    """An answer that the class gave, and how often."""

    label: str
    n: int
    percent: int  # of all answers to the image
    is_machine: bool  # what the network says
    is_right: bool  # what counts as right: for photographs and digits, what they show


@dataclass(frozen=True)
class Slide:
    """An image with what the class answered and what the network says."""

    number: int
    image: StudyImage
    bars: list[Bar]
    right: Share
    n_late: int

    @property
    def machine(self) -> str:
        """What the network says first."""
        return said_by_machine(self.image)

    @property
    def machine_confidence(self) -> float | None:
        """How sure it is."""
        one = self.image
        return one.confidence if one.machine_confidence is None else one.machine_confidence

    @property
    def network(self) -> str:
        """The network's title."""
        try:
            return find(self.image.classifier).title
        except ZooError:
            return self.image.classifier or "The network"

    @property
    def favourite(self) -> Bar | None:
        """What most of the class answered; None where nobody did, or where several share the first place."""
        ranked = sorted(self.bars, key=lambda bar: -bar.n)
        if not ranked or not ranked[0].n or (len(ranked) > 1 and ranked[1].n == ranked[0].n):
            return None
        return ranked[0]

    @property
    def is_agreed(self) -> bool:
        """Whether most of the class said what the network says."""
        return self.favourite is not None and self.favourite.is_machine


@dataclass(frozen=True)
class Reveal:
    """All that a class answered."""

    slides: list[Slide]
    n_students: int
    is_labelled: bool  # whether answers are labels, or images, that the network gives, too

    @cached_property
    def right(self) -> Share:
        """The share of right answers, all images together, with its exact interval and chance."""
        n = sum(slide.right.n for slide in self.slides)
        chance = sum(slide.right.chance * slide.right.n for slide in self.slides) / n if n else 0.0
        return share("the class", sum(slide.right.hits for slide in self.slides), n, chance)

    @property
    def n_agreed(self) -> int:
        """On how many images most of the class said what the network says."""
        return sum(slide.is_agreed for slide in self.slides)

    @property
    def machine_confidence(self) -> float | None:
        """How sure the network is in the mean."""
        known = [slide.machine_confidence for slide in self.slides if slide.machine_confidence is not None]
        return sum(known) / len(known) if known else None

    @property
    def naturals(self) -> list[Slide]:
        """Images with a true label, on which the network can be wrong."""
        return [slide for slide in self.slides if slide.image.is_natural]

    @property
    def n_machine_right(self) -> int:
        """On how many of these the network is right."""
        return sum(bool(slide.image.machine_is_right) for slide in self.naturals)


def taught_by(user: Any) -> QuerySet[Classroom]:
    """Return the classes of this person; the staff's are all."""
    if not user.is_authenticated:
        return Classroom.objects.none()
    classrooms = Classroom.objects.select_related("study")
    return classrooms if user.is_staff else classrooms.filter(teacher=user)


def studies_for(user: Any) -> QuerySet[Study]:
    """Return the studies on which this person may open a class."""
    asked_about = StudyImage.objects.filter(study=OuterRef("pk"), role=StudyImage.Role.MAIN)
    studies = Study.objects.managed_by(user).filter(owner=user, entries__contains="class")
    return studies.exclude(status=Study.Status.CLOSED).filter(Exists(asked_about))


def open_class(study: Study, teacher: Any, name: str = "", seconds: int = USUAL_SECONDS) -> Classroom:
    """Open a class on a study of the teacher's, and the study with it; raises Refused."""
    if "class" not in study.ways_in:
        raise Refused(f"“{study.title}” takes no classes; choose “a class's join code” among its ways in.")
    if study.status == Study.Status.CLOSED:
        raise Refused(f"“{study.title}” is closed; open it again, or copy it.")
    if seconds != 0 and not SHORTEST <= seconds <= LONGEST:
        raise Refused(
            f"{seconds} seconds are no time for a class; give {SHORTEST} to {LONGEST:,}, or 0 for no limit."
        )
    try:
        building.open_up(study)
    except NotReady as refusal:
        raise Refused(str(refusal)) from refusal
    return Classroom.objects.create(
        study=study, teacher=teacher, name=name[:LONGEST_NAME], seconds=seconds, join_code=_free_code()
    )


def run_now(teacher: Any, name: str = "", seconds: int = USUAL_SECONDS) -> Classroom:
    """Make a frozen study of ten public images, and open a class on it; raises Refused where there are too few."""
    with transaction.atomic():
        study = building.begin(teacher, PRESET)
        try:
            building.fulfil(study, teacher, random.Random(secrets.randbits(32)))  # noqa: S311 - guards nothing
        except NoImages as refusal:
            raise Refused(str(refusal)) from refusal
        found = study.images.filter(role=StudyImage.Role.MAIN).count()
        if found < N_IMAGES:
            raise Refused(
                f"A class takes {N_IMAGES} public images with different labels, and {found} were found. "
                "Launch a run and leave it public; then try again."
            )
        freeze(study)
        return open_class(study, teacher, name, seconds)


def found_by(code: str) -> Classroom | None:
    """Return the class with a join code, however it was typed; None where there is none."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return Classroom.objects.select_related("study").filter(join_code=plain).first()


def takes_students(classroom: Classroom) -> bool:
    """Whether somebody may come in now."""
    is_fresh = timezone.now() - classroom.created_at < KEPT_OPEN
    is_before = classroom.status == Classroom.Status.WAITING
    is_during = classroom.status == Classroom.Status.RUNNING and not classroom.is_up
    return is_fresh and (is_before or is_during) and classroom.study.status == Study.Status.OPEN


def is_asked(participant: Participant) -> bool:
    """Whether this participant's page shows them images now, as far as their class is concerned."""
    classroom = participant.classroom
    return classroom is None or (classroom.status == Classroom.Status.RUNNING and not classroom.is_up)


def seats_of(classroom: Classroom) -> list[Seat]:
    """Return who is there, in the order in which they came."""
    return [Seat(one) for one in classroom.participants.order_by("number")]


def reveal_of(classroom: Classroom) -> Reveal:
    """Return what the class answered, image by image, in three queries."""
    images = classroom.study.images.filter(role=StudyImage.Role.MAIN).order_by("number")
    given: dict[int, list[Given]] = defaultdict(list)
    for image, options, key, answer in _answered(classroom):
        given[image].append((options, key, answer))
    task = classroom.study.plan.task
    shown = [image for image in images if image.pk in given]
    slides = [_slide(number, image, given[image.pk], task) for number, image in enumerate(shown, 1)]
    return Reveal(slides, classroom.participants.filter(n_answered__gt=0).count(), task in LABELLED)


def answers_of_one(participant: Participant) -> list[dict[str, Any]]:
    """Return what one student answered, beside what the network says."""
    trials = participant.trials.filter(role=Trial.Role.MAIN, response__isnull=False)
    rows = []
    for trial in trials.select_related("image", "response").order_by("number"):
        place = trial.response.answer
        rows.append(
            {
                "image": trial.image,
                "answer": _said(trial.options[place]) if place is not None else "",
                "is_right": trial.response.is_right,
                "machine": said_by_machine(trial.image),
                "confidence": trial.image.machine_confidence or trial.image.confidence,
            }
        )
    return rows


def said_by_machine(image: StudyImage) -> str:
    """Return what the network says first of an image."""
    return image.machine_label or ("" if image.is_natural else image.label)


def _answered(classroom: Classroom) -> Iterable[tuple[int, list[Any], int | None, int | None]]:
    responses = Response.objects.filter(trial__participant__classroom=classroom, trial__role=Trial.Role.MAIN)
    return responses.values_list("trial__image_id", "trial__options", "trial__key", "answer")


def _slide(number: int, image: StudyImage, given: Sequence[Given], task: str) -> Slide:
    counts = Counter(_said(options[answer]) for options, _, answer in given if answer is not None)
    keyed = [(options, key, answer) for options, key, answer in given if key is not None]
    hits = sum(key == answer for _, key, answer in keyed)
    chance = sum(1 / len(options) for options, _, _ in keyed) / len(keyed) if keyed else 0.0
    right = {_said(options[key]) for options, key, _ in keyed}
    machine = {
        Task.PICK_IMAGE: right,
        Task.CHOOSE_LABEL: {said_by_machine(image)},
        Task.NAME_THEN_CHOOSE: {said_by_machine(image)},
    }.get(task, set()) - {""}
    n_late = sum(answer is None for _, _, answer in given)
    bars = _bars(counts, len(given), machine, right)
    return Slide(number, image, bars, share("", hits, len(keyed), chance), n_late)


def _bars(counts: Counter[str], n: int, machine: set[str], right: set[str]) -> list[Bar]:
    """Return what was answered, the most frequent first, and always what the network says and what is right."""
    always = machine | right
    labels = sorted({*counts, *always}, key=lambda label: (-counts[label], label))
    shown = [label for place, label in enumerate(labels) if place < MOST_BARS or label in always]
    return [
        Bar(label, counts[label], round(100 * counts[label] / n), label in machine, label in right)
        for label in shown
    ]


def _said(option: object) -> str:
    """Return an option in words: labels as they are, images by their number."""
    return f"image {option}" if isinstance(option, int) else str(option)


def _free_code() -> str:
    code = new_code(CODE_LENGTH)
    while Classroom.objects.filter(join_code=code).exists():
        code = new_code(CODE_LENGTH)
    return code
