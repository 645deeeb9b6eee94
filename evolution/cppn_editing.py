"""Change a network's genome by hand: single functions, weights, connections and nodes of its document.

Every function takes a document of `evolution.cppn` and returns a new one, whose nodes again stand in an order in
which each comes after all that feed it and whose connections are grouped by the node that they feed. A place is an
input (0..3) or 4 + the index of a node; outputs are the last nodes. What cannot be done raises GenomeError, and says
why.
"""

import heapq
from collections import defaultdict
from typing import Any

from evolution.cppn_kernel import N_INPUTS
from evolution.errors import GenomeError
from evolution.parameters import FUNCTIONS

Document = dict[str, Any]
Connection = list[Any]  # [source, target, weight]


def set_function(document: Document, place: int, function: str) -> Document:
    """Return the genome with another function at a node."""
    _require_node(document, place)
    if function not in FUNCTIONS:
        raise GenomeError(f"{str(function)[:40]!r} is no function; there are {', '.join(FUNCTIONS)}")
    functions = list(document["functions"])
    functions[place - N_INPUTS] = function
    return {**document, "functions": functions}


def set_weight(document: Document, source: int, target: int, weight: float) -> Document:
    """Return the genome with another weight at a connection."""
    found = _position(document, source, target)
    connections = list(document["connections"])
    connections[found] = [source, target, weight]
    return {**document, "connections": connections}


def add_connection(document: Document, source: int, target: int, weight: float) -> Document:
    """Return the genome with two places connected that were not."""
    _require_node(document, target)
    if not 0 <= source < first_output(document):
        raise GenomeError(f"nothing can come from place {source}: it is an output or does not exist")
    if any(edge[:2] == [source, target] for edge in document["connections"]):
        raise GenomeError(f"places {source} and {target} are connected already")
    if source == target or feeds(document, target, source):
        raise GenomeError(f"a connection from {source} to {target} would close a cycle")
    return ordered({**document, "connections": [*document["connections"], [source, target, weight]]})


def remove_connection(document: Document, source: int, target: int) -> Document:
    """Return the genome without a connection."""
    connections = list(document["connections"])
    del connections[_position(document, source, target)]
    return {**document, "connections": connections}


def split_connection(document: Document, source: int, target: int, function: str) -> Document:
    """Return the genome with a new node in the midst of a connection, both halves with its weight."""
    found = _position(document, source, target)
    weight = document["connections"][found][2]
    document = add_node(document, function)
    newcomer = first_output(document) - 1
    moved = target + 1 if target >= newcomer else target
    connections = [edge for edge in document["connections"] if edge[:2] != [source, moved]]
    return ordered(
        {**document, "connections": [*connections, [source, newcomer, weight], [newcomer, moved, weight]]}
    )


def add_node(document: Document, function: str) -> Document:
    """Return the genome with one more hidden node, the last before the outputs, that nothing feeds yet."""
    place = first_output(document)
    functions = list(document["functions"])
    functions.insert(place - N_INPUTS, function)
    connections = [
        [source, target + 1 if target >= place else target, weight]
        for source, target, weight in document["connections"]
    ]
    return set_function({**document, "functions": functions, "connections": connections}, place, function)


def remove_node(document: Document, place: int) -> Document:
    """Return the genome without a hidden node and its connections."""
    if not N_INPUTS <= place < first_output(document):
        raise GenomeError(
            f"place {place} is an input, an output or does not exist; hidden nodes alone can go"
        )
    functions = list(document["functions"])
    del functions[place - N_INPUTS]
    connections = [
        [source - (source > place), target - (target > place), weight]
        for source, target, weight in document["connections"]
        if place not in (source, target)
    ]
    return {**document, "functions": functions, "connections": connections}


def ordered(document: Document) -> Document:
    """Return the same network with its nodes in order; raises GenomeError that names a connection of a cycle.

    Nodes keep their order as far as their connections let them. Weights and functions are checked by whoever
    develops the genome.
    """
    _require_document(document)
    functions, connections = document["functions"], document["connections"]
    end = first_output(document)
    following, waiting = _connected(connections, end)
    ready = [place for place in range(N_INPUTS, end) if not waiting[place]]
    order: list[int] = []
    while ready:
        place = heapq.heappop(ready)
        order.append(place)
        for target in following[place]:
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, target)
    if len(order) < end - N_INPUTS:
        _refuse_cycle(connections, {place for place in range(N_INPUTS, end) if waiting[place]})
    return _renumbered(document, [*order, *range(end, N_INPUTS + len(functions))])


