"""Operators on numbers of the unit interval: polynomial mutation and simulated binary crossover.

Pure functions of arrays and a random generator. The gene that a person thinks of (a weight, a grey value) is
mapped to [0, 1] by its encoding before and back after. Runs compute the same in compiled code, with
`polynomial_step`; what works on whole arrays here says it slowly, so that tests may compare.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


def polynomial_steps(draws: Floats, eta: float) -> Floats:
    """Return the steps of polynomial mutation for uniform draws in [0, 1), both of any shape (...).

    Deb 2001, p. 124: delta = (2u)^(1/(eta+1)) - 1 where u < 1/2, else 1 - (2(1-u))^(1/(eta+1)).
    """
    exponent = 1 / (eta + 1)
    rising = (2 * draws) ** exponent - 1
    falling = 1 - (2 * (1 - draws)) ** exponent
    return np.where(draws < 0.5, rising, falling)


@njit(nogil=True, inline="always")
def polynomial_step(draw: Any, eta: float) -> float:
    """Return one step as `polynomial_steps` does, in compiled code."""
    if draw < 0.5:
        return float((2 * draw) ** (1 / (eta + 1)) - 1)
    return float(1 - (2 * (1 - draw)) ** (1 / (eta + 1)))


def mutate_polynomially(values: Floats, rate: float, eta: float, rng: np.random.Generator) -> Floats:
    """Return a copy of values in [0, 1], each stepped with probability `rate` and clipped to [0, 1].

    values and the result have the same shape (...). Paper, section 2.3; released code.
    """
    mutated, chosen = values.copy(), rng.random(values.shape) < rate
    steps = polynomial_steps(rng.random(int(chosen.sum())), eta)
    mutated[chosen] = np.clip(values[chosen] + steps, 0, 1)
    return mutated


def cross_simulated_binary(
    mothers: Floats, fathers: Floats, rate: float, eta: float, rng: np.random.Generator
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return two children for each pair of parents, and which pairs were crossed, (B,).

    mothers and fathers are (B, ...) in [0, 1]. A pair is crossed with probability `rate`; then each of its numbers
    is, with probability 1/2 (Deb and Agrawal 1995: the children's mean stays the parents'; clipped to [0, 1]).
    """
    assert mothers.shape == fathers.shape
    crossed = rng.random(len(mothers)) < rate
    draws = rng.random(mothers.shape)
    exponent = 1 / (eta + 1)
    spread = np.where(draws <= 0.5, (2 * draws) ** exponent, (2 * (1 - draws)) ** -exponent)
    swapped = crossed.reshape(-1, *[1] * (mothers.ndim - 1)) & (rng.random(mothers.shape) < 0.5)
    spread = np.where(swapped, spread, 1.0)  # 1 leaves a number as it is
    middle, half_gap = (mothers + fathers) / 2, (mothers - fathers) / 2
    first, second = middle + spread * half_gap, middle - spread * half_gap
    return np.clip(first, 0, 1), np.clip(second, 0, 1), crossed
