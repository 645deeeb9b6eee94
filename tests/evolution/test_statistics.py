"""An archive in numbers, each worked out by hand."""

import numpy as np
import pytest

from evolution.statistics import summarise


def test_counts_by_hand():
    statistics = summarise(np.array([1, 0.99995, 0.995, 0.5, 0], np.float32))

    assert statistics.median == pytest.approx(0.995)
    assert statistics.mean == pytest.approx(3.49495 / 5)
    assert statistics.max == 1
    assert (statistics.share_99, statistics.share_9999) == (0.6, 0.4)


def test_takes_the_middle_of_an_even_number_of_classes():
    assert summarise(np.array([0.75, 0.25, 0, 1], np.float32)).median == 0.5


def test_counts_vacant_classes_as_zero():
    statistics = summarise(np.zeros(10, np.float32))

    assert (statistics.median, statistics.mean, statistics.max) == (0, 0, 0)
    assert (statistics.share_99, statistics.share_9999) == (0, 0)


def test_answers_with_plain_numbers():
    statistics = summarise(np.array([0.5], np.float32))

    assert {type(value) for value in vars(statistics).values()} == {float}
