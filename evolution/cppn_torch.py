"""Develop a population of CPPNs on a torch device, so that no picture passes through the processor.

A step computes, for every pixel, all nodes of all networks that are equally deep and share a function; so the
number of calls grows with the depth of the deepest network, not with the number of networks. All sums of a step are
one call, for which each node is a bag of weighted rows, as words are in models of text: torch adds the rows of a bag
one after another, in the genome's order as the kernel on the CPU does, so that a picture does not depend on the
networks that are developed with it.

`cppn_kernel.py` is for the CPU; `cppn_twin.py` says the same slowly.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from numba import njit
from torch import Tensor
from torch.nn.functional import embedding_bag

from evolution.colour_torch import PICBREEDER, as_levels, to_rgb
from evolution.cppn import CppnPopulation, coordinates, slices_at
from evolution.cppn_kernel import (
    COSINE,
    FARTHEST,
    GAUSSIAN,
    IDENTITY,
    N_INPUTS,
    SIGMOID,
    SIGNED_GAUSSIAN,
    SINE,
    Graphs,
)
from evolution.parameters import FUNCTIONS, Colour, Coordinates

Rows = npt.NDArray[np.int64]
SHARE_OF_FREE_MEMORY = 0.25  # the classifier and its batches want the rest
BYTES_ON_CPU = 256_000_000  # where this proves itself, but is not meant to be quick


class Step(NamedTuple):
    """Nodes of one depth and function, which stand next to each other."""

    function: int
    nodes: slice
    connections: slice


class Plan(NamedTuple):
    """Which rows of the values are computed from which: inputs in rows 0..3, nodes behind them in order of steps."""

    steps: list[Step]
    begins: Tensor  # (N,) where a node's connections begin among those of its step
    sources: Tensor  # (E,) rows
    weights: Tensor  # (E,)
    outputs: Tensor  # (P * n_outputs,) rows


@torch.no_grad()
def develop_on(
    population: CppnPopulation,
    height: int,
    width: int,
    coordinates_kind: Coordinates,
    colour: Colour,
    device: str,
    levels: int | None = 256,
) -> Tensor:
    """Return pictures, (B, C, height, width) float32 in [0, 1], on the device.

    With three outputs they are read as the colour says. Values are rounded to so many levels, or not at all where
    levels is None.
    """
    inputs = _coordinates_on(height, width, coordinates_kind, device)  # (4, H*W)
    images = torch.empty((len(population), population.n_outputs, inputs.shape[1]), device=device)
    start = 0
    for rows in _chunks(population, inputs.shape[1], device):
        picture = _outputs(population.take(rows), inputs, device)
        if colour not in PICBREEDER:  # whose colours need the signs
            picture.abs_().clamp_(max=1)
        if population.n_outputs == 3:
            picture = to_rgb(picture, colour)
        images[start : start + len(rows)] = picture if levels is None else as_levels(picture, levels, colour)
        start += len(rows)
    return images.reshape(len(population), population.n_outputs, height, width)


@lru_cache(maxsize=8)
def _coordinates_on(height: int, width: int, kind: Coordinates, device: str) -> Tensor:
    return torch.from_numpy(coordinates(height, width, kind)).to(device)


def _chunks(population: CppnPopulation, pixels: int, device: str) -> Iterator[Rows]:
    """Yield rows of networks that fit into the device's memory together; one alone always goes."""
    rows_at_once = max(1, _free_bytes(device) // (4 * pixels))
    needed = 2 * np.diff(population.graphs.node_starts) + 4 * population.n_outputs  # with what is gathered
    rooms = np.cumsum(needed + 2 * N_INPUTS)
    start = 0
    while start < len(population):
        before = rooms[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(rooms, before + rows_at_once, side="right")))
        yield np.arange(start, end)
        start = end


def _free_bytes(device: str) -> int:
    kind = torch.device(device).type
    if kind == "cuda":
        unclaimed, _ = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int((unclaimed + kept) * SHARE_OF_FREE_MEMORY)
    if kind == "mps":
        unclaimed = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return int(max(0, unclaimed) * SHARE_OF_FREE_MEMORY)
    return BYTES_ON_CPU


def _outputs(population: CppnPopulation, inputs: Tensor, device: str) -> Tensor:
    """Return the outputs, (B, n_outputs, H*W), with their signs."""
    plan = _plan(population.graphs, population.n_outputs, device)
    values = torch.empty((N_INPUTS + len(plan.begins), inputs.shape[1]), device=device)
    values[:N_INPUTS] = inputs
    for step in plan.steps:
        _compute(step, plan, values)
    outputs = values.index_select(0, plan.outputs)
    return outputs.reshape(len(population), population.n_outputs, -1)


