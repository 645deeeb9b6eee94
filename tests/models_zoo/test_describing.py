"""What a person writes about a classifier."""

import pytest

from models_zoo.describing import labels_from, read_labels
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
        ({"input_size": "64"}, "input size 64 with resize 'squash:40'"),
        ({"channel_order": "rbg"}, "channel order 'rbg'; choose one of"),
        ({"channel_order": "grey"}, "3 numbers given as mean; grey takes 1"),
        ({"scale": "0"}, "scale 0"),
        ({"scale": "nan"}, "scale 'nan' is no finite number"),
        ({"scale": "1e999"}, "is no finite number"),
        ({"mean": "1,2"}, "2 numbers given as mean; bgr takes 3"),
        ({"mean": "a,b,c"}, "mean 'a' is no number"),
        ({"std": "0"}, "std"),
        ({"std": "1,-1,1"}, "std"),
        ({"resize": "crop:256"}, "resize 'crop:256'"),
        ({"resize": "squash:" + "9" * 5000}, "resize"),
        ({"interpolation": "lanczos"}, "interpolation 'lanczos'"),
        ({"labels": ("one",)}, "1 labels; give from 2"),
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


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ZooError, match=r"cannot be read .*; give imagenet, mnist or a file"):
        read_labels(str(tmp_path / "nothing.txt"))
