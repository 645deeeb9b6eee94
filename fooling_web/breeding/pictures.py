"""Pictures of litters: all tiles in one sheet, from which a page cuts them, or one tile alone at a few sizes.

A litter never changes, so a browser may keep its pictures for ever. They are private like the session.
"""

import hashlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fooling_web.breeding.litters import pictures_from, pictures_of
from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.runs.pictures import FORMATS

COLUMNS = 5  # of a sheet
SIDE, FINE_SIDE = 128, 256  # pixels of a tile: at once, and on a screen that shows more once there is time
MARGIN = (
    64  # a tile's rim is repeated beyond it, a 64th of its side wide, or its neighbours would bleed into it
)
LARGEST_PIXELATED = 64  # pixels a side: pictures as small as this are shown pixel by pixel
QUALITY: dict[str, Any] = {"quality": 85, "method": 0}
LOSSLESS: dict[str, Any] = {"lossless": True, "quality": 0, "method": 0}
DIGEST = 16  # characters
Levels = npt.NDArray[np.uint8]


def digest_of(litter: Litter) -> str:
    """Return what a sheet's address is named by: other genomes, another address."""
    return hashlib.sha256("".join(litter.hashes).encode()).hexdigest()[:DIGEST]


def is_pixelated(litter: Litter) -> bool:
    """Whether the litter's pictures have so few pixels that each is seen."""
    return int(litter.session.parameters["width"]) <= LARGEST_PIXELATED


def sheet_of(litter: Litter, *, fine: bool = False) -> bytes:
    """Return all tiles of a litter in one WebP, five in a row."""
    pixelated = is_pixelated(litter)
    side = int(litter.session.parameters["width"]) if pixelated else FINE_SIDE if fine else SIDE
    levels = _levels(pictures_of(litter, side))  # (B, side, side, C)
    if not pixelated:
        rim = side // MARGIN
        levels = np.pad(levels, ((0, 0), (rim, rim), (rim, rim), (0, 0)), mode="edge")
    return _file(_laid_out(levels), "WEBP", LOSSLESS if pixelated else QUALITY)


def tile_of(litter: Litter, place: int, size: int, ending: str) -> bytes:
    """Return one tile as "png" or "webp": a few pixels enlarged one by one, all else drawn as finely as asked."""
    kind, options = FORMATS[ending]
    if not is_pixelated(litter):
        return _file(_levels(pictures_of(litter, size, [place]))[0], kind, options)
    native = int(litter.session.parameters["width"])
    picture = _image(_levels(pictures_of(litter, native, [place]))[0])
    file = io.BytesIO()
    picture.resize((size, size), Image.Resampling.NEAREST).save(file, kind, **options)
    return file.getvalue()


def picture_of(session: BreedingSession, document: dict[str, Any], side: int = SIDE) -> bytes:
    """Return one genome that is in no litter as a WebP of the size of a tile, or with its few pixels."""
    side = min(int(session.parameters["width"]), side)
    options = LOSSLESS if side <= LARGEST_PIXELATED else QUALITY
    return _file(_levels(pictures_from(session.settings, [document], side))[0], "WEBP", options)


def _levels(images: npt.NDArray[np.float32]) -> Levels:
    return np.rint(images * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _laid_out(tiles: Levels) -> Levels:
    """Return tiles side by side, (rows * side, COLUMNS * side, C), black where there are none."""
    count, side, _, channels = tiles.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, side, side, channels), np.uint8)
    sheet[:count] = tiles
    by_row = sheet.reshape(rows, COLUMNS, side, side, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(by_row).reshape(rows * side, COLUMNS * side, channels)


def _image(levels: Levels) -> Image.Image:
    return Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else np.ascontiguousarray(levels))


def _file(levels: Levels, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    _image(levels).save(file, kind, **options)
    return file.getvalue()
