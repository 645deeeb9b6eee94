"""The direct encoding: a genome is the picture itself, one number for each pixel, or three for a coloured one.

Source: paper, section 2.3 and supplement: values are whole numbers from 0 to 255, mutated on the unit interval. A
grey genome is therefore exactly what a PNG of it holds. The three of a coloured pixel are hue, saturation and value
(paper), hue, lightness and saturation (released code), or red, green and blue (gradient ascent); they are stored as
the three channels of a PNG, which shows the picture itself only in the last case.
"""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from evolution.colour_kernel import CODES, colour_levels
from evolution.direct_variation import vary_levels
from evolution.encoding import Images
from evolution.errors import GenomeError
from evolution.parameters import Parameters

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DirectPopulation:
    """P pictures: levels is (P, C, H, W), whole numbers from 0 to 255."""

    levels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.levels)

    def take(self, rows: Rows) -> "DirectPopulation":
        """Return the pictures at rows, (B,), in that order; a row may repeat."""
        return DirectPopulation(self.levels[rows])

    def joined_with(self, other: "DirectPopulation") -> "DirectPopulation":
        """Return these pictures followed by the other's."""
        return DirectPopulation(np.concatenate([self.levels, other.levels]))

    def replaced(self, rows: Rows, other: "DirectPopulation", others: Rows) -> "DirectPopulation":
        """Return these pictures with those at rows, (T,), exchanged for the other's; nothing else is copied."""
        self.levels[rows] = other.levels[others]
        return self


class DirectEncoding:
    """Pixels as genomes, with the settings of one run."""

    def __init__(self, parameters: Parameters, device: str = "cpu") -> None:
        self.parameters, self.device = parameters, device
        self._shape = (parameters.channels, parameters.height, parameters.width)
        self._mode = "L" if parameters.channels == 1 else "RGB"  # of the PNG that holds a genome

    def random(self, count: int, rng: np.random.Generator) -> DirectPopulation:
        """Return pictures of uniform noise over the full range."""
        return DirectPopulation(rng.integers(0, 256, size=(count, *self._shape), dtype=np.uint8))

    def vary(
        self, parents: DirectPopulation, generation: int, rng: np.random.Generator
    ) -> tuple[DirectPopulation, Rows]:
        """Return as many mutated children as there are parents, and each child's parents, (B, 1) or (B, 2).

        Paper: child i descends from parent i. Released code: parents stand in pairs that cross over first; a
        child of a pair that did not names its one parent twice.
        """
        settings, rate = self.parameters.direct, self.mutation_rate(generation)
        rows = np.arange(len(parents), dtype=np.int64)
        children, crossed = vary_levels(parents.levels, settings, rate, rng)
        if not settings.crossover_rate:
            return DirectPopulation(children), rows[:, np.newaxis]
        lineage = np.stack([rows, np.where(np.repeat(crossed, 2), rows ^ 1, rows)], axis=1)
        return DirectPopulation(children), lineage

    def mutation_rate(self, generation: int) -> float:
        """Return the rate in a generation: it halves every 1,000 (paper) or stays (released code)."""
        settings = self.parameters.direct
        if not settings.rate_half_life:
            return settings.mutation_rate
        return float(settings.mutation_rate * 0.5 ** (generation // settings.rate_half_life))

    def develop(self, population: DirectPopulation) -> Images:
        """Return images, (B, C, H, W) in [0, 1] at the 256 levels of an 8-bit picture."""
        if self.device != "cpu":
            from evolution.colour_torch import develop_levels_on  # brings in torch: only where it is used

            return develop_levels_on(population.levels, self.parameters.colour, self.device)
        if self.parameters.channels == 1 or self.parameters.colour == "rgb":
            return np.divide(population.levels, 255, dtype=np.float32)
        count, channels, height, width = population.levels.shape
        images = np.empty((count, channels, height * width), np.float32)
        colour_levels(population.levels.reshape(images.shape), CODES[self.parameters.colour], images)
        return images.reshape(population.levels.shape)

    def to_bytes(self, population: DirectPopulation, row: int) -> bytes:
        """Return one genome as a PNG, whose channels are the genome's."""
        levels = population.levels[row].transpose(1, 2, 0)  # (H, W, C)
        file = io.BytesIO()
        Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else np.ascontiguousarray(levels)).save(
            file, format="PNG"
        )
        return file.getvalue()

    def from_bytes(self, genomes: list[bytes]) -> DirectPopulation:
        """Read what `to_bytes` wrote; raises GenomeError for anything else."""
        if not genomes:
            raise GenomeError("no genome given")
        return DirectPopulation(np.stack([self._read(genome) for genome in genomes]))

    def fingerprint(self, population: DirectPopulation, row: int) -> str:
        """Return the SHA-256 of one genome's values, whatever way it is stored."""
        colour = "" if self.parameters.channels == 1 else f" {self.parameters.colour}"
        header = f"foolbreeder-direct 1 {self._shape}{colour}".encode()
        return hashlib.sha256(header + population.levels[row].tobytes()).hexdigest()

    def written(self, population: DirectPopulation, row: int) -> tuple[bytes, str]:
        """Return one genome as a PNG, and its fingerprint."""
        return self.to_bytes(population, row), self.fingerprint(population, row)

    def _read(self, genome: bytes) -> npt.NDArray[np.uint8]:
        try:
            with Image.open(io.BytesIO(genome), formats=["PNG"]) as picture:
                if (picture.mode, picture.size) != (self._mode, (self._shape[2], self._shape[1])):
                    raise GenomeError(
                        f"the genome is a {picture.mode} picture of {picture.size}, not one of kind {self._mode} "
                        f"and {self._shape[2]} x {self._shape[1]} pixels"
                    )
                channels_last = np.asarray(picture, np.uint8).reshape(*self._shape[1:], self._shape[0])
                return channels_last.transpose(2, 0, 1)
        except GenomeError:
            raise
        except Exception as error:  # the decoder raises many kinds for damaged files
            raise GenomeError(f"the genome is not a PNG that can be read: {error}") from error
