"""The plane of recognition against confidence, sixteen categories, and published numbers: it ..."""

import numpy as np
import pytest

from fooling_web.studies import plane, sixteen
from fooling_web.studies.design import Task
from fooling_web.studies.presets import PRESETS
from fooling_web.studies.published import PUBLISHED, published_beside
from models_zoo.wordnet import branch_of
from tests.studies.arrays import Said, Shown, gathered


def test_lays_each_image_where_people_and_machine_put_it() -> None:
    images = [
        Shown(number=1, label="owl", confidence=0.99),
        Shown(number=2, label="fox", confidence=0.8),
        Shown(number=3, label="elk"),
        Shown(number=4, label="bee", role="catch"),
    ]
    said = [Said(person=person, image=1, label="owl" if person < 4 else "fox") for person in range(1, 5)]
    said += [Said(person=person, image=2, label="owl") for person in range(1, 5)]
    said += [Said(person=1, image=3, label="elk"), Said(person=1, image=4, label="bee", role="catch")]

    first, second, third = plane.plane_of(gathered(images, said))

    # Three of four at two labels: (3/4 - 1/2) / (1/2) = 1/2, so the index is 0.99 / 2.
    assert (first.seen.hits, first.seen.n, first.recognised, first.said_most) == (3, 4, 0.5, "owl")
    assert first.fooling_index == pytest.approx(0.495)
    assert (second.recognised, second.fooling_index, second.said_most) == (0, 0.8, "owl")
    assert (third.confidence, third.fooling_index, third.recognised) == (None, None, 1)


def test_takes_the_bare_share_where_people_say_what_they_recognise() -> None:
    said = [Said(person=1, image=1, label="recognisable", has_key=False)]
    said += [Said(person=2, image=1, label="not recognisable", place=1, has_key=False)]

    (point,) = plane.plane_of(
        gathered([Shown(number=1, label="owl", confidence=1)], said, task=Task.RECOGNISABLE)
    )

    assert (point.recognised, point.seen.chance, point.fooling_index) == (0.5, 0, 0.5)


def test_has_no_points_without_answers() -> None:
    assert plane.plane_of(gathered([Shown(number=1, label="owl")], [])) == []


def test_sixteen_categories_are_means_of_their_members() -> None:
    confidences = np.random.default_rng(0).dirichlet(np.ones(1000), size=3)

    found = sixteen.sixteen_of(confidences)

    assert found.shape == (3, 16)
    for row, (at, members) in zip(
        confidences, [(0, (404,)), (1, (294, 295, 296, 297)), (11, (385, 386))], strict=True
    ):
        twin = sum(row[member] for member in members) / len(members)
        assert found[np.flatnonzero((confidences == row).all(axis=1))[0], at] == pytest.approx(twin)


def test_sixteen_categories_hold_the_classes_of_their_kind() -> None:
    members = [one for category in sixteen.CATEGORIES.values() for one in category]
    assert len(members) == len(set(members)) == 207
    assert len(sixteen.CATEGORIES) == 16
    assert list(sixteen.CATEGORIES) == sorted(sixteen.CATEGORIES)
    assert {branch_of(index) for index in sixteen.CATEGORIES["dog"]} == {"dogs"}
    assert {branch_of(index) for index in sixteen.CATEGORIES["bird"]} == {"water-birds", "other-birds"}
    assert sixteen.LABELS[sixteen.category_of(385) or 0] == "elephant"
    assert sixteen.category_of(0) is None


def test_a_decision_among_sixteen_is_by_mean_and_its_confidence_by_sum() -> None:
    row = np.zeros(1000)
    row[list(sixteen.CATEGORIES["dog"])] = 0.005  # 0.58 in all, in many
    row[499] = 0.3  # the one knife
    row[385] = 0.1

    decision = sixteen.decision_of(row, besides=sixteen.LABELS.index("knife"))

    assert [sixteen.LABELS[place] for place in (decision.first, decision.second)] == ["knife", "elephant"]
    assert decision.confidences[sixteen.LABELS.index("dog")] == pytest.approx(
        0.005 * len(sixteen.CATEGORIES["dog"])
    )
    assert decision.confidences[decision.first] == pytest.approx(0.3)


def test_published_numbers_stand_beside_presets_that_there_are() -> None:
    assert {one.preset for one in PUBLISHED} - {""} <= set(PRESETS)
    (first,) = published_beside("P1")
    assert (first.chance, first.people_reported, first.people_exact) == (0.5, 0.98, 0.812)
    assert (first.images_reported, first.images_exact) == (0.94, 0.854)
    assert [one.experiment for one in published_beside("P3")] == ["3a", "3b"]
    assert published_beside("") == []


def test_published_exact_counts_are_never_above_the_reported() -> None:
    for one in PUBLISHED:
        for exact, reported in (
            (one.people_exact, one.people_reported),
            (one.images_exact, one.images_reported),
        ):
            assert exact is None or (reported is not None and exact <= reported)
