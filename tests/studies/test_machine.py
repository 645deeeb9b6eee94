"""People against the classifier: it ..."""

import numpy as np
import pytest

from fooling_web.studies import machine
from fooling_web.studies.answers import Answers
from fooling_web.studies.design import Task
from tests.studies.arrays import Said, Shown, gathered


def answered(people: list[list[int]], machine_right: list[int]) -> Answers:
    """People (rows) right or wrong at natural images about which the machine was right or wrong."""
    images = [
        Shown(number=at + 1, label="owl", is_natural=True, machine_is_right=right, machine_confidence=0.9)
        for at, right in enumerate(machine_right)
    ]
    said = [
        Said(person=person + 1, image=at + 1, label="owl" if right else "fox")
        for person, row in enumerate(people)
        for at, right in enumerate(row)
    ]
    return gathered(images, said)


def test_error_consistency_is_that_of_a_hand_s_count() -> None:
    # The person is right at 1, 2, 3 of four, the machine at 1, 2, 4: p = 3/4 each. They are alike at 1 and 2: c_obs
    # is 1/2, c_exp = 9/16 + 1/16 = 5/8, and kappa = (1/2 - 5/8) / (3/8) = -1/3.
    found = machine.against_machine(answered([[1, 1, 1, 0]], [1, 1, 0, 1]))

    assert found is not None
    (row,) = found.rows
    assert (row.n, row.person, row.machine, row.observed, row.by_chance) == (4, 0.75, 0.75, 0.5, 0.625)
    assert row.kappa == pytest.approx(-1 / 3)
    assert found.difference == 0
    assert found.among_people is None


def test_error_consistency_is_one_where_all_is_alike() -> None:
    for right in ([1, 1, 1], [0, 0, 0], [1, 0, 1]):
        found = machine.against_machine(answered([right], right))
        assert found is not None
        assert found.kappa == 1


def test_difference_is_the_square_of_that_of_accuracies() -> None:
    found = machine.against_machine(answered([[1, 1, 1, 1], [1, 1, 0, 0]], [1, 0, 0, 0]))
    assert found is not None
    assert (found.person, found.machine) == (0.75, 0.25)
    assert found.difference == pytest.approx(0.25)


def test_consistency_among_people_is_the_mean_over_pairs() -> None:
    rng = np.random.default_rng(2)
    right = rng.integers(0, 2, size=(5, 12))
    found = machine.against_machine(answered(right.tolist(), [1] * 12))
    assert found is not None

    twins = []
    for one in range(5):
        for other in range(one):
            p, q = right[one].mean(), right[other].mean()
            expected = p * q + (1 - p) * (1 - q)
            twins.append((np.mean(right[one] == right[other]) - expected) / (1 - expected))

    assert found.among_people == pytest.approx(np.mean(twins))


def test_compares_natural_images_alone_and_those_the_machine_was_asked_about() -> None:
    images = [
        Shown(number=1, label="owl", is_natural=True, machine_is_right=1),
        Shown(number=2, label="owl", is_natural=True),
        Shown(number=3, label="owl", machine_is_right=1),
        Shown(number=4, label="owl", is_natural=True, machine_is_right=0, role="catch"),
    ]
    said = [
        Said(person=1, image=image, label="owl", role="catch" if image == 4 else "main")
        for image in range(1, 5)
    ]

    found = machine.against_machine(gathered(images, said))
    of_catch = machine.against_machine(gathered(images[1:], said[1:]))

    assert found is not None
    assert of_catch is not None
    assert (found.role, found.n_images) == ("main", 1)
    assert (of_catch.role, of_catch.n_images, of_catch.machine) == ("catch", 1, 0)


def test_compares_nothing_where_nothing_can_be() -> None:
    evolved = gathered([Shown(number=1, label="owl")], [Said(person=1, image=1, label="owl")])
    assert machine.against_machine(evolved) is None
    judged = gathered(
        [Shown(number=1, label="owl", is_natural=True, machine_is_right=1)],
        [Said(person=1, image=1, label="recognisable", right=True)],
        task=Task.RECOGNISABLE,
    )
    assert machine.against_machine(judged) is None


