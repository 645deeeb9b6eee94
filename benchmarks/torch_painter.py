"""The plain way to paint a network with torch: one node after another, each over all pixels at once."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from evolution.colour_torch import as_levels, to_rgb
from evolution.cppn import CppnPopulation
from evolution.parameters import Colour

Function = Callable[[Tensor], Tensor]
FUNCTIONS: tuple[Function, ...] = (
    torch.sin,
    lambda p: torch.tanh(p * 0.5),
    lambda p: torch.exp(-p * p),
    lambda p: p.clamp(-3, 3) / 3,
)


class Node(NamedTuple):
    """One computed node, unpacked from the flat arrays before any clock starts."""

    function: Function
    sources: list[int]
    weights: list[float]


def unpack(population: CppnPopulation) -> list[list[Node]]:
    """Return the nodes of each network in their order."""
    starts = population.graphs.node_starts.tolist()
    return [[_node(population, node) for node in range(first, last)] for first, last in pairwise(starts)]


def _node(population: CppnPopulation, node: int) -> Node:
    graphs = population.graphs
    edges = slice(graphs.edge_starts[node], graphs.edge_starts[node + 1])
    return Node(
        FUNCTIONS[graphs.functions[node]], graphs.sources[edges].tolist(), graphs.weights[edges].tolist()
    )


@torch.inference_mode()
def paint(networks: list[list[Node]], coordinates: Tensor, n_outputs: int, colour: Colour) -> Tensor:
    """Return pictures at 256 levels, (P, n_outputs, H*W); coordinates is (4, H*W).

    Three outputs are read as the colour says; a single one is a grey value.
    """
    images = [_paint_one(nodes, coordinates)[-n_outputs:] for nodes in networks]
    outputs = torch.stack([torch.stack(image) for image in images]).abs_().clamp_(max=1)
    return as_levels(to_rgb(outputs, colour) if n_outputs == 3 else outputs)


def _paint_one(nodes: list[Node], coordinates: Tensor) -> list[Tensor]:
    """Add one connection after another, which is faster than to gather them for a product of matrices."""
    values = list(coordinates)
    for function, sources, weights in nodes:
        total = values[sources[0]] * weights[0]
        for source, weight in zip(sources[1:], weights[1:], strict=True):
            total = torch.add(total, values[source], alpha=weight)
        values.append(function(total))
    return values
