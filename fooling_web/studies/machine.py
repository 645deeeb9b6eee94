"""People against the classifier: how often each is right, whether they err on the same images, who knows when.

The measures are those of Geirhos and others (2020, "Beyond accuracy"). They need images with a true label, about
which the classifier was asked: natural ones. An evolved image has no true label, and so nobody is right about it; how
far people follow the classifier there is what `plane` shows.
"""

from dataclasses import dataclass

import numpy as np

from fooling_web.studies import measures
from fooling_web.studies.answers import NOT_ASKED, Answers, Bools, Floats, Ints
from fooling_web.studies.design import Task
from fooling_web.studies.models import Trial

COMPARABLE = (Task.CHOOSE_LABEL, Task.NAME_THEN_CHOOSE, Task.PICK_IMAGE)  # where people name what they see


@dataclass(frozen=True)
class Against:
    """One participant against the classifier, on the images that this participant saw."""

    participant: int
    n: int
    person: float  # share right
    machine: float  # share right
    observed: float  # share of images where both are right or both wrong
    by_chance: float  # the same, were they independent
    kappa: float


@dataclass(frozen=True)
class AgainstMachine:
    """All participants against the classifier."""

    role: str  # of the images: main, or catch where no main image is natural
    n_images: int
    rows: list[Against]
    person: float  # mean share right
    machine: float  # mean share right
    difference: float  # (p_h - p_m)^2
    observed: float  # mean
    kappa: float  # mean over participants
    kappa_low: float  # 95 %, over participants, for these images
    kappa_high: float
    among_people: float | None  # mean kappa of two participants


