"""The effect of what a study compares: differences in percentage points and odds ratios, by two methods.

Answers of one participant are no independent draws, nor are answers to one image. The cluster bootstrap draws
participants anew, with all their answers, and takes the spread of the result; drawing images anew as well says how
far the result would hold for other images of the kind (Owen 2007 calls it the pigeonhole bootstrap, and shows that it
errs on the wide side). The mixed logistic model (`mixed`) has an effect for each participant and image instead. What
counts as a hit is `Answers.is_yes`: where nothing is right or wrong, that people say yes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling_web.studies import mixed
from fooling_web.studies.answers import Answers, Floats, Ints, answers_of
from fooling_web.studies.design import Task
from fooling_web.studies.exclusions import kept
from fooling_web.studies.models import Study

REPLICATES = 2000
TOGETHER = 250  # replicates at a time
SURE = 1.959964  # standard deviations of a normal that hold 95 %
HALF = (
    0.5  # added to hits and misses where odds are formed, so that 0 and 1 have odds too (Haldane, Anscombe)
)
FIRST = (
    "natural",
    "machine",
    "cppn",
)  # conditions that are compared *with* the others, and not the other way round
NOTHING = "Only one condition has answers, so there is nothing to compare yet."
FEW = "Fewer than two participants are left, so nothing can be said about people."


@dataclass(frozen=True)
class Contrast:
    """A comparison of conditions: one number for each, which add up to 0."""

    name: str
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Interval:
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """One condition: how many answers, how many hits, and the share with the bootstrap's interval over people."""

    name: str
    n: int
    hits: int
    n_people: int
    n_images: int
    share: Interval


@dataclass(frozen=True)
class Effect:
    """One contrast: the difference as a share (0.1 are ten percentage points), and the ratio of odds."""

    name: str
    difference: Interval
    odds_ratio: Interval


@dataclass(frozen=True)
class Bootstrapped:
    """What the cluster bootstrap says: for other people; and for other people and other images."""

    cells: list[Cell]
    over_people: list[Effect]
    over_both: list[Effect]
    replicates: int


@dataclass(frozen=True)
class Mixed:
    """What the mixed logistic model says; a difference is the mean over the answers that there are."""

    effects: list[Effect]
    participant_sd: float  # of logits
    image_sd: float
    has_converged: bool


@dataclass(frozen=True, eq=False)
class _Table:
    """Answers by condition: (conditions, people, images)."""

    names: tuple[str, ...]
    hits: Floats
    n: Floats


def effect_of(study: Study, phase: str, *, seed: int = 0) -> dict[str, Any]:
    """Return the effect of a study's comparison by both methods as plain values; raises ValueError without one."""
    answers = kept(answers_of(study, phase), study.plan.exclusions)
    bootstrapped = bootstrap_effects(answers, seed=seed)
    return {
        "comparison": study.plan.comparison,
        "measure": measure(answers.task),
        "n_people": len(np.unique(answers.main.participant)),
        "n_images": len(np.unique(answers.main.image)),
        "n_responses": len(answers.main),
        "bootstrap": asdict(bootstrapped),
        "mixed": asdict(mixed_effects(answers)),
    }


def measure(task: str) -> str:
    """Return what is compared, in words."""
    yes = {Task.RECOGNISABLE: "share of “recognisable”", Task.RIGHT_OR_WRONG: "share of “right”"}
    return yes.get(task, "share right")


def contrasts(names: Sequence[str]) -> list[Contrast]:
    """Return what is worth comparing among conditions: every two; in a two by two its effects and interaction."""
    if grid := _two_by_two(names):
        return grid
    ordered = sorted(names, key=lambda name: (name not in FIRST, name))
    return [_difference(names, one, other) for one, other in combinations(ordered, 2)]


def _difference(names: Sequence[str], one: str, other: str) -> Contrast:
    weights = tuple(float(name == one) - float(name == other) for name in names)
    return Contrast(f"{one} − {other}", weights)


def _two_by_two(names: Sequence[str]) -> list[Contrast]:
    """Return both main effects and the interaction of conditions "a/x", "a/y", "b/x" and "b/y"; nothing of others."""
    parts = [name.split("/") for name in names]
    if len(names) != 4 or any(len(part) != 2 for part in parts):
        return []
    levels = [sorted({part[at] for part in parts}, key=lambda one: (one not in FIRST, one)) for at in (0, 1)]
    if [len(level) for level in levels] != [2, 2]:
        return []
    signs = [[1.0 if part[at] == levels[at][0] else -1.0 for part in parts] for at in (0, 1)]
    between = [f"{first} − {second}" for first, second in levels]
    return [
        Contrast(between[0], tuple(sign / 2 for sign in signs[0])),
        Contrast(between[1], tuple(sign / 2 for sign in signs[1])),
        Contrast(
            f"({between[0]}) at {levels[1][0]}, less the same at {levels[1][1]}",
            tuple(one * other for one, other in zip(*signs, strict=True)),
        ),
    ]


