"""Who is left out: it ..."""

import numpy as np
import pytest

from fooling_web.studies import exclusions
from fooling_web.studies.answers import Answers
from fooling_web.studies.design import Exclusions
from tests.studies.arrays import Said, Shown, gathered

IMAGES = [Shown(number=number, label="owl") for number in range(1, 11)] + [
    Shown(number=number, label="fox", role="catch", is_natural=True) for number in range(11, 16)
]


def person(
    number: int, *, rt_ms: float = 700, places: tuple[int, ...] = (0, 1), caught: int = 5
) -> list[Said]:
    """Ten main trials at places by turns, and five catch trials of which some are right."""
    main = [
        Said(person=number, image=at + 1, label="owl", place=places[at % len(places)], rt_ms=rt_ms)
        for at in range(10)
    ]
    catch = [
        Said(
            person=number,
            image=11 + at,
            label="fox" if at < caught else "owl",
            role="catch",
            place=1,
            rt_ms=rt_ms,
        )
        for at in range(5)
    ]
    return main + catch


def everybody() -> Answers:
    said = [
        *person(1),
        *person(2, caught=4),  # 4 of 5 are the 80 % that suffice
        *person(3, caught=3),
        *person(4, rt_ms=299),
        *person(5, rt_ms=300),
        *person(6, places=(1,)),
        *person(7, places=(1,), caught=0, rt_ms=10),
    ]
    return gathered(IMAGES, said, incomplete=[8, 7])


def test_names_every_reason_of_each() -> None:
    assert exclusions.excluded(everybody(), Exclusions()) == {
        3: ["catch"],
        4: ["fast"],
        6: ["one key"],
        7: ["incomplete", "catch", "fast", "one key"],
        8: ["incomplete"],
    }


def test_counts_by_rule_and_keeps_the_rest() -> None:
    rules, answers = Exclusions(), everybody()

    left = exclusions.count(answers, exclusions.excluded(answers, rules), rules)

    assert (left.begun, left.kept, left.excluded) == (8, 3, 5)
    assert left.by_rule == {"incomplete": 2, "catch": 2, "fast": 2, "one key": 2}
    kept = exclusions.kept(answers, rules)
    assert kept.people.number.tolist() == [1, 2, 5]
    assert set(kept.participant.tolist()) == {1, 2, 5}


def test_leaves_nobody_out_without_rules() -> None:
    none = Exclusions(incomplete=False, catch_below=None, median_below_ms=None, one_key_over=None)
    assert exclusions.excluded(everybody(), none) == {}
    assert exclusions.said(none) == {}


def test_takes_thresholds_from_the_design() -> None:
    strict = Exclusions(incomplete=False, catch_below=1.0, median_below_ms=None, one_key_over=None)
    assert exclusions.excluded(everybody(), strict) == {2: ["catch"], 3: ["catch"], 7: ["catch"]}


def test_says_the_rules_with_their_thresholds() -> None:
    assert exclusions.said(Exclusions())["catch"] == "under 80% of the catch trials right"


def test_hits_nobody_by_catch_trials_that_there_are_not() -> None:
    said = [Said(person=1, image=1, label="owl"), Said(person=1, image=2, label="owl", place=1)]
    assert exclusions.excluded(gathered(IMAGES, said), Exclusions()) == {}


@pytest.mark.parametrize("seed", range(3))
def test_medians_are_those_of_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group, values = rng.integers(0, 9, size=50), rng.random(50)
    medians = exclusions.median_by(group, values, 12)
    for at in range(12):
        mine = values[group == at]
        assert medians[at] == pytest.approx(np.median(mine)) if len(mine) else np.isnan(medians[at])
