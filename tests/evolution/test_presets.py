"""The paper's experiments by name: whose numbers they are, whom they fit, and what goes before them."""

from dataclasses import dataclass, replace

import pytest

from evolution.errors import ParameterError
from evolution.parameters import GRADIENT_SETTINGS, PUBLISHED_CLASSES, GradientParameters
from evolution.presets import (
    OWN_NUMBERS,
    PRESETS,
    Choices,
    classes_from,
    classes_in_words,
    parameters_of,
    preset_of,
    presets_for,
    setting_of,
    usual_classifier,
)
from models_zoo.registry import find

LENET, LITE = find("mnist-lenet"), find("efficientnet-lite0")
FIGURES = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
SECONDS = 10 * 60  # "some minutes" of two cores
PER_SECOND = {"mnist": 4000, "imagenet": 35}  # images and core: LeNet, EfficientNet-Lite0
BACK = 3  # gradient ascent goes through the network forth and back


@dataclass(frozen=True)
class Seeing:
    input_size: int


@dataclass(frozen=True)
class Stranger:
    """A classifier of somebody's own."""

    name: str = "own"
    dataset: str = "custom"
    channels: int = 3
    height: int = 64
    width: int = 64
    n_classes: int = 7
    preprocessing: Seeing = Seeing(56)


def settings_of(name, classifier, **choices):
    return parameters_of(preset_of(name, classifier), classifier, Choices(**choices))


def numbers(name):
    preset = PRESETS[name]
    return preset.dataset, preset.encoding, preset.generations, preset.population, preset.crops, preset.runs


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("size", ["", "-quick"])
def test_offers_every_experiment_of_the_paper_in_full_and_as_a_quick_look(figure, size):
    assert f"fig{figure}{size}" in PRESETS
    assert PRESETS[f"fig{figure}{size}"].experiment.startswith(f"Figure {figure}:")


def test_takes_the_sizes_for_digits_from_the_released_code():
    """200 images at first and in each generation; Figures 4 and 5 are read at generation 200."""
    assert numbers("fig4") == ("mnist", "direct", 200, 200, 1, 5)
    assert numbers("fig5") == ("mnist", "cppn", 200, 200, 1, 5)
    assert numbers("paper") == ("mnist", None, 200, 200, 1, 1)
    assert numbers("released-code") == ("mnist", None, 1000, 200, 1, 1)


def test_takes_the_sizes_for_imagenet_from_the_paper_and_the_released_code():
    """CPPN: 400, 5,000 generations. Direct: 200; 20,000 in the paper, 5,010 in the code. Ten crops each."""
    assert numbers("fig6") == ("imagenet", "direct", 20_000, 200, 10, 1)
    assert numbers("fig6-released-code") == ("imagenet", "direct", 5010, 200, 10, 1)
    assert numbers("fig7") == ("imagenet", "cppn", 5000, 400, 10, 1)


def test_has_as_many_runs_as_the_figures_show():
    """Fig. 8 chooses from five runs, Fig. 9 compares two; the medians of Fig. 11 are over 30."""
    assert [PRESETS[f"fig{figure}"].runs for figure in (8, 9, 11)] == [5, 2, 30]


def test_climbs_twenty_classes_from_five_starts():
    """Supplement: 20 classes, five starts; 500 steps in setting A, 1,500 in D."""
    parameters = settings_of("fig13", LITE)

    assert parameters.gradient == replace(GRADIENT_SETTINGS["A"][1], class_indices=PUBLISHED_CLASSES)
    assert parameters.generations == 500
    assert parameters.first_population == parameters.offspring == 100
    assert settings_of("fig13", LITE, setting="D").generations == 1500


@pytest.mark.parametrize("name", [name for name in PRESETS if name.endswith("quick") or "look" in name])
def test_finishes_a_quick_look_in_minutes_on_two_cores(name):
    preset = PRESETS[name]
    classifier = LENET if preset.dataset == "mnist" else LITE
    work = preset.runs * settings_of(name, classifier).evaluations
    work *= BACK if preset.encoding == "gradient" else 1

    cores = min(2, preset.runs)
    assert preset.crops == 1
    assert work / PER_SECOND[preset.dataset] / cores < SECONDS


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_comes_to_parameters_that_fit_the_classifier(name, preset):
    classifier = LENET if preset.dataset == "mnist" else LITE

    parameters = settings_of(name, classifier)

    side = classifier.preprocessing.input_size if preset.encoding == "gradient" else classifier.height
    assert (parameters.channels, parameters.height, parameters.width) == (classifier.channels, side, side)
    evolved = "hls" if preset.fidelity == "released-code" else "hsv"
    assert parameters.colour == ("rgb" if preset.encoding == "gradient" else evolved)
    assert parameters.crops == preset.crops


def test_names_every_preset_differently():
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


def test_offers_a_classifier_the_presets_of_its_data_set():
    assert {PRESETS[name].dataset for name in presets_for(LENET)} == {"mnist"}
    assert {PRESETS[name].dataset for name in presets_for(LITE)} == {"imagenet"}


def test_offers_a_classifier_of_own_classes_what_its_colours_allow():
    assert {PRESETS[name].dataset for name in presets_for(Stranger())} == {"imagenet"}
    assert {PRESETS[name].dataset for name in presets_for(Stranger(channels=1))} == {"mnist"}


