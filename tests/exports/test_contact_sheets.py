"""Contact sheets: as many columns as look well, words that fit, every picture where it belongs."""

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFont

from fooling_web.exports.contact_sheets import (
    A4,
    Heading,
    heading_of,
    page_grid,
    size_for,
    slide_grid,
    wrapped,
    write_pdf,
    write_png,
)
from fooling_web.exports.gallery_pieces import Piece, Row

HEADING = Heading(title="Foolbreeder: starfish", told="3 images", address="http://testserver/gallery/")


def piece(number: int = 0, **changes: Any) -> Piece:
    """Return an imagined piece whose picture is of one colour."""
    told: dict[str, Any] = dict.fromkeys(Row.__dataclass_fields__, "")
    told |= {"label": "starfish", "confidence": 0.99999, "classifier": "lenet", "classifier_title": "LeNet"}
    told |= {"class_index": number, "seed": 1, "generation": 1, "number": number, "width": 28, **changes}
    file = io.BytesIO()
    Image.new("RGB", (256, 256), (40, 10 * (number % 20), 200)).save(file, "PNG")
    return Piece(Row(**told), file.getvalue())


def sheet_of(pieces: list[Piece]) -> Image.Image:
    file = io.BytesIO()
    write_png(file, pieces, HEADING)
    return Image.open(file)


@pytest.mark.parametrize("n_images", [1, 2, 3, 7, 10, 24, 60, 200])
def test_is_about_as_wide_as_a_slide_and_leaves_no_row_empty(n_images):
    grid = slide_grid(n_images, size_for("png", n_images), lines=3)

    assert grid.per_page - grid.columns < n_images <= grid.per_page
    ratio = grid.columns * grid.cell_width / (grid.rows * grid.cell_height)
    assert n_images < 4 or 0.8 < ratio < 2.2


@pytest.mark.parametrize("n_images", [1, 2, 9, 20, 60, 200])
def test_fits_a_page_with_the_fewest_columns_or_takes_several(n_images):
    grid = page_grid(n_images, size_for("pdf", n_images), lines=3)

    assert grid.columns * grid.cell_width < A4[0]
    assert grid.rows * grid.cell_height < A4[1]
    assert grid.per_page >= n_images or grid.columns == 5


def test_shows_every_picture_to_the_very_level():
    sheet = sheet_of([piece(number) for number in range(6)])

    colours = {tuple(colour) for colour in np.asarray(sheet).reshape(-1, 3)[::7]}
    assert {(40, 10 * number, 200) for number in range(6)} <= colours
    assert (255, 255, 255) in colours


def test_writes_below_each_picture():
    told, blank = (np.asarray(sheet_of([piece(label=label)])) for label in ("starfish", ""))

    assert told.shape == blank.shape
    assert not np.array_equal(told, blank)


def test_names_the_classifier_where_there_are_several():
    alone = sheet_of([piece(0), piece(1)])
    several = sheet_of([piece(0), piece(1, classifier="other", classifier_title="Other")])

    assert several.height > alone.height


def test_is_a_pdf_of_pages_in_a4():
    file = io.BytesIO()

    write_pdf(file, [piece(number) for number in range(60)], HEADING)

    content = file.getvalue()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b(?!s)", content)) == 3
    width, height = map(float, re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", content)[0])
    assert (width, height) == pytest.approx((595.3, 841.9), abs=0.6)  # A4 in points


def test_parts_words_into_lines_that_fit():
    font = ImageFont.load_default(14)

    lines = wrapped("German shepherd, German shepherd dog, German police dog", font, 110, 2)

    assert len(lines) == 2
    assert all(font.getlength(line) <= 110 for line in lines)
    assert lines[1].endswith("…")
    assert wrapped("", font, 110, 2) == [""]
    assert wrapped("x" * 300, font, 110, 1)[0].endswith("…")


def test_says_what_is_shown_and_of_how_many():
    heading = heading_of("starfish", 2, 90, [piece(0), piece(1)], "http://testserver/")

    assert heading.told.startswith("2 images of 90, judged by LeNet;")
    assert heading.title == "Foolbreeder: starfish"
