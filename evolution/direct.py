"""The direct encoding: a genome is the picture itself, one number for each pixel.

Source: paper, section 2.3 and supplement: grey values are whole numbers from 0 to 255, mutated on the unit
interval. A genome is therefore exactly what a PNG of it holds.
"""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from evolution.errors import GenomeError
from evolution.parameters import Parameters
from evolution.variation import cross_simulated_binary, mutate_polynomially

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


class DirectEncoding:
    """Pixels as genomes, with the settings of one run."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._shape = (parameters.channels, parameters.height, parameters.width)

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
        settings = self.parameters.direct
        genes = parents.levels / 255
        rows = np.arange(len(parents), dtype=np.int64)
        lineage = rows[:, np.newaxis]
        if settings.crossover_rate:
            first, second, crossed = cross_simulated_binary(
                genes[::2], genes[1::2], settings.crossover_rate, settings.crossover_eta, rng
            )
            genes = np.stack([first, second], axis=1).reshape(genes.shape)
            lineage = np.stack([rows, np.where(np.repeat(crossed, 2), rows ^ 1, rows)], axis=1)
        genes = mutate_polynomially(genes, self.mutation_rate(generation), settings.mutation_eta, rng)
        return DirectPopulation(np.rint(genes * 255).astype(np.uint8)), lineage

    def mutation_rate(self, generation: int) -> float:
        """Return the rate in a generation: it halves every 1,000 (paper) or stays (released code)."""
        settings = self.parameters.direct
        if not settings.rate_half_life:
            return settings.mutation_rate
        return float(settings.mutation_rate * 0.5 ** (generation // settings.rate_half_life))

    def develop(self, population: DirectPopulation) -> npt.NDArray[np.float32]:
        """Return images, (B, C, H, W) in [0, 1]."""
        return np.divide(population.levels, 255, dtype=np.float32)

    def to_bytes(self, population: DirectPopulation, row: int) -> bytes:
        """Return one genome as a PNG of grey values."""
        file = io.BytesIO()
        Image.fromarray(population.levels[row, 0]).save(file, format="PNG")
        return file.getvalue()

    def from_bytes(self, genomes: list[bytes]) -> DirectPopulation:
        """Read what `to_bytes` wrote; raises GenomeError for anything else."""
        if not genomes:
            raise GenomeError("no genome given")
        return DirectPopulation(np.stack([self._read(genome) for genome in genomes]))

    def fingerprint(self, population: DirectPopulation, row: int) -> str:
        """Return the SHA-256 of one genome's values, whatever way it is stored."""
        header = f"foolbreeder-direct 1 {self._shape}".encode()
        return hashlib.sha256(header + population.levels[row].tobytes()).hexdigest()

    def _read(self, genome: bytes) -> npt.NDArray[np.uint8]:
        try:
            with Image.open(io.BytesIO(genome), formats=["PNG"]) as picture:
                if (picture.mode, picture.size) != ("L", (self._shape[2], self._shape[1])):
                    raise GenomeError(
                        f"the genome is a {picture.mode} picture of {picture.size}, not one of grey values "
                        f"and {self._shape[2]} x {self._shape[1]} pixels"
                    )
                return np.asarray(picture, np.uint8).reshape(self._shape)
        except GenomeError:
            raise
        except Exception as error:  # the decoder raises many kinds for damaged files
            raise GenomeError(f"the genome is not a PNG that can be read: {error}") from error
