"""Pixels varied by visiting only what changes: the same chances as number by number."""

import tracemalloc

import numpy as np
import pytest

from evolution.direct import DirectEncoding
from evolution.direct_variation import BEYOND, gaps, steps, vary_levels
from evolution.parameters import DirectParameters, Parameters
from evolution.variation import cross_simulated_binary, mutate_polynomially, polynomial_steps
from tests.evolution.test_chances import shares_in

PAPER = DirectParameters()
LARGE = Parameters(encoding="direct", channels=3, height=256, width=256)


def mutated(levels, rate, rng, settings=PAPER):
    return vary_levels(levels, settings, rate, rng)[0]


def crossing(**settings):
    return DirectParameters(crossover_rate=1, **settings)


def slowly_crossed_and_mutated(mothers, fathers, settings, rate, rng):
    """Do number by number, in floating point, what the kernel does by tables and gaps."""
    children = cross_simulated_binary(
        mothers / 255, fathers / 255, settings.crossover_rate, settings.crossover_eta, rng
    )[:2]
    return [
        np.rint(mutate_polynomially(child, rate, settings.mutation_eta, rng) * 255).astype(int)
        for child in children
    ]


def require_alike(found, expected):
    """Compare two samples of equal size of whole numbers by a chi-square test, six standard deviations wide."""
    least = min(found.min(), expected.min())
    counts = np.stack([np.bincount(sample.ravel() - least, minlength=800) for sample in (found, expected)])
    seen = counts.sum(axis=0)
    often = seen >= 20
    counts = np.column_stack([counts[:, often], counts[:, ~often].sum(axis=1)])
    seen = np.maximum(counts.sum(axis=0), 1)
    statistic, freedom = ((counts[0] - counts[1]) ** 2 / seen).sum(), counts.shape[1] - 1
    assert statistic < freedom + 6 * np.sqrt(2 * freedom) + 10


@pytest.mark.parametrize("eta", [0, 2, 15, 1000])
def test_steps_with_the_chances_of_the_polynomial(eta):
    """Draws at even distances stand for all: each counts one in 2 million."""
    draws = (np.arange(2_000_000) + 0.5) / 2_000_000
    expected = np.bincount(np.rint(255 * polynomial_steps(draws, eta)).astype(int) + 255, minlength=511)

    np.testing.assert_allclose(shares_in(steps(eta))[:511], expected / 2_000_000, atol=1e-6)


@pytest.mark.parametrize("rate", [0, 1e-7, 0.003, 0.1, 0.9, 1])
def test_passes_as_many_places_as_coins_of_that_rate_would(rate):
    shares = shares_in(gaps(rate))

    expected = [rate * (1 - rate) ** passed for passed in range(BEYOND)]
    np.testing.assert_allclose(shares[:BEYOND], expected, atol=1e-15)
    assert shares[BEYOND] == pytest.approx((1 - rate) ** 255)


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_mutates_a_level_as_its_twin_does(rng, level):
    levels = np.full((40, 1, 100, 100), level, np.uint8)

    found = mutated(levels, 0.3, rng)

    expected = np.rint(mutate_polynomially(levels / 255, 0.3, 15, rng) * 255).astype(int)
    require_alike(found.astype(int), expected)


@pytest.mark.parametrize("rate", [0, 1])
@pytest.mark.parametrize("pair", [(100, 140), (7, 8), (0, 255), (60, 60), (250, 20)])
def test_crosses_a_pair_as_its_twin_does(rng, pair, rate):
    """Compared are each child and, since both come from one draw, their sum."""
    settings, parents = crossing(mutation_rate=rate), np.empty((2, 1, 400, 500), np.uint8)
    parents[0], parents[1] = pair

    children, crossed = vary_levels(parents, settings, rate, rng)

    twins = slowly_crossed_and_mutated(parents[:1], parents[1:], settings, rate, rng)
    assert crossed.all()
    require_alike(children[0].astype(int), twins[0])
    require_alike(children[1].astype(int), twins[1])
    require_alike(children.astype(int).sum(axis=0), twins[0] + twins[1])


