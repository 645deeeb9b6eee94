"""Accuracies, confusion, entropy, reaction times and consistency: it ..."""

import numpy as np
import pytest
from scipy.stats import binomtest

from fooling_web.studies import measures
from fooling_web.studies.design import Task
from tests.studies.arrays import Said, Shown, gathered, judged


@pytest.mark.parametrize(
    ("n", "chance", "least"),
    [(48, 1 / 2, 32), (48, 1 / 48, 4), (8, 1 / 8, 4), (30, 1 / 2, 21), (100, 1 / 2, 61)],
)
def test_is_above_chance_from_the_published_thresholds(n: int, chance: float, least: int) -> None:
    above = [measures.share("", hits, n, chance).is_above for hits in range(n + 1)]
    assert above == [hits >= least for hits in range(n + 1)]


def test_intervals_are_those_of_the_exact_binomial_test() -> None:
    for n in (1, 2, 7, 48):
        low, high = measures.exact_interval(np.arange(n + 1), np.full(n + 1, n))
        for hits in range(n + 1):
            twin = binomtest(hits, n).proportion_ci(0.95, "exact")
            assert (low[hits], high[hits]) == pytest.approx((twin.low, twin.high), abs=1e-12)


def test_interval_of_nothing_is_everything() -> None:
    nothing = measures.share("", 0, 0, 0.5)
    assert (nothing.low, nothing.high) == (0, 1)
    assert not nothing.is_above
    assert np.isnan(nothing.value)


def test_intervals_cover_the_truth_at_least_as_often_as_they_say() -> None:
    hits = np.random.default_rng(1).binomial(40, 0.7, size=20_000)
    low, high = measures.exact_interval(hits, np.full_like(hits, 40))
    assert np.mean((low <= 0.7) & (high >= 0.7)) >= 0.95


def test_counts_by_participant_image_and_all() -> None:
    answers = judged([[1, 1, 0, None], [1, 0, 0, None]])

    assert [(row.name, row.hits, row.n) for row in measures.by_participant(answers).rows] == [
        ("1", 2, 3),
        ("2", 1, 3),
    ]
    assert [(row.hits, row.n) for row in measures.by_image(answers).rows] == [(2, 2), (1, 2), (0, 2), (0, 0)]
    together = measures.overall(answers)
    assert (together.hits, together.n, together.chance) == (3, 6, 0.5)


def test_counts_main_trials_alone_and_lateness_as_not_right() -> None:
    answers = gathered(
        [Shown(number=1, label="owl"), Shown(number=2, label="fox", role="catch")],
        [
            Said(person=1, image=1, label="owl"),
            Said(person=1, image=1, label="fox", role="repeat"),
            Said(person=1, image=1, label="fox", role="practice"),
            Said(person=1, image=2, label="fox", role="catch"),
            Said(person=2, image=1, label=None),
        ],
    )

    together = measures.overall(answers)
    assert (together.hits, together.n) == (1, 2)
    assert [row.name for row in measures.by_image(answers).rows] == ["1"]
    assert [(row.name, row.hits, row.n) for row in measures.by_class(answers).rows] == [("owl", 1, 2)]


def test_counts_by_condition_with_its_own_chance() -> None:
    images = [Shown(number=1, label="owl"), Shown(number=2, label="fox")]
    answers = gathered(
        images,
        [
            Said(person=1, image=1, label="owl", condition="cppn", n_options=4),
            Said(person=1, image=2, label="owl", condition="direct", n_options=8),
        ],
    )

    rows = measures.by_condition(answers).rows
    assert [(row.name, row.value, row.chance) for row in rows] == [("cppn", 1, 1 / 4), ("direct", 0, 1 / 8)]


def test_share_above_chance_is_smaller_by_the_interval_than_by_the_mean() -> None:
    # Of 48 trials, 25 right is a mean above chance whose interval holds 1/2; 32 is above chance by both.
    right = [[1] * 25 + [0] * 23, [1] * 32 + [0] * 16, [1] * 20 + [0] * 28]

    people = measures.by_participant(judged(right))

    assert people.n_above == 1
    assert people.share_above == pytest.approx(1 / 3)
    assert people.share_mean_above == pytest.approx(2 / 3)


