"""How far people agree with one another about the images, beyond what chance would give.

Agreement is by label and never by place: the order of options differs between participants. Both measures leave out
answers that came too late and images with fewer than two answers. Where foils differ from trial to trial, people are
not offered the same labels; then agreement is bounded by what they were offered, and says little by itself.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from fooling_web.studies.answers import NONE, Answers, Ints


@dataclass(frozen=True)
class Agreement:
    """Agreement among raters; None where it is not defined."""

    fleiss: float | None
    krippendorff: float | None
    n_images: int
    n_raters: int
    n_ratings: int
    least_raters: int  # of an image
    most_raters: int


def ratings(answers: Answers) -> Ints:
    """Return how often each label was chosen for each main image, (images with two answers or more, labels)."""
    main = answers.main
    given = main.only(main.chosen != NONE)
    n_images, n_labels = len(answers.images.number), len(answers.labels)
    cells = np.bincount(given.image_at * n_labels + given.chosen, minlength=n_images * n_labels)
    counts: Ints = cells.reshape(n_images, n_labels)
    several: Ints = counts[counts.sum(axis=1) >= 2]
    return several


def agreement_of(answers: Answers) -> Agreement:
    """Return how far people agree about the main images."""
    counts = ratings(answers)
    raters = counts.sum(axis=1)
    return Agreement(
        fleiss=fleiss_kappa(counts),
        krippendorff=krippendorff_alpha(counts),
        n_images=len(counts),
        n_raters=len(np.unique(answers.main.participant)),
        n_ratings=int(raters.sum()),
        least_raters=int(raters.min()) if len(raters) else 0,
        most_raters=int(raters.max()) if len(raters) else 0,
    )


def fleiss_kappa(counts: Ints) -> float | None:
    """Return Fleiss' kappa (1971) of how often each of N images (rows) got each label (columns).

    With n_i raters of image i, P_i = (sum_j n_ij^2 - n_i) / (n_i (n_i - 1)), and p_j the share of label j among all
    ratings: kappa = (mean P_i - sum p_j^2) / (1 - sum p_j^2). With the same number of raters everywhere this is the
    published formula; images with more or fewer raters enter by their own n_i. None where everything has one label.
    """
    if not len(counts):
        return None
    raters = counts.sum(axis=1)
    by_image = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    by_label = counts.sum(axis=0) / counts.sum()
    by_chance = float((by_label**2).sum())
    if np.isclose(by_chance, 1):
        return None
    return float((by_image.mean() - by_chance) / (1 - by_chance))


def krippendorff_alpha(counts: Ints) -> float | None:
    """Return Krippendorff's alpha (2011) for nominal data, which allows for any number of ratings of an image."""
    from krippendorff import alpha

    if not len(counts) or np.count_nonzero(counts.sum(axis=0)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return float(alpha(value_counts=counts, level_of_measurement="nominal"))
