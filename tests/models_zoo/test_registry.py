"""The list of classifiers, and what it promises."""

import dataclasses
import subprocess
import sys

import pytest

from models_zoo.cards import WEIGHTS
from models_zoo.errors import UnknownClassifier, UnknownDevice
from models_zoo.registry import CLASSIFIERS, all_entries, find, load

MOST_TEST_ERROR = {"mnist-cnn": 0.6, "mnist-lenet": 1.0, "mnist-lenet-b": 1.0, "mnist-mlp": 1.8}  # percent
DIGITS = [name for name, entry in CLASSIFIERS.items() if entry.dataset == "mnist"]
LARGEST_FILE = 2_000_000  # bytes


def test_is_read_without_torch():
    script = (
        "import sys; from models_zoo.registry import CLASSIFIERS; "
        "[entry.card for entry in CLASSIFIERS.values()]; sys.exit('torch' in sys.modules)"
    )

    answer = subprocess.run([sys.executable, "-c", script], check=False)

    assert answer.returncode == 0


def test_is_sorted_by_name():
    assert list(CLASSIFIERS) == sorted(CLASSIFIERS)


def test_keeps_each_entry_under_its_own_name():
    assert all(name == entry.name for name, entry in CLASSIFIERS.items())


def test_finds_an_entry():
    entry = find("mnist-lenet")

    assert (entry.n_classes, entry.channels, entry.height, entry.width) == (10, 1, 28, 28)
    assert entry.labels[7] == "7"


def test_names_the_known_classifiers_to_who_asks_for_an_unknown_one():
    with pytest.raises(UnknownClassifier, match=r"'lenet'.*mnist-lenet, mnist-lenet-b"):
        find("lenet")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_loads_every_classifier(name):
    classifier = load(name, "cpu")

    assert classifier.name == name
    assert classifier.labels == CLASSIFIERS[name].labels
    assert classifier.weights_sha256 == CLASSIFIERS[name].card["sha256"]


def test_loads_a_classifier_once():
    assert load("mnist-lenet", "cpu") is load("mnist-lenet", device="cpu")


@pytest.mark.parametrize("device", ["abacus", "cuda:99", ""])
def test_refuses_a_device_that_is_not_there(device):
    with pytest.raises(UnknownDevice, match=f"'{device}'.*choose auto or cpu"):
        load("mnist-lenet", device)


@pytest.mark.parametrize("name", DIGITS)
def test_ships_well_trained_weights(name):
    card = find(name).card

    assert card["training_images"] == 60_000
    assert card["test_images"] == 10_000
    assert card["test_error_percent"] <= MOST_TEST_ERROR[name]


@pytest.mark.parametrize("name", DIGITS)
def test_ships_small_weights(name):
    assert (WEIGHTS / find(name).weights).stat().st_size < LARGEST_FILE


def test_ships_two_lenets_that_differ_in_their_start_alone():
    settings, settings_b = (find(name).card["settings"] for name in ("mnist-lenet", "mnist-lenet-b"))

    assert settings["seed"] != settings_b["seed"]
    assert {**settings, "seed": 0} == {**settings_b, "seed": 0}
    assert find("mnist-lenet").card["sha256"] != find("mnist-lenet-b").card["sha256"]


def test_finds_classifiers_that_did_not_come_with_the_project():
    names = [entry.name for entry in all_entries()]

    assert names == sorted(names)
    assert set(CLASSIFIERS) < set(names)
    assert find("alexnet").dataset == "imagenet"


def test_knows_the_sides_of_image_and_input():
    entry = find("efficientnet-lite2")

    assert (entry.channels, entry.height, entry.width, entry.preprocessing.input_size) == (3, 297, 297, 260)


def test_knows_the_mean_of_what_a_classifier_was_trained_on():
    assert find("mnist-lenet").mean_colour == (0.1307,)
    assert find("efficientnet-lite0").mean_colour == (0.485, 0.456, 0.406)
    own = dataclasses.replace(find("efficientnet-lite0"), dataset="custom")
    assert own.mean_colour == pytest.approx((127 / 255,) * 3)


def test_does_not_let_entries_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        find("mnist-lenet").name = "other"
