"""Whole numbers drawn with given chances, and the stream that they are drawn from."""

import numpy as np
import pytest
from numba import njit

from evolution.chances import chances_of, drawn, stream_from, uniform

SHARES = {
    "even": [0.25] * 4,
    "lopsided": [0.9, 0.0, 0.1],
    "certain": [0.0, 1.0, 0.0],
    "falling": [0.5**place for place in range(1, 60)] + [0.5**59],
    "one alone": [1.0],
}


@njit
def many(chances, stream, count):
    numbers = np.empty(count, np.int64)
    for place in range(count):
        numbers[place] = drawn(chances, stream)
    return numbers


@njit
def many_uniform(stream, count):
    numbers = np.empty(count)
    for place in range(count):
        numbers[place] = uniform(stream)
    return numbers


def shares_in(chances):
    """Add up what each number holds of all columns."""
    own = chances.own / 2**64
    shares = np.zeros(len(own))
    np.add.at(shares, np.arange(len(own)), own)
    np.add.at(shares, chances.others, 1 - own)
    return shares / len(own)


@pytest.mark.parametrize("kind", SHARES)
def test_shares_columns_out_as_asked(kind):
    table = chances_of(SHARES[kind])

    shares = shares_in(table)

    assert len(shares) == 2 ** int(table.bits)
    np.testing.assert_allclose(shares[: len(SHARES[kind])], SHARES[kind], atol=1e-15)
    np.testing.assert_allclose(shares[len(SHARES[kind]) :], 0, atol=1e-15)


def test_draws_numbers_as_often_as_their_chances_say(rng):
    shares = np.array([0.4, 0.0, 0.35, 0.2, 0.05])

    counts = np.bincount(many(chances_of(shares), stream_from(rng), 400_000), minlength=5)

    np.testing.assert_allclose(counts / 400_000, shares, atol=0.004)  # five standard deviations
    assert counts[1] == 0


def test_draws_what_is_certain(rng):
    assert set(many(chances_of(SHARES["certain"]), stream_from(rng), 1000)) == {1}


def test_mixes_as_published():
    """SplitMix64 from 0 begins with these words; a number from [0, 1) is made of the first 53 bits of one."""
    words = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]

    numbers = many_uniform(np.zeros(1, np.uint64), 3)

    assert numbers.tolist() == [(word >> 11) / 2**53 for word in words]


def test_spreads_numbers_evenly_over_the_interval(rng):
    counts = np.histogram(many_uniform(stream_from(rng), 200_000), 20, (0, 1))[0]

    np.testing.assert_allclose(counts, 10_000, atol=500)


def test_follows_from_the_generator_alone():
    once, again, other = (stream_from(np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert once == again
    assert once != other
