"""How fast networks become pictures, alone and beside torch."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.genomes import large_population
from benchmarks.measurement import Measurement, Target, seconds
from benchmarks.torch_painter import paint, unpack
from evolution.cppn import CppnEncoding, coordinates
from evolution.cppn_kernel import render
from evolution.parameters import Parameters

COUNT, SIDE = 200, 28


def measure_rendering(rounds: int) -> Iterator[Measurement]:
    """Yield pictures a second from flat arrays, and how many times that is of torch's."""
    population = large_population(CppnEncoding(Parameters()), COUNT)
    places = coordinates(SIDE, SIDE, "normalised")
    images = np.empty((COUNT, 1, SIDE * SIDE), np.float32)
    networks, tensor_places = unpack(population), torch.from_numpy(places)

    def kernel() -> None:
        render(population.graphs, places, 1, images)

    def torch_per_node() -> torch.Tensor:
        return paint(networks, tensor_places)

    kernel()
    _require_alike(images[:, 0], torch_per_node().numpy())
    pairs = [(seconds(kernel, 40), seconds(torch_per_node, 2)) for _ in range(rounds)]
    yield Measurement(
        "render 28x28, 20 hidden nodes, 60 connections: images/s",
        [COUNT / mine for mine, _ in pairs],
        target=Target(50_000),
    )
    yield Measurement(
        "render the same: times as fast as torch, node by node",
        [theirs / mine for mine, theirs in pairs],
        "{:.1f}",
    )


def _require_alike(mine: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> None:
    """Refuse to compare the speeds of two painters that do not paint the same."""
    share = (np.abs(mine - theirs) < 1e-3).mean()
    if share < 0.999:
        raise SystemExit(f"the two painters agree on only {share:.2%} of all pixels")
