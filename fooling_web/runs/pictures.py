"""Draw an individual: its genome developed into the very pixels that the classifier saw, as a PNG."""

import io
import zlib

import numpy as np
from PIL import Image

from evolution.encoding import encoding_for
from evolution.parameters import Parameters
from fooling_web.runs.models import Individual, Run


def png_of(run: Run, individual: Individual) -> bytes:
    """Return the picture at its native size; raises GenomeError where the genome is damaged."""
    encoding = encoding_for(run.settings)
    images = encoding.develop(encoding.from_bytes([bytes(individual.genome)]))  # (1, 1, H, W) in [0, 1]
    levels = np.rint(images[0, 0] * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format="PNG")
    return file.getvalue()


def warm_up() -> None:
    """Load the kernels that draw networks."""
    encoding = encoding_for(Parameters(encoding="cppn"))
    encoding.develop(encoding.random(1, np.random.default_rng(0)))


def genome_file_of(run: Run, individual: Individual) -> tuple[bytes, str]:
    """Return a genome for downloading, and its ending: readable JSON of a network, or a PNG of pixels.

    Raises GenomeError where the genome is damaged.
    """
    encoding_for(run.settings).from_bytes([bytes(individual.genome)])
    if run.encoding == "direct":
        return bytes(individual.genome), "png"
    return zlib.decompress(bytes(individual.genome)), "json"
