"""The launch form: what it takes, what it refuses, and what it stores."""

from typing import Any

import pytest
from django.conf import LazySettings

from evolution.parameters import PRESETS, Parameters
from fooling_web.runs.forms import LaunchForm
from fooling_web.runs.models import Run
from models_zoo import registry
from models_zoo.errors import WeightsCorrupted
from tests.factories import launched

pytestmark = pytest.mark.django_db

CHOICES = {
    "classifier": "mnist-lenet",
    "encoding": "cppn",
    "preset": "own",
    "generations": "7",
    "population": "30",
    "fidelity": "paper",
    "seed": "11",
    "name": "Stripes",
    "visibility": "public",
}


def form_with(owner: Any = None, **changes: Any) -> LaunchForm:
    return LaunchForm({**CHOICES, **changes}, owner=owner)


def saved(form: LaunchForm) -> Run:
    assert form.is_valid(), form.errors
    return form.save()


def test_stores_a_queued_run_with_what_was_chosen(alice: Any) -> None:
    run = saved(form_with(alice, encoding="direct", fidelity="released-code", visibility="unlisted"))

    run.refresh_from_db()
    assert (run.status, run.owner, run.name, run.seed) == ("queued", alice, "Stripes", 11)
    assert (run.classifier, run.encoding, run.visibility) == ("mnist-lenet", "direct", "unlisted")
    assert run.settings == Parameters.for_fidelity(
        "released-code", encoding="direct", generations=7, first_population=30, offspring=30
    )


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_fills_in_the_numbers_of_a_preset(name: str, preset: Any) -> None:
    run = saved(form_with(preset=name, generations="", population=""))

    assert run.generations == run.settings.generations == preset.generations
    assert run.settings.first_population == run.settings.offspring == preset.population


def test_prefers_a_presets_numbers_to_ones_left_over_in_the_fields() -> None:
    run = saved(form_with(preset="quick-look", generations="999", population="888"))

    assert (run.generations, run.settings.offspring) == (50, 100)


def test_draws_a_seed_where_none_is_given() -> None:
    seeds = {saved(form_with(seed="")).seed for _ in range(5)}

    assert len(seeds) > 1


def test_takes_zero_as_a_seed() -> None:
    assert saved(form_with(seed="0")).seed == 0


def test_names_a_run_by_its_settings_where_no_name_is_given() -> None:
    assert saved(form_with(name="  ")).name == "LeNet, CPPN, seed 11"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("generations", "0"),
        ("generations", "-1"),
        ("generations", "1000000"),
        ("generations", "2.5"),
        ("generations", "many"),
        ("generations", ""),
        ("generations", "9" * 400),
        ("population", "0"),
        ("population", "1"),
        ("population", "31"),
        ("population", "1000000"),
        ("population", ""),
        ("seed", "lucky"),
        ("seed", "-1"),
        ("seed", "1.5"),
        ("seed", str(2**63)),
        ("classifier", "mnist-oracle"),
        ("classifier", ""),
        ("encoding", "gradient"),
        ("encoding", ""),
        ("preset", "imagenet"),
        ("preset", ""),
        ("fidelity", "exact"),
        ("fidelity", ""),
        ("visibility", "secret"),
        ("visibility", ""),
        ("name", "n" * 101),
        ("name", "zero\x00byte"),
    ],
)
def test_refuses_what_makes_no_run(field: str, value: str) -> None:
    form = form_with(**{field: value})

    assert not form.is_valid()
    assert form.errors[field]
    assert not Run.objects.exists()


def test_refuses_an_empty_form() -> None:
    assert not LaunchForm({}).is_valid()


def test_refuses_more_active_runs_than_one_person_may_have(alice: Any, settings: LazySettings) -> None:
    settings.ACTIVE_RUNS_PER_USER = 2
    launched(owner=alice)
    launched(owner=alice)

    form = form_with(alice)

    assert not form.is_valid()
    assert "You have 2 active runs" in form.non_field_errors()[0]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("status", ["paused", "finished", "cancelled", "failed"])
def test_counts_only_active_runs(alice: Any, settings: LazySettings, status: str) -> None:
    settings.ACTIVE_RUNS_PER_USER = 1
    launched(owner=alice)
    Run.objects.update(status=status)

    assert form_with(alice).is_valid()


def test_does_not_count_other_peoples_runs(alice: Any, bob: Any, settings: LazySettings) -> None:
    settings.ACTIVE_RUNS_PER_USER = 1
    launched(owner=bob)

    assert form_with(alice).is_valid()


def test_starts_a_clone_from_every_setting_of_its_run(alice: Any) -> None:
    run = launched(
        "mnist-cnn", "direct", "released-code", generations=9, population=40, seed=3, owner=alice, name="Dots"
    )
    Run.objects.update(visibility="private")
    run.refresh_from_db()

    form = LaunchForm(cloned=run)

    assert form.initial == {
        "classifier": "mnist-cnn",
        "encoding": "direct",
        "preset": "own",
        "generations": 9,
        "population": 40,
        "fidelity": "released-code",
        "seed": 3,
        "name": "Dots (clone)",
        "visibility": "private",
    }


def test_remembers_what_a_clone_was_cloned_from(alice: Any, run: Run) -> None:
    clone = saved(LaunchForm(CHOICES, owner=alice, cloned=run))

    assert clone.cloned_from == run
    assert clone.pk != run.pk


def test_gives_a_clone_of_a_clone_a_name_that_fits() -> None:
    assert len(LaunchForm(cloned=launched(name="n" * 100)).initial["name"]) <= 100


def test_shows_each_classifier_with_its_test_error() -> None:
    options = LaunchForm().classifier_options

    assert [option.value for option in options if option.checked] == ["mnist-lenet"]
    assert all(option.test_error is not None and option.test_error < 3 for option in options)


def test_a_preset_does_not_mind_numbers_that_are_not_shown(alice: Any) -> None:
    assert form_with(alice, preset="quick-look", generations="0", population="3").is_valid()


def test_a_clone_of_a_presets_size_chooses_the_preset(alice: Any) -> None:
    run = launched(owner=alice, generations=50, population=100)
    assert LaunchForm(cloned=run).initial["preset"] == "quick-look"


def test_refuses_a_classifier_whose_weights_are_damaged(
    alice: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in registry.WEIGHTS.glob("mnist-mlp.*"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= path.suffix == ".safetensors"
        (tmp_path / path.name).write_bytes(content)
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)

    form = form_with(alice, classifier="mnist-mlp")

    assert "does not match the hash on its card" in form.non_field_errors()[0]
    with pytest.raises(WeightsCorrupted):
        launched(classifier="mnist-mlp")
    assert not Run.objects.exists()
