"""Key frames: sheets of whole archives, a few hundred takeovers apart, so that any generation is near a drawn one.

A worker draws them once somebody opens the time of a long run. What a page then asks for is cut from the nearest
two, and only what changed hands in between is drawn. They lie in the cabinet and can be made again at any time;
without them everything is drawn as before, only slower.
"""

import io
import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fooling_web.runs.cabinet import found, kept
from fooling_web.runs.history import holdings_at, milestones_of, nearest
from fooling_web.runs.models import Run
from fooling_web.runs.tiles import (
    COLUMNS,
    SLIDING,
    Tile,
    encoded,
    laid_out,
    sheet_of,
    shelf,
    sides_of,
    tiles_of,
)

SPACING = 400  # takeovers between two key frames
WORTH_IT = 120  # tiles to draw, from which on looking for a key frame is quicker
QUALITY = 78
SLICE_SECONDS = 2.0  # for which others wait


def sheet_at(run: Run, generation: int, individuals: Sequence[int], side: int) -> tuple[bytes, str]:
    """Return a sheet of individuals that held classes in a generation, with the help of key frames."""
    if has_key_frames(run) and side == SLIDING:
        lend(run, generation, individuals)
    return sheet_of(run, individuals, side)


def lend(run: Run, generation: int, individuals: Sequence[int]) -> None:
    """Put tiles that neighbouring key frames show on the shelf."""
    for milestone in nearest(milestones_of(run, SPACING), generation):
        missing = {each for each in individuals if not shelf.has(each, SLIDING)}
        if len(missing) < WORTH_IT:
            return
        sheet = found(_name(run, milestone))
        if sheet is None:
            continue
        holders = [holding.individual for holding in holdings_at(run, milestone)]
        for individual, tile in zip(holders, _cut(sheet), strict=False):
            if individual in missing:
                shelf.put(individual, SLIDING, tile.copy())


def has_key_frames(run: Run) -> bool:
    """Whether key frames are drawn of a run: it has many classes, and its pictures are not tiny."""
    return SLIDING in sides_of(run) and len(sides_of(run)) > 1


def prepare(run: Run, seconds: float = SLICE_SECONDS) -> bool:
    """Draw key frames that are missing, for some seconds; whether any is still missing."""
    end = time.monotonic() + seconds
    for milestone in milestones_of(run, SPACING):
        name = _name(run, milestone)
        if found(name) is not None:
            continue
        if time.monotonic() > end:
            return True
        kept(name, lambda at=milestone: _drawn(run, at))  # type: ignore[misc]
    return False


def _drawn(run: Run, milestone: int) -> bytes:
    individuals = [holding.individual for holding in holdings_at(run, milestone)]
    tiles = tiles_of(run, individuals, SLIDING)
    return encoded(laid_out([tiles[each] for each in individuals], SLIDING), "JPEG", QUALITY)


def _cut(sheet: bytes) -> list[Tile]:
    """Return the tiles of a sheet, row by row."""
    with Image.open(io.BytesIO(sheet), formats=["JPEG"]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    rows = len(pixels) // SLIDING
    tiles = pixels.reshape(rows, SLIDING, -1, SLIDING, 3).transpose(0, 2, 1, 3, 4)
    return list(tiles.reshape(-1, SLIDING, SLIDING, 3))


def _name(run: Run, milestone: int) -> str:
    return f"{run.pk}-{milestone}-key-{COLUMNS}x{SLIDING}.jpg"
