"""What a participant is shown, and in which order: laid down from a seed before the first trial.

Practice comes first. Which images somebody sees, and at which place, goes round from one participant to the next, so
that every image has as many raters as any other and stands at every place as often. Catch trials are spread over the
session. What is shown twice is shown early and, for the second time, late. The right option stands equally often at
every place. All else is drawn at random from the participant's seed. Where two framings are compared, two people
in a row get the same images at the same places, one with each framing, so that nothing else tells the two apart.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from fooling_web.studies.design import Design, Task
from fooling_web.studies.models import Participant, StudyImage, Trial
from fooling_web.studies.sixteen import LABELS as CATEGORY_LABELS
from fooling_web.studies.sixteen import SIXTEEN
from models_zoo.wordnet import CLASSES

RECOGNISABLE = ["recognisable", "not recognisable"]
RIGHT_OR_WRONG = ["right", "wrong"]
EARLY, LATE = 1 / 3, 2 / 3  # of the session: where repeated images come first, and again
Role = Trial.Role


@dataclass(frozen=True)
class Planned:
    """A trial that is not stored yet."""

    role: str
    image_number: int
    options: list[Any]
    key: int | None
    condition: str


def lay_down(participant: Participant) -> list[Trial]:
    """Store what a participant will be shown, and return it."""
    study = participant.study
    images = list(study.images.all())
    rows = {image.number: image for image in images}
    planned = plan_trials(
        study.plan, images, seed=participant.seed, number=participant.number, framing=participant.framing
    )
    return Trial.objects.bulk_create(
        Trial(
            participant=participant,
            number=number,
            role=trial.role,
            image=rows[trial.image_number],
            condition=trial.condition,
            options=trial.options,
            key=trial.key,
        )
        for number, trial in enumerate(planned)
    )


def plan_trials(
    design: Design, images: Sequence[StudyImage], *, seed: int, number: int, framing: str
) -> list[Planned]:
    """Return the trials of participant `number` (from 1), in their order."""
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    of_role = {role: [image for image in images if image.role == role] for role in StudyImage.Role.values}
    practice = _some(of_role[StudyImage.Role.PRACTICE], design.n_practice, rng)
    turn = (number - 1) // 2 if design.framing == "between" else number - 1
    shown = _shown(design, of_role[StudyImage.Role.MAIN], turn)
    session = [(Role.MAIN, image) for image in shown]
    session = _with_repeats(session, math.ceil(design.repeat_share * len(shown)), rng)
    session = _with_catch(session, of_role[StudyImage.Role.CATCH], design.catch_share, rng)
    trials = [*((Role.PRACTICE, image) for image in practice), *session]
    keys = _Places(rng)
    offered = _Offer(design, of_role[StudyImage.Role.MAIN], rng)
    return [
        Planned(
            role.value,
            image.number,
            *_options(design, image, offered, keys),
            condition=condition_of(design, image, framing),
        )
        for role, image in trials
    ]


def condition_of(design: Design, image: StudyImage, framing: str) -> str:
    """Return of which condition of the study's comparison a trial is."""
    encoding = image.encoding or "natural"
    conditions = {
        "framing": framing,
        "encoding": encoding,
        "dataset": image.dataset,
        "encoding-and-dataset": f"{encoding}/{image.dataset}",
        "natural": "natural" if image.is_natural else "evolved",
    }
    return conditions.get(design.comparison, "")


def _some(images: Sequence[StudyImage], count: int, rng: random.Random) -> list[StudyImage]:
    return rng.sample(list(images), min(count, len(images)))


