"""What people answered in a study, as arrays: one phase at a time, read in three queries however many they are.

All numbers of the results are computed from these arrays, so that none of them asks the database by itself. Every
array of `Answers` has one entry for each response; `people` and `images` are the tables that the responses refer to
by number. What a participant chose is kept by its label and not by its place on the screen, because the order of the
options differs from one participant to the next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from django.db.models import F, Func, IntegerField, TextField
from numpy.typing import NDArray

from fooling_web.studies.design import Task
from fooling_web.studies.models import Participant, Response, Study, StudyImage, Trial

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.str_]

NOT_ASKED = -1  # the classifier, about an image
NONE = -1  # no answer, or no right one
YES = 0  # the place of "recognisable" and of "right", which never changes


class _Chosen(Func):
    """The option at the place of the answer; text or number, as the database gives it."""

    arg_joiner = " ->> "
    template = "(%(expressions)s)"
    output_field = TextField()


class _Length(Func):
    """How many options there are."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Name the function as PostgreSQL does."""
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)


@dataclass(frozen=True, eq=False)
class People:
    """Who takes part in a phase; in the order of their numbers."""

    number: Ints
    is_complete: Bools
    framing: Texts
    entry: Texts


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a study; in the order of their numbers."""

    number: Ints
    role: Texts
    is_natural: Bools
    label: Texts
    confidence: Floats  # of the classifier in that label; nan: not asked
    machine_is_right: Ints  # 1, 0, or NOT_ASKED
    machine_confidence: Floats  # in the label that it says first; nan: not asked


@dataclass(frozen=True, eq=False)
class Answers:
    """The responses of one study and phase, in the order of participants and their trials."""

    task: str
    people: People
    images: Images
    labels: tuple[str, ...]  # everything that was chosen or can be right
    participant: Ints  # the number
    trial: Ints  # the number, from 0
    image: Ints  # the number
    role: Texts
    condition: Texts
    answer: Ints  # the place; NONE: too late
    key: Ints  # the place of the right option; NONE: there is none
    chosen: Ints  # index in labels; NONE: too late
    n_options: Ints
    rt_ms: Floats  # nan: no answer
    sureness: Floats  # from 0 to 100; nan: not asked
    by: Texts

    def __len__(self) -> int:
        return len(self.participant)

    @property
    def has_key(self) -> Bools:
        """Whether one of the options is right."""
        return np.not_equal(self.key, NONE)

    @property
    def is_right(self) -> Bools:
        """Whether the right option was chosen; too late is not right."""
        return self.has_key & np.equal(self.answer, self.key)

    @property
    def is_yes(self) -> Bools:
        """Whether the person sees it as the image's label has it.

        That is the right option where labels or images are chosen, "recognisable" where that is asked, and "right"
        where the label that the classifier gives is to be judged.
        """
        if self.task in (Task.RECOGNISABLE, Task.RIGHT_OR_WRONG):
            return np.equal(self.answer, YES)
        return self.is_right

    @property
    def chance(self) -> Floats:
        """How often `is_yes` would come from guessing: one in so many options; 0 for "recognisable"."""
        if self.task == Task.RECOGNISABLE:
            return np.zeros(len(self))
        return 1 / np.maximum(self.n_options, 1)

    @property
    def person_at(self) -> Ints:
        """Where in `people` the participant of each response is."""
        return np.searchsorted(self.people.number, self.participant)

    @property
    def image_at(self) -> Ints:
        """Where in `images` the image of each response is."""
        return np.searchsorted(self.images.number, self.image)

    def only(self, wanted: Bools) -> "Answers":
        """Return some of the responses; people and images stay."""
        return replace(self, **{name: getattr(self, name)[wanted] for name in _ROWS})

    def of_role(self, *roles: str) -> "Answers":
        """Return the responses to trials of these roles."""
        return self.only(np.isin(self.role, roles))

    @property
    def main(self) -> "Answers":
        """The responses that count: no practice, no catch trials, nothing that is repeated."""
        return self.of_role(Trial.Role.MAIN)

    def without(self, numbers: Iterable[int]) -> "Answers":
        """Return what is left without these participants."""
        gone = np.array(sorted(numbers), dtype=np.int64)
        stays = ~np.isin(self.people.number, gone)
        people = People(**{one.name: getattr(self.people, one.name)[stays] for one in fields(People)})
        return replace(self.only(~np.isin(self.participant, gone)), people=people)


_ROWS = tuple(
    one.name for one in fields(Answers) if one.name not in ("task", "people", "images", "labels")
)  # the arrays with an entry for each response


def answers_of(study: Study, phase: str) -> Answers:
    """Read what was answered in one phase of a study."""
    of_study = list(StudyImage.objects.filter(study=study).order_by("number"))
    people = _people(study, phase)
    responses = Response.objects.filter(trial__participant__study=study, trial__participant__phase=phase)
    rows = list(
        responses.annotate(
            chosen=_Chosen(F("trial__options"), F("answer")), n_options=_Length(F("trial__options"))
        )
        .order_by("trial__participant__number", "trial__number")
        .values_list(
            *("trial__participant__number", "trial__number", "trial__image_id", "trial__role"),
            *("trial__condition", "answer", "trial__key", "chosen", "n_options", "rt_ms", "sureness", "by"),
        )
    )
    return _assembled(study.plan.task, people, of_study, rows)


def _people(study: Study, phase: str) -> People:
    rows = (
        Participant.objects.filter(study=study, phase=phase)
        .order_by("number")
        .values_list("number", "completed_at", "framing", "entry")
    )
    numbers, completed, framings, entries = _columns(list(rows), 4)
    return People(
        number=_ints(numbers),
        is_complete=np.array([at is not None for at in completed], dtype=np.bool_),
        framing=_texts(framings),
        entry=_texts(entries),
    )


def _images(of_study: Sequence[StudyImage]) -> Images:
    return Images(
        number=_ints([image.number for image in of_study]),
        role=_texts([image.role for image in of_study]),
        is_natural=np.array([image.is_natural for image in of_study], dtype=np.bool_),
        label=_texts([image.label for image in of_study]),
        confidence=_floats([image.confidence for image in of_study]),
        machine_is_right=_ints([image.machine_is_right for image in of_study]),
        machine_confidence=_floats([image.machine_confidence for image in of_study]),
    )


def _assembled(
    task: str, people: People, of_study: Sequence[StudyImage], rows: Sequence[Sequence[Any]]
) -> Answers:
    (participants, trials, images, roles, conditions, answers, keys, chosen, n_options, rts, sure, by) = (
        _columns(rows, 12)
    )
    number_of = {image.pk: image.number for image in of_study}
    if task == Task.PICK_IMAGE:
        label_of = {image.number: image.label for image in of_study}
        chosen = [None if one is None else label_of.get(int(one), f"image {one}") for one in chosen]
    there = {image.label for image in of_study} | {str(one) for one in chosen if one is not None}
    labels = sorted(there, key=lambda label: (label.casefold(), label))
    place = {label: index for index, label in enumerate(labels)}
    return Answers(
        task=task,
        people=people,
        images=_images(of_study),
        labels=tuple(labels),
        participant=_ints(participants),
        trial=_ints(trials),
        image=_ints([number_of[pk] for pk in images]),
        role=_texts(roles),
        condition=_texts(conditions),
        answer=_ints(answers),
        key=_ints(keys),
        chosen=_ints([None if one is None else place[str(one)] for one in chosen]),
        n_options=_ints(n_options),
        rt_ms=_floats(rts),
        sureness=_floats(sure),
        by=_texts(by),
    )


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _ints(values: Sequence[int | bool | None]) -> Ints:
    return np.array([NONE if value is None else value for value in values], dtype=np.int64)


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _texts(values: Sequence[str]) -> Texts:
    return np.array(values, dtype=np.str_)


def names_of(study: Study, phase: str) -> list[tuple[int, int, str]]:
    """Return what people wrote in their own words: participant, image and name, in the order of images."""
    named = Response.objects.filter(trial__participant__study=study, trial__participant__phase=phase)
    rows = named.exclude(name="").filter(trial__role=Trial.Role.MAIN)
    ordered = rows.order_by("trial__image__number", "name", "trial__participant__number")
    return list(ordered.values_list("trial__participant__number", "trial__image__number", "name"))
