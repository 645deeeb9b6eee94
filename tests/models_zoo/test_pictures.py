"""Picture files made into images for a classifier."""

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
