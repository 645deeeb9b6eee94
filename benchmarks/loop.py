"""A whole run on MNIST beside the bare network: what the search itself costs.

Generation by generation the clock alternates between the loop and one forward pass of the same network over a
batch of the same size, so that a machine whose speed wanders slows both alike.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measurement import Measurement, Target, seconds
from evolution.archive import Archive, Confidences, Takeovers
from evolution.encoding import Population, encoding_for
from evolution.map_elites import Search, advance
from evolution.parameters import EncodingName, Parameters
from models_zoo.classifier import Classifier
from models_zoo.registry import load

SEED = 1


class TimedArchive(Archive):
    """An archive that knows how long its updates took."""

    seconds = 0.0

    def add(self, population: Population, confidences: Confidences, first_number: int) -> Takeovers:
        """Add as an archive does."""
        start = time.process_time()
        takeovers = super().add(population, confidences, first_number)
        self.seconds += time.process_time() - start
        return takeovers


@dataclass(frozen=True)
class Round:
    """How long one whole run took, the archive's part in it, and as many bare forward passes."""

    loop: float
    archive: float
    forward: float


def measure_loops(rounds: int) -> Iterator[Measurement]:
    """Yield the loop of both encodings beside the bare network."""
    torch.set_num_threads(1)
    yield from measure_loop("cppn", rounds, target=0.75)
    yield from measure_loop("direct", rounds)


def measure_loop(encoding: EncodingName, rounds: int, target: float | None = None) -> Iterator[Measurement]:
    """Yield the loop's evaluations a second, its ratio to the bare network, and the archive's share."""
    parameters, lenet = Parameters(encoding=encoding), load("mnist-lenet", "cpu")
    _run(parameters.replaced(generations=3), lenet)
    timed = [_run(parameters, lenet) for _ in range(rounds)]
    name, count = f"MNIST, {encoding}", parameters.evaluations
    yield Measurement(f"{name}: 200 generations of 200, evaluations/s", [count / one.loop for one in timed])
    yield Measurement(
        f"{name}: the bare network on such batches, images/s", [count / one.forward for one in timed]
    )
    yield Measurement(
        f"{name}: the loop beside the bare network",
        [one.forward / one.loop for one in timed],
        "{:.3f}",
        Target(target) if target else None,
    )
    yield Measurement(
        f"{name}: the archive's share of the loop",
        [one.archive / one.loop for one in timed],
        "{:.2%}",
        Target(0.02, at_least=False),
    )


def _run(parameters: Parameters, lenet: Classifier) -> Round:
    encoding, archive = encoding_for(parameters), TimedArchive(lenet.n_classes)
    search = Search(archive, np.random.Generator(np.random.PCG64(SEED)))
    forward_pass = _forward_pass(lenet, parameters.offspring)
    loop = forward = 0.0
    while search.generation <= parameters.generations:
        loop += seconds(lambda: advance(encoding, lenet, parameters, search))
        forward += seconds(forward_pass)
    return Round(loop, archive.seconds, forward)


def _forward_pass(lenet: Classifier, count: int) -> Callable[[], torch.Tensor]:
    """Return the plain network's pass over a batch in channels_last, without checks or softmax."""
    generator = torch.Generator().manual_seed(SEED)
    batch = torch.rand(count, 1, 28, 28, generator=generator).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward() -> torch.Tensor:
        logits: torch.Tensor = lenet.network(batch)
        return logits

    return forward
