"""Pictures a little other than they were: shifted, rescaled, compressed, blurred, with noise on them.

Each series begins or passes through an amount that leaves the picture as it is, so that a classifier's answer to it
is the one that is known already. What comes into sight beside a picture has one colour, which the caller chooses.
Importable without torch.
"""

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

SMALL = 64  # pixels a side: up to here a picture is shifted by single pixels
NOT_COMPRESSED = 100.0  # a quality that stands for no compression at all; JPEG's own 100 would lose something
KERNEL_REACH = 4  # standard deviations, beyond which a Gaussian is cut off
NOISE_SEED = 2015  # the same noise for every picture, of its size


@dataclass(frozen=True, kw_only=True)
class Series:
    """One way of changing a picture, by growing amounts; `neutral` is the amount that changes nothing."""

    name: str
    title: str
    unit: str
    amounts: tuple[float, ...]
    neutral: float = 0.0


def series_for(side: int) -> tuple[Series, ...]:
    """Return what a picture of so many pixels a side is put through."""
    reach = tuple(float(pixels) for pixels in (range(-6, 7) if side <= SMALL else range(-32, 33, 4)))
    return (
        Series(name="shift-x", title="Shifted to the right", unit="pixels", amounts=reach),
        Series(name="shift-y", title="Shifted down", unit="pixels", amounts=reach),
        Series(
            name="rescale",
            title="Rescaled",
            unit="times its size",
            amounts=tuple(tenths / 10 for tenths in range(5, 16)),
            neutral=1.0,
        ),
        Series(
            name="jpeg",
            title="Compressed as JPEG",
            unit="quality",
            amounts=(NOT_COMPRESSED, 95, 90, 80, 70, 60, 50, 40, 30, 20, 10),
            neutral=NOT_COMPRESSED,
        ),
        Series(
            name="blur",
            title="Blurred",
            unit="pixels, sigma of a Gaussian",
            amounts=tuple(half / 2 for half in range(9)),
        ),
        Series(
            name="noise",
            title="With noise",
            unit="of full scale, standard deviation",
            amounts=(0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
        ),
    )


def perturbed(image: np.ndarray, series: Series, colour: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an image (C, H, W), float32 in [0, 1], changed by each amount of a series.

    `colour` (C,) fills what the picture does not reach. Results are multiples of 1/255, as in a file.
    """
    change = CHANGES[series.name]
    for amount in series.amounts:
        yield image if amount == series.neutral else _as_in_a_file(change(image, amount, colour))


def shifted(image: np.ndarray, right: int, down: int, colour: np.ndarray) -> np.ndarray:
    """Return an image (C, H, W) moved by so many pixels."""
    _, height, width = image.shape
    moved = _of_colour(colour, image.shape)
    rows, columns = max(0, height - abs(down)), max(0, width - abs(right))
    top, left = max(0, down), max(0, right)
    moved[:, top : top + rows, left : left + columns] = image[
        :, top - down : top - down + rows, left - right : left - right + columns
    ]
    return moved


def rescaled(image: np.ndarray, factor: float, colour: np.ndarray) -> np.ndarray:
    """Return an image (C, side, side) made larger or smaller about its middle, by bicubic interpolation."""
    side = image.shape[1]
    scaled = round(side * factor)
    picture = _as_picture(image).resize((scaled, scaled), Image.Resampling.BICUBIC)
    edge = (scaled - side) // 2
    if edge >= 0:
        return _as_image(picture.crop((edge, edge, edge + side, edge + side)))
    framed = _of_colour(colour, image.shape)
    framed[:, -edge : scaled - edge, -edge : scaled - edge] = _as_image(picture)
    return framed


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """Return an image (C, H, W) after it was written as JPEG and read again."""
    file = io.BytesIO()
    _as_picture(image).save(file, format="JPEG", quality=quality)
    with Image.open(file) as picture:
        return _as_image(picture)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return an image (C, H, W) under a Gaussian; beyond its edges it goes on as at them."""
    reach = max(1, round(KERNEL_REACH * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    for axis in (1, 2):
        image = _averaged(image, weights / weights.sum(), axis)
    return image


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    """Return an image (C, H, W) with Gaussian noise on every value: always the same noise, only stronger."""
    return image + np.float32(deviation) * _noise(image.shape)


CHANGES: dict[str, Callable[[np.ndarray, float, np.ndarray], np.ndarray]] = {
    "shift-x": lambda image, amount, colour: shifted(image, round(amount), 0, colour),
    "shift-y": lambda image, amount, colour: shifted(image, 0, round(amount), colour),
    "rescale": rescaled,
    "jpeg": lambda image, amount, colour: compressed(image, round(amount)),
    "blur": lambda image, amount, colour: blurred(image, amount),
    "noise": lambda image, amount, colour: noisy(image, amount),
}


def _averaged(image: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    reach, length = len(weights) // 2, image.shape[axis]
    padding = [(reach, reach) if one == axis else (0, 0) for one in range(3)]
    padded = np.pad(image, padding, mode="edge")
    averaged = np.zeros_like(image)
    for start, weight in enumerate(weights.astype(np.float32)):
        averaged += weight * padded.take(range(start, start + length), axis)
    return averaged


@functools.lru_cache(maxsize=2)
def _noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(NOISE_SEED).standard_normal(shape, dtype=np.float32)


def _of_colour(colour: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(colour.astype(np.float32)[:, None, None], shape).copy()


def _as_in_a_file(image: np.ndarray) -> np.ndarray:
    levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.float32)
    shares: np.ndarray = levels / np.float32(255)
    return shares


def _as_picture(image: np.ndarray) -> Image.Image:
    levels = np.rint(image * 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))


def _as_image(picture: Image.Image) -> np.ndarray:
    levels = np.atleast_3d(np.asarray(picture, np.float32))  # (H, W, C)
    return levels.transpose(2, 0, 1) / np.float32(255)
