"""What the paper says of single classes, so that a class's page can put it beside what hangs here.

Nguyen, Yosinski and Clune, CVPR 2015; class indices are those of ImageNet.
"""

from dataclasses import dataclass

from evolution.parameters import PUBLISHED_CLASSES
from fooling_web.galleries.models import ImageClass
from models_zoo.wordnet import CATS_AND_DOGS_CLASSES


@dataclass(frozen=True)
class Said:
    """A sentence, and where in the paper it stands."""

    text: str
    place: str


DIGITS = Said(
    "Within 200 generations the median confidence over the ten digits reaches 99.99 %.", "Figures 4 and 5"
)
DIGIT_SHAPES = {
    1: Said("Images that pass for a 1 tend to have vertical bars.", "Figure 5"),
    2: Said("Images that pass for a 2 tend to have a horizontal bar in the lower half.", "Figure 5"),
}
CATS_AND_DOGS = Said("Dogs and cats were the hardest to fool: their champions stayed low.", "Figure 7")
ASCENT = Said("One of the twenty classes whose gradient was followed.", "Figure 13 and supplement")
IN_TWO_RUNS = {  # confidences of two runs
    42: ("62.11 %", "92.25 %"),
    43: ("13.28 %", "85.76 %"),
    46: ("90.04 %", "93.29 %"),
    152: ("53.18 %", "50.25 %"),
    154: ("63.06 %", "85.88 %"),
    156: ("44.50 %", "65.76 %"),
}
WITHOUT_COPIES = {629: ("99.94 %", "99.80 %"), 769: ("99.90 %", "99.40 %"), 683: ("99.91 %", "99.89 %")}


def said_of(image_class: ImageClass) -> list[Said]:
    """Return what the paper says of a class; nothing of classes that it does not have."""
    if image_class.dataset == "mnist":
        return _of_digit(image_class.class_index)
    if image_class.dataset == "imagenet":
        return _of_thing(image_class.class_index)
    return []


def _of_digit(digit: int) -> list[Said]:
    return [DIGITS, *([DIGIT_SHAPES[digit]] if digit in DIGIT_SHAPES else [])]


def _of_thing(class_index: int) -> list[Said]:
    said = []
    if class_index in IN_TWO_RUNS:
        first, second = IN_TWO_RUNS[class_index]
        said.append(Said(f"Two runs came to {first} and {second}, with images that differ.", "Figure 9"))
    if class_index in WITHOUT_COPIES:
        whole, fewer = WITHOUT_COPIES[class_index]
        text = f"Taking repeated copies out of the image lowers the confidence a little: {whole} to {fewer}."
        said.append(Said(text, "Figure 10"))
    if class_index in CATS_AND_DOGS_CLASSES:
        said.append(CATS_AND_DOGS)
    if class_index in PUBLISHED_CLASSES:
        said.append(ASCENT)
    return said
