"""`manage.py import_classifier`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from models_zoo import registry
from models_zoo.datasets import load_mnist_sample
from models_zoo.imported import WEIGHTS, classifiers_folder
from tests.models_zoo.own import COLOURS, DIGITS_FILE, colour_weights, written

DIGITS = ("my-digits", "--architecture", "mnist-mlp", "--weights", DIGITS_FILE)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))


def answer(*arguments):
    out = io.StringIO()
    call_command("import_classifier", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def refusal(*arguments):
    with pytest.raises(CommandError) as refused:
        answer(*arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def colours(tmp_path, **changes):
    (tmp_path / "labels.txt").write_text("\n".join(COLOURS))
    options = {
        "--architecture": "torchvision:squeezenet1_1",
        "--weights": written(colour_weights(), tmp_path / "w.safetensors"),
        "--input-size": 32,
        "--channel-order": "bgr",
        "--scale": 255,
        "--mean": "104,117,123",
        "--std": "1,1,1",
        "--resize": "squash:40",
        "--labels": tmp_path / "labels.txt",
        **changes,
    }
    return ["my-colours", *(word for option in options.items() if option[1] is not None for word in option)]


def test_takes_a_network_for_digits_with_the_least_words():
    (line,) = answer(*DIGITS)

    assert line.startswith("my-digits: 10 labels, 415,910 parameters, hash ")
    assert registry.find("my-digits").labels == registry.DIGITS


def test_takes_a_colour_network_with_labels_of_its_own(tmp_path):
    facts = json.loads(answer(*colours(tmp_path), "--json")[-1])

    entry = registry.find("my-colours")
    assert (entry.labels, entry.dataset, entry.height) == (COLOURS, "custom", 40)
    assert facts["sha256"] == entry.card["sha256"]
    assert facts["labels"] == 3


def test_tries_it_on_labelled_pictures_first(tmp_path):
    sample = load_mnist_sample("test")
    for number in range(5):
        Image.fromarray(sample.images[number]).save(tmp_path / f"{number}.png")
    rows = [f"{number}.png,{sample.labels[number]}" for number in range(5)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,class_index", *rows]))

    trial, _ = answer(*DIGITS, "--accuracy-on", tmp_path)

    assert trial.startswith("5 pictures: top-1 1.000, top-5 1.000, median top-1 confidence ")
    assert registry.find("my-digits").card["test_error_percent"] == 0


def test_compares_both_channel_orders(tmp_path):
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    (tmp_path / "labels.csv").write_text("file,class_index\nred.png,0\n")

    facts = json.loads(answer(*colours(tmp_path), "--accuracy-on", tmp_path, "--json")[-1])

    assert facts["accuracy"]["images"] == 1
    assert facts["hint"] == "" or "RGB order" in facts["hint"]


def test_needs_the_name_and_the_weights_of_a_classifier_that_is_known_by_its_card():
    answer(*DIGITS)
    (classifiers_folder() / "my-digits" / WEIGHTS).unlink()

    answer("my-digits", "--weights", DIGITS_FILE)

    registry.find("my-digits").require_weights()


def test_says_what_else_it_needs(tmp_path):
    line = refusal(*colours(tmp_path, **{"--mean": None, "--channel-order": None}))

    assert line == "a classifier needs --channel-order, --mean too"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"--input-size": "large"}, "input size 'large'"),
        ({"--mean": "1,2"}, "2 numbers given as mean"),
        ({"--labels": "nothing.txt"}, "labels 'nothing.txt' cannot be read"),
        ({"--labels": "imagenet"}, "with 1000 labels"),
        ({"--architecture": "resnet"}, "unknown architecture 'resnet'"),
        ({"--weights": "nothing.safetensors"}, "nothing.safetensors does not exist"),
        ({"--accuracy-on": "nowhere"}, "labels.csv cannot be read"),
        ({"--channel-order": "grey", "--mean": "1", "--std": "1"}, "takes rgb or bgr"),
    ],
)
def test_registers_nothing_of_what_it_refuses(tmp_path, changes, complaint):
    assert complaint in refusal(*colours(tmp_path, **changes))
    assert not classifiers_folder().exists()


def test_refuses_a_name_that_is_taken():
    answer(*DIGITS)

    assert "name 'my-digits' is taken" in refusal(*DIGITS)
    assert "is the project's own" in refusal("mnist-lenet", *DIGITS[1:])
