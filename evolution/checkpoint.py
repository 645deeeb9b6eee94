"""A search as a document, so that a run may stop anywhere and go on, bit for bit, as if it never had.

A checkpoint holds plain JSON values; genomes in it are in base64 as their encoding stores them. Each genome comes
with its fingerprint, so that damage is noticed before a run goes on from it.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np

from evolution.archive import VACANT, Archive
from evolution.encoding import Encoding
from evolution.errors import CheckpointError, GenomeError
from evolution.map_elites import Search

FORMAT, VERSION = "foolbreeder-checkpoint", 1


@dataclass(frozen=True)
class Holding:
    """A class that is held: by which individual, and how sure the classifier is of it."""

    class_index: int
    number: int
    confidence: float
    genome: bytes
    genome_hash: str


@dataclass(frozen=True)
class Checkpoint:
    """A search between two generations."""

    generation: int  # the next one
    random_state: dict[str, Any]
    holdings: tuple[Holding, ...]
    guests: int = 0  # generations before it that were guests

    @classmethod
    def of(cls, search: Search, encoding: Encoding) -> "Checkpoint":
        """Take down a search."""
        archive = search.archive
        holdings = tuple(
            Holding(
                class_index=class_index,
                number=int(number),
                confidence=float(archive.confidences[class_index]),
                genome=encoding.to_bytes(archive.genomes, class_index),
                genome_hash=encoding.fingerprint(archive.genomes, class_index),
            )
            for class_index, number in enumerate(archive.holders)
            if number != VACANT
        )
        return cls(search.generation, random_state_of(search.rng), holdings, search.guests)

    def restored(self, encoding: Encoding, n_classes: int) -> Search:
        """Return the search that was taken down; raises CheckpointError where anything in it is damaged."""
        archive = Archive(n_classes)
        if self.holdings:
            self._fill(archive, encoding)
        return Search(archive, _generator(self.random_state), self.generation, self.guests)

    def to_json(self) -> dict[str, Any]:
        """Return the checkpoint as plain JSON values."""
        holdings = [
            {**vars(holding), "genome": base64.b64encode(holding.genome).decode()}
            for holding in self.holdings
        ]
        return {
            "format": FORMAT,
            "version": VERSION,
            "generation": self.generation,
            "guests": self.guests,
            "random_state": self.random_state,
            "holdings": holdings,
        }

    @classmethod
    def from_json(cls, document: Any) -> "Checkpoint":
        """Read what `to_json` wrote; raises CheckpointError for anything else."""
        try:
            if (document["format"], document["version"]) != (FORMAT, VERSION):
                raise CheckpointError(
                    f"a checkpoint of another format: {document['format']} {document['version']}"
                )
            holdings = tuple(_read_holding(**holding) for holding in document["holdings"])
            generation, guests = int(document["generation"]), int(document.get("guests", 0))
            return cls(generation, dict(document["random_state"]), holdings, guests)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise CheckpointError(f"this is not a checkpoint: {error!r}") from error

    def _fill(self, archive: Archive, encoding: Encoding) -> None:
        try:
            genomes = encoding.from_bytes([holding.genome for holding in self.holdings])
        except GenomeError as error:
            raise CheckpointError(
                f"the checkpoint is damaged: {error}; clone the run to start anew"
            ) from error
        rows = np.zeros(archive.n_classes, np.int64)
        for row, holding in enumerate(self.holdings):
            _refuse_damaged(holding, archive, encoding.fingerprint(genomes, row))
            rows[holding.class_index] = row
            archive.holders[holding.class_index] = holding.number
            archive.confidences[holding.class_index] = holding.confidence
        archive.genomes = genomes.take(rows)


def _refuse_damaged(holding: Holding, archive: Archive, fingerprint: str) -> None:
    class_index = holding.class_index
    if not 0 <= class_index < archive.n_classes:
        raise CheckpointError(f"the checkpoint holds class {class_index}, which does not exist")
    if archive.holders[class_index] != VACANT:
        raise CheckpointError(f"the checkpoint holds class {class_index} twice; clone the run to start anew")
    if not 0 < holding.confidence <= 1:
        raise CheckpointError(
            f"the checkpoint is damaged: a confidence of {holding.confidence} in class {class_index}; "
            "clone the run to start anew"
        )
    if fingerprint != holding.genome_hash:
        raise CheckpointError(
            f"the checkpoint is damaged: the genome of individual {holding.number} does not match its "
            "fingerprint; clone the run to start anew"
        )


def _read_holding(
    *, class_index: Any, number: Any, confidence: Any, genome: Any, genome_hash: Any
) -> Holding:
    return Holding(
        class_index=int(class_index),
        number=int(number),
        confidence=float(confidence),
        genome=base64.b64decode(genome, validate=True),
        genome_hash=str(genome_hash),
    )


def random_state_of(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a PCG64 generator as JSON values (its numbers of 128 bits as text)."""
    state = rng.bit_generator.state
    return {**state, "state": {key: str(value) for key, value in state["state"].items()}}


def _generator(random_state: dict[str, Any]) -> np.random.Generator:
    try:
        words = {key: int(value) for key, value in random_state["state"].items()}
        bits: Any = np.random.PCG64()
        state: Any = {**random_state, "state": words}
        bits.state = state
        return np.random.Generator(bits)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            "the checkpoint's random state is damaged; clone the run to start anew"
        ) from error
