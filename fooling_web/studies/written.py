"""Pictures on which it is written which label to choose: catch trials where natural images would stand out.

Among the 48 names or the 16 categories of a study a digit's label is the only one of its kind, and chosen without a
look at the others. Whoever reads such a picture knows the answer, and whoever does not look misses it. Survey
methodology calls them instructed responses.
"""

import random
import textwrap
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

from fooling_web.studies.choosing import Added, Refused, add
from fooling_web.studies.design import Design, Task
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.pictures import SIDE, keep

MANY_LABELS = 8  # more of them on one screen, and a natural image of another data set would stand out
BACK, INK = "white", "#1a1a1a"
ASKED = "Choose"
SIZES = range(44, 12, -2)  # of letters, the first that fits
A_LINE = 14  # characters
MARGIN = 14  # pixels
Role = StudyImage.Role


def is_better_written(design: Design) -> bool:
    """Whether a natural image of another data set would stand out among the labels that are offered."""
    return _asks_for_a_label(design) and design.n_options > MANY_LABELS


def add_written(study: Study, count: int, rng: random.Random) -> Added:
    """Add catch trials that say which of the evolved images' labels to choose, no label twice; raises Refused."""
    if not _asks_for_a_label(study.plan):
        raise Refused("Pictures that say which label to choose need a task in which people choose one.")
    there = set(study.images.filter(role=Role.CATCH).values_list("dataset", "class_index"))
    shown = study.images.filter(role=Role.MAIN, is_natural=False)
    labels = dict.fromkeys(shown.order_by("number").values_list("dataset", "class_index", "label"))
    left = [label for label in labels if label[:2] not in there]
    if not left:
        raise Refused(
            "There is no label left to be written: add evolved images first, whose labels these are."
        )
    return add(study, list(_images_of(rng.sample(left, min(count, len(left))))))


def drawn(label: str) -> Image.Image:
    """Draw a picture that says which label to choose, its letters as large as there is room."""
    picture = Image.new("L", (SIDE, SIDE), BACK)
    pen = ImageDraw.Draw(picture)
    text = textwrap.fill(f"“{label}”", A_LINE)
    for size in SIZES:
        font = ImageFont.load_default(size)
        left, top, right, bottom = pen.multiline_textbbox((0, 0), text, font)
        if max(right - left, bottom - top + SIDE / 4) <= SIDE - 2 * MARGIN:
            break
    small = ImageFont.load_default(22)
    pen.text((SIDE / 2, SIDE / 6), ASKED, INK, small, anchor="mm")
    pen.multiline_text((SIDE / 2, SIDE * 0.55), text, INK, font, anchor="mm", align="center")
    return picture


def _asks_for_a_label(design: Design) -> bool:
    return design.task in (Task.CHOOSE_LABEL, Task.NAME_THEN_CHOOSE)


def _images_of(labels: list[tuple[str, int, str]]) -> Iterator[StudyImage]:
    for dataset, class_index, label in labels:
        kept = keep(drawn(label))
        yield StudyImage(
            role=Role.CATCH,
            is_natural=True,
            source=f"{StudyImage.WRITTEN}{label}"[:200],
            picture=kept.name,
            sha256=kept.sha256,
            side=kept.side,
            class_index=class_index,
            label=label,
            dataset=dataset,
        )
