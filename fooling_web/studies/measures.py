"""Accuracy with exact intervals, confusion, entropy, reaction times and consistency of what people answered.

Zhou and Firestone's "humans above chance" counted means above chance, which is inflated: half of those who guess lie
above it. So every share here has its exact interval (Clopper and Pearson 1934), and is above chance only where the
whole interval is. All functions take answers from which the excluded are gone (`exclusions.kept`) and count main
trials alone; answers that came too late count as not right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fooling_web.studies.answers import NONE, Answers, Bools, Floats, Ints
from fooling_web.studies.design import Task
from fooling_web.studies.models import Trial

LEVEL = 0.95  # of every interval


@dataclass(frozen=True)
class Share:
    """So many of so many, with the exact interval of the share behind them."""

    name: str
    n: int
    hits: int
    low: float
    high: float
    chance: float

    @property
    def value(self) -> float:
        """The share; nan where there is nothing."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def is_above(self) -> bool:
        """Whether the whole interval lies above chance."""
        return self.n > 0 and self.low > self.chance

    @property
    def is_below(self) -> bool:
        """Whether the whole interval lies below chance."""
        return self.n > 0 and self.high < self.chance

    @property
    def has_mean_above(self) -> bool:
        """Whether the bare share lies above chance, as is often reported."""
        return self.n > 0 and self.value > self.chance