def feeds(document: Document, start: int, goal: int) -> bool:
    """Whether a way leads from one place to another."""
    return goal in reached_from(document, start)


def reached_from(document: Document, start: int) -> set[int]:
    """Return the places that a place feeds, near or far."""
    following, _ = _connected(document["connections"], N_INPUTS + len(document["functions"]))
    reached: set[int] = set()
    waiting = list(following[start])
    while waiting:
        place = waiting.pop()
        if place not in reached:
            reached.add(place)
            waiting.extend(following[place])
    return reached


def first_output(document: Document) -> int:
    """Return the place of the first output."""
    return N_INPUTS + len(document["functions"]) - int(document["outputs"])


def _require_document(document: Any) -> None:
    """Refuse what has no nodes and connections that could be put in order."""
    if not isinstance(document, dict):
        raise GenomeError("this is no genome: it has neither nodes nor connections")
    functions, connections, outputs = (document.get(key) for key in ("functions", "connections", "outputs"))
    if not isinstance(functions, list) or not isinstance(connections, list):
        raise GenomeError("this genome has no list of nodes and connections")
    if type(outputs) is not int or not 0 < outputs <= len(functions):
        raise GenomeError(f"this genome has {len(functions)} nodes but {str(outputs)[:40]} outputs")
    first, end = first_output(document), N_INPUTS + len(functions)
    for connection in connections:
        if not _is_connection(connection):
            raise GenomeError(f"a connection is not two places and a weight: {str(connection)[:100]}")
        source, target, _ = connection
        if not (0 <= source < first and N_INPUTS <= target < end):
            raise GenomeError(
                f"a connection from place {_short(source)} to place {_short(target)} cannot be: it begins at an "
                "output or ends at an input, or there is no such place"
            )


def _is_connection(connection: Any) -> bool:
    return (
        isinstance(connection, list)
        and [type(one) for one in connection[:2]] == [int, int]
        and len(connection) == 3
    )


def _short(place: int) -> str:
    """Return a number as a message can hold it; the longest have millions of digits."""
    return str(place) if abs(place) < 10**9 else "beyond all"


def _require_node(document: Document, place: int) -> None:
    if not N_INPUTS <= place < N_INPUTS + len(document["functions"]):
        raise GenomeError(f"place {place} is an input or does not exist")


def _position(document: Document, source: int, target: int) -> int:
    for position, edge in enumerate(document["connections"]):
        if edge[:2] == [source, target]:
            return position
    raise GenomeError(f"there is no connection from {source} to {target}")


def _connected(connections: list[Connection], end: int) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Return what each place feeds, and for each place before the end from how many nodes it comes."""
    following: dict[int, list[int]] = defaultdict(list)
    waiting: dict[int, int] = defaultdict(int)
    for source, target, _ in connections:
        if target < end:
            following[source].append(target)
            waiting[target] += source >= N_INPUTS
    return following, waiting


def _refuse_cycle(connections: list[Connection], waiting: set[int]) -> None:
    """Name a connection of a cycle: going back from a place that waits one comes to a place twice."""
    sources = {target: source for source, target, _ in connections if {source, target} <= waiting}
    place, seen = next(iter(sources)), set()
    while place not in seen:
        seen.add(place)
        place = sources[place]
    raise GenomeError(f"the connection from place {sources[place]} to place {place} closes a cycle")


def _renumbered(document: Document, order: list[int]) -> Document:
    """Return the genome whose nodes stand in this order of their present places."""
    places = {place: place for place in range(N_INPUTS)}
    places.update({old: new for new, old in enumerate(order, start=N_INPUTS)})
    connections = [
        [places[source], places[target], weight] for source, target, weight in document["connections"]
    ]
    connections.sort(key=lambda edge: edge[1])  # stable: the order within a node is that of its sums
    functions = [document["functions"][place - N_INPUTS] for place in order]
    return {**document, "functions": functions, "connections": connections}
