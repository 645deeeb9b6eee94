"""A picture's file, of whatever kind, as the values that the classifier sees."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from fooling_web.exports.picture_files import levels_of
from models_zoo.registry import find

LENET = find("mnist-lenet")


def corner() -> Image.Image:
    """White in the upper left quarter alone."""
    levels = np.zeros((28, 28), np.uint8)
    levels[:14, :14] = 255
    return Image.fromarray(levels)


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stands_as_a_camera_held_it(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = file_of(corner(), exif=exif)
    with Image.open(io.BytesIO(content)) as turned:
        wanted = np.asarray(ImageOps.exif_transpose(turned))

    assert np.array_equal(levels_of(content, "one.png", LENET)[0], wanted)


@pytest.mark.parametrize(
    "words", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM nonsense", b"no"]
)
def test_is_read_though_what_a_camera_wrote_is_damaged(words: bytes) -> None:
    assert levels_of(file_of(corner(), "JPEG", exif=words), "one.jpg", LENET)[0, 2, 2] > 250


def test_keeps_its_greys_where_a_file_has_65536_of_them() -> None:
    greys = np.linspace(0, 255, 28 * 28).round().astype(np.uint16).reshape(28, 28)

    levels = levels_of(file_of(Image.fromarray(greys * 257)), "one.png", LENET)

    assert np.array_equal(levels[0], greys)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_is_the_same_in_whatever_way_its_colours_are_kept(mode: str) -> None:
    assert np.array_equal(
        levels_of(file_of(corner().convert(mode)), "one.png", LENET)[0], np.asarray(corner())
    )


def test_is_black_where_it_is_transparent() -> None:
    clear = Image.new("RGBA", (28, 28), (255, 255, 255, 0))

    assert not levels_of(file_of(clear), "one.png", LENET).any()


def test_shows_the_first_picture_of_an_animation() -> None:
    content = file_of(
        corner(), "WEBP", save_all=True, append_images=[Image.new("L", (28, 28))], lossless=True
    )

    assert np.array_equal(levels_of(content, "one.webp", LENET)[0], np.asarray(corner()))