def exact_interval(hits: Ints | int, n: Ints | int, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the two-sided interval of Clopper and Pearson (1934); from 0 to 1 where there is nothing.

    Its ends are quantiles of beta distributions: low = B(a/2; k, n-k+1), high = B(1-a/2; k+1, n-k).
    """
    from scipy.special import betaincinv

    k, total = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    tail = (1 - level) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), total - k + 1, tail), 0.0)
    high = np.where(k < total, betaincinv(k + 1, np.maximum(total - k, 1), 1 - tail), 1.0)
    return low, high


def share(name: str, hits: int, n: int, chance: float = 0.0) -> Share:
    """Return one share with its exact interval."""
    low, high = exact_interval(hits, n)
    return Share(name, int(n), int(hits), float(low), float(high), float(chance))


def shares_by(group: Ints, hits: Bools, chance: Floats, names: Sequence[str]) -> list[Share]:
    """Return the share of hits in each group; those without any response too."""
    n_groups = len(names)
    n = np.bincount(group, minlength=n_groups)
    k = np.bincount(group, weights=hits, minlength=n_groups).astype(np.int64)
    guessed = np.bincount(group, weights=chance, minlength=n_groups) / np.maximum(n, 1)
    low, high = exact_interval(k, n)
    return [
        Share(name, int(n[at]), int(k[at]), float(low[at]), float(high[at]), float(guessed[at]))
        for at, name in enumerate(names)
    ]


@dataclass(frozen=True)
class Accuracy:
    """Accuracies of one kind: of each participant, image, class, condition, or of all together."""

    rows: list[Share]

    @property
    def counted(self) -> list[Share]:
        """The rows that have any response."""
        return [row for row in self.rows if row.n]

    @property
    def n_above(self) -> int:
        """How many lie above chance with their whole interval."""
        return sum(row.is_above for row in self.rows)

    @property
    def share_above(self) -> float:
        """The share of rows above chance with their whole interval; nan where there is none."""
        return self.n_above / len(self.counted) if self.counted else float("nan")

    @property
    def share_mean_above(self) -> float:
        """The share of rows whose bare mean is above chance: the inflated number, for comparison."""
        counted = self.counted
        return sum(row.has_mean_above for row in counted) / len(counted) if counted else float("nan")


def _keyed(answers: Answers) -> tuple[Answers, Bools, Floats]:
    """Return the main responses to something right or wrong, what was right, and how often guessing is right."""
    main = answers.main
    keyed = main.only(main.has_key)
    chance = 1 / np.maximum(keyed.n_options, 1)
    return keyed, keyed.is_right, chance


def overall(answers: Answers) -> Share:
    """Return the accuracy of all together; its interval takes responses as independent of one another."""
    keyed, right, chance = _keyed(answers)
    return share("all", int(right.sum()), len(keyed), float(chance.mean()) if len(keyed) else 0.0)


def by_participant(answers: Answers) -> Accuracy:
    """Return the accuracy of each participant, by number."""
    keyed, right, chance = _keyed(answers)
    names = [str(number) for number in answers.people.number]
    return Accuracy(shares_by(keyed.person_at, right, chance, names))


def by_image(answers: Answers) -> Accuracy:
    """Return the accuracy at each main image, by number."""
    keyed, right, chance = _keyed(answers)
    numbers = answers.images.number
    every = shares_by(keyed.image_at, right, chance, [str(number) for number in numbers])
    is_main = answers.images.role == Trial.Role.MAIN
    return Accuracy([row for row, wanted in zip(every, is_main, strict=True) if wanted])


def by_class(answers: Answers) -> Accuracy:
    """Return the accuracy at the images of each label."""
    keyed, right, chance = _keyed(answers)
    labels, at = np.unique(answers.images.label, return_inverse=True)
    every = shares_by(at[keyed.image_at], right, chance, [str(label) for label in labels])
    return Accuracy([row for row in every if row.n])


def by_condition(answers: Answers) -> Accuracy:
    """Return the accuracy in each condition of the comparison; nothing where nothing is compared."""
    keyed, right, chance = _keyed(answers)
    names, at = np.unique(keyed.condition, return_inverse=True)
    every = shares_by(at, right, chance, [str(name) for name in names])
    return Accuracy([row for row in every if row.name])


def yes_by_image(answers: Answers) -> Accuracy:
    """Return for each main image how many see it as its label has it (`Answers.is_yes`)."""
    main = answers.main
    every = shares_by(
        main.image_at, main.is_yes, main.chance, [str(number) for number in answers.images.number]
    )
    is_main = answers.images.role == Trial.Role.MAIN
    return Accuracy([row for row, wanted in zip(every, is_main, strict=True) if wanted])


def yes_by_condition(answers: Answers) -> Accuracy:
    """Return the share of `Answers.is_yes` in each condition, which is there for evolved images too."""
    main = answers.main
    names, at = np.unique(main.condition, return_inverse=True)
    every = shares_by(at, main.is_yes, main.chance, [str(name) for name in names])
    return Accuracy([row for row in every if row.name])


@dataclass(frozen=True)
class Confusion:
    """How often what was chosen for what: rows are what the image is, columns what was chosen."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: list[list[int]]
    late: list[int]  # of each row: no answer in time

    @property
    def totals(self) -> list[int]:
        """Of each column: how often it was chosen at all."""
        return [sum(row[at] for row in self.counts) for at in range(len(self.columns))]


def confusion(answers: Answers) -> Confusion:
    """Count what was chosen for what, over labels, images picked by a label, or judgements alike."""
    main = answers.main
    names = _what_it_is(main)
    rows, row = np.unique(names, return_inverse=True)
    given = main.chosen != NONE
    in_use = np.unique(np.concatenate([main.chosen[given], _label_ids(answers, rows)]))
    column = np.searchsorted(in_use, main.chosen[given])
    size = (len(rows), len(in_use))
    counts = np.bincount(row[given] * size[1] + column, minlength=size[0] * size[1]).reshape(size)
    late = np.bincount(row[~given], minlength=size[0])
    return Confusion(
        rows=tuple(str(name) for name in rows),
        columns=tuple(answers.labels[at] for at in in_use),
        counts=counts.tolist(),
        late=late.tolist(),
    )


def _what_it_is(main: Answers) -> np.ndarray:
    """Return for each response what stands for its image: its label, or what kind of image it is."""
    natural = main.images.is_natural[main.image_at]
    if main.task == Task.RECOGNISABLE:
        return np.where(natural, "natural", "evolved")
    if main.task == Task.RIGHT_OR_WRONG:
        right = main.images.machine_is_right[main.image_at] == 1
        return np.where(natural, np.where(right, "machine is right", "machine is wrong"), "evolved")
    return main.images.label[main.image_at]


def _label_ids(answers: Answers, rows: np.ndarray) -> Ints:
    """Return the rows that are labels too, so that every label has its column beside its row."""
    known = {label: index for index, label in enumerate(answers.labels)}
    return np.array([known[name] for name in rows if name in known], dtype=np.int64)


def entropy(counts: np.ndarray) -> float:
    """Return the entropy of a distribution in bits (Shannon 1948); 0 where there is nothing."""
    total = counts.sum()
    if not total:
        return 0.0
    shares = counts[counts > 0] / total
    return float(-(shares * np.log2(shares)).sum()) + 0.0


@dataclass(frozen=True)
class Entropy:
    """How evenly answers are spread over labels: 0 bits where all are the same, log2(n) where all are as frequent."""

    bits: float  # over all responses
    most: float  # log2 of how many labels were in use
    by_image: dict[int, float]  # of each main image with responses, by number


def response_entropy(answers: Answers) -> Entropy:
    """Return the entropy of what was chosen, over all and for each image (Geirhos and others 2018)."""
    main = answers.main
    given = main.only(main.chosen != NONE)
    n_images, n_labels = len(answers.images.number), max(len(answers.labels), 1)
    cells = np.bincount(given.image_at * n_labels + given.chosen, minlength=n_images * n_labels)
    counts = cells.reshape(n_images, n_labels)
    in_use = len(confusion(answers).columns)
    return Entropy(
        bits=entropy(counts.sum(axis=0)),
        most=float(np.log2(in_use)) if in_use else 0.0,
        by_image={
            int(answers.images.number[at]): entropy(counts[at]) for at in np.flatnonzero(counts.sum(axis=1))
        },
    )


@dataclass(frozen=True)
class Times:
    """Reaction times in milliseconds of one group of responses."""

    name: str
    n: int
    median: float
    lower: float  # quartile
    upper: float  # quartile
    n_late: int


def reaction_times(answers: Answers) -> list[Times]:
    """Return reaction times of all main trials, of right and other answers, and of each condition."""
    main = answers.main
    parts = [("all", np.ones(len(main), dtype=np.bool_))]
    if main.has_key.any():
        parts += [("right", main.is_right), ("not right", main.has_key & ~main.is_right)]
    parts += [(str(name), main.condition == name) for name in np.unique(main.condition) if name]
    return [_times(name, main.rt_ms[wanted]) for name, wanted in parts]


def _times(name: str, rt_ms: Floats) -> Times:
    given = rt_ms[~np.isnan(rt_ms)]
    n_late = len(rt_ms) - len(given)
    if not len(given):
        return Times(name, 0, float("nan"), float("nan"), float("nan"), n_late)
    lower, median, upper = np.quantile(given, [0.25, 0.5, 0.75])
    return Times(name, len(given), float(median), float(lower), float(upper), n_late)


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each bin; the last bin holds everything beyond, too."""

    edges: list[float]
    counts: list[int]


def reaction_histogram(answers: Answers, step_ms: float = 250, n_bins: int = 20) -> Histogram:
    """Count the reaction times of main trials in even steps."""
    rt_ms = answers.main.rt_ms
    bins = np.minimum(rt_ms[~np.isnan(rt_ms)] // step_ms, n_bins - 1).astype(np.int64)
    edges = [float(at * step_ms) for at in range(n_bins + 1)]
    return Histogram(edges, np.bincount(bins, minlength=n_bins).tolist())


def consistency(answers: Answers) -> Share:
    """Return how often a repeated image got the same label (or judgement) as the first time.

    Chance is what two independent draws from one person's guesses give: one in so many options. A pair counts
    where both answers came in time.
    """
    first = answers.main
    again = answers.of_role(Trial.Role.REPEAT)
    width = int(answers.images.number.max(initial=0)) + 1
    before, at = np.unique(first.participant * width + first.image, return_index=True)
    after = again.participant * width + again.image
    place = np.minimum(np.searchsorted(before, after), max(len(before) - 1, 0))
    if not len(before) or not len(after):
        return share("repeats", 0, 0)
    earlier = first.chosen[at[place]]
    paired = (before[place] == after) & (earlier != NONE) & (again.chosen != NONE)
    same = paired & (earlier == again.chosen)
    chance = 1 / np.maximum(again.n_options[paired], 1)
    return share("repeats", int(same.sum()), int(paired.sum()), float(chance.mean()) if paired.any() else 0.0)
