"""Vary a population of CPPNs: structure, weights and functions, one child after another in compiled code.

Source: paper, section 2.3 and supplement; the operators and rates are gathered in `CppnParameters`. A child is
worked on as a draft, a list of connections between places (inputs, then hidden nodes, then outputs), and written
out in the order that rendering needs: nodes after all that feed them, connections grouped by the node they feed.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from evolution.cppn_kernel import N_INPUTS, Graphs
from evolution.variation import polynomial_step

TRIES = 30  # to find a connection that is new and makes no cycle; a saturated network stays as it is


class Rates(NamedTuple):
    """The numbers of `CppnParameters` that compiled code needs."""

    bound: float
    add_connection: float
    delete_connection: float
    split_connection: float
    delete_node: float
    weight_rate: float
    weight_eta: float
    function_rate: float
    choices: npt.NDArray[np.uint8]  # functions that may be drawn


class Draft(NamedTuple):
    """A child under way; its counts of connections and nodes travel beside it."""

    functions: npt.NDArray[np.uint8]
    sources: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]


@njit(nogil=True, cache=True)
def vary_networks(graphs: Graphs, n_outputs: int, rates: Rates, rng: Any) -> Any:
    """Return graphs with one mutated child for each genome of the given ones, in their order."""
    size = len(graphs.node_starts) - 1
    children = _room_for_children(graphs, size)
    draft, places = _room_for_draft(graphs, size)
    for genome in range(size):
        count, n_nodes = _copy_parent(graphs, genome, draft)
        if rng.random() < rates.add_connection:
            count = _add_connection(draft, count, n_nodes, n_outputs, rates, rng)
        if rng.random() < rates.delete_connection:
            count = _delete_connection(draft, count, rng)
        if rng.random() < rates.split_connection:
            count, n_nodes = _split_connection(draft, count, n_nodes, n_outputs, rates, rng)
        if rng.random() < rates.delete_node:
            count, n_nodes = _delete_node(draft, count, n_nodes, n_outputs, rng)
        _mutate_values(draft, count, n_nodes, rates, rng)
        _order(draft, count, n_nodes, n_outputs, places)
        _write_child(draft, count, n_nodes, places, children, genome)
    return _without_spare_room(children)


@njit(nogil=True, cache=True)
def _room_for_children(graphs: Any, size: int) -> Any:
    """A child has at most one node and two connections more than its parent."""
    n_nodes, n_edges = len(graphs.functions) + size, len(graphs.sources) + 2 * size
    return Graphs(
        np.zeros(size + 1, np.int64),
        np.empty(n_nodes, np.uint8),
        np.zeros(n_nodes + 1, np.int64),
        np.empty(n_edges, np.int32),
        np.empty(n_edges, np.float32),
    )


@njit(nogil=True, cache=True)
def _room_for_draft(graphs: Any, size: int) -> Any:
    most_nodes, most_edges = 0, 0
    for genome in range(size):
        first, last = graphs.node_starts[genome], graphs.node_starts[genome + 1]
        most_nodes = max(most_nodes, last - first)
        most_edges = max(most_edges, graphs.edge_starts[last] - graphs.edge_starts[first])
    draft = Draft(
        np.empty(most_nodes + 1, np.uint8),
        np.empty(most_edges + 2, np.int32),
        np.empty(most_edges + 2, np.int32),
        np.empty(most_edges + 2, np.float64),
    )
    return draft, np.empty(N_INPUTS + most_nodes + 1, np.int64)


@njit(nogil=True, cache=True)
def _copy_parent(graphs: Any, genome: int, draft: Any) -> tuple[int, int]:
    """Begin a draft as a whole copy; return its counts of connections and nodes."""
    first, last = graphs.node_starts[genome], graphs.node_starts[genome + 1]
    count = 0
    for node in range(first, last):
        draft.functions[node - first] = graphs.functions[node]
        for edge in range(graphs.edge_starts[node], graphs.edge_starts[node + 1]):
            draft.sources[count] = graphs.sources[edge]
            draft.targets[count] = N_INPUTS + node - first
            draft.weights[count] = graphs.weights[edge]
            count += 1
    return count, last - first


@njit(nogil=True, inline="always")
def _pick(count: int, rng: Any) -> int:
    return int(rng.random() * count)


@njit(nogil=True, cache=True)
def _add_connection(draft: Any, count: int, n_nodes: int, n_outputs: int, rates: Any, rng: Any) -> int:
    """Connect two unconnected places without a cycle; return the new count of connections."""
    for _ in range(TRIES):
        source = _pick(N_INPUTS + n_nodes - n_outputs, rng)  # never from an output
        target = N_INPUTS + _pick(n_nodes, rng)  # never into an input
        known = source == target
        for edge in range(count):
            known = known or (draft.sources[edge] == source and draft.targets[edge] == target)
        if known or (source > target and _feeds(draft, count, n_nodes, target, source)):
            continue
        draft.sources[count], draft.targets[count] = source, target
        draft.weights[count] = rates.bound * (2 * rng.random() - 1)
        return count + 1
    return count


@njit(nogil=True, cache=True)
def _feeds(draft: Any, count: int, n_nodes: int, start: int, goal: int) -> bool:
    """Whether a path leads from one place to another: spread until nothing new is reached."""
    reached = np.zeros(N_INPUTS + n_nodes, np.bool_)
    reached[start] = True
    spreading = True
    while spreading and not reached[goal]:
        spreading = False
        for edge in range(count):
            if reached[draft.sources[edge]] and not reached[draft.targets[edge]]:
                reached[draft.targets[edge]] = True
                spreading = True
    return bool(reached[goal])


@njit(nogil=True, cache=True)
def _delete_connection(draft: Any, count: int, rng: Any) -> int:
    """Remove one connection; return the new count."""
    if count == 0:
        return 0
    for edge in range(_pick(count, rng), count - 1):
        draft.sources[edge] = draft.sources[edge + 1]
        draft.targets[edge] = draft.targets[edge + 1]
        draft.weights[edge] = draft.weights[edge + 1]
    return count - 1


@njit(nogil=True, cache=True)
def _split_connection(
    draft: Any, count: int, n_nodes: int, n_outputs: int, rates: Any, rng: Any
) -> tuple[int, int]:
    """Put a new hidden node into a connection, both halves with its weight; return both new counts."""
    if count == 0:
        return count, n_nodes
    newcomer = N_INPUTS + n_nodes - n_outputs  # the last hidden place; outputs move up by one
    for edge in range(count):
        if draft.targets[edge] >= newcomer:
            draft.targets[edge] += 1
    for node in range(n_nodes, n_nodes - n_outputs, -1):
        draft.functions[node] = draft.functions[node - 1]
    draft.functions[n_nodes - n_outputs] = rates.choices[_pick(len(rates.choices), rng)]
    split = _pick(count, rng)
    draft.sources[count], draft.targets[count] = newcomer, draft.targets[split]
    draft.weights[count] = draft.weights[split]
    draft.targets[split] = newcomer
    return count + 1, n_nodes + 1


@njit(nogil=True, cache=True)
def _delete_node(draft: Any, count: int, n_nodes: int, n_outputs: int, rng: Any) -> tuple[int, int]:
    """Remove a hidden node with its connections; return both new counts."""
    if n_nodes == n_outputs:
        return count, n_nodes
    node = _pick(n_nodes - n_outputs, rng)
    place = N_INPUTS + node
    for later in range(node, n_nodes - 1):
        draft.functions[later] = draft.functions[later + 1]
    kept = 0
    for edge in range(count):
        source, target = draft.sources[edge], draft.targets[edge]
        if source != place and target != place:
            draft.sources[kept] = source - 1 if source > place else source
            draft.targets[kept] = target - 1 if target > place else target
            draft.weights[kept] = draft.weights[edge]
            kept += 1
    return kept, n_nodes - 1


@njit(nogil=True, cache=True)
def _mutate_values(draft: Any, count: int, n_nodes: int, rates: Any, rng: Any) -> None:
    """Step some weights (on their range mapped to [0, 1]) and redraw some functions."""
    for edge in range(count):
        if rng.random() < rates.weight_rate:
            unit = (draft.weights[edge] / rates.bound + 1) / 2 + polynomial_step(
                rng.random(), rates.weight_eta
            )
            draft.weights[edge] = rates.bound * (2 * min(max(unit, 0.0), 1.0) - 1)
    for node in range(n_nodes):
        if rng.random() < rates.function_rate:
            draft.functions[node] = rates.choices[_pick(len(rates.choices), rng)]


@njit(nogil=True, cache=True)
def _order(draft: Any, count: int, n_nodes: int, n_outputs: int, places: Any) -> None:
    """Write to places[old place] the new one, so that every node comes after all that feed it.

    Inputs stay first and outputs, which feed nothing, last. Most drafts are in order already.
    """
    for place in range(N_INPUTS + n_nodes):
        places[place] = place
    for edge in range(count):
        if draft.sources[edge] >= draft.targets[edge]:
            _order_hidden(draft, count, n_nodes - n_outputs, places)
            return


@njit(nogil=True, cache=True)
def _order_hidden(draft: Any, count: int, n_hidden: int, places: Any) -> None:
    """Order the hidden places by Kahn's algorithm."""
    end = N_INPUTS + n_hidden
    waiting = np.zeros(end, np.int64)  # connections from hidden places that are not yet ordered
    for edge in range(count):
        if draft.targets[edge] < end and draft.sources[edge] >= N_INPUTS:
            waiting[draft.targets[edge]] += 1
    queue = np.empty(n_hidden, np.int64)
    filled = 0
    for place in range(N_INPUTS, end):
        if waiting[place] == 0:
            queue[filled] = place
            filled += 1
    for position in range(n_hidden):
        assert position < filled  # no cycle: additions are checked, all else removes or splits
        places[queue[position]] = N_INPUTS + position
        for edge in range(count):
            target = draft.targets[edge]
            if draft.sources[edge] == queue[position] and target < end:
                waiting[target] -= 1
                if waiting[target] == 0:
                    queue[filled] = target
                    filled += 1


