"""The launch form: what it takes, what it refuses, and what it stores."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings

from evolution.parameters import GRADIENT_SETTINGS, MAX_SEED, PUBLISHED_CLASSES, Parameters
from evolution.presets import PRESETS, Choices, parameters_of
from fooling_web.runs.forms import LaunchForm
from fooling_web.runs.models import Run, Sweep
from models_zoo import registry
from models_zoo.errors import WeightsCorrupted
from models_zoo.registry import find
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


def saved(form: LaunchForm) -> Any:
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
    classifier = "mnist-lenet" if preset.dataset == "mnist" else "efficientnet-lite0"
    form = form_with(preset=name, classifier=classifier, generations="", population="")

    assert form.is_valid(), form.errors
    assert form.parameters == parameters_of(preset, find(classifier), Choices())
    assert form.n_runs == preset.runs


@pytest.mark.parametrize(("name", "runs"), [("paper", 1), ("fig4", 5)])
def test_stores_as_many_runs_as_the_preset_says(name: str, runs: int) -> None:
    saved(form_with(preset=name))

    assert Run.objects.count() == runs


def test_takes_the_encoding_from_a_preset_that_has_one() -> None:
    sweep = saved(form_with(preset="fig4", encoding="cppn"))

    assert {run.encoding for run in sweep.runs.all()} == {"direct"}


def test_refuses_a_preset_of_another_data_set_beside_the_presets() -> None:
    form = form_with(preset="fig7")

    assert "not for LeNet" in form.errors["preset"][0]


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
    ("preset", "name"),
    [
        ("quick-look", "One run on digits, quick look: LeNet, CPPN, seed 11"),
        ("fig5", "Figure 5, in full: LeNet, CPPN, 5 runs"),
    ],
)
def test_names_what_has_no_name_by_its_experiment(preset: str, name: str) -> None:
    assert saved(form_with(name="", preset=preset)).name == name


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
        ("encoding", "gradients"),
        ("encoding", ""),
        ("runs", "0"),
        ("runs", "101"),
        ("runs", "two"),
        ("method", "luck"),
        ("crops", "5"),
        ("precision", "double"),
        ("setting", "E"),
        ("starts", "0"),
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
        "method": "map-elites",
        "crops": 1,
        "precision": "float32",
        "setting": "",
        "classes": "",
        "starts": None,
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
    digits, photographs = list(LaunchForm().classifier_groups)[:2]

    assert [option.value for option in digits.options if option.checked] == ["mnist-lenet"]
    assert all(option.test_error is not None and option.test_error < 3 for option in digits.options)
    assert (digits.title, photographs.title) == ("MNIST", "ImageNet")
    assert {"efficientnet-lite0", "efficientnet-lite2"} <= {option.value for option in photographs.options}


def test_says_how_to_get_weights_that_are_not_here() -> None:
    lacking = next((entry.name for entry in registry.all_entries() if not entry.weights_path.exists()), None)
    groups = list(LaunchForm(classifier=lacking).classifier_groups)
    missing = [option.missing for group in groups for option in group.options if option.missing]

    assert len(missing) == (lacking is not None)
    assert all("manage.py" in remedy for remedy in missing)
    assert sum(len(group.options) + group.absent for group in groups) == len(registry.all_entries())


def test_shows_the_names_of_classifiers_whose_titles_resemble(monkeypatch: pytest.MonkeyPatch) -> None:
    lenet, cnn = find("mnist-lenet"), find("mnist-cnn")
    entries = (lenet, cnn, replace(lenet, name="my-lenet", title="LeNet 5"))
    monkeypatch.setattr("fooling_web.runs.forms.all_entries", lambda: entries)

    [group] = LaunchForm().classifier_groups

    assert [option.name for option in group.options] == ["mnist-lenet", "", "my-lenet"]


def test_offers_every_preset_once() -> None:
    offered = [size.value for experiment in LaunchForm().experiments for size in experiment.sizes]

    assert offered == list(PRESETS)


def test_proposes_a_preset_that_fits_the_classifier_it_begins_with() -> None:
    initial = LaunchForm(classifier="efficientnet-lite0").initial

    assert (initial["classifier"], initial["preset"]) == ("efficientnet-lite0", "fig7-quick")
    assert LaunchForm(classifier="mnist-oracle").initial["classifier"] == "mnist-lenet"


def test_begins_with_the_preset_and_encoding_that_an_address_names() -> None:
    initial = LaunchForm(classifier="efficientnet-lite0", preset="fig6-quick", encoding="direct").initial

    assert (initial["preset"], initial["encoding"]) == ("fig6-quick", "direct")
    usual = LaunchForm(classifier="mnist-lenet").initial
    assert LaunchForm(classifier="mnist-lenet", preset="fig6-quick", encoding="none").initial == usual


def test_a_preset_does_not_mind_numbers_that_are_not_shown(alice: Any) -> None:
    assert form_with(alice, preset="quick-look", generations="0", population="3").is_valid()


def test_a_clone_of_a_presets_size_chooses_the_preset(alice: Any) -> None:
    run = launched(owner=alice, generations=50, population=100)
    assert LaunchForm(cloned=run).initial["preset"] == "quick-look"


def test_refuses_a_classifier_whose_weights_are_damaged(
    alice: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = registry.find("mnist-mlp")
    for path in entry.weights_path.parent.glob("mnist-mlp.*"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= path.suffix == ".safetensors"
        (tmp_path / path.name).write_bytes(content)
    monkeypatch.setitem(registry.CLASSIFIERS, "mnist-mlp", replace(entry, folder=tmp_path))

    form = form_with(alice, classifier="mnist-mlp")

    assert "does not match the hash on its card" in form.non_field_errors()[0]
    with pytest.raises(WeightsCorrupted):
        launched(classifier="mnist-mlp")
    assert not Run.objects.exists()


class TestSweeps:
    def test_stores_runs_that_differ_by_their_seeds_alone(self, alice: Any) -> None:
        sweep = saved(form_with(alice, runs="4", seed="7", visibility="unlisted"))

        runs = list(sweep.runs.order_by("seed"))
        assert isinstance(sweep, Sweep)
        assert (sweep.name, sweep.owner, sweep.visibility) == ("Stripes", alice, "unlisted")
        assert [run.seed for run in runs] == [7, 8, 9, 10]
        assert [run.name for run in runs] == [f"Stripes, seed {seed}" for seed in (7, 8, 9, 10)]
        assert {run.visibility for run in runs} == {"unlisted"}
        assert len({run.settings for run in runs}) == 1

    def test_remembers_the_preset(self) -> None:
        assert saved(form_with(preset="fig5-quick")).preset == "fig5-quick"
        assert saved(form_with(runs="2")).preset == ""

    def test_prefers_a_number_of_runs_to_the_presets(self) -> None:
        assert isinstance(saved(form_with(preset="fig4", runs="1")), Run)
        assert saved(form_with(preset="paper", runs="3")).runs.count() == 3

    def test_lets_every_run_wait_until_it_is_admitted(self, alice: Any) -> None:
        sweep = saved(form_with(alice, runs="3"))

        assert {run.status for run in sweep.runs.all()} == {"pending"}

    def test_draws_seeds_that_follow_one_another(self) -> None:
        seeds = [run.seed for run in saved(form_with(runs="3", seed="")).runs.order_by("seed")]

        assert seeds == list(range(seeds[0], seeds[0] + 3))

    def test_refuses_seeds_that_would_run_out(self) -> None:
        assert form_with(runs="1", seed=str(MAX_SEED)).is_valid()
        assert "follow one another" in form_with(runs="2", seed=str(MAX_SEED)).errors["seed"][0]

    def test_gives_runs_of_a_long_name_names_that_fit(self) -> None:
        names = {run.name for run in saved(form_with(runs="2", name="n" * 100)).runs.all()}

        assert len(names) == 2
        assert all(len(name) <= 100 for name in names)

    def test_counts_as_one_of_a_persons_active_runs(self, alice: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 2
        saved(form_with(alice, runs="5"))

        assert form_with(alice).is_valid()
        saved(form_with(alice))
        assert not form_with(alice).is_valid()


class TestGradientAscent:
    CLIMB = {"encoding": "gradient", "generations": "", "population": ""}

    def test_needs_no_numbers(self) -> None:
        run = saved(form_with(**self.CLIMB, setting="B"))

        assert run.settings.gradient == replace(GRADIENT_SETTINGS["B"][1], class_indices=())
        assert (run.generations, run.settings.offspring) == (1500, 50)

    def test_takes_classes_and_starts(self) -> None:
        run = saved(form_with(**{**self.CLIMB, "generations": "9"}, classes="3, 7", starts="2"))

        assert (run.settings.gradient.class_indices, run.settings.gradient.starts) == ((3, 7), 2)
        assert (run.generations, run.settings.evaluations) == (9, 40)

    def test_does_not_mind_a_population_that_is_not_shown(self) -> None:
        assert form_with(**{**self.CLIMB, "population": "31"}).is_valid()

    @pytest.mark.parametrize(
        ("classes", "complaint"),
        [
            ("3, lizard", "No class is called “lizard”."),
            ("10", "10 is out of range: classes are numbered from 0 to 9."),
            ("7-3", "7-3 runs backwards: write 3-7."),
            ("published", "“published” are classes of ImageNet, which LeNet does not know."),
            (",", "',' names no class; give some like 200, 151-160, or names."),
        ],
    )
    def test_says_beside_the_field_which_classes_it_cannot_find(self, classes: str, complaint: str) -> None:
        form = form_with(**self.CLIMB, classes=classes)

        assert form.errors["classes"] == [complaint]

    def test_takes_names_and_ranges_of_classes(self) -> None:
        climb = {**self.CLIMB, "classifier": "efficientnet-lite0", "starts": "1"}
        form = form_with(**climb, classes="Starfish, 151-153; beagle, 152")

        assert form.is_valid(), form.errors
        assert form.parameters.gradient.class_indices == (327, 151, 152, 153, 162)

    def test_takes_the_published_classes_from_its_preset(self) -> None:
        form = form_with(preset="fig13", classifier="efficientnet-lite0", setting="C")

        assert form.is_valid(), form.errors
        assert form.parameters.gradient == replace(GRADIENT_SETTINGS["C"][1], class_indices=PUBLISHED_CLASSES)

    def test_clones_with_setting_and_classes(self) -> None:
        run = saved(form_with(**self.CLIMB, setting="B", classes="3,7", starts="3"))

        initial = LaunchForm(cloned=run).initial

        assert (initial["setting"], initial["classes"], initial["starts"]) == ("B", "3,7", 3)
        clone = LaunchForm({name: value for name, value in initial.items() if value is not None})
        assert saved(clone).settings == run.settings