def error_consistency(person: Floats, machine: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """Return kappa and the consistency by chance, from both accuracies and the observed consistency.

    c_exp = p_h p_m + (1 - p_h) (1 - p_m); kappa = (c_obs - c_exp) / (1 - c_exp), and 1 where c_obs is 1.
    """
    by_chance = person * machine + (1 - person) * (1 - machine)
    is_same = np.isclose(observed, 1)
    kappa = np.where(is_same, 1.0, (observed - by_chance) / np.where(is_same, 1.0, 1 - by_chance))
    return kappa, by_chance


def against_machine(answers: Answers) -> AgainstMachine | None:
    """Compare people with the classifier; None where no image has a true label about which it was asked."""
    compared = _comparable(answers)
    if compared is None:
        return None
    rows = _rows(compared)
    kappas = np.array([row.kappa for row in rows])
    low, high = mean_interval(kappas)
    person, machine = (float(np.mean([getattr(row, name) for row in rows])) for name in ("person", "machine"))
    return AgainstMachine(
        role=str(compared.role[0]),
        n_images=len(np.unique(compared.image)),
        rows=rows,
        person=person,
        machine=machine,
        difference=(person - machine) ** 2,
        observed=float(np.mean([row.observed for row in rows])),
        kappa=float(kappas.mean()),
        kappa_low=low,
        kappa_high=high,
        among_people=_among_people(compared),
    )


def _comparable(answers: Answers) -> Answers | None:
    """Return responses to natural images about which the classifier was asked: main trials, else catch trials."""
    if answers.task not in COMPARABLE:
        return None
    for role in (Trial.Role.MAIN, Trial.Role.CATCH):
        of_role = answers.of_role(role)
        images, at = of_role.images, of_role.image_at
        is_comparable = images.is_natural[at] & (images.machine_is_right[at] != NOT_ASKED) & of_role.has_key
        if is_comparable.any():
            return of_role.only(is_comparable)
    return None


def _rows(compared: Answers) -> list[Against]:
    numbers, group = np.unique(compared.participant, return_inverse=True)
    right = compared.is_right
    machine_right = compared.images.machine_is_right[compared.image_at] == 1
    n = np.bincount(group)
    person, machine, observed = (
        np.bincount(group, weights=what) / n for what in (right, machine_right, right == machine_right)
    )
    kappa, by_chance = error_consistency(person, machine, observed)
    columns = (numbers, n, person, machine, observed, by_chance, kappa)
    return [
        Against(int(number), int(count), *(float(value) for value in values))
        for number, count, *values in zip(*columns, strict=True)
    ]


def mean_interval(values: Floats) -> tuple[float, float]:
    """Return Student's 95 % interval of a mean over participants; nan for fewer than two."""
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    reach = stdtrit(n - 1, (1 + measures.LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n)
    return float(values.mean() - reach), float(values.mean() + reach)


def _among_people(compared: Answers) -> float | None:
    """Return the mean error consistency of every two participants, on the images that both saw; None if alone."""
    n_people, n_images = len(compared.people.number), len(compared.images.number)
    right, wrong = (np.zeros((n_people, n_images)) for _ in range(2))
    right[compared.person_at, compared.image_at] = compared.is_right
    wrong[compared.person_at, compared.image_at] = ~compared.is_right
    seen = right + wrong
    shared = seen @ seen.T
    pairs = np.triu(shared > 0, k=1)
    if not pairs.any():
        return None
    n = shared[pairs]
    one, other = (right @ seen.T)[pairs] / n, (seen @ right.T)[pairs] / n
    observed = (right @ right.T + wrong @ wrong.T)[pairs] / n
    return float(error_consistency(one, other, observed)[0].mean())


@dataclass(frozen=True)
class Bin:
    """Judgements of about the same sureness, and how many of them were right."""

    low: float  # of sureness, from 0 to 1
    high: float
    sureness: float  # mean of those in here
    right: measures.Share


@dataclass(frozen=True)
class Calibration:
    """How sure against how often right; only bins with anything in them."""

    n: int
    bins: list[Bin]
    error: float  # expected calibration error
    mean_sureness: float
    mean_right: float

    @property
    def overconfidence(self) -> float:
        """How much surer than right, on average."""
        return self.mean_sureness - self.mean_right


def calibrated(sureness: Floats, right: Bools, n_bins: int = 10) -> Calibration | None:
    """Return the calibration curve in even bins, the last one closed; None where there is nothing.

    The expected calibration error is sum_b n_b / N |share right in b - mean sureness in b| (Naeini and others 2015).
    """
    if not len(sureness):
        return None
    at: Ints = np.minimum((sureness * n_bins).astype(np.int64), n_bins - 1)
    n = np.bincount(at, minlength=n_bins)
    sure = np.bincount(at, weights=sureness, minlength=n_bins) / np.maximum(n, 1)
    shares = measures.shares_by(at, right, np.zeros(len(at)), [str(one) for one in range(n_bins)])
    bins = [Bin(one / n_bins, (one + 1) / n_bins, float(sure[one]), shares[one]) for one in np.flatnonzero(n)]
    error = sum(one.right.n * abs(one.right.value - one.sureness) for one in bins) / len(sureness)
    return Calibration(len(sureness), bins, float(error), float(sureness.mean()), float(right.mean()))


def calibration_of_people(answers: Answers, *, is_natural: bool | None = None) -> Calibration | None:
    """Return how well people know when they are right, over main trials with a right answer and a sureness.

    With `is_natural`, over natural or evolved images alone.
    """
    main = answers.main
    wanted = main.has_key & ~np.isnan(main.sureness)
    if is_natural is not None:
        wanted &= main.images.is_natural[main.image_at] == is_natural
    judged = main.only(wanted)
    return calibrated(judged.sureness / 100, judged.is_right)


def calibration_of_machine(answers: Answers) -> Calibration | None:
    """Return how well the classifier knows when it is right, over the study's natural main images."""
    images = answers.images
    wanted = images.is_natural & (images.machine_is_right != NOT_ASKED) & ~np.isnan(images.machine_confidence)
    wanted &= images.role == Trial.Role.MAIN
    return calibrated(images.machine_confidence[wanted], images.machine_is_right[wanted] == 1)
