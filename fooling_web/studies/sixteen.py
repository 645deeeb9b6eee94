"""The sixteen everyday categories of Geirhos and others (2018), and how a thousand confidences become sixteen.

Which of ImageNet's classes belong to which category is a published fact; 207 of the thousand belong to one. A
category's confidence is the *mean* of its members': the sum would favour categories with many members, such as dogs.
"""

import numpy as np

from fooling_web.studies.answers import Floats

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


def sixteen_of(confidences: Floats) -> Floats:
    """Return the mean confidence in each category, in their order: (B, 1000) -> (B, 16)."""
    assert confidences.shape == (len(confidences), N_CLASSES), confidences.shape
    return np.stack([confidences[:, members].mean(axis=1) for members in CATEGORIES.values()], axis=1)


def category_of(class_index: int) -> str | None:
    """Return the category to which a class of ImageNet belongs; None: to none of the sixteen."""
    return next((name for name, members in CATEGORIES.items() if class_index in members), None)
