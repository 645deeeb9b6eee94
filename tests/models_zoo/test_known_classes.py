"""Which classes pictures show."""

import pytest

from models_zoo.errors import ImportRefused
from models_zoo.known_classes import class_of_name, listed_classes
from models_zoo.registry import DIGITS
from models_zoo.wordnet import IMAGENET_LABELS

COLOURS = ("red", "dark green", "blue 7")


@pytest.mark.parametrize(
    ("name", "labels", "class_index"),
    [
        ("0001_n01443537.jpg", IMAGENET_LABELS, 1),
        ("n01443537_12.JPEG", IMAGENET_LABELS, 1),
        ("goldfish.jpg", IMAGENET_LABELS, 1),
        ("Goldfish-2.png", IMAGENET_LABELS, 1),
        ("goldfish (3).png", IMAGENET_LABELS, 1),
        ("n99999999.jpg", IMAGENET_LABELS, None),
        ("n01443537.jpg", COLOURS, None),
        ("holiday.jpg", IMAGENET_LABELS, None),
        ("class_12-b.jpg", IMAGENET_LABELS, 12),
        ("class_1000.jpg", IMAGENET_LABELS, None),
        ("dark_green.png", COLOURS, 1),
        ("dark_green 4.png", COLOURS, 1),
        ("blue-7.png", COLOURS, 2),
        ("digit 7.png", DIGITS, 7),
        ("7.png", DIGITS, None),
        ("0003.png", DIGITS, None),
        ("", DIGITS, None),
    ],
)
def test_reads_a_class_from_a_name_only_where_it_is_sure(name, labels, class_index):
    assert class_of_name(name, labels) == class_index


def test_reads_a_list():
    lines = ["file,note,class_index", 'a.png,"a, b",3', "images/b.png,,0"]

    assert listed_classes(lines, 4) == {"a.png": 3, "images/b.png": 0}


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "labels.csv has no columns file and class_index"),
        (["file,class_index", "a.png,4"], "class_index '4' for a.png; classes are 0 to 3"),
        (["file,class_index", "a.png"], "class_index ''"),
    ],
)
def test_refuses_a_list_that_it_cannot_use(lines, complaint):
    with pytest.raises(ImportRefused, match=complaint):
        listed_classes(lines, 4)
