"""What the page of results says, section by section, and which of them there are for a study.

The numbers come from `answers`, `measures` and their neighbours; here they are put together, once for each state of
the data and not for each reader. The database is asked a dozen times, however many people took part.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import caches
from django.core.paginator import Page, Paginator
from django.template.loader import render_to_string
from django.urls import reverse

from fooling_web.studies import analysing, exclusions, machine, measures
from fooling_web.studies.agreement import Agreement, agreement_of
from fooling_web.studies.answers import Answers, answers_of, names_of
from fooling_web.studies.design import COMPARISONS, TASKS, Design, Task
from fooling_web.studies.drawing import Scale, path_of, scale_for, shade_of
from fooling_web.studies.measures import Confusion, Share
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.participation import Participation, participation_of
from fooling_web.studies.plane import Point, plane_of
from fooling_web.studies.published import Published, published_beside
from fooling_web.studies.wishes import SCALES as SCALE_TITLES
from fooling_web.studies.wishes import Wish
from fooling_web.studies.writing import decimal, percent

TITLES = {
    "participation": "Who took part",
    "exclusions": "Who is left out",
    "accuracy": "Accuracy",
    "plane": "Recognition against confidence",
    "images": "Images",
    "classes": "Classes",
    "people": "Participants",
    "agreement": "Agreement and time",
    "machine": "People against the classifier",
    "effect": "The effect of the comparison",
    "published": "Published numbers",
    "unsaid": "What this does not say",
}
ALWAYS = ("participation",)  # sections that are there before anybody answered
KEPT = 600  # seconds for which rendered sections are kept
NAMES_SHOWN = 12  # of an image
PER_PAGE = 50  # rows of a table
KINDS = {"evolved-dots": "CPPN and others", "natural-dots": "natural", "other-dots": "direct"}
LARGEST_MAP = 60  # labels of a confusion matrix: more are not drawn
YES = {  # what counts for an image, by the task
    Task.RECOGNISABLE: "Said “recognisable”",
    Task.RIGHT_OR_WRONG: "Said “right”",
}


@dataclass(frozen=True)
class Section:
    """A part of the page: its name, its title, its HTML, and a word that stands for it."""

    name: str
    title: str
    html: str
    mark: str


@dataclass(frozen=True)
class Person:
    """A participant as the table has them."""

    number: int
    entry: str
    framing: str
    share: Share
    median_ms: float
    reasons: list[str]  # for which they are left out


@dataclass(frozen=True)
class Pictured:
    """An image as the table has it."""

    image: StudyImage
    point: Point | None  # on the plane; none where nobody was asked
    picture: str  # address
    url: str  # of the image's own page; empty where it has none

    @property
    def share(self) -> Share | None:
        """How many see it as its label has it."""
        return self.point.seen if self.point else None

    @property
    def index(self) -> float | None:
        """The fooling index; none where the classifier was not asked, or nobody else was."""
        return self.point.fooling_index if self.point else None


@dataclass(frozen=True)
class Dots:
    """Images of one kind on the plane, as one path."""

    kind: str  # a class of the style sheet
    title: str
    count: int
    path: str


@dataclass(frozen=True)
class Drawn:
    """The plane as it is drawn."""

    scale: Scale
    groups: list[Dots]
    data: list[dict[str, Any]]  # for the browser: what stands where
    unasked: int  # images about which the classifier was not asked, or nobody else was


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix."""

    count: int
    shade: int
    is_own: bool  # what it is and what was chosen are the same


