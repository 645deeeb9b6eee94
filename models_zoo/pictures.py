"""Turns a picture file of any kind into an image that a classifier takes."""

from pathlib import Path

import numpy as np
from PIL import Image

from models_zoo.errors import BadImages
from models_zoo.preprocessing import Preprocessing
from models_zoo.registry import ClassifierEntry

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def read_picture(path: Path, entry: ClassifierEntry) -> np.ndarray:
    """Return a picture file as an image (C, height, width), float32 in [0, 1], of the classifier's size.

    The picture is made grey for a classifier with one channel and brought to its size as its preprocessing
    says; transparent parts count as black. Raises BadImages for a file that is missing, no picture, or too
    small for a classifier that does not resize.
    """
    try:
        with Image.open(path) as picture:
            return image_of(picture, entry, str(path))
    except FileNotFoundError as error:
        raise BadImages(f"{path} does not exist; give the path of a picture file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImages(f"{path} cannot be read as a picture; give a PNG, JPEG or the like") from error


def image_of(picture: Image.Image, entry: ClassifierEntry, name: str) -> np.ndarray:
    """Return an opened picture as `read_picture` does; raises BadImages, which names it."""
    colours = Image.alpha_composite(
        Image.new("RGBA", picture.size, "black"), picture.convert("RGBA")
    ).convert("L" if entry.channels == 1 else "RGB")
    sized = _middle(_resized(colours, entry.preprocessing), entry.height, name)
    values = np.asarray(sized, np.float32).reshape(entry.height, entry.width, entry.channels) / 255
    return values.transpose(2, 0, 1)


def _resized(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Return the picture squashed to the classifier's side, with that as its shorter side, or as it is."""
    side, (width, height) = preprocessing.side, picture.size
    if preprocessing.rule == "none":
        return picture
    if preprocessing.rule == "squash":
        size = (side, side)
    else:
        shorter = min(width, height)
        size = (width * side // shorter, height * side // shorter)
    return picture.resize(size, FILTERS[preprocessing.interpolation])


def _middle(picture: Image.Image, side: int, name: str) -> Image.Image:
    """Return the middle square; raises BadImages where the picture is smaller than that."""
    width, height = picture.size
    if min(width, height) < side:
        raise BadImages(f"{name} has {width} x {height} pixels; give a picture of at least {side} x {side}")
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))
