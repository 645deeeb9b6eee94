"""`manage.py classify`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from models_zoo.datasets import load_mnist_sample
from tests.services import PROJECT


def answer(*arguments):
    out = io.StringIO()
    call_command("classify", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def digits(tmp_path):
    """Picture files of a real 0, 1, ... 9."""
    sample = load_mnist_sample("test")
    paths = [tmp_path / f"{digit}.png" for digit in range(10)]
    for digit, path in enumerate(paths):
        Image.fromarray(sample.images[sample.labels == digit][0]).save(path)
    return paths


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-lenet", "mnist-lenet-b", "mnist-mlp"])
def test_recognises_digits(digits, name):
    answers = json.loads(answer(*digits, "--classifier", name, "--json")[-1])

    assert [guess["image"] for guess in answers] == [str(path) for path in digits]
    assert [guess["top"][0]["label"] for guess in answers] == list("0123456789")


def test_gives_the_five_likeliest_classes_of_a_picture(digits):
    (guess,) = json.loads(answer(digits[3], "--classifier", "mnist-lenet", "--json")[-1])

    confidences = [each["confidence"] for each in guess["top"]]
    assert len(confidences) == 5
    assert confidences == sorted(confidences, reverse=True)
    assert guess["top"][0]["class_index"] == 3


def test_writes_a_line_a_picture_for_people(digits):
    first, second = answer(digits[4], digits[7], "--classifier", "mnist-lenet")

    assert first.startswith(f"{digits[4]}: 4 (")
    assert second.startswith(f"{digits[7]}: 7 (")


def test_never_rounds_a_confidence_up():
    (line,) = answer(PROJECT / "docs/pictures/class-6-no-2281.png", "--classifier", "mnist-lenet")

    assert ": 6 (> 99.99 %), " in line
    assert "100" not in line.partition(": ")[2]


def test_refuses_an_unknown_classifier(digits):
    with pytest.raises(CommandError, match=r"unknown classifier 'lenet'; choose one of: .*mnist-cnn"):
        answer(digits[0], "--classifier", "lenet")


def test_says_that_a_picture_does_not_exist(tmp_path):
    with pytest.raises(CommandError, match=r"nofile.png does not exist"):
        answer(tmp_path / "nofile.png", "--classifier", "mnist-lenet")


def test_refuses_a_file_that_is_no_picture(digits, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")

    with pytest.raises(CommandError, match=r"bad.png cannot be read as a picture"):
        answer(digits[0], bad, "--classifier", "mnist-lenet")