def overlapping(overlap: float, seed: int) -> Answers:
    """40 people at 120 images: the machine is right at 70 %; so far people copy it, else they are right at 80 %."""
    rng = np.random.default_rng(seed)
    machine_right = rng.random(120) < 0.7
    own = rng.random((40, 120)) < 0.8
    right = np.where(rng.random((40, 120)) < overlap, machine_right, own)
    return answered(right.astype(int).tolist(), machine_right.astype(int).tolist())


def test_gives_back_known_accuracies_and_error_overlap() -> None:
    # With overlap o a person is right with o m + (1 - o) 0.8 where the machine is right at a share m, and alike with
    # o + (1 - o) (0.8 m + 0.2 (1 - m)).
    held = 0
    for seed in range(20):
        overlap = 0.1 * (seed % 5)
        found = machine.against_machine(overlapping(overlap, seed))
        assert found is not None
        m = found.machine
        person = overlap * m + (1 - overlap) * 0.8
        alike = overlap + (1 - overlap) * (0.8 * m + 0.2 * (1 - m))
        expected = person * m + (1 - person) * (1 - m)
        held += found.kappa_low <= (alike - expected) / (1 - expected) <= found.kappa_high
        assert found.person == pytest.approx(person, abs=0.03)
    assert held >= 17  # of 20; 19 would be the mean


def test_kappa_s_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # On arrays alone: 25 people at 36 images, half of whose answers copy a machine that is right at 2/3; see the
    # formulas above. The truth is 10/19.
    rng = np.random.default_rng(7)
    machine_right = np.arange(36) % 3 != 0
    held = 0
    for _ in range(1000):
        right = np.where(rng.random((25, 36)) < 0.5, machine_right, rng.random((25, 36)) < 0.8)
        observed = (right == machine_right).mean(axis=1)
        kappas, _ = machine.error_consistency(right.mean(axis=1), np.full(25, 2 / 3), observed)
        low, high = machine.mean_interval(kappas)
        held += low <= 10 / 19 <= high
    assert 0.93 <= held / 1000 <= 0.97


def test_calibration_is_that_of_a_hand_s_count() -> None:
    # Two bins: at 0.2 and 0.4 (mean 0.3) one of two is right, at 0.9 and 1.0 (mean 0.95) both are.
    # Error: 2/4 |1/2 - 0.3| + 2/4 |1 - 0.95| = 0.125.
    found = machine.calibrated(np.array([0.2, 0.4, 0.9, 1.0]), np.array([True, False, True, True]), n_bins=2)

    assert found is not None
    assert [(one.low, one.high, one.right.hits, one.right.n) for one in found.bins] == [
        (0, 0.5, 1, 2),
        (0.5, 1, 2, 2),
    ]
    assert found.bins[1].sureness == pytest.approx(0.95)
    assert found.error == pytest.approx(0.125)
    assert found.overconfidence == pytest.approx(0.625 - 0.75)


def test_calibration_of_both_sides_takes_what_has_a_right_answer() -> None:
    images = [
        Shown(number=1, label="owl", is_natural=True, machine_is_right=1, machine_confidence=0.8),
        Shown(number=2, label="owl", is_natural=True, machine_is_right=0, machine_confidence=0.6),
        Shown(number=3, label="owl", machine_is_right=1, machine_confidence=1.0),
    ]
    said = [
        Said(person=1, image=1, label="recognisable", right=True, sureness=90),
        Said(person=1, image=2, label="not recognisable", right=False, sureness=70),
        Said(person=1, image=3, label="recognisable", sureness=20, has_key=False),
    ]
    answers = gathered(images, said, task=Task.RECOGNISABLE)

    people, classifier = machine.calibration_of_people(answers), machine.calibration_of_machine(answers)

    assert people is not None
    assert classifier is not None
    assert (people.n, people.mean_sureness, people.mean_right) == (2, pytest.approx(0.8), 0.5)
    assert (classifier.n, classifier.mean_sureness, classifier.mean_right) == (2, pytest.approx(0.7), 0.5)
    assert machine.calibration_of_people(answers, is_natural=False) is None
