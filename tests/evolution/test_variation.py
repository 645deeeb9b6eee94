"""Polynomial mutation and simulated binary crossover on the unit interval."""

import numpy as np
import pytest

from evolution.variation import cross_simulated_binary, mutate_polynomially, polynomial_steps


def test_steps_as_worked_out_by_hand():
    """With eta 15 the exponent is 1/16: 0.5^(1/16) = 0.957603, so the quarter and its mirror step by 0.042397."""
    steps = polynomial_steps(np.array([0, 0.25, 0.5, 0.75]), 15)

    np.testing.assert_allclose(steps, [-1, -0.0423967, 0, 0.0423967], atol=1e-7)


def test_steps_evenly_where_eta_is_zero():
    """With exponent 1 the step is 2u - 1."""
    draws = np.linspace(0, 0.99, 12)

    np.testing.assert_allclose(polynomial_steps(draws, 0), 2 * draws - 1)


def test_never_steps_further_than_the_whole_interval(rng):
    steps = polynomial_steps(rng.random(10_000), 15)

    assert np.abs(steps).max() <= 1


def test_changes_nothing_at_rate_zero(rng):
    values = rng.random((5, 7))

    np.testing.assert_array_equal(mutate_polynomially(values, 0, 15, rng), values)


def test_changes_everything_at_rate_one(rng):
    values = rng.uniform(0.4, 0.6, 1000)

    assert (mutate_polynomially(values, 1, 15, rng) != values).all()


def test_changes_as_many_as_the_rate_says(rng):
    values = np.full(100_000, 0.5)

    changed = (mutate_polynomially(values, 0.1, 15, rng) != values).mean()

    assert changed == pytest.approx(0.1, abs=0.005)


def test_leaves_the_given_values_alone(rng):
    values = np.full(100, 0.5)

    mutate_polynomially(values, 1, 15, rng)

    assert (values == 0.5).all()


def test_stays_within_the_interval(rng):
    values = np.repeat([0.0, 1.0], 5000)

    mutated = mutate_polynomially(values, 1, 2, rng)

    assert (mutated.min(), mutated.max()) == (0, 1)
    assert (mutated == values).mean() == pytest.approx(0.5, abs=0.03)  # half of the steps lead outside


def test_keeps_the_mean_of_a_pair_that_is_crossed(rng):
    mothers, fathers = rng.uniform(0.45, 0.55, (2, 300, 20))

    first, second, _ = cross_simulated_binary(mothers, fathers, 1, 10, rng)

    inside = (first > 0) & (first < 1) & (second > 0) & (second < 1)
    assert inside.mean() > 0.99
    np.testing.assert_allclose((first + second)[inside], (mothers + fathers)[inside])


def test_crosses_half_of_the_numbers_of_a_crossed_pair(rng):
    mothers, fathers = np.full((300, 100), 0.4), np.full((300, 100), 0.6)

    first, _, crossed = cross_simulated_binary(mothers, fathers, 1, 10, rng)

    assert crossed.all()
    assert (np.abs(first - 0.4) > 1e-12).mean() == pytest.approx(0.5, abs=0.02)


def test_spreads_a_pair_as_worked_out_by_hand(rng):
    """With eta 10, u = 1/4 spreads by 0.5^(1/11) = 0.938930, u = 1/2 by 1, u = 3/4 by 1 / 0.938930 = 1.065042.

    Of numbers that are crossed a quarter therefore lies below each of these quartiles.
    """
    mothers, fathers = np.full((1, 400_000), 0.6), np.full((1, 400_000), 0.4)

    first, _, _ = cross_simulated_binary(mothers, fathers, 1, 10, rng)

    spread = (first - 0.5) / 0.1
    crossed = spread[np.abs(spread - 1) > 1e-9]
    for quartile, share in ((0.938930, 0.25), (1, 0.5), (1.065042, 0.75)):
        assert (crossed < quartile).mean() == pytest.approx(share, abs=0.005)


def test_leaves_pairs_that_are_not_crossed_as_they_are(rng):
    mothers, fathers = rng.random((2, 1000, 5))

    first, second, crossed = cross_simulated_binary(mothers, fathers, 0.5, 10, rng)

    assert crossed.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(first[~crossed], mothers[~crossed])
    np.testing.assert_allclose(second[~crossed], fathers[~crossed])


def test_keeps_children_within_the_interval(rng):
    mothers, fathers = np.zeros((500, 20)), np.ones((500, 20))

    first, second, _ = cross_simulated_binary(mothers, fathers, 1, 0.5, rng)

    assert min(first.min(), second.min()) >= 0
    assert max(first.max(), second.max()) <= 1


def test_gives_children_of_equal_parents_their_values(rng):
    parents = rng.random((50, 20))

    first, second, _ = cross_simulated_binary(parents, parents, 1, 10, rng)

    np.testing.assert_array_equal(first, parents)
    np.testing.assert_array_equal(second, parents)


def test_follows_from_its_generator_alone():
    values = np.full(100, 0.5)

    once, again, other = (
        mutate_polynomially(values, 0.3, 15, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
