"""How fast networks become pictures: alone, beside torch node by node, and beside neat-python pixel by pixel."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks import neat_painter, torch_painter
from benchmarks.genomes import large_population
from benchmarks.measurement import Measurement, Target, clock_of, seconds
from evolution.colour_kernel import CODES, GREY
from evolution.cppn import CppnEncoding, CppnPopulation, coordinates
from evolution.cppn_kernel import paint, render
from evolution.parameters import Parameters


@dataclass(frozen=True)
class Size:
    """Pictures of one size; how many of them, and how often, are enough to be timed."""

    side: int
    channels: int
    count: int
    repeats: int
    torch_count: int
    neat_places: int  # pixels of a picture that neat-python paints: a fraction is timed and scaled
    target: float

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.side}x{self.side}" + (f"x{self.channels}" if self.channels > 1 else "")


SMALL = Size(28, 1, count=200, repeats=40, torch_count=200, neat_places=49, target=50_000)
LARGE = Size(256, 3, count=100, repeats=1, torch_count=10, neat_places=64, target=450)
NEAT_COUNT = 8
SEED = 1


def measure_rendering(rounds: int) -> Iterator[Measurement]:
    """Yield pictures a second and ratios, for the pictures of MNIST and those of ImageNet."""
    torch.set_num_threads(1)
    for size in (SMALL, LARGE):
        yield from _measure(size, rounds)


def measure_on_gpu(rounds: int) -> Iterator[Measurement]:
    """Yield pictures of ImageNet's size a second, developed on a GPU, by the clock."""
    from evolution.cppn_torch import develop_on

    parameters = Parameters(channels=LARGE.channels, height=LARGE.side, width=LARGE.side)
    population, clock = large_population(CppnEncoding(parameters), 400), clock_of("cuda")

    def develop() -> torch.Tensor:
        return develop_on(population, LARGE.side, LARGE.side, "normalised", parameters.colour, "cuda")

    develop()
    yield Measurement(
        f"render {LARGE.name} on a GPU, 20 hidden nodes, 60 connections: images/s",
        [len(population) / seconds(develop, 3, clock) for _ in range(rounds)],
    )


def _measure(size: Size, rounds: int) -> Iterator[Measurement]:
    timed = [*_timed(size, rounds)]
    yield Measurement(
        f"render {size.name}, 20 hidden nodes, 60 connections: images/s",
        [1 / mine for mine, _, _ in timed],
        target=Target(size.target),
    )
    yield Measurement(
        f"render {size.name}: times as fast as torch, node by node",
        [theirs / mine for mine, theirs, _ in timed],
        "{:,.1f}",
    )
    yield Measurement(
        f"render {size.name}: times as fast as neat-python, pixel by pixel",
        [theirs / mine for mine, _, theirs in timed],
    )


def _timed(size: Size, rounds: int) -> Iterator[tuple[float, float, float]]:
    """Yield the seconds for one picture: of the kernel, of torch and of neat-python."""
    parameters = Parameters(channels=size.channels, height=size.side, width=size.side)
    population = large_population(CppnEncoding(parameters), size.count)
    places = coordinates(size.side, size.side, "normalised")
    images = np.empty((size.count, size.channels, places.shape[1]), np.float32)
    colour = GREY if size.channels == 1 else CODES[parameters.colour]
    nodes, tensor_places = torch_painter.unpack(population)[: size.torch_count], torch.from_numpy(places)
    some = _some_pixels(size)
    networks, some_places = neat_painter.networks_of(population)[:NEAT_COUNT], places[:, some].T.tolist()

    def kernel() -> None:
        paint(population.graphs, places, colour, images)

    def torch_per_node() -> torch.Tensor:
        return torch_painter.paint(nodes, tensor_places, size.channels, parameters.colour)

    def neat_per_pixel() -> npt.NDArray[np.float64]:
        return neat_painter.activate(networks, some_places)

    kernel()
    _require_alike("torch", images[: size.torch_count], torch_per_node().numpy())
    _require_alike("neat-python", _outputs(population, places)[:NEAT_COUNT, :, some], neat_per_pixel())
    neat_share = NEAT_COUNT * len(some) / places.shape[1]  # of a picture, that it paints at a time
    for _ in range(rounds):
        yield (
            seconds(kernel, size.repeats) / size.count,
            seconds(torch_per_node) / size.torch_count,
            seconds(neat_per_pixel) / neat_share,
        )


def _some_pixels(size: Size) -> npt.NDArray[np.int64]:
    """Return pixels spread over the picture, the same at every time."""
    rng = np.random.default_rng(SEED)
    return np.sort(rng.choice(size.side**2, size.neat_places, replace=False))


def _outputs(population: CppnPopulation, places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what the networks put out before it is read as colours, (P, n_outputs, H*W)."""
    outputs = np.empty((len(population), population.n_outputs, places.shape[1]), np.float32)
    render(population.graphs, places, population.n_outputs, outputs)
    return outputs


def _require_alike(name: str, mine: npt.NDArray[np.float32], theirs: npt.NDArray[Any]) -> None:
    """Refuse to compare the speeds of two painters that do not paint the same, but for one of 256 levels."""
    share = (np.abs(mine - theirs) < 1.5 / 255).mean()
    if share < 0.999:
        raise SystemExit(f"the kernel and {name} agree on only {share:.2%} of all values")