def test_confusion_has_what_was_chosen_for_what() -> None:
    images = [Shown(number=1, label="owl"), Shown(number=2, label="fox")]
    said = [
        Said(person=1, image=1, label="owl"),
        Said(person=1, image=2, label="elk"),
        Said(person=2, image=1, label="elk", place=1),
        Said(person=2, image=2, label=None),
    ]

    table = measures.confusion(gathered(images, said))

    assert table.rows == ("fox", "owl")
    assert table.columns == ("elk", "fox", "owl")
    assert table.counts == [[1, 0, 0], [1, 0, 1]]
    assert table.late == [1, 0]
    assert table.totals == [2, 0, 1]


def test_confusion_of_judgements_has_kinds_of_images_as_rows() -> None:
    images = [Shown(number=1, label="owl", is_natural=True), Shown(number=2, label="fox")]
    said = [
        Said(person=1, image=1, label="recognisable", right=True),
        Said(person=1, image=2, label="not recognisable", place=1, has_key=False),
    ]

    table = measures.confusion(gathered(images, said, task=Task.RECOGNISABLE))

    assert table.rows == ("evolved", "natural")
    assert table.columns == ("not recognisable", "recognisable")
    assert table.counts == [[1, 0], [0, 1]]


def test_entropy_is_in_bits() -> None:
    # Half, a quarter, a quarter: 1/2 * 1 + 2 * 1/4 * 2 = 1.5 bits. Sixteen alike: 4 bits.
    assert measures.entropy(np.array([2, 1, 1, 0])) == pytest.approx(1.5)
    assert measures.entropy(np.full(16, 3)) == pytest.approx(4)
    assert measures.entropy(np.array([5, 0])) == 0
    assert measures.entropy(np.zeros(3)) == 0


def test_response_entropy_is_of_each_image_and_of_all() -> None:
    entropy = measures.response_entropy(judged([[1, 1], [1, 0]]))

    assert entropy.by_image == {1: 0, 2: pytest.approx(1)}
    assert entropy.bits == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert entropy.most == 1


def test_reaction_times_are_medians_of_what_came_in_time() -> None:
    images = [Shown(number=1, label="owl")]
    said = [
        Said(person=1, image=1, label="owl", rt_ms=400),
        Said(person=2, image=1, label="owl", rt_ms=600),
        Said(person=3, image=1, label="elk", rt_ms=1000),
        Said(person=4, image=1, label=None),
    ]

    times = {row.name: row for row in measures.reaction_times(gathered(images, said))}

    assert (times["all"].n, times["all"].median, times["all"].n_late) == (3, 600, 1)
    assert times["right"].median == 500
    assert times["not right"].n_late == 1
    histogram = measures.reaction_histogram(gathered(images, said), step_ms=500, n_bins=2)
    assert (histogram.edges, histogram.counts) == ([0, 500, 1000], [1, 2])


def test_consistency_compares_labels_and_not_places() -> None:
    images = [Shown(number=1, label="owl"), Shown(number=2, label="fox")]
    said = [
        Said(person=1, image=1, label="owl", place=0),
        Said(person=1, image=2, label="elk", place=0),
        Said(person=1, image=1, label="owl", place=1, role="repeat"),
        Said(person=1, image=2, label="fox", place=0, role="repeat"),
        Said(person=2, image=1, label=None),
        Said(person=2, image=1, label="owl", role="repeat"),
    ]

    same = measures.consistency(gathered(images, said))

    assert (same.hits, same.n, same.chance) == (1, 2, 0.5)


def test_nothing_answered_gives_nothing() -> None:
    answers = gathered([Shown(number=1, label="owl")], [])

    assert measures.overall(answers).n == 0
    assert measures.by_participant(answers).rows == []
    assert measures.by_condition(answers).rows == []
    assert measures.consistency(answers).n == 0
    assert measures.reaction_times(answers)[0].n == 0
    assert measures.response_entropy(answers).bits == 0
    assert measures.confusion(answers).rows == ()