class Numbers:
    """All that a study's results say of one phase; each number is computed when a section first wants it."""

    def __init__(self, study: Study, phase: str) -> None:
        self.study, self.phase = study, phase

    @functools.cached_property
    def design(self) -> Design:
        """The design as a value."""
        return self.study.plan

    @functools.cached_property
    def task(self) -> str:
        """What was asked, in words."""
        return TASKS[self.design.task]

    @functools.cached_property
    def compared(self) -> str:
        """What is compared, in words; empty where nothing is."""
        return "" if self.design.comparison == "none" else COMPARISONS[self.design.comparison]

    @functools.cached_property
    def participation(self) -> Participation:
        """Who took part."""
        return participation_of(self.study, self.phase)

    @functools.cached_property
    def all_answers(self) -> Answers:
        """Every response of the phase, those of the excluded, too."""
        return answers_of(self.study, self.phase)

    @functools.cached_property
    def reasons(self) -> dict[int, list[str]]:
        """Who is left out, and why."""
        return exclusions.excluded(self.all_answers, self.design.exclusions)

    @functools.cached_property
    def answers(self) -> Answers:
        """The responses of those who are not left out."""
        return self.all_answers.without(self.reasons)

    # Who is left out.

    @functools.cached_property
    def left(self) -> list[tuple[str, int, list[int]]]:
        """Each rule in words, how many it left out, and who they are."""
        said = exclusions.said(self.design.exclusions)
        who: dict[str, list[int]] = {name: [] for name in said}
        for number, names in self.reasons.items():
            for name in names:
                who[name].append(number)
        return [(said[name], len(numbers), numbers) for name, numbers in who.items()]

    @functools.cached_property
    def n_kept(self) -> int:
        """How many are counted."""
        return len(self.answers.people.number)

    # Accuracy.

    @functools.cached_property
    def overall(self) -> Share:
        """The accuracy of all together."""
        return measures.overall(self.answers)

    @functools.cached_property
    def conditions(self) -> list[Share]:
        """The share of each condition: right answers where something is right in all of them."""
        keyed = measures.by_condition(self.answers)
        return keyed.rows if self._all_keyed else measures.yes_by_condition(self.answers).rows

    @functools.cached_property
    def by_image(self) -> measures.Accuracy:
        """Of each image, how many see it as its label has it."""
        return measures.yes_by_image(self.answers)

    @functools.cached_property
    def by_participant(self) -> measures.Accuracy:
        """The accuracy of each participant who is counted."""
        return measures.by_participant(self.answers)

    @functools.cached_property
    def by_class(self) -> measures.Accuracy:
        """The accuracy at each class."""
        return measures.by_class(self.answers)

    @functools.cached_property
    def yes(self) -> str:
        """What is counted of an image, in words."""
        return YES.get(self.design.task, "Right")

    # Tables.

    @functools.cached_property
    def images(self) -> list[Pictured]:
        """The images that are asked about, in their order."""
        points = {point.number: point for point in plane_of(self.answers)}
        images = self.study.images.filter(role=StudyImage.Role.MAIN).select_related("individual")
        light = images.only(
            *("number", "study", "is_natural", "label", "confidence", "encoding", "dataset", "sha256"),
            *("machine_label", "machine_confidence", "individual__number", "individual__run"),
        )
        return [_pictured(image, points.get(image.number)) for image in light]

    @functools.cached_property
    def people(self) -> list[Person]:
        """Everybody who took part in the phase, in the order of their numbers."""
        everybody = self.all_answers.people
        shares = measures.by_participant(self.all_answers).rows
        medians = self._medians
        return [
            Person(
                number=int(number),
                entry=str(everybody.entry[at]),
                framing=str(everybody.framing[at]),
                share=shares[at],
                median_ms=float(medians[at]),
                reasons=[exclusions.RULES[name] for name in self.reasons.get(int(number), [])],
            )
            for at, number in enumerate(everybody.number)
        ]

    @functools.cached_property
    def confusion(self) -> Confusion:
        """What was chosen for what."""
        return measures.confusion(self.answers)

    @functools.cached_property
    def heat_map(self) -> list[tuple[str, list[Cell], int]] | None:
        """The confusion matrix as rows of shaded cells; None where it has more labels than can be read."""
        found = self.confusion
        if max(len(found.rows), len(found.columns)) > LARGEST_MAP:
            return None
        return [
            (name, _cells(name, found.columns, counts, late), late)
            for name, counts, late in zip(found.rows, found.counts, found.late, strict=True)
        ]

    @functools.cached_property
    def names(self) -> list[tuple[int, list[tuple[str, int]]]]:
        """What people called each image in their own words, the most frequent first; nothing where not asked."""
        if self.design.task != Task.NAME_THEN_CHOOSE:
            return []
        counted: dict[int, Counter[str]] = {}
        for participant, image, name in names_of(self.study, self.phase):
            if participant not in self.reasons:
                counted.setdefault(image, Counter())[name.strip().lower()] += 1
        return [(image, names.most_common(NAMES_SHOWN)) for image, names in sorted(counted.items())]

    # Agreement and time.

    @functools.cached_property
    def agreement(self) -> Agreement:
        """How far people agree with one another."""
        return agreement_of(self.answers)

    @functools.cached_property
    def consistency(self) -> Share:
        """How often a repeated image got the same answer."""
        return measures.consistency(self.answers)

    @functools.cached_property
    def entropy(self) -> measures.Entropy:
        """How evenly answers are spread."""
        return measures.response_entropy(self.answers)

    @functools.cached_property
    def times(self) -> list[measures.Times]:
        """Reaction times."""
        return measures.reaction_times(self.answers)

    @functools.cached_property
    def histogram(self) -> list[tuple[float, float, int, float]]:
        """Reaction times by bins: from, to, how many, and that as a share of the fullest."""
        found = measures.reaction_histogram(self.answers)
        most = max(found.counts, default=0) or 1
        return [
            (found.edges[at], found.edges[at + 1], count, count / most)
            for at, count in enumerate(found.counts)
        ]

    # People against the classifier.

    @functools.cached_property
    def against(self) -> machine.AgainstMachine | None:
        """Who errs where; none where no image has a true label."""
        return machine.against_machine(self.answers)

    @functools.cached_property
    def of_people(self) -> machine.Calibration | None:
        """How well people know when they are right."""
        return machine.calibration_of_people(self.answers)

    @functools.cached_property
    def of_machine(self) -> machine.Calibration | None:
        """How well the classifier knows when it is right."""
        return machine.calibration_of_machine(self.answers)

    @functools.cached_property
    def calibration_columns(self) -> list[list[float | None]]:
        """Columns for the chart: sureness, the diagonal, people, classifier."""
        people, classifier = _curve(self.of_people), _curve(self.of_machine)
        at = sorted({0.0, 1.0, *people, *classifier})
        return [[*at], [*at], [people.get(one) for one in at], [classifier.get(one) for one in at]]

    # The effect, and what others found.

    @functools.cached_property
    def effect(self) -> analysing.Effect:
        """What is known of the effect of the comparison."""
        return analysing.effect_shown(self.study, self.phase, self.participation.answered)

    @functools.cached_property
    def published(self) -> list[Published]:
        """Published experiments like this one."""
        return published_beside(self.design.preset)

    @functools.cached_property
    def _all_keyed(self) -> bool:
        main = self.answers.main
        return bool(len(main) and main.has_key.all())

    @functools.cached_property
    def _medians(self) -> np.ndarray:
        main = self.all_answers.main
        timed = main.only(~np.isnan(main.rt_ms))
        return exclusions.median_by(timed.person_at, timed.rt_ms, len(main.people.number))


