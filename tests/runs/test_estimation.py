"""How long runs will take: counted in views, at the pace of runs alike, or else at guessed ratios."""

import pytest

from evolution.parameters import Parameters
from evolution.presets import Choices, parameters_of, preset_of
from fooling_web.runs.estimation import GUESSED_SPEEDS, estimate
from fooling_web.runs.models import Run
from models_zoo.registry import all_entries, find
from tests.factories import launched

pytestmark = pytest.mark.django_db

LENET, LITE = "mnist-lenet", "efficientnet-lite0"
TENFOLD = {"generations": 9, "population": 10}  # 100 evaluations


def of(classifier: str, **choices: object) -> Parameters:
    entry = find(classifier)
    return parameters_of(preset_of("", entry), entry, Choices(**{**TENFOLD, **choices}))


def measured(classifier: str, evaluations: int, seconds: float, **choices: object) -> Run:
    run = launched(classifier)
    Run.objects.filter(pk=run.pk).update(
        evaluations=evaluations,
        seconds=seconds,
        status="finished",
        parameters=of(classifier, **choices).to_json(),
    )
    return run


def test_knows_no_time_where_nothing_has_run() -> None:
    said = estimate(LENET, of(LENET))

    assert (said.evaluations, said.seconds, said.is_rough) == (100, None, True)


def test_takes_the_pace_of_runs_alike() -> None:
    measured(LENET, 1000, 20)
    measured(LITE, 1000, 7000)

    said = estimate(LENET, of(LENET))

    assert said.seconds == pytest.approx(2)
    assert not said.is_rough


def test_counts_ten_crops_as_ten_views() -> None:
    """1,000 images seen as ten crops in 100 s are 100 views a second: 100 images take 1 s, or 10 s in ten crops."""
    measured(LITE, 1000, 100, crops=10)

    assert estimate(LITE, of(LITE)).seconds == pytest.approx(1)
    assert estimate(LITE, of(LITE, crops=10)).seconds == pytest.approx(10)


def test_counts_every_run_of_a_sweep() -> None:
    measured(LENET, 1000, 20)

    said = estimate(LENET, of(LENET), runs=5)

    assert (said.evaluations, said.seconds) == (500, pytest.approx(10))


def test_carries_the_pace_of_others_over_by_guessed_ratios() -> None:
    """SqueezeNet is guessed at 80 images a second and EfficientNet-Lite0 at 35: 35/80 of its time."""
    measured(LITE, 1000, 80)

    said = estimate("squeezenet-1-1", of(LITE))

    assert said.seconds == pytest.approx(8 * 35 / 80)
    assert said.is_rough


def test_counts_gradient_ascent_as_three_times_the_work() -> None:
    measured(LENET, 1000, 10)
    climb = of(LENET, encoding="gradient", starts=1, population=None)

    assert climb.evaluations == 100
    assert estimate(LENET, climb).seconds == pytest.approx(3)


def test_reads_runs_that_knew_of_no_crops() -> None:
    run = measured(LENET, 1000, 10)
    parameters = {name: value for name, value in run.settings.to_json().items() if name != "crops"}
    Run.objects.update(parameters=parameters)

    assert estimate(LENET, of(LENET)).seconds == pytest.approx(1)


def test_does_not_mind_runs_of_a_classifier_that_is_gone() -> None:
    measured(LENET, 1000, 10)
    Run.objects.update(classifier="mnist-oracle")

    assert estimate(LENET, of(LENET)).seconds == pytest.approx(1)


def test_guesses_for_classifiers_that_exist() -> None:
    assert set(GUESSED_SPEEDS) <= {entry.name for entry in all_entries()}
