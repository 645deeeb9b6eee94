"""Turns a picture file of any kind into an image that a classifier takes."""

from pathlib import Path

import numpy as np
from PIL import Image

from models_zoo.errors import BadImages
from models_zoo.registry import ClassifierEntry


def read_picture(path: Path, entry: ClassifierEntry) -> np.ndarray:
    """Return a picture file as an image (C, height, width), float32 in [0, 1], of the classifier's size.

    The picture is made grey for a classifier with one channel and squashed, bicubically, to its size;
    transparent parts count as black. Raises BadImages for a file that is missing or no picture.
    """
    try:
        with Image.open(path) as picture:
            colours = Image.alpha_composite(
                Image.new("RGBA", picture.size, "black"), picture.convert("RGBA")
            ).convert("L" if entry.channels == 1 else "RGB")
    except FileNotFoundError as error:
        raise BadImages(f"{path} does not exist; give the path of a picture file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImages(f"{path} cannot be read as a picture; give a PNG, JPEG or the like") from error
    squashed = colours.resize((entry.width, entry.height), Image.Resampling.BICUBIC)
    values = np.asarray(squashed, np.float32).reshape(entry.height, entry.width, entry.channels) / 255
    return values.transpose(2, 0, 1)