def _compute(step: Step, plan: Plan, values: Tensor) -> None:
    """Compute the rows of one step in place."""
    rows = values[N_INPUTS:][step.nodes]
    sources = plan.sources[step.connections]
    if len(sources) == 0:  # nodes that nothing feeds
        rows.zero_()
        return _activate(step.function, rows, rows)
    sums = embedding_bag(
        sources,
        values,
        plan.begins[step.nodes],
        mode="sum",
        per_sample_weights=plan.weights[step.connections],
    )
    return _activate(step.function, sums, rows)


def _activate(function: int, sums: Tensor, rows: Tensor) -> None:
    """Write a function of the sums into rows (four of paper and released code, and Picbreeder's)."""
    if function == SINE:
        torch.sin(sums, out=rows)
    elif function == SIGMOID:  # 2 / (1 + e^-p) - 1 is tanh(p / 2), which cannot overflow
        torch.tanh(sums.mul_(0.5), out=rows)
    elif function == GAUSSIAN:
        torch.exp(sums.square_().neg_(), out=rows)
    elif function == IDENTITY:
        torch.clamp(sums, -float(FARTHEST), float(FARTHEST), out=rows)
    elif function == COSINE:
        torch.cos(sums, out=rows)
    elif function == SIGNED_GAUSSIAN:
        torch.exp(sums.square_().neg_(), out=rows)
        rows.mul_(2).sub_(1)
    else:
        torch.mul(sums.clamp_(-3, 3), 1 / 3, out=rows)


def _plan(graphs: Graphs, n_outputs: int, device: str) -> Plan:
    node_starts, functions, edge_starts, _, _ = graphs
    depths = np.zeros(len(functions), np.int32)
    _measure_depths(graphs, depths)
    order = np.lexsort((functions, depths))  # of nodes
    rows = np.empty(len(order), np.int64)  # of each node among the values
    rows[order] = np.arange(N_INPUTS, N_INPUTS + len(order))
    connections, starts = slices_at(edge_starts, order)
    steps = _steps(depths[order] * len(FUNCTIONS) + functions[order], starts)
    begins = starts[:-1].copy()
    for step in steps:
        begins[step.nodes] -= step.connections.start
    outputs = (node_starts[1:, np.newaxis] - n_outputs + np.arange(n_outputs)).ravel()
    return Plan(
        steps,
        torch.from_numpy(begins).to(device),
        torch.from_numpy(_source_rows(graphs, rows)[connections]).to(device),
        torch.from_numpy(graphs.weights[connections]).to(device),
        torch.from_numpy(rows[outputs]).to(device),
    )


def _source_rows(graphs: Graphs, rows: Rows) -> Rows:
    """Return the row among the values from which each connection comes, (E,)."""
    node_starts, _, edge_starts, sources, _ = graphs
    genomes = np.repeat(np.arange(len(node_starts) - 1), np.diff(node_starts))  # of each node
    firsts = np.repeat(
        node_starts[genomes], np.diff(edge_starts)
    )  # the first node of each connection's genome
    nodes = firsts + np.maximum(sources - N_INPUTS, 0)
    source_rows: Rows = np.where(sources < N_INPUTS, sources, rows[nodes])
    return source_rows


@njit(cache=True, error_model="numpy")
def _measure_depths(graphs: Any, depths: Any) -> None:
    """Write for every node how many nodes the longest way from an input to it passes before it."""
    node_starts, _, edge_starts, sources, _ = graphs
    for genome in range(len(node_starts) - 1):
        first = node_starts[genome]
        for node in range(first, node_starts[genome + 1]):
            for edge in range(edge_starts[node], edge_starts[node + 1]):
                if sources[edge] >= N_INPUTS:
                    before = depths[first + sources[edge] - N_INPUTS]
                    depths[node] = max(depths[node], before + 1)


def _steps(kinds: Rows, starts: Rows) -> list[Step]:
    """Cut ordered nodes where their kind, their depth times the functions' number plus their function, changes."""
    bounds = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    return [
        Step(
            int(kinds[first]) % len(FUNCTIONS),
            slice(first, last),
            slice(int(starts[first]), int(starts[last])),
        )
        for first, last in pairwise(bounds)
    ]
