"""Pictures a little other than they were, and pictures of which a patch is hidden."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models_zoo.occluding import POSITIONS, drops, patch_side, starts
from models_zoo.perturbing import (
    CHANGES,
    blurred,
    compressed,
    noisy,
    perturbed,
    rescaled,
    series_for,
    shifted,
)
from models_zoo.registry import load

GREY = np.array([0.5], np.float32)
COLOUR = np.array([0.2, 0.4, 0.6], np.float32)


def picture(channels: int = 3, side: int = 32) -> np.ndarray:
    """A picture as a file holds it, (C, side, side)."""
    levels = np.random.default_rng(1).integers(0, 256, (channels, side, side))
    return levels.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("side", [28, 256, 297])
@pytest.mark.parametrize("channels", [1, 3])
def test_goes_through_each_series_with_the_picture_as_it_is_once(side: int, channels: int) -> None:
    image, colour = picture(channels, side), np.full(channels, 0.5, np.float32)

    for series in series_for(side):
        images = list(perturbed(image, series, colour))

        same = [bool((one == image).all()) for one in images]
        assert same == [amount == series.neutral for amount in series.amounts]
        for one in images:
            assert (one.shape, one.dtype) == (image.shape, np.float32)
            assert 0 <= one.min() <= one.max() <= 1


def test_knows_how_to_change_a_picture_for_every_series() -> None:
    assert {series.name for series in series_for(28)} == set(CHANGES)


def test_gives_a_file_back_what_a_file_can_hold() -> None:
    for series in series_for(32):
        for one in perturbed(picture(), series, COLOUR):
            assert np.abs(one * 255 - np.rint(one * 255)).max() < 1e-4


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (-3, 0), (0, 5), (-2, -7), (31, 0), (40, -40)])
def test_shifts_pixel_by_pixel(right: int, down: int) -> None:
    image = picture()

    moved = shifted(image, right, down, COLOUR)

    for row in range(32):
        for column in range(32):
            inside = 0 <= row - down < 32 and 0 <= column - right < 32
            expected = image[:, row - down, column - right] if inside else COLOUR
            assert (moved[:, row, column] == expected).all()


def test_makes_a_picture_smaller_about_its_middle() -> None:
    image = np.ones((3, 32, 32), np.float32)

    smaller = rescaled(image, 0.5, COLOUR)

    assert (smaller[:, 8:24, 8:24] == 1).all()
    assert (smaller[:, :8] == COLOUR[:, None, None]).all()
    assert (smaller[:, :, 24:] == COLOUR[:, None, None]).all()


def test_makes_a_picture_larger_about_its_middle() -> None:
    image = np.zeros((1, 32, 32), np.float32)
    image[:, 12:20, 12:20] = 1

    larger = rescaled(image, 1.5, GREY)

    # Twelve pixels from 10 to 22; bicubic interpolation softens the last of them.
    assert (larger[:, 12:20, 12:20] > 0.9).all()
    assert (larger[:, :8] < 0.1).all()


def test_compresses_as_pillow_does() -> None:
    image, file = picture(), io.BytesIO()
    levels = np.rint(image * 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(levels).save(file, format="JPEG", quality=30)

    with Image.open(file) as read:
        assert (np.rint(compressed(image, 30) * 255).transpose(1, 2, 0) == np.asarray(read)).all()


def test_blurs_a_point_into_a_gaussian() -> None:
    image = np.zeros((1, 41, 41), np.float32)
    image[0, 20, 20] = 1

    spread = blurred(image, 2.0)[0]

    rows = np.arange(41) - 20
    bell = np.exp(-(rows**2) / 8)
    expected = np.outer(bell, bell) / bell.sum() ** 2
    assert np.abs(spread - expected).max() < 1e-4


def test_blurs_nothing_that_is_even() -> None:
    even = np.full((3, 32, 32), 0.25, np.float32)

    assert np.abs(blurred(even, 4.0) - even).max() < 1e-5


def test_adds_the_same_noise_each_time_only_stronger() -> None:
    image = np.full((3, 64, 64), 0.5, np.float32)

    weak, strong = noisy(image, 0.02) - image, noisy(image, 0.04) - image

    assert np.abs(strong - 2 * weak).max() < 1e-6
    assert weak.std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("side", [7, 28, 224, 260])
def test_slides_a_patch_from_edge_to_edge(side: int) -> None:
    places = starts(side)

    assert len(places) == POSITIONS
    assert (places[0], places[-1]) == (0, side - patch_side(side))
    covered = {pixel for place in places for pixel in range(place, place + patch_side(side))}
    assert covered == set(range(side))


def test_finds_nothing_where_the_gradient_is_zero() -> None:
    """A classifier that is as sure as the upper left quarter is bright, and looks at nothing else."""

    def classify(images: np.ndarray) -> np.ndarray:
        bright = images[:, :, :14, :14].mean(axis=(1, 2, 3))
        return np.stack([bright, 1 - bright], axis=1)

    image = np.ones((1, 28, 28), np.float32)

    fallen = drops(classify, image, 0, 1.0, np.zeros(1, np.float32))

    blind = starts(28) >= 14
    assert (fallen[blind] == 0).all()
    assert (fallen[:, blind] == 0).all()
    # A patch of 4 x 4 hides 16 of the 196 pixels that count.
    assert fallen[0, 0] == pytest.approx(16 / 196)
    assert (fallen[~blind][:, ~blind] > 0).all()


def test_tells_a_rise_from_a_fall() -> None:
    def classify(images: np.ndarray) -> np.ndarray:
        return 1 - images.mean(axis=(2, 3))  # (B, 1): surer of darker pictures

    fallen = drops(classify, np.ones((1, 28, 28), np.float32), 0, 0.0, np.zeros(1, np.float32))

    assert (fallen < 0).all()


def test_hides_with_a_trained_network_what_its_gradient_finds() -> None:
    classifier: Any = load("mnist-lenet", device="cpu")
    image = np.zeros((1, 28, 28), np.float32)
    image[:, 4:24, 13:15] = 1  # a one
    whole = float(classifier(image[None])[0, 1])

    fallen = drops(classifier, image, 1, whole, np.zeros(1, np.float32))

    assert whole > 0.9
    assert np.abs(fallen[:, 0]).max() < 1e-6  # black hides black
    assert fallen.max() > 0.001
