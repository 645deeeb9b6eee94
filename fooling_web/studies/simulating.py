"""Participants who are nobody: they answer as a known truth has it, to try out a study and what is computed from it.

They take part by the same functions as everybody (`taking_part.begin` and `store`), are always of the pilot and bear
the way in "simulated". How often each is right at each image follows the model that the evaluation assumes: a logit
that adds up from everybody's mean, the person, the image and the condition. Some press one and the same key, some
answer too fast, some leave: those the rules of exclusion ought to find.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fooling_web.studies.design import Design, Task
from fooling_web.studies.models import Participant, Study, StudyImage, Trial
from fooling_web.studies.taking_part import Answer, begin, store

USUAL_MS, RT_SPREAD = 900.0, 0.35  # median, and spread of the logarithm, of reaction times
LEAST_MS = 350.0
FAST_MS = (80.0, 200.0)
SURENESS_SPREAD = 0.08
CAREFUL = 0.98  # share right in catch trials of those who take care
HABITS = ("one_key", "too_fast", "leaving")
NODES = 41  # of the quadrature for the mean over people and images
LARGEST_LOGIT = 12.0
SCREEN = (1280, 720)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of people who are simulated. Spreads and effects are on the scale of logits."""

    accuracy: float = 0.8  # mean share right, over people and images
    participant_spread: float = 0.5
    image_spread: float = 0.8
    image_seed: int = 0  # of the images' difficulties, which are the same for everybody
    effects: Mapping[str, float] = field(default_factory=dict)  # of conditions, by name
    overlap: float = 0.0  # share of answers to natural images that are right exactly where the machine is
    yes_to_evolved: float = 0.3  # share of yes where nothing is right about evolved images
    overconfidence: float = 0.1  # how much surer than right
    one_key: float = 0.0  # share of people who press one and the same key
    too_fast: float = 0.0
    leaving: float = 0.0


@dataclass(frozen=True)
class _Person:
    """One of the simulated: how good, and with which habit."""

    logit: float
    habit: str  # "", or one of HABITS
    rng: np.random.Generator


def simulate(
    study: Study, n: int = 1, *, seed: int, truth: Truth | None = None, accuracy: float | None = None
) -> list[Participant]:
    """Let people who are nobody take part in a study's pilot; same seed, same answers.

    Without a truth of one's own a few of them are careless, and `accuracy` is the share right of the others.
    """
    if truth is None:
        share = Truth.accuracy if accuracy is None else accuracy
        truth = Truth(accuracy=share, one_key=0.03, too_fast=0.03, leaving=0.04)
    images = {image.pk: image for image in study.images.all()}
    return [_take_part(study, truth, images, np.random.default_rng([seed, at])) for at in range(n)]


def _take_part(
    study: Study, truth: Truth, images: Mapping[int, StudyImage], rng: np.random.Generator
) -> Participant:
    seed = int(rng.integers(2**40))
    participant, _ = begin(
        study, entry=Participant.SIMULATED, phase=Participant.Phase.PILOT, seed=seed, browser={}
    )
    person = _Person(truth.participant_spread * rng.normal(), _habit(truth, rng), rng)
    trials = list(participant.trials.order_by("number"))
    if person.habit == "leaving":
        trials = trials[: int(rng.integers(len(trials)))]
    design = study.plan
    answers = [_answer(design, truth, person, trial, images[trial.image_id]) for trial in trials]
    if answers:
        store(participant, answers)
    participant.refresh_from_db()
    return participant


def _habit(truth: Truth, rng: np.random.Generator) -> str:
    shares = [truth.one_key, truth.too_fast, truth.leaving]  # in the order of HABITS
    return str(rng.choice([*HABITS, ""], p=[*shares, 1 - sum(shares)]))


def _answer(design: Design, truth: Truth, person: _Person, trial: Trial, image: StudyImage) -> Answer:
    probability = probability_of(truth, person.logit, trial, image)
    is_hit = bool(person.rng.random() < probability)
    if person.rng.random() < truth.overlap and image.is_natural and image.machine_is_right is not None:
        is_hit = image.machine_is_right
    place = _place(person, trial, is_hit)
    rt_ms = _reaction_time(person)
    is_late = 0 < design.timing.longest_ms < rt_ms
    return Answer(
        number=trial.number,
        answer=None if is_late else place,
        rt_ms=None if is_late else rt_ms,
        sureness=_sureness(truth, person, probability) if design.asks_confidence else None,
        name=_name(trial, place) if design.task == Task.NAME_THEN_CHOOSE else "",
        by="key",
        width=SCREEN[0],
        height=SCREEN[1],
    )


def probability_of(truth: Truth, person: float, trial: Trial, image: StudyImage) -> float:
    """Return how probable it is that a person is right, or says yes where nothing is right."""
    if trial.role == Trial.Role.CATCH:
        return CAREFUL
    mean = truth.accuracy if trial.key is not None else truth.yes_to_evolved
    logit = mean_logit(mean, float(np.hypot(truth.participant_spread, truth.image_spread)))
    logit += person + image_logit(truth, image.number) + truth.effects.get(trial.condition, 0.0)
    return float(1 / (1 + np.exp(-logit)))


def image_logit(truth: Truth, number: int) -> float:
    """Return how much easier an image is than others, the same for everybody."""
    return truth.image_spread * float(np.random.default_rng([truth.image_seed, number]).normal())


def mean_logit(share: float, spread: float) -> float:
    """Return the logit around which normally spread logits have this mean share, by bisection."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    low, high = -LARGEST_LOGIT, LARGEST_LOGIT
    for _ in range(50):
        middle = (low + high) / 2
        mean = weights @ (1 / (1 + np.exp(-middle - spread * nodes))) / weights.sum()
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


def _place(person: _Person, trial: Trial, is_hit: bool) -> int:
    """Return which option is chosen: the right one or one of the others; with a habit, none with care."""
    if person.habit == "one_key":
        return 0
    n_options = len(trial.options)
    if person.habit == "too_fast":
        return int(person.rng.integers(n_options))
    key = trial.key or 0  # without a right option, the first says yes
    other = int(person.rng.integers(1, n_options)) if n_options > 1 else 0
    return key if is_hit else (key + other) % n_options


def _reaction_time(person: _Person) -> float:
    if person.habit == "too_fast":
        return float(person.rng.uniform(*FAST_MS))
    return max(LEAST_MS, float(USUAL_MS * np.exp(RT_SPREAD * person.rng.normal())))


def _sureness(truth: Truth, person: _Person, probability: float) -> int:
    sure = probability + truth.overconfidence + SURENESS_SPREAD * person.rng.normal()
    return round(100 * float(np.clip(sure, 0, 1)))


def _name(trial: Trial, place: int) -> str:
    """Return what somebody writes who goes on to choose this option."""
    return str(trial.options[place])
