"""The sixteen everyday categories of Geirhos and others (2018), and how a thousand confidences become sixteen.

Which of ImageNet's classes belong to which category is a published fact; 207 of the thousand belong to one. A network
decides for the category whose members have the highest *mean* confidence: the sum would favour categories with many
members, such as dogs. How sure it is of a category is the sum all the same, as an image is of one member or another.
"""

from dataclasses import dataclass

import numpy as np

from fooling_web.studies.answers import Floats

SIXTEEN = "imagenet-16"  # as the data set of an image's label

N_CLASSES = 1000
CATEGORIES: dict[str, tuple[int, ...]] = {
    "airplane": (404,),
    "bear": (294, 295, 296, 297),
    "bicycle": (444, 671),
    "bird": (
        *(8, *range(10, 17), 18, 19, 20, 22, 23, 24, 80, 81, 82, 83, *range(87, 97), 98, 99, 100),
        *(*range(127, 134), *range(135, 146)),
    ),
    "boat": (472, 554, 625, 814, 914),
    "bottle": (440, 720, 737, 898, 899, 901, 907),
    "car": (436, 511, 817),
    "cat": tuple(range(281, 287)),
    "chair": (423, 559, 765, 857),
    "clock": (409, 530, 892),
    "dog": (
        *(*range(152, 192), *range(193, 204), *range(205, 227), *range(228, 242), *range(243, 251)),
        *(*range(252, 258), 259, 261, 262, 263, 265, 266, 267, 268),
    ),
    "elephant": (385, 386),
    "keyboard": (508, 878),
    "knife": (499,),
    "oven": (766,),
    "truck": (555, 569, 656, 675, 717, 734, 864, 867),
}


LABELS = tuple(CATEGORIES)


@dataclass(frozen=True)
class Decision:
    """What a network says among the sixteen: the first and the second category, and how sure it is of each."""

    first: int
    second: int
    confidences: Floats  # (16,), sums over the members


def decision_of(row: Floats, besides: int) -> Decision:
    """Return the decision that 1,000 confidences make, (1000,); the second is the best `besides` that category."""
    order = [int(place) for place in np.argsort(-sixteen_of(row[None])[0], kind="stable")]
    sums = np.array([row[list(members)].sum() for members in CATEGORIES.values()])
    return Decision(order[0], next(place for place in order if place != besides), sums)


def sixteen_of(confidences: Floats) -> Floats:
    """Return the mean confidence in each category, in their order: (B, 1000) -> (B, 16)."""
    assert confidences.shape == (len(confidences), N_CLASSES), confidences.shape
    return np.stack([confidences[:, members].mean(axis=1) for members in CATEGORIES.values()], axis=1)


def category_of(class_index: int) -> int | None:
    """Return the place of the category to which a class of ImageNet belongs; None: it belongs to none of them."""
    return next((place for place, members in enumerate(CATEGORIES.values()) if class_index in members), None)