def _shown(design: Design, images: Sequence[StudyImage], turn: int) -> list[StudyImage]:
    """Return the images of a turn in their order: the next so many, going round, of all kinds in turn.

    After some turns the same images come again, and then the next of their orders with them.
    """
    mixed = _mixed(images)
    if not mixed:
        return []
    count = min(design.images_per_participant or len(mixed), len(mixed))
    n_shares = len(mixed) // math.gcd(len(mixed), count)
    begin = turn * count
    share = [mixed[place % len(mixed)] for place in range(begin, begin + count)]
    return _ordered(share, turn // n_shares)


def _mixed(images: Iterable[StudyImage]) -> list[StudyImage]:
    """Return images in one order for all participants: kinds by turns, else by the pictures' hashes."""
    kinds: dict[tuple[bool, str, str], list[StudyImage]] = defaultdict(list)
    for image in sorted(images, key=lambda image: (image.sha256, image.number)):
        kinds[image.is_natural, image.encoding, image.dataset].append(image)
    by_turns = zip_longest(*(kinds[kind] for kind in sorted(kinds)))
    return [image for turn in by_turns for image in turn if image is not None]


def _ordered(images: list[StudyImage], time: int) -> list[StudyImage]:
    """Return images so that over as many times as there are images, each stands once at every place.

    The base of the square is another one for every such round; each second one goes backwards, so that not all see
    the same images one after the other.
    """
    turn, place = divmod(time, len(images))
    base = sorted(images, key=lambda image: image.number)
    random.Random(turn).shuffle(base)  # noqa: S311 - the same for all participants of a round
    rotated = base[place:] + base[:place]
    return rotated if turn % 2 == 0 else rotated[::-1]


def _with_repeats(session: list[Any], count: int, rng: random.Random) -> list[Any]:
    """Add the second showing of some early images, late and at places of their own."""
    if len(session) < 2:
        return session
    early = [image for _, image in session[: max(1, int(len(session) * EARLY))]]
    again = rng.sample(early, min(count, len(early)))
    cut = max(1, int(len(session) * LATE))
    return session[:cut] + _spread(session[cut:], [(Role.REPEAT, image) for image in again], rng)


def _with_catch(
    session: list[Any], images: Sequence[StudyImage], share: float, rng: random.Random
) -> list[Any]:
    """Spread catch trials over the session, so many that they are this share of all; no image twice."""
    count = math.ceil(share * len(session) / (1 - share)) if session else 0
    return _spread(session, [(Role.CATCH, image) for image in _some(images, count, rng)], rng)


def _spread(session: list[Any], others: list[Any], rng: random.Random) -> list[Any]:
    """Put others into a session: one at random into each of as many equal stretches."""
    if not others:
        return session
    stretch = (len(session) + len(others)) / len(others)
    places = {int(index * stretch + rng.random() * (stretch - 1)): one for index, one in enumerate(others)}
    rest = iter(session)
    return [places[place] if place in places else next(rest) for place in range(len(session) + len(others))]


class _Places:
    """Places of the right option: each as often as any other, at random in what order."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._bags: dict[int, list[int]] = {}

    def next(self, n_options: int) -> int:
        """Return the place of the next trial with so many options."""
        bag = self._bags.setdefault(n_options, [])
        if not bag:
            bag.extend(range(n_options))
            self._rng.shuffle(bag)
        return bag.pop()


class _Offer:
    """What stands beside the right option."""

    def __init__(self, design: Design, images: Sequence[StudyImage], rng: random.Random) -> None:
        self._design, self._images, self._rng = design, images, rng
        evolved = {image.dataset for image in images if not image.is_natural}
        self.are_sixteen = evolved == {SIXTEEN} and design.n_options == len(CATEGORY_LABELS)
        self._labels: dict[str, list[str]] = defaultdict(list)
        for image in sorted(images, key=lambda image: image.number):
            if image.label not in self._labels[image.dataset]:
                self._labels[image.dataset].append(image.label)

    def labels(self, image: StudyImage) -> list[str]:
        """Return foil labels for an image, by the design's choice; fewer where there are no more."""
        count = self._design.n_options - 1
        if self._design.foil == "second" and image.second_label:
            return [image.second_label]
        group = self._group_of(image) if self._design.foil == "branch" else []
        pool = [label for label in group or self._labels[image.dataset] if label != image.label]
        chosen = self._rng.sample(pool, min(count, len(pool)))
        return chosen + self._others(image, {image.label, *chosen}, count - len(chosen))

    def images(self, image: StudyImage) -> list[int]:
        """Return the numbers of other images with other labels, drawn afresh for each trial."""
        others = [other for other in self._images if other.label != image.label and other.pk != image.pk]
        alike = [other for other in others if other.encoding == image.encoding] or others
        pool = alike if len(alike) >= self._design.n_options - 1 else others
        return [other.number for other in self._rng.sample(pool, min(self._design.n_options - 1, len(pool)))]

    def _group_of(self, image: StudyImage) -> list[str]:
        """Return the labels of an image's WordNet group; it may be too small, and then others come beside them."""
        if image.dataset != "imagenet" or not image.branch:
            return []
        return [one.label for one in CLASSES if one.branch == image.branch]

    def _others(self, image: StudyImage, taken: set[str], count: int) -> list[str]:
        """Return labels of any data set, where an image's own has too few."""
        if count <= 0:
            return []
        pool = [label for labels in self._labels.values() for label in labels if label not in taken]
        return self._rng.sample(pool, min(count, len(pool)))


def _options(
    design: Design, image: StudyImage, offer: _Offer, places: _Places
) -> tuple[list[Any], int | None]:
    """Return what stands on the screen, and the place of what is right there; None where nothing is."""
    if design.task == Task.RECOGNISABLE:
        return list(RECOGNISABLE), 0 if image.is_natural else None
    if design.task == Task.RIGHT_OR_WRONG:
        is_right = image.machine_is_right if image.is_natural else None
        return list(RIGHT_OR_WRONG), None if is_right is None else int(not is_right)
    picks = design.task == Task.PICK_IMAGE
    if offer.are_sixteen and not picks:
        categories = [*CATEGORY_LABELS, *({image.label} - set(CATEGORY_LABELS))]
        return categories, categories.index(image.label)  # always at the same places, to be learned
    options: list[Any] = list(offer.images(image)) if picks else list(offer.labels(image))
    key = places.next(len(options) + 1)
    options.insert(key, image.number if picks else image.label)
    return options, key