def test_mutates_crossed_numbers_at_the_rate_of_all(rng):
    settings, parents = crossing(), np.empty((2, 1, 400, 500), np.uint8)
    parents[0], parents[1] = 90, 131

    children, _ = vary_levels(parents, settings, 0.1, rng)

    twins = slowly_crossed_and_mutated(parents[:1], parents[1:], settings, 0.1, rng)
    require_alike(children.astype(int).sum(axis=0), twins[0] + twins[1])


@pytest.mark.parametrize("rate", [0.1, 0.1 / 2**5, 0.1 / 2**14])
def test_hits_places_independently_at_the_rate(rng, rate):
    """Of how many are hit in a picture, mean and variance are those of coins; no place is favoured."""
    chance = rate * (1 - shares_in(steps(15))[255])  # that a level is hit and leaves 128
    levels = np.full((400, 20_000), 128, np.uint8)

    changed = mutated(levels, rate, rng) != 128

    hits, expected = changed.sum(axis=1), chance * 20_000
    assert hits.mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / 400))
    assert hits.var() == pytest.approx(expected * (1 - chance), rel=0.4)
    neighbours = (changed[:, 1:] & changed[:, :-1]).sum()
    assert neighbours == pytest.approx(chance**2 * 8e6, abs=5 * np.sqrt(chance**2 * 8e6) + 2)
    halves = changed[:, :10_000].sum(), changed[:, 10_000:].sum()
    assert abs(int(halves[0]) - int(halves[1])) < 5 * np.sqrt(expected * 400)


def test_reaches_the_first_place_and_the_last(rng):
    changed = mutated(np.full((3000, 3), 128, np.uint8), 0.5, rng) != 128

    np.testing.assert_allclose(changed.mean(axis=0), 0.5 * (1 - shares_in(steps(15))[255]), atol=0.05)


def test_keeps_levels_within_their_range(rng):
    """Half of the steps from either end lead outside, and end at it."""
    levels = np.repeat(np.array([[0], [255]], np.uint8), 50_000, axis=1)

    children = mutated(levels, 1, rng, DirectParameters(mutation_eta=2))

    assert ((children == levels).mean(axis=1) > 0.5).all()
    assert children[0].max() > 200  # and no step from 0 upwards comes out at the other end
    assert (children[0] > 230).mean() < 0.01


def test_leaves_the_parents_alone(rng):
    levels = rng.integers(0, 256, (4, 3, 20, 20), dtype=np.uint8)
    before = levels.copy()

    vary_levels(levels, crossing(), 1, rng)

    np.testing.assert_array_equal(levels, before)


def test_mutates_an_odd_picture_out_of_pairs(rng):
    children = mutated(np.full((3, 1, 50, 50), 128, np.uint8), 1, rng)

    assert ((children != 128).mean(axis=(1, 2, 3)) > 0.9).all()


@pytest.mark.parametrize("settings", [PAPER, crossing()], ids=["paper", "crossing"])
def test_follows_from_its_generator_alone(settings):
    levels = np.random.default_rng(0).integers(0, 256, (4, 3, 20, 20), dtype=np.uint8)

    once, again, other = (
        vary_levels(levels, settings, 0.1, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize("settings", [PAPER, crossing()], ids=["paper", "crossing"])
def test_goes_on_from_a_generator_that_was_written_down(settings):
    """Nothing but the generator's state lies between two generations."""
    levels = np.random.default_rng(0).integers(0, 256, (4, 3, 20, 20), dtype=np.uint8)
    rng = np.random.Generator(np.random.PCG64(1))
    vary_levels(levels, settings, 0.1, rng)
    written = np.random.Generator(np.random.PCG64(2))
    written.bit_generator.state = rng.bit_generator.state

    here, there = (vary_levels(levels, settings, 0.1, generator)[0] for generator in (rng, written))

    np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("fidelity", ["paper", "released-code"])
def test_takes_little_more_memory_than_the_children(rng, fidelity):
    encoding = DirectEncoding(
        LARGE.replaced(direct=Parameters.for_fidelity(fidelity, encoding="direct").direct)
    )
    parents = encoding.random(20, rng)
    encoding.vary(parents.take(np.arange(2)), 1, rng)
    tracemalloc.start()

    encoding.vary(parents, 1, rng)

    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1.1 * parents.levels.nbytes