@njit(nogil=True, cache=True)
def _write_child(draft: Any, count: int, n_nodes: int, places: Any, children: Any, genome: int) -> None:
    """Append a draft in its new places, its connections grouped by the node that they feed."""
    base = children.node_starts[genome]
    children.node_starts[genome + 1] = base + n_nodes
    for node in range(n_nodes):
        children.functions[base + places[N_INPUTS + node] - N_INPUTS] = draft.functions[node]
    starts = children.edge_starts[base : base + n_nodes + 1]
    for node in range(n_nodes):
        starts[node + 1] = 0
    for edge in range(count):
        starts[places[draft.targets[edge]] - N_INPUTS + 1] += 1
    for node in range(n_nodes):
        starts[node + 1] += starts[node]
    filled = np.zeros(n_nodes, np.int64)
    for edge in range(count):
        node = places[draft.targets[edge]] - N_INPUTS
        position = starts[node] + filled[node]
        children.sources[position] = places[draft.sources[edge]]
        children.weights[position] = draft.weights[edge]
        filled[node] += 1


@njit(nogil=True, cache=True)
def _without_spare_room(children: Any) -> Any:
    n_nodes = children.node_starts[-1]
    n_edges = children.edge_starts[n_nodes]
    return Graphs(
        children.node_starts,
        children.functions[:n_nodes].copy(),
        children.edge_starts[: n_nodes + 1].copy(),
        children.sources[:n_edges].copy(),
        children.weights[:n_edges].copy(),
    )
