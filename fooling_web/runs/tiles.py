"""Small pictures of many individuals, drawn together and sent as one sheet: what moves under the time slider.

All genomes of a sheet are read and drawn in one go. Who slides comes by the same individuals again and again, so
each process remembers the tiles it drew last. Sheets are JPEG, which is written in a few milliseconds and whose
squares end where tiles end; pictures of so few pixels that each is seen are PNG.
"""

import functools
import io
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from evolution.encoding import Encoding, encoding_for
from evolution.errors import GenomeError
from evolution.parameters import Parameters
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.watching import has_many_classes

Tile = npt.NDArray[np.uint8]  # (side, side, 3)

COLUMNS = 32  # of a sheet of many
SLIDING, RESTING, LARGE = 32, 64, 128  # pixels a side
PIXELATED = 64  # pixels a side: pictures as small as this are shown pixel by pixel
READ_AT_ONCE = 250  # genomes of networks
PIXELS_AT_ONCE = 2**20  # of genomes of pixels, which are large
REMEMBERED = 48 * 2**20  # bytes of tiles
QUALITY = 60  # of JPEG, with colours in full: networks draw stripes of a pixel's width
GREY = 128  # stands for a genome that is damaged or not kept


class Shelf:
    """The tiles drawn last, up to a number of bytes; the longest unused go first."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._tiles: OrderedDict[tuple[int, int], Tile] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, individual: int, side: int) -> Tile | None:
        """Return a tile that is still there."""
        with self._lock:
            tile = self._tiles.get((individual, side))
            if tile is not None:
                self._tiles.move_to_end((individual, side))
            return tile

    def has(self, individual: int, side: int) -> bool:
        """Whether a tile is still there."""
        return (individual, side) in self._tiles

    def put(self, individual: int, side: int, tile: Tile) -> None:
        """Remember a tile, and forget others where it gets too many."""
        with self._lock:
            if (individual, side) in self._tiles:
                return
            self._tiles[individual, side] = tile
            self._size += tile.nbytes
            while self._size > self._most:
                self._size -= self._tiles.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._tiles.clear()
            self._size = 0


shelf = Shelf(REMEMBERED)


def sides_of(run: Run) -> tuple[int, ...]:
    """Return the sizes in which tiles of a run come: while a slider moves, and at rest."""
    if is_pixelated(run):
        return (int(run.parameters["width"]),)
    return (SLIDING, RESTING) if has_many_classes(run) else (LARGE,)


def sheet_of(run: Run, individuals: Sequence[int], side: int) -> tuple[bytes, str]:
    """Return a sheet of the individuals with these keys, row by row, and its type."""
    tiles = tiles_of(run, individuals, side)
    sheet = laid_out([tiles[individual] for individual in individuals], side)
    kind = "PNG" if is_pixelated(run) else "JPEG"
    return encoded(sheet, kind), f"image/{kind.lower()}"


def is_pixelated(run: Run) -> bool:
    """Whether the run's pictures have so few pixels that each is seen."""
    return int(run.parameters["width"]) <= PIXELATED


def laid_out(tiles: Sequence[Tile], side: int, columns: int = COLUMNS) -> Tile:
    """Return tiles side by side, (rows * side, columns * side, 3)."""
    columns = max(1, min(columns, len(tiles)))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * columns, side, side, 3), GREY, np.uint8)
    if tiles:
        np.stack(tiles, out=sheet[: len(tiles)])
    by_row = sheet.reshape(rows, columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(by_row).reshape(rows * side, columns * side, 3)


def tiles_of(run: Run, individuals: Sequence[int], side: int) -> dict[int, Tile]:
    """Return the tile of each individual, a quiet grey where its genome is damaged or not kept."""
    parameters = run.settings
    found = {individual: shelf.get(individual, side) for individual in individuals}
    missing = [individual for individual, tile in found.items() if tile is None]
    drawn = {individual: tile for individual, tile in found.items() if tile is not None}
    for keys, genomes in _genomes(missing, parameters):
        for individual, tile in zip(keys, _drawn(parameters, genomes, side), strict=True):
            shelf.put(individual, side, tile)
            drawn[individual] = tile
    return drawn


def _genomes(individuals: list[int], parameters: Parameters) -> Iterator[tuple[list[int], list[bytes]]]:
    """Yield genomes, as many at once as memory and the database like."""
    pixels = 1 if parameters.encoding == "cppn" else parameters.width * parameters.height
    at_once = min(READ_AT_ONCE, max(1, PIXELS_AT_ONCE // pixels))
    for start in range(0, len(individuals), at_once):
        rows = Individual.objects.filter(pk__in=individuals[start : start + at_once])
        keys, genomes = [], []
        for key, genome in rows.values_list("pk", "genome"):
            keys.append(key)
            genomes.append(bytes(genome))
        yield keys, genomes


def _drawn(parameters: Parameters, genomes: list[bytes], side: int) -> list[Tile]:
    """Draw genomes together; where one of them is damaged, one by one."""
    kept = [genome for genome in genomes if genome]
    try:
        pictures = iter(_developed(parameters, kept, side))
    except GenomeError:
        pictures = (_alone(parameters, genome, side) for genome in kept)
    return [next(pictures) if genome else _grey(side) for genome in genomes]


def _alone(parameters: Parameters, genome: bytes, side: int) -> Tile:
    try:
        return _developed(parameters, [genome], side)[0]
    except GenomeError:
        return _grey(side)


def _developed(parameters: Parameters, genomes: list[bytes], side: int) -> list[Tile]:
    """Draw genomes, which a network that counts pixels and a genome of pixels allow in full only.

    Other networks are asked at twice as many points, of which four are averaged: fine stripes would else become
    patterns that nobody evolved.
    """
    if not genomes:
        return []
    is_scalable = parameters.encoding == "cppn" and parameters.cppn.coordinates == "normalised"
    drawn_at = min(2 * side, parameters.width) if is_scalable else parameters.width
    encoding = _encoding(parameters.replaced(height=drawn_at, width=drawn_at))
    images = encoding.develop(encoding.from_bytes(genomes))  # (B, C, H, W) in [0, 1]
    if drawn_at == 2 * side:
        images = _halved(images)
    levels = (images * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
    return [_resized(picture, side) for picture in levels]


def _halved(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average each two by two pixels."""
    rows = images[:, :, ::2] + images[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25)


@functools.lru_cache(maxsize=16)
def _encoding(parameters: Parameters) -> Encoding:
    """Return an encoding; the positions of its pixels are computed once."""
    return encoding_for(parameters)


def _resized(levels: npt.NDArray[np.uint8], side: int) -> Tile:
    if levels.shape[2] == 1:
        levels = np.repeat(levels, 3, axis=2)
    if len(levels) == side:
        return levels
    picture = Image.fromarray(np.ascontiguousarray(levels))
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX))


def _grey(side: int) -> Tile:
    return np.full((side, side, 3), GREY, np.uint8)


def encoded(sheet: Tile, kind: str, quality: int = QUALITY) -> bytes:
    """Return a sheet as a file."""
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format=kind, quality=quality, subsampling=0, compress_level=1)
    return file.getvalue()
