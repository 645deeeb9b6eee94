"""Draw an individual: its genome developed into the very pixels that the classifier saw, or into a small picture."""

import functools
import io
import zlib
from typing import Any

import numpy as np
from PIL import Image

from evolution.encoding import Encoding, encoding_for
from evolution.errors import GenomeError
from evolution.parameters import Parameters
from fooling_web.runs.models import Individual, Run

SIZES = (
    64,
    128,
    256,
)  # pixels a side, of small pictures: few, so that browsers and caches meet the same again
LARGE_SIZES = (512, 1024, 2048)
ALL_SIZES = (*SIZES, *LARGE_SIZES)
QUALITY = 85  # of WebP
ROWS_AT_ONCE = 128  # of a large picture: some megabytes, whatever its size
LARGEST_OF_SQUARES = (
    64  # pixels a side: smaller pictures of pixels are enlarged pixel by pixel, larger ones smoothly
)
FORMATS: dict[str, tuple[str, dict[str, int]]] = {  # quick rather than small: people wait for large pictures
    "png": ("PNG", {"compress_type": zlib.Z_RLE}),
    "webp": ("WEBP", {"quality": QUALITY, "method": 0}),
}


class NotKept(GenomeError):
    """The genome of an individual that holds nothing any more was dropped to save room."""


def png_of(run: Run, individual: Individual) -> bytes:
    """Return the picture at its native size; raises GenomeError where the genome is damaged or not kept."""
    return _as_file(_drawn(run.settings, bytes(individual.genome)), "PNG")


def webp_of(run: Run, individual: Individual, size: int) -> bytes:
    """Return a picture of at most `size` pixels a side; raises GenomeError like `png_of`."""
    return _as_file(small_picture(run.settings, bytes(individual.genome), size), "WEBP")


def small_picture(parameters: Parameters, genome: bytes, size: int) -> Image.Image:
    """Return a picture of at most `size` pixels a side.

    A network is asked at twice as many points as there are pixels, which are then averaged: the same function,
    sampled more coarsely. A genome of pixels, or of a network that counts pixels, is drawn in full first.
    """
    native = parameters.width
    is_scalable = parameters.encoding == "cppn" and parameters.cppn.coordinates == "normalised"
    side = min(2 * size, native) if is_scalable else native
    picture = _drawn(parameters.replaced(height=side, width=side), genome)
    return picture.resize((size, size), Image.Resampling.BOX) if side > size else picture


def picture_of_size(parameters: Parameters, genome: bytes, size: int) -> Image.Image:
    """Return a picture of exactly `size` pixels a side; raises GenomeError like `png_of`.

    A network is asked at as many points as there are pixels. Pixels are enlarged: there is nothing finer in them.
    """
    if size <= parameters.width:
        return small_picture(parameters, genome, size)
    if parameters.encoding == "cppn":
        return _developed(parameters, genome, size)
    squares = parameters.width <= LARGEST_OF_SQUARES
    resampling = Image.Resampling.NEAREST if squares else Image.Resampling.BICUBIC
    return _drawn(parameters, genome).resize((size, size), resampling)


def file_of_size(run: Run, individual: Individual, size: int, ending: str) -> bytes:
    """Return a picture of exactly `size` pixels a side as "png" or "webp"; raises GenomeError like `png_of`."""
    kind, options = FORMATS[ending]
    file = io.BytesIO()
    picture_of_size(run.settings, bytes(individual.genome), size).save(file, format=kind, **options)
    return file.getvalue()


def warm_up() -> None:
    """Load the kernels that draw networks."""
    encoding = encoding_for(Parameters(encoding="cppn"))
    encoding.develop(encoding.random(1, np.random.default_rng(0)))


def genome_file_of(run: Run, individual: Individual) -> tuple[bytes, str]:
    """Return a genome for downloading, and its ending: readable JSON of a network, or a PNG of pixels.

    Raises GenomeError where the genome is damaged or not kept.
    """
    genome = bytes(individual.genome)
    _require(genome)
    encoding_for(run.settings).from_bytes([genome])
    return (zlib.decompress(genome), "json") if run.encoding == "cppn" else (genome, "png")


def _drawn(parameters: Parameters, genome: bytes) -> Image.Image:
    _require(genome)
    encoding = _encoding(parameters)
    images = encoding.develop(encoding.from_bytes([genome]))  # (1, C, H, W) in [0, 1]
    levels = np.rint(images[0] * 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))


def _developed(parameters: Parameters, genome: bytes, size: int) -> Image.Image:
    _require(genome)
    encoding: Any = _encoding(parameters)  # CppnEncoding, whose import would bring the compiler in too early
    population = encoding.from_bytes([genome])
    levels = np.empty((size, size, parameters.channels), np.uint8)
    for first in range(0, size, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        part = encoding.develop_at(population, size, size, rows)[0]  # (C, ROWS_AT_ONCE, size)
        levels[rows] = np.rint(part * 255).transpose(1, 2, 0)
    return Image.fromarray(levels[..., 0] if parameters.channels == 1 else levels)


def _require(genome: bytes) -> None:
    if not genome:
        raise NotKept("it was dropped when another image took its last class")


@functools.lru_cache(maxsize=16)
def _encoding(parameters: Parameters) -> Encoding:
    """Return an encoding; the positions of its pixels are computed once."""
    return encoding_for(parameters)


def _as_file(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=kind, quality=QUALITY)
    return file.getvalue()
