"""Vary pictures of pixels: only places that change are visited, one picture after another in compiled code.

Source: paper, section 2.3; released code for crossover; `variation.py` says the same slowly, number by number. What
is sampled is the same, another way. Places that are hit independently at one rate lie at geometric gaps, so gaps are
drawn. A step from a whole level, rounded, is a whole number whose chances do not depend on the level, so steps are
drawn as whole numbers. Numbers that crossover left between two levels are computed one by one.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from evolution.chances import Chances, Stream, chances_of, drawn, stream_from, uniform
from evolution.parameters import DirectParameters
from evolution.variation import polynomial_step

Levels = npt.NDArray[np.uint8]

BEYOND = 255  # the outcome of `gaps` that says: none of the next 255 places is hit
HIGHEST = 255  # level; a step is an outcome of `steps` less that
HIGHEST_FLOAT = float(HIGHEST)


class Tables(NamedTuple):
    """What compiled code needs to cross and to mutate."""

    halves: Chances  # gaps at rate 1/2
    gaps: Chances  # at the rate of mutation
    steps: Chances
    crossover_eta: float
    mutation_rate: float
    mutation_eta: float


def vary_levels(
    levels: Levels, settings: DirectParameters, rate: float, rng: np.random.Generator
) -> tuple[Levels, npt.NDArray[np.bool_]]:
    """Return children of levels, (P, ...), mutated at `rate`, and which pairs of neighbours were crossed, (P // 2,).

    A pair is crossed with probability `settings.crossover_rate`; then each of its numbers is, with probability 1/2,
    by simulated binary crossover. Numbers are rounded to whole levels only when they have been mutated as well.
    """
    assert not settings.crossover_rate or len(levels) % 2 == 0
    children, eta = levels.copy(), float(settings.mutation_eta)
    crossed = rng.random(len(levels) // 2) < settings.crossover_rate
    tables = Tables(gaps(0.5), gaps(rate), steps(eta), float(settings.crossover_eta), float(rate), eta)
    _vary(children.reshape(len(children), -1), crossed, tables, stream_from(rng))
    return children, crossed


@lru_cache(maxsize=8)
def gaps(rate: float) -> Chances:
    """Return the chances of how many places are passed before one is hit; of 255 or more: `BEYOND`."""
    passed = [(1 - rate) ** count for count in range(BEYOND + 1)]
    return chances_of([*(rate * share for share in passed[:BEYOND]), passed[BEYOND]])


@lru_cache(maxsize=8)
def steps(eta: float) -> Chances:
    """Return the chances of steps from -255 to 255 levels, by polynomial mutation (Deb 2001, p. 124).

    A step exceeds x with probability (1 - x)^(eta + 1) / 2, and undercuts -x with the same.
    """
    exceeds = [(1 - min(1, (step - 0.5) / HIGHEST)) ** (eta + 1) / 2 for step in range(1, HIGHEST + 2)]
    rising = [more - most for more, most in zip(exceeds, [*exceeds[1:], 0.0], strict=True)][:HIGHEST]
    return chances_of([*reversed(rising), 1 - 2 * exceeds[0], *rising])


@njit(nogil=True, cache=True, error_model="numpy")
def _vary(pictures: Levels, crossed: npt.NDArray[np.bool_], tables: Tables, stream: Stream) -> None:
    """Cross neighbours in pictures, (P, N), where `crossed`, (P // 2,), says so, and mutate all, in place."""
    is_done = np.zeros(pictures.shape[1], np.bool_)
    for row in range(len(pictures)):
        if row % 2 == 0:
            is_done[:] = False
            if row // 2 < len(crossed) and crossed[row // 2]:
                _cross(pictures[row], pictures[row + 1], is_done, tables, stream)
        _mutate(pictures[row], is_done, tables.gaps, tables.steps, stream)


@njit(nogil=True, cache=True, error_model="numpy")
def _cross(first: Any, second: Any, is_done: Any, tables: Any, stream: Any) -> None:
    """Cross half of a pair's numbers, mutate those at the same rate as all, and mark their places as done.

    Equal numbers have equal children, so these are left to the mutation of the rest.
    """
    # Numbers are handed on one by one: a tuple of arrays costs as much again each time that it is handed on.
    halves, rate, eta = tables.halves, tables.mutation_rate, tables.mutation_eta
    exponent, place = 1 / (tables.crossover_eta + 1), 0
    while True:
        gap = drawn(halves, stream)
        place += gap
        if place >= len(first):
            return
        if gap == BEYOND:
            continue
        if first[place] != second[place]:
            draw = uniform(stream)
            spread = (2 * draw) ** exponent if draw <= 0.5 else (2 * (1 - draw)) ** -exponent
            middle = (np.float64(first[place]) + np.float64(second[place])) / 2
            reach = spread * (np.float64(first[place]) - middle)
            first[place] = _finished(middle + reach, rate, eta, stream)
            second[place] = _finished(middle - reach, rate, eta, stream)
            is_done[place] = True
        place += 1


@njit(nogil=True, inline="always")
def _finished(value: Any, rate: float, eta: float, stream: Any) -> Any:
    """Return the whole level of a number that lies between levels, mutated or not."""
    level = min(max(value, 0.0), HIGHEST_FLOAT)
    if uniform(stream) < rate:
        step = HIGHEST_FLOAT * polynomial_step(uniform(stream), eta)
        level = min(max(level + step, 0.0), HIGHEST_FLOAT)
    return np.uint8(level + 0.5)  # which cuts off what is left


@njit(nogil=True, cache=True, error_model="numpy")
def _mutate(levels: Any, is_done: Any, gaps: Any, steps: Any, stream: Any) -> None:
    """Mutate levels, (N,), in place, but for those that are done.

    One loop on purpose: a function that looks for the next place makes this take twice as long.
    """
    place = 0
    while True:
        gap = drawn(gaps, stream)
        place += gap
        if place >= len(levels):
            return
        if gap == BEYOND:
            continue
        if not is_done[place]:
            level = np.int64(levels[place]) + drawn(steps, stream) - HIGHEST
            levels[place] = min(max(level, 0), HIGHEST)
        place += 1