def bootstrap_effects(answers: Answers, *, seed: int = 0, replicates: int = REPLICATES) -> Bootstrapped:
    """Return contrasts of the conditions with percentile intervals; raises ValueError where there is nothing.

    Participants are drawn within those who saw the same conditions, so that a comparison between participants keeps
    the size of its groups, and images likewise.
    """
    table = _table(answers)
    rng = np.random.default_rng(seed)
    people = _shares(table, _draws(table.n.sum(axis=2), replicates, rng), None)
    drawn = (_draws(axis, replicates, rng) for axis in (table.n.sum(axis=2), table.n.sum(axis=1)))
    both = _shares(table, *drawn)
    found = _counts(table.hits.sum(axis=(1, 2))[None], table.n.sum(axis=(1, 2))[None])
    wanted = contrasts(table.names)
    return Bootstrapped(
        cells=_cells(table, people),
        over_people=[_effect(one, found, people) for one in wanted],
        over_both=[_effect(one, found, both) for one in wanted],
        replicates=replicates,
    )


def _table(answers: Answers) -> _Table:
    main = answers.main
    if len(np.unique(main.participant)) < 2:
        raise ValueError(FEW)
    names, at = np.unique(main.condition, return_inverse=True)
    if len(names) < 2:
        raise ValueError(NOTHING)
    size = (len(names), len(answers.people.number), len(answers.images.number))
    place = np.ravel_multi_index((at, main.person_at, main.image_at), size)
    total = int(np.prod(size))
    hits = np.bincount(place, weights=main.is_yes, minlength=total)
    n = np.bincount(place, minlength=total)
    named = tuple(str(name) for name in names)
    return _Table(named, hits.astype(np.float64).reshape(size), n.astype(np.float64).reshape(size))


def _draws(n: Floats, replicates: int, rng: np.random.Generator) -> Floats:
    """Return how often each unit is drawn in each replicate, within strata of the same conditions; (R, units)."""
    patterns, stratum = np.unique(n.T > 0, axis=0, return_inverse=True)
    draws = np.zeros((replicates, n.shape[1]))
    for at in range(len(patterns)):
        members = np.flatnonzero(stratum == at)
        draws[:, members] = rng.multinomial(
            len(members), np.full(len(members), 1 / len(members)), size=replicates
        )
    return draws


def _shares(table: _Table, people: Floats, images: Floats | None) -> Floats:
    """Return share and log odds of each condition in each replicate, (2, R, conditions)."""
    parts = []
    for start in range(0, len(people), TOGETHER):
        some = slice(start, start + TOGETHER)
        drawn = None if images is None else images[some]
        parts.append(_counts(_drawn(table.hits, people[some], drawn), _drawn(table.n, people[some], drawn)))
    return np.concatenate(parts, axis=1)


def _drawn(counts: Floats, people: Floats, images: Floats | None) -> Floats:
    """Return the sums over drawn people and images, (R, conditions)."""
    if images is None:
        summed: Floats = people @ counts.sum(axis=2).T
        return summed
    return np.stack([((people @ of_condition) * images).sum(axis=1) for of_condition in counts], axis=1)


def _counts(hits: Floats, n: Floats) -> Floats:
    """Return shares and log odds; nan where a replicate drew nothing of a condition."""
    some = np.where(n > 0, n, np.nan)
    return np.stack([hits / some, np.log((hits + HALF) / (some - hits + HALF))])


def _cells(table: _Table, people: Floats) -> list[Cell]:
    cells = []
    for at, name in enumerate(table.names):
        n, hits = table.n[at], table.hits[at]
        seen = _interval(hits.sum() / n.sum(), people[0, :, at])
        n_people, n_images = (np.count_nonzero(n.sum(axis=axis)) for axis in (1, 0))
        cells.append(Cell(name, int(n.sum()), int(hits.sum()), int(n_people), int(n_images), seen))
    return cells


def _effect(contrast: Contrast, found: Floats, drawn: Floats) -> Effect:
    weights = np.array(contrast.weights)
    difference = _interval(float((found[0] @ weights)[0]), drawn[0] @ weights)
    odds = _interval(float((found[1] @ weights)[0]), drawn[1] @ weights)
    return Effect(contrast.name, difference, _exponential(odds))


def _interval(value: float, drawn: NDArray[Any]) -> Interval:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))


def _exponential(logs: Interval) -> Interval:
    low, value, high = np.exp([logs.low, logs.value, logs.high])
    return Interval(float(value), float(low), float(high))


def mixed_effects(answers: Answers) -> Mixed:
    """Return contrasts of the conditions by the mixed logistic model; raises ValueError where there is nothing.

    An odds ratio is that for one and the same participant and image, and so lies further from 1 than the ratio of
    the pooled odds. A difference compares the mean predicted shares of all answers under each condition.
    """
    main = answers.main
    names = _table(answers).names
    _, condition = np.unique(main.condition, return_inverse=True)
    participant, image = (
        np.unique(numbers, return_inverse=True)[1] for numbers in (main.participant, main.image)
    )
    found = mixed.fit(main.is_yes, condition, participant, image)
    effects = [_mixed_effect(one, found, participant, image) for one in contrasts(names)]
    return Mixed(effects, found.participant_sd, found.image_sd, found.has_converged)


def _mixed_effect(contrast: Contrast, found: mixed.Fit, participant: Ints, image: Ints) -> Effect:
    weights = np.array(contrast.weights)
    value, deviation = found.contrast(weights)
    odds = Interval(value, value - SURE * deviation, value + SURE * deviation)
    shares, slopes = found.predicted(participant, image)
    gradient = weights * slopes
    spread = SURE * float(np.sqrt(gradient @ found.covariance @ gradient))
    difference = float(weights @ shares)
    return Effect(
        contrast.name, Interval(difference, difference - spread, difference + spread), _exponential(odds)
    )