def sections_of(
    study: Study, phase: str, state: str, wish: Wish, *, user: Any, is_manager: bool
) -> list[Section]:
    """Return the sections of a study's results; readers of the same state share them."""
    text = f"{study.pk}/{state}/{wish}/{is_manager}"
    key = "results-" + hashlib.sha256(text.encode()).hexdigest()
    kept: list[Section] | None = caches["fragments"].get(key)
    if kept is None:
        kept = list(_rendered(study, phase, wish, is_manager))
        caches["fragments"].set(key, kept, KEPT)
    return kept


def _rendered(study: Study, phase: str, wish: Wish, is_manager: bool) -> list[Section]:
    numbers = Numbers(study, phase)
    context = {"study": study, "phase": phase, "wish": wish, "is_manager": is_manager, "numbers": numbers}
    if not numbers.participation.answered:
        return [_section(name, TITLES[name], context) for name in ALWAYS]
    context["plane"] = drawn(numbers.images, wish.scale)
    context["scales"] = SCALE_TITLES
    context["image_page"] = _page(_sorted(numbers.images, wish.images, IMAGE_KEYS), wish.images_page)
    context["people_page"] = _page(_sorted(numbers.people, wish.people, PEOPLE_KEYS), wish.people_page)
    shown = {name: title for name, title in TITLES.items() if name != "effect" or numbers.compared}
    return [_section(name, title, context) for name, title in shown.items()]


