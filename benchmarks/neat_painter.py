"""The way of a general NEAT library: neat-python's feed-forward network, activated once for every pixel.

The library's own functions scale their arguments differently, so its network is given the paper's four.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from neat.nn import FeedForwardNetwork

from evolution.cppn import CppnPopulation
from evolution.cppn_kernel import N_INPUTS

FUNCTIONS: tuple[Callable[[float], float], ...] = (
    math.sin,
    lambda p: math.tanh(p * 0.5),
    lambda p: math.exp(-p * p),
    lambda p: max(-3.0, min(3.0, p)) / 3,
)


def networks_of(population: CppnPopulation) -> list[FeedForwardNetwork]:
    """Return each genome as a network of neat-python's, before any clock starts."""
    starts = population.graphs.node_starts.tolist()
    return [_network(population, first, last) for first, last in pairwise(starts)]


def _network(population: CppnPopulation, first: int, last: int) -> FeedForwardNetwork:
    _, functions, edge_starts, sources, weights = population.graphs
    nodes = []
    for node in range(first, last):
        edges = slice(edge_starts[node], edge_starts[node + 1])
        links = list(zip(sources[edges].tolist(), weights[edges].tolist(), strict=True))
        nodes.append((N_INPUTS + node - first, FUNCTIONS[functions[node]], sum, 0.0, 1.0, links))
    end = N_INPUTS + last - first
    return FeedForwardNetwork(list(range(N_INPUTS)), list(range(end - population.n_outputs, end)), nodes)


def activate(networks: list[FeedForwardNetwork], places: list[list[float]]) -> npt.NDArray[np.float64]:
    """Return the absolute values of the outputs at each place, (P, n_outputs, places); places are x, y, d, bias."""
    outputs = [[network.activate(place) for place in places] for network in networks]
    return np.abs(np.array(outputs)).transpose(0, 2, 1)
