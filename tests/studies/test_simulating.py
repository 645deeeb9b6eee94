"""People who are nobody: it ..."""

from typing import Any

import numpy as np
import pytest

from fooling_web.studies import effects, exclusions, machine, measures, simulating
from fooling_web.studies.answers import answers_of
from fooling_web.studies.design import Design, Task
from fooling_web.studies.models import Participant, Response, Study
from fooling_web.studies.piloting import remove_simulated
from fooling_web.studies.simulating import Truth, simulate
from tests.studies.asked import add_image, asked

pytestmark = pytest.mark.django_db


def test_takes_part_in_the_pilot_by_a_way_in_of_its_own(alice: Any) -> None:
    study = asked(alice, is_open=False)

    people = simulate(study, 3, seed=1)

    assert [one.number for one in people] == [1, 2, 3]
    assert {(one.entry, one.phase) for one in people} == {("simulated", "pilot")}
    assert len(answers_of(study, "main")) == 0


def test_same_seed_gives_the_same_answers(alice: Any) -> None:
    def all_of(seed: int) -> list[Any]:
        study = asked(alice, is_open=False, asks_confidence=True)
        simulate(study, 2, seed=seed)
        rows = Response.objects.filter(trial__participant__study=study).order_by("trial__participant__number")
        return list(
            rows.order_by("trial__participant__number", "trial__number").values_list(
                "answer", "rt_ms", "sureness"
            )
        )

    assert all_of(5) == all_of(5)
    assert all_of(5) != all_of(6)


@pytest.mark.parametrize(
    ("habit", "reason"), [("one_key", "one key"), ("too_fast", "fast"), ("leaving", "incomplete")]
)
def test_is_found_by_the_rules_where_it_is_careless(habit: str, reason: str, alice: Any) -> None:
    study = asked(alice, is_open=False)
    simulate(study, 3, seed=2, truth=Truth(**{habit: 1.0}))

    found = exclusions.excluded(answers_of(study, "pilot"), study.plan.exclusions)

    assert list(found) == [1, 2, 3]
    assert all(reason in reasons for reasons in found.values())


def test_is_kept_where_it_takes_care(alice: Any) -> None:
    study = asked(alice, count=20, is_open=False)
    simulate(study, 5, seed=3, truth=Truth())
    assert (
        len(exclusions.excluded(answers_of(study, "pilot"), study.plan.exclusions)) <= 1
    )  # a catch trial missed


@pytest.mark.parametrize(
    "choices",
    [
        {"task": Task.NAME_THEN_CHOOSE, "n_options": 4},
        {"task": Task.PICK_IMAGE, "n_options": 4},
        {"task": Task.RECOGNISABLE, "asks_confidence": True, "comparison": "natural"},
        {"task": Task.RIGHT_OR_WRONG, "comparison": "natural"},
        {
            "timing": {"fixation_ms": 300, "exposure_ms": 200, "mask_ms": 200, "window_ms": 1500},
            "n_options": 8,
        },
        {"framing": "between", "comparison": "framing", "n_options": 8},
    ],
)
def test_can_do_every_task(choices: dict[str, Any], alice: Any) -> None:
    study = asked(alice, is_open=False, **choices)
    simulate(study, 4, seed=4, truth=Truth())
    assert answers_of(study, "pilot").people.is_complete.all()


def test_goes_again_and_leaves_the_others(alice: Any) -> None:
    study = asked(alice, is_open=False)
    simulate(study, 2, seed=1)
    remove_simulated(study)
    assert not Participant.objects.exists()


@pytest.mark.parametrize(("share", "spread"), [(0.5, 1), (0.8, 1), (0.95, 0.5), (1 / 48, 2)])
def test_mean_logit_has_the_mean_share(share: float, spread: float) -> None:
    logit = simulating.mean_logit(share, spread)
    draws = logit + spread * np.random.default_rng(0).normal(size=400_000)
    assert np.mean(1 / (1 + np.exp(-draws))) == pytest.approx(share, abs=0.003)


def of_natural_images(owner: Any, count: int, **choices: Any) -> Study:
    """A draft with so many natural images, at every third of which the machine is wrong."""
    design = Design(n_practice=0, catch_share=0.0, repeat_share=0.0, **choices)
    study = Study.objects.create(owner=owner, title="What is it?", design=design.to_json())
    for number in range(1, count + 1):
        wrong = {} if number % 3 else {"machine_index": (number + 1) % 12}
        add_image(study, number, is_natural=True, **wrong)
    return study


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truth_is_recovered_accuracy_and_error_overlap(seed: int, alice: Any) -> None:
    # Without spreads, half of the answers copy the machine, which is right at 2/3: each image's share is 0.9 where
    # the machine is right and 0.4 where it is not; people are right at 11/15 and alike at 0.5 + 0.5 * 0.6 = 0.8.
    study = of_natural_images(alice, 36)
    truth = Truth(accuracy=0.8, participant_spread=0, image_spread=0, overlap=0.5)
    simulate(study, 25, seed=seed, truth=truth)
    answers = answers_of(study, "pilot")

    together = measures.overall(answers)
    found = machine.against_machine(answers)

    p, m, observed = 0.5 * 2 / 3 + 0.4, 2 / 3, 0.5 + 0.5 * (0.8 * 2 / 3 + 0.2 / 3)
    expected = p * m + (1 - p) * (1 - m)
    assert together.low <= p <= together.high
    assert found is not None
    assert found.machine == pytest.approx(m)
    assert found.kappa_low <= (observed - expected) / (1 - expected) <= found.kappa_high


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truth_is_recovered_effect_of_a_condition(seed: int, alice: Any) -> None:
    study = of_natural_images(alice, 24, framing="between", comparison="framing")
    truth = Truth(accuracy=0.6, image_spread=0.5, effects={"machine": 1.0}, image_seed=seed)
    simulate(study, 30, seed=seed, truth=truth)

    found = effects.effect_of(study, "pilot", seed=seed)

    (effect,) = found["mixed"]["effects"]
    assert effect["name"] == "machine − you"
    assert effect["odds_ratio"]["low"] <= np.e <= effect["odds_ratio"]["high"]
    (boot,) = found["bootstrap"]["over_people"]
    assert boot["difference"]["low"] > 0
    assert (found["n_people"], found["n_images"], found["n_responses"]) == (30, 24, 720)
