"""Draw an individual: its genome developed into the very pixels that the classifier saw, or into a small picture."""

import functools
import io
import zlib

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
QUALITY = 85  # of WebP


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
