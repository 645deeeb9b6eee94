"""What every encoding keeps: how genomes are born, varied, developed into images, and stored."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evolution.parameters import Parameters

Rows = npt.NDArray[np.int64]
Images = Any  # an array of numpy, or a tensor on the device that the encoding develops on


class Population(Protocol):
    """Genomes of one encoding, as flat arrays."""

    def __len__(self) -> int:
        """Return the number of genomes, P."""

    def take(self, rows: Rows) -> Any:
        """Return the genomes at rows, (B,), in that order; a row may repeat."""

    def joined_with(self, other: Any) -> Any:
        """Return these genomes followed by the other's."""

    def replaced(self, rows: Rows, other: Any, others: Rows) -> Any:
        """Return these genomes with those at rows, (T,), exchanged for the other's at others, (T,)."""


class Encoding(Protocol):
    """One way to write an image as a genome, with the settings of one run. All randomness comes from `rng`."""

    parameters: Parameters

    def random(self, count: int, rng: np.random.Generator) -> Any:
        """Return the population that a run begins with."""

    def vary(self, parents: Any, generation: int, rng: np.random.Generator) -> tuple[Any, Rows]:
        """Return B offspring of B parents, and for each the rows of its parents, (B, 1) or (B, 2)."""

    def develop(self, population: Any) -> Images:
        """Return images, (B, C, H, W) float32 in [0, 1], where the classifier wants them."""

    def to_bytes(self, population: Any, row: int) -> bytes:
        """Return one genome as it is stored."""

    def from_bytes(self, genomes: list[bytes]) -> Any:
        """Read stored genomes; raises GenomeError where one is damaged or of another kind."""

    def fingerprint(self, population: Any, row: int) -> str:
        """Return the SHA-256 of one genome's content."""

    def written(self, population: Any, row: int) -> tuple[bytes, str]:
        """Return one genome as it is stored, and its fingerprint: cheaper together than one by one."""


def encoding_for(parameters: Parameters, device: str = "cpu") -> Encoding:
    """Return the encoding that these parameters ask for. To add one, name it here and in `ENCODINGS`.

    On another device than the CPU, images are developed there and never leave it.
    """
    if parameters.encoding in ("direct", "gradient"):
        from evolution.direct import DirectEncoding

        return DirectEncoding(parameters, device)
    from evolution.cppn import CppnEncoding  # brings in the compiler of its kernels: only where it is used

    return CppnEncoding(parameters, device)