@pytest.mark.parametrize(("name", "classifier"), [("fig7", LENET), ("fig4", LITE), ("paper", LITE)])
def test_refuses_a_preset_of_another_data_set(name, classifier):
    with pytest.raises(ParameterError, match=f"preset '{name}' is for classifiers of") as refusal:
        preset_of(name, classifier)

    assert classifier.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_refuses_a_preset_that_nobody_knows():
    with pytest.raises(ParameterError, match="preset 'fig99' is unknown; choose one of paper, "):
        preset_of("fig99", LENET)


def test_puts_what_is_chosen_before_what_the_preset_says():
    parameters = settings_of("fig7", LITE, generations=3, population=8, crops=1, encoding="direct")

    assert (parameters.generations, parameters.offspring, parameters.crops) == (3, 8, 1)
    assert (parameters.encoding, parameters.keeps_every_genome) == ("direct", False)


def test_leaves_the_encoding_open_where_the_preset_does():
    assert settings_of("paper", LENET).encoding == "cppn"
    assert settings_of("paper", LENET, encoding="direct").encoding == "direct"


def test_takes_hue_and_lightness_from_the_released_code_under_its_fidelity():
    assert settings_of("fig7", LITE, fidelity="released-code").colour == "hls"
    assert settings_of("fig13", LITE, fidelity="released-code").colour == "rgb"


@pytest.mark.parametrize("number", ["generations", "population"])
def test_does_not_take_zero_for_nothing(number):
    with pytest.raises(ParameterError, match="0 is out of range"):
        settings_of("paper", LENET, **{number: 0})


def test_climbs_every_class_where_none_are_published():
    parameters = settings_of("", LENET, encoding="gradient")

    assert (parameters.gradient.class_indices, parameters.offspring) == ((), 50)
    assert (parameters.height, parameters.generations) == (28, 500)


def test_climbs_the_classes_that_are_named():
    parameters = settings_of("", LITE, encoding="gradient", classes=(3, 5), starts=2, setting="B")

    assert (parameters.gradient.class_indices, parameters.offspring) == ((3, 5), 4)
    assert parameters.gradient.decay == 0.01


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"encoding": "gradient", "classes": (10,)}, "class 10 to climb is unknown: mnist-lenet knows 10"),
        ({"encoding": "gradient", "setting": "E"}, "setting 'E' is unknown; choose one of A, B, C, D"),
        ({"encoding": "gradient", "crops": 10}, "crops 10 do not apply to gradient ascent"),
        ({"encoding": "gradient", "starts": 0}, "starts 0 is out of range"),
        ({"encoding": "gradient", "method": "novelty"}, "method 'novelty' does not apply"),
        ({"crops": 10}, "crops 10 do not apply: mnist-lenet sees a picture whole"),
        ({"encoding": "gradients"}, "encoding 'gradients' is unknown"),
        ({"method": "luck"}, "method 'luck' is unknown"),
        ({"precision": "double"}, "precision 'double' is unknown"),
        ({"fidelity": "exact"}, "fidelity 'exact' is unknown"),
    ],
)
def test_refuses_what_does_not_go_together(choices, complaint):
    with pytest.raises(ParameterError, match=complaint):
        parameters_of(OWN_NUMBERS, LENET, Choices(**choices))


def test_reads_classes_as_people_write_them():
    assert classes_from("all", LITE) == ()
    assert classes_from("published", LITE) == PUBLISHED_CLASSES
    assert classes_from("200, 207,7", LITE) == (200, 207, 7)


@pytest.mark.parametrize("text", ["", "lizard", "1,,2", "-1", "1.5", "²", "9" * 30, "200;207"])
def test_refuses_classes_that_are_none(text):
    with pytest.raises(ParameterError, match="are no class indices"):
        classes_from(text, LITE)


@pytest.mark.parametrize("classes", [(), PUBLISHED_CLASSES, (3, 1)])
def test_writes_classes_as_it_reads_them(classes):
    assert classes_from(classes_in_words(GradientParameters(class_indices=classes)), LITE) == classes


@pytest.mark.parametrize("name", GRADIENT_SETTINGS)
def test_knows_a_published_setting_whatever_its_classes(name):
    assert setting_of(replace(GRADIENT_SETTINGS[name][1], class_indices=(1, 2), starts=1)) == name


def test_knows_no_name_for_a_setting_of_ones_own():
    assert setting_of(GradientParameters(decay=0.5)) == ""


def test_follows_the_released_code_where_a_preset_says_so():
    assert settings_of("fig6-released-code", LITE).fidelity == "released-code"
    assert settings_of("fig6", LITE).fidelity == "paper"
    assert settings_of("fig6-released-code", LITE, fidelity="paper").fidelity == "paper"


def test_knows_a_classifier_for_each_preset():
    assert usual_classifier("fig7-quick") == "efficientnet-lite0"
    assert usual_classifier("fig4") == usual_classifier("") == "mnist-lenet"


def test_refuses_a_population_for_gradient_ascent():
    with pytest.raises(ParameterError, match="population 80 does not apply"):
        settings_of("fig13", LITE, population=80)
