"""For each class its champion: the rules of a takeover, against a slow obvious twin."""

import numpy as np
import pytest

from evolution.archive import VACANT, Archive
from evolution.direct import DirectEncoding, DirectPopulation
from evolution.parameters import Parameters


def pictures(first, count):
    """Pictures of 1 x 2 pixels that spell their own numbers."""
    numbers = np.arange(first, first + count)
    return DirectPopulation(
        np.stack([numbers // 256, numbers % 256], axis=1).reshape(-1, 1, 1, 2).astype(np.uint8)
    )


def numbers_of(population):
    levels = population.levels.reshape(-1, 2).astype(int)
    return levels[:, 0] * 256 + levels[:, 1]


def table(*rows):
    return np.array(rows, np.float32)


def with_ties(rng, batch, n_classes):
    """Confidences of so few values that many are equal, some of them zero."""
    return (rng.integers(0, 12, (batch, n_classes)) / 16).astype(np.float32)


class SlowArchive:
    """The rules with Python loops: the first of the best images of a batch beats a champion it exceeds."""

    def __init__(self, n_classes):
        self.champions = [(0.0, VACANT)] * n_classes

    def add(self, confidences, first_number):
        takeovers = []
        for class_index, (champion, holder) in enumerate(self.champions):
            best, winner = champion, None
            for row, sure in enumerate(confidences[:, class_index]):
                if sure > best:
                    best, winner = sure, row
            if winner is not None:
                self.champions[class_index] = (best, first_number + winner)
                takeovers.append((class_index, winner, best, holder))
        return takeovers


@pytest.mark.parametrize("seed", range(5))
def test_decides_as_its_slow_twin_does(seed):
    rng = np.random.default_rng(seed)
    archive, twin = Archive(17), SlowArchive(17)
    for first in range(0, 300, 10):
        confidences = with_ties(rng, 10, 17) * np.float32(first / 300)

        takeovers = archive.add(pictures(first, 10), confidences, first)

        columns = (
            takeovers.class_indices,
            takeovers.rows,
            takeovers.confidences,
            takeovers.taken_from,
        )
        assert list(zip(*(column.tolist() for column in columns), strict=True)) == twin.add(
            confidences, first
        )
        assert len(takeovers) == len(takeovers.class_indices)
        held = list(zip(archive.confidences.tolist(), archive.holders.tolist(), strict=True))
        assert held == twin.champions


def test_keeps_the_genome_of_each_champion(rng):
    archive = Archive(9)
    for first in range(0, 400, 8):
        archive.add(pictures(first, 8), rng.random((8, 9), dtype=np.float32), first)

        np.testing.assert_array_equal(numbers_of(archive.genomes), archive.holders)


def test_never_lets_a_confidence_fall(rng):
    archive = Archive(9)
    for first in range(0, 400, 8):
        before = archive.confidences.copy()

        archive.add(pictures(first, 8), rng.random((8, 9), dtype=np.float32), first)

        assert (archive.confidences >= before).all()


def test_lets_one_image_take_several_classes():
    archive = Archive(3)

    takeovers = archive.add(pictures(0, 2), table([0.5, 0.1, 0.4], [0.2, 0.7, 0.1]), 40)

    assert archive.holders.tolist() == [40, 41, 40]
    assert takeovers.rows.tolist() == [0, 1, 0]


def test_counts_one_takeover_for_a_class_and_generation():
    archive = Archive(1)

    takeovers = archive.add(pictures(0, 3), table([0.2], [0.9], [0.5]), 0)

    assert takeovers.confidences.tolist() == [np.float32(0.9)]
    assert takeovers.rows.tolist() == [1]


def test_says_from_whom_a_class_was_taken():
    archive = Archive(2)
    first = archive.add(pictures(0, 1), table([0.5, 0.5]), 7)

    second = archive.add(pictures(1, 1), table([0.6, 0.4]), 8)

    assert first.taken_from.tolist() == [VACANT, VACANT]
    assert (second.class_indices.tolist(), second.taken_from.tolist()) == ([0], [7])


def test_keeps_the_first_of_equals_within_a_batch():
    archive = Archive(1)

    archive.add(pictures(0, 3), table([0.3], [0.8], [0.8]), 0)

    assert archive.holders.tolist() == [1]


def test_keeps_the_champion_that_is_only_equalled():
    archive = Archive(1)
    archive.add(pictures(0, 1), table([0.8]), 0)

    takeovers = archive.add(pictures(1, 1), table([0.8]), 1)

    assert len(takeovers) == 0
    assert archive.holders.tolist() == [0]


def test_leaves_a_class_vacant_in_which_nobody_is_above_zero():
    archive = Archive(3)

    archive.add(pictures(0, 2), table([0.4, 0, 0.6], [0.7, 0, 0.3]), 0)

    assert archive.holders.tolist() == [1, VACANT, 0]
    assert archive.confidences.tolist() == [np.float32(0.7), 0, np.float32(0.6)]


def test_draws_parents_from_occupied_classes_only(rng):
    archive = Archive(3)
    archive.add(pictures(0, 2), table([0.4, 0, 0.6], [0.7, 0, 0.3]), 0)

    genomes, numbers = archive.parents(1000, rng)

    assert set(numbers.tolist()) == {0, 1}
    np.testing.assert_array_equal(numbers_of(genomes), numbers)


def test_draws_parents_uniformly_over_occupied_classes(rng):
    """Image 0 holds three classes of the four that are occupied, so it breeds three times as often."""
    archive = Archive(5)
    archive.add(pictures(0, 2), table([0.9, 0.8, 0.7, 0.1, 0], [0.1, 0.1, 0.1, 0.6, 0]), 0)

    _, numbers = archive.parents(40_000, rng)

    assert (numbers == 0).mean() == pytest.approx(0.75, abs=0.01)


def test_refuses_confidences_of_another_shape():
    with pytest.raises(AssertionError):
        Archive(3).add(pictures(0, 2), table([0.1, 0.9], [0.5, 0.5]), 0)


@pytest.fixture
def encoding():
    return DirectEncoding(Parameters(encoding="direct", height=1, width=2))


def test_has_one_hash_for_equal_champions(encoding):
    archives = [Archive(2), Archive(2)]
    archives[0].add(pictures(5, 1), table([0.5, 0.6]), 0)
    archives[1].add(pictures(5, 1), table([0.5, 0.6]), 99)

    assert archives[0].sha256(encoding) == archives[1].sha256(encoding)


@pytest.mark.parametrize(
    ("first", "confidences"), [(6, [0.5, 0.6]), (5, [0.6, 0.5]), (5, [0.5, 0.6000001]), (5, [0.5, 0])]
)
def test_has_another_hash_for_any_other_genome_or_confidence(encoding, first, confidences):
    archive, other = Archive(2), Archive(2)
    archive.add(pictures(5, 1), table([0.5, 0.6]), 0)

    other.add(pictures(first, 1), np.array([confidences], np.float32), 0)

    assert archive.sha256(encoding) != other.sha256(encoding)


def test_has_a_hash_before_anything_was_added(encoding):
    assert len(Archive(2).sha256(encoding)) == 64
