"""What a classifier is shown is what a person sees: developed images pass through a PNG unaltered."""

import io

import numpy as np
import pytest
from PIL import Image

from evolution.cppn import CppnEncoding
from evolution.direct import DirectEncoding
from evolution.parameters import Parameters
from models_zoo.pictures import read_picture
from models_zoo.registry import find, load


def through_png(image):
    """Save an image (1, H, W) in [0, 1] as an 8-bit PNG and open it again."""
    file = io.BytesIO()
    Image.fromarray(np.rint(image[0] * 255).astype(np.uint8)).save(file, format="PNG")
    return np.asarray(Image.open(file), np.float32)[np.newaxis] / np.float32(255)


@pytest.fixture(params=["normalised", "pixel-indices", "direct"])
def images(request, grow):
    fidelity = "released-code" if request.param == "pixel-indices" else "paper"
    kind = DirectEncoding if request.param == "direct" else CppnEncoding
    encoding = kind(Parameters.for_fidelity(fidelity))
    return encoding.develop(grow(encoding, 40, 40))


def test_passes_through_a_png_bit_for_bit(images):
    opened = np.stack([through_png(image) for image in images])

    np.testing.assert_array_equal(opened, images)


def test_gives_lenet_the_same_confidences_from_a_png(images):
    lenet = load("mnist-lenet", "cpu")
    opened = np.stack([through_png(image) for image in images])

    np.testing.assert_array_equal(lenet(opened), lenet(images))


def test_gives_the_same_image_to_whoever_classifies_the_file(images, tmp_path):
    path = tmp_path / "champion.png"
    Image.fromarray(np.rint(images[0, 0] * 255).astype(np.uint8)).save(path)

    np.testing.assert_array_equal(read_picture(path, find("mnist-lenet")), images[0])
