"""What a person writes about a classifier."""

import pytest

from models_zoo.describing import labels_from, read_labels, require_importable
from models_zoo.errors import ZooError
from tests.models_zoo.own import colours, digits


def test_reads_the_words_of_the_command_line():
    described = colours(title=" My colours ")

    assert described.preprocessing.mean == (104.0, 117.0, 123.0)
    assert described.preprocessing.std == (1.0, 1.0, 1.0)
    assert (described.preprocessing.input_size, described.preprocessing.side) == (32, 40)
    assert described.title == "My colours"
    assert described.dataset == "custom"


def test_takes_the_labels_of_imagenet_and_mnist_by_name():
    assert digits().dataset == "mnist"
    assert len(colours(labels="imagenet").label_names) == 1000


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "My Net"}, "name 'My Net'; give small letters"),
        ({"name": "../escape"}, "name '../escape'"),
        ({"name": "x" * 60}, "at most 48"),
        ({"name": ""}, "name ''"),
        ({"title": "x" * 61}, "a title of 61 letters"),
        ({"input_size": "big"}, "input size 'big'; give whole pixels"),
        ({"input_size": "9" * 5000}, "give whole pixels"),
        ({"input_size": "0"}, "input size 0"),
        ({"input_size": "64"}, "resize 'squash:40' with input size 64; give 64 <="),
        ({"input_size": "100000"}, "input size 100000; give from 1 to 1024 pixels"),
        ({"channel_order": "rbg"}, "channel order 'rbg'; choose one of"),
        ({"channel_order": "grey"}, "3 numbers given as mean; grey takes 1"),
        ({"scale": "0"}, "scale 0"),
        ({"scale": "nan"}, "scale 'nan' is no finite number"),
        ({"scale": "1e999"}, "is no finite number"),
        ({"mean": "1,2"}, "2 numbers given as mean; bgr takes 3"),
        ({"mean": "a,b,c"}, "mean 'a' is no number"),
        ({"std": "0"}, "std 0; give numbers above 0"),
        ({"std": "1,-1,1"}, "std -1; give numbers above 0"),
        ({"mean": "1,2e6,3"}, "mean 2e+06; give finite numbers below 1,000,000"),
        ({"resize": "crop:256"}, "resize 'crop:256'"),
        ({"resize": "squash:" + "9" * 5000}, "resize"),
        ({"interpolation": "lanczos"}, "interpolation 'lanczos'"),
        ({"labels": ("one",)}, "1 label; give from 2"),
        ({"labels": ("one", " ")}, "label ' ' of class 1"),
        ({"labels": ("one", "tw\x07o")}, "of class 1"),
    ],
)
def test_refuses_in_one_line(changes, complaint):
    with pytest.raises(ZooError) as refusal:
        colours(**changes)

    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_reads_labels_line_by_line():
    assert labels_from("﻿red\r\ngreen\r\nÜber blau\r\n".encode(), "f") == ("red", "green", "Über blau")


def test_reads_a_file_of_labels(tmp_path):
    (tmp_path / "labels.txt").write_text("red\ngreen\n")

    assert read_labels(str(tmp_path / "labels.txt")) == ("red", "green")
    assert read_labels("imagenet") == "imagenet"


@pytest.mark.parametrize("content", [b"", b"one", b"\xff\xfe\x00", b"one\n\nthree", b"\n" * 200_000])
def test_refuses_a_file_that_holds_no_labels(content):
    with pytest.raises(ZooError):
        labels_from(content, "labels.txt")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \r\n"])
def test_says_that_a_file_of_labels_is_empty(content):
    with pytest.raises(ZooError, match=r"labels file l.txt is empty; give one label a line"):
        labels_from(content, "l.txt")


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"name": "My Net"}, "name"),
        ({"title": "x" * 61}, "title"),
        ({"input_size": "many"}, "input_size"),
        ({"input_size": "2000"}, "input_size"),
        ({"channel_order": "rbg"}, "channel_order"),
        ({"scale": "-1"}, "scale"),
        ({"mean": "1,2"}, "mean"),
        ({"std": "1,0,1"}, "std"),
        ({"resize": "squash:2000"}, "resize"),
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"labels": ("one",)}, "labels"),
    ],
)
def test_tells_which_text_was_wrong(changes, about):
    with pytest.raises(ZooError) as refusal:
        colours(**changes)

    assert refusal.value.about == about


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"architecture": "torchvision:resnet19"}, "architecture"),
        ({"architecture": "mnist-mlp"}, "input_size"),
        ({"architecture": "mnist-mlp", "input_size": "28"}, "channel_order"),
    ],
)
def test_tells_without_weights_what_does_not_go_together(changes, about):
    with pytest.raises(ZooError) as refusal:
        require_importable(colours(**changes))

    assert refusal.value.about == about


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ZooError, match=r"cannot be read .*; give imagenet, mnist or a file"):
        read_labels(str(tmp_path / "nothing.txt"))
