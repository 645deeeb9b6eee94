"""A mixed logistic model: a fixed effect for each condition, random ones for every participant and every image.

    logit P(y = 1) = b[condition] + u[participant] + v[image],  u ~ N(0, s_u^2), v ~ N(0, s_v^2), b ~ N(0, 2^2)

Participants and images are crossed: everybody sees many images and every image is seen by many. The spreads are found
by expectation-maximisation, the effects as the mode given them, and their uncertainty from the curvature there over
*all* effects together (Laplace's approximation; the scheme of Breslow and Clayton 1993 with Gaussian priors). That
takes the random effects' uncertainty into the fixed ones', which a mean-field variational fit of the same model does
not: its intervals came out half as wide as they should be. What is left out is that the spreads are themselves
estimated, so that intervals are a little too narrow where there are few participants or few images.
"""

from dataclasses import dataclass

import numpy as np

from fooling_web.studies.answers import Bools, Floats, Ints

PRIOR_SD = 2.0  # of a condition's logit: 95 % of the prior between 2 % and 98 %
MOST_STEPS = 300
TOLERANCE = 1e-4  # of the spreads
LONGEST_STEP = 2.0  # on the scale of logits
LEAST_SPREAD = 1e-2


@dataclass(frozen=True, eq=False)
class Fit:
    """What a mixed logistic model finds."""

    conditions: Floats  # logit of each condition, at an average participant and image
    covariance: Floats  # of these
    participants: Floats
    images: Floats
    participant_sd: float
    image_sd: float
    has_converged: bool

    def contrast(self, weights: Floats) -> tuple[float, float]:
        """Return a contrast of conditions on the scale of logits, and its standard deviation."""
        value, variance = weights @ self.conditions, weights @ self.covariance @ weights
        return float(value), float(np.sqrt(variance))

    def predicted(self, participant: Ints, image: Ints) -> tuple[Floats, Floats]:
        """Return the mean share of hits had all these answers been given in each condition, and its slope."""
        others = self.participants[participant] + self.images[image]
        shares = sigmoid(self.conditions[:, None] + others)  # (conditions, answers)
        slopes = shares * (1 - shares)
        return _means(shares), _means(slopes)


def fit(hits: Bools, condition: Ints, participant: Ints, image: Ints) -> Fit:
    """Fit the model to single answers; the three indices of each answer count from 0 without gaps."""
    sizes = [int(index.max()) + 1 for index in (condition, participant, image)]
    places = np.stack([condition, participant + sizes[0], image + sizes[0] + sizes[1]])
    blocks = np.repeat([0, 1, 2], sizes)
    effects = np.zeros(len(blocks))
    spreads = np.array([PRIOR_SD, 1.0, 1.0])
    has_converged = False
    for _ in range(MOST_STEPS):
        effects, covariance = _step(effects, spreads[blocks], hits, places)
        wanted = _spreads(effects, covariance, blocks)
        has_converged = bool(np.abs(wanted - spreads).max() < TOLERANCE)
        spreads = wanted
        if has_converged:
            break
    b, u, v = (effects[blocks == block] for block in range(3))
    of_conditions = covariance[: sizes[0], : sizes[0]]
    return Fit(b, of_conditions, u, v, float(spreads[1]), float(spreads[2]), has_converged)


def _step(effects: Floats, spread: Floats, hits: Bools, places: Ints) -> tuple[Floats, Floats]:
    """Take one damped Newton step towards the mode; return it and the covariance by the curvature before it."""
    expected = sigmoid(effects[places].sum(axis=0))
    gradient = _summed(places, hits - expected, len(effects)) - effects / spread**2
    curvature = _curvature(places, expected * (1 - expected), spread)
    covariance = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    step = covariance @ gradient
    return effects + step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-12)), covariance


def _summed(places: Ints, values: Floats, n: int) -> Floats:
    """Return for each effect the sum of the values of the answers that it takes part in."""
    return np.asarray(sum(np.bincount(place, weights=values, minlength=n) for place in places))


def _curvature(places: Ints, weights: Floats, spread: Floats) -> Floats:
    """Return minus the second derivatives of the log posterior, (n, n): sums of weights over shared answers."""
    n = len(spread)
    matrix: Floats = np.diag(1 / spread**2)
    for one in places:
        for other in places:
            matrix += np.bincount(one * n + other, weights=weights, minlength=n * n).reshape(n, n)
    return matrix


def _spreads(effects: Floats, covariance: Floats, blocks: Ints) -> Floats:
    """Return the spreads that expectation-maximisation wants: root of mean square plus mean variance."""
    squares = effects**2 + np.diag(covariance)
    found = [float(np.sqrt(squares[blocks == block].mean())) for block in (1, 2)]
    return np.maximum([PRIOR_SD, *found], LEAST_SPREAD)


def _means(rows: Floats) -> Floats:
    return np.asarray(rows.mean(axis=1), dtype=np.float64)


def sigmoid(logit: Floats) -> Floats:
    """Return the probabilities of logits."""
    return 1 / (1 + np.exp(-logit))