def _section(name: str, title: str, context: dict[str, Any]) -> Section:
    html = render_to_string(f"studies/_results_{name}.html", context)
    return Section(name, title, html, hashlib.sha256(html.encode()).hexdigest()[:16])


def drawn(images: Sequence[Pictured], wanted: str) -> Drawn:
    """Draw the plane of images on a scale, the one asked for or else that in which they can be told apart."""
    there = [
        (one, one.point, one.point.confidence)
        for one in images
        if one.point and one.point.confidence is not None
    ]
    scale = scale_for([confidence for _, _, confidence in there], wanted)
    kinds: dict[str, list[tuple[float, float]]] = {}
    data = []
    for one, point, confidence in there:
        place = (scale.of(confidence), point.recognised)
        kinds.setdefault(_kind_of(one.image), []).append(place)
        data.append(_dot(one, point, *place))
    groups = [Dots(kind, KINDS[kind], len(places), path_of(places)) for kind, places in sorted(kinds.items())]
    return Drawn(scale, groups, data, len(images) - len(there))


def _kind_of(image: StudyImage) -> str:
    if image.is_natural:
        return "natural-dots"
    return "other-dots" if image.encoding == "direct" else "evolved-dots"


def _dot(one: Pictured, point: Point, x: float, y: float) -> dict[str, Any]:
    """Return what the card beside the plane says of an image."""
    return {
        "number": point.number,
        "label": point.label,
        "x": round(x, 4),
        "y": round(y, 4),
        "recognised": percent(point.recognised),
        "confidence": percent(point.confidence),
        "index": decimal(point.fooling_index),
        "raters": point.seen.n,
        "said": point.said_most,
        "picture": one.picture,
        "url": one.url,
    }


def _curve(calibration: machine.Calibration | None) -> dict[float, float]:
    return {one.sureness: one.right.value for one in calibration.bins} if calibration else {}


def _pictured(image: StudyImage, point: Point | None) -> Pictured:
    url = ""
    if image.individual:
        url = reverse("galleries:image", args=[image.individual.run_id, image.individual.number])
    picture = reverse("studies:picture", args=[image.sha256])
    return Pictured(image, point, picture, url)


def _cells(name: str, columns: Sequence[str], counts: Sequence[int], late: int) -> list[Cell]:
    total = sum(counts) + late or 1
    return [
        Cell(count, shade_of(count / total), column == name)
        for column, count in zip(columns, counts, strict=True)
    ]


IMAGE_KEYS: dict[str, Callable[[Pictured], Any]] = {
    "number": lambda one: one.image.number,
    "label": lambda one: one.image.label.lower(),
    "right": lambda one: one.share.value if one.share else -1,
    "raters": lambda one: one.share.n if one.share else 0,
    "confidence": lambda one: -1 if one.image.confidence is None else one.image.confidence,
    "index": lambda one: -1 if one.index is None else one.index,
}
PEOPLE_KEYS: dict[str, Callable[[Person], Any]] = {
    "number": lambda one: one.number,
    "right": lambda one: one.share.value if one.share.n else -1,
    "time": lambda one: -1 if np.isnan(one.median_ms) else one.median_ms,
}


def _sorted(rows: Sequence[Any], sort: str, keys: dict[str, Callable[[Any], Any]]) -> list[Any]:
    return sorted(rows, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _page(rows: Sequence[Any], number: int) -> Page[Any]:
    return Paginator(rows, PER_PAGE).get_page(number)
