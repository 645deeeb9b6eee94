"""Picture files made into images for a classifier."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from models_zoo.errors import BadImages
from models_zoo.pictures import read_picture
from models_zoo.registry import find

ENTRY = find("mnist-lenet")


def saved(picture, path):
    picture.save(path)
    return path


def test_reads_a_grey_digit_as_it_is(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "digit.png")

    image = read_picture(path, ENTRY)

    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, (pixels.astype(np.float32) / 255)[None])


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp", "tiff"])
def test_squashes_coloured_pictures_of_any_kind_and_size(tmp_path, suffix):
    path = saved(Image.new("RGB", (40, 300), (255, 255, 255)), tmp_path / f"white.{suffix}")

    image = read_picture(path, ENTRY)

    assert image.shape == (1, 28, 28)
    assert image.min() > 0.99


def test_counts_transparent_parts_as_black(tmp_path):
    path = saved(Image.new("RGBA", (28, 28), (255, 255, 255, 0)), tmp_path / "glass.png")

    assert read_picture(path, ENTRY).max() == 0


def in_colour(resize, size):
    entry = find("efficientnet-lite0")
    preprocessing = dataclasses.replace(entry.preprocessing, input_size=size, resize=resize)
    return dataclasses.replace(entry, preprocessing=preprocessing)


@pytest.fixture
def thirds(tmp_path):
    """Save a picture three times as wide as high: a third red, a third green, a third blue."""
    picture = Image.new("RGB", (90, 30), (255, 0, 0))
    picture.paste((0, 255, 0), (30, 0, 60, 30))
    picture.paste((0, 0, 255), (60, 0, 90, 30))
    return saved(picture, tmp_path / "thirds.png")


def test_squashes_the_whole_picture(thirds):
    image = read_picture(thirds, in_colour("squash:30", 20))

    assert image.shape == (3, 30, 30)
    np.testing.assert_allclose(image.mean((1, 2)), 1 / 3, atol=0.01)


def test_takes_the_middle_square_of_the_picture_with_its_shorter_side_resized(thirds):
    image = read_picture(thirds, in_colour("short:60", 50))

    assert image.shape == (3, 60, 60)
    np.testing.assert_allclose(image.mean((1, 2)), (0, 1, 0), atol=0.02)


def test_takes_the_middle_of_the_picture_as_it_is(thirds):
    image = read_picture(thirds, in_colour("none", 30))

    assert image.shape == (3, 30, 30)
    assert (image[1] == 1).all()


def test_refuses_a_picture_smaller_than_a_classifier_takes_it(thirds):
    with pytest.raises(BadImages, match="has 90 x 30 pixels; give a picture of at least 31 x 31"):
        read_picture(thirds, in_colour("none", 31))


def test_refuses_a_file_that_is_no_picture(tmp_path):
    path = tmp_path / "letter.png"
    path.write_text("Dear reader")

    with pytest.raises(BadImages, match=r"letter.png cannot be read as a picture; give a PNG"):
        read_picture(path, ENTRY)


def test_refuses_a_truncated_picture(tmp_path):
    path = saved(Image.effect_noise((200, 200), 50), tmp_path / "half.png")
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(BadImages, match=r"half.png"):
        read_picture(path, ENTRY)


def test_says_that_a_file_does_not_exist(tmp_path):
    with pytest.raises(BadImages, match=r"absent.png does not exist"):
        read_picture(tmp_path / "absent.png", ENTRY)


def test_refuses_a_folder(tmp_path):
    with pytest.raises(BadImages, match="cannot be read"):
        read_picture(tmp_path, ENTRY)
