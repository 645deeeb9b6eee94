"""Breeding by hand: litters of children from the pictures that a person picked.

Source: Picbreeder (Secretan et al. 2011); the networks are those of the paper's section 2.3. A person chooses here,
so nothing is selected; what a child may differ in is said by `change`, from hardly to thoroughly, and by `focus`: on
the whole picture, on its structure or on its colours alone.

* Structure is what the brightness of a picture comes from. Focus on it leaves alone what feeds hue and saturation
  only.
* Focus on colour changes nothing but that, so that every child has its parent's brightness, bit for bit. A genome
  with a single output, or whose outputs are red, green and blue, has no such part: all of it may change.
* A cross takes each output, with all that feeds it, from either parent, or feeds it from both. Genomes have no
  historical markings; nodes that both parents compute alike are kept once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from evolution.cppn import CppnEncoding
from evolution.cppn_editing import (
    Document,
    add_connection,
    first_output,
    reached_from,
    remove_connection,
    remove_node,
    set_function,
    split_connection,
)
from evolution.cppn_kernel import N_INPUTS
from evolution.errors import GenomeError
from evolution.parameters import Parameters

GREY = "-grey"  # at the end of a colour's name: brightness alone is read
BRIGHTNESS = {"hsv": 2, "hls": 1, "picbreeder": 2}  # which of the three outputs
CROSSED = 0.5  # share of the children of two or more parents
MOST_NODES, MOST_CONNECTIONS = 1500, 4000  # beyond it a network grows no more
SIDE = 16  # pixels of the pictures by which children are told from their parents
FLAT = 0.05  # standard deviation of a first picture that shows nothing
BLANK = 0.02  # the same of a child's
ROUNDS = 8  # of further changes to a child that looks like its parent
FIRST_WEIGHT = 3.0  # first networks are drawn with calm pictures, from which there is a way to go
TRIES = 30  # to find a connection that is new and makes no cycle


@dataclass(frozen=True)
class _Chances:
    """How likely and how large mutations are, by how much is to change."""

    weight: float  # of each weight
    step: float  # standard deviation, as a share of the weights' bound
    function: float  # of one function
    add: float
    remove: float
    split: float
    remove_node: float
    times: int

    @classmethod
    def of(cls, change: float) -> "_Chances":
        change = min(max(change, 0.0), 1.0)
        return cls(
            weight=0.1 + 0.5 * change,
            step=0.004 * 60**change,
            function=0.5 * change,
            add=0.04 + 0.5 * change,
            remove=0.02 + 0.25 * change,
            split=0.03 + 0.45 * change,
            remove_node=0.2 * change,
            times=1 + int(2 * change),
        )


def begun(count: int, parameters: Parameters, rng: np.random.Generator) -> list[Document]:
    """Return so many small random networks; those whose pictures show nothing are drawn again."""
    chosen: list[Document] = []
    for _ in range(ROUNDS):
        drawn = _drawn(count, parameters, rng)
        pictures = _pictures(drawn, parameters).reshape(count, -1)
        flat = pictures.std(axis=1) < FLAT
        chosen += [document for document, is_flat in zip(drawn, flat, strict=True) if not is_flat]
        if len(chosen) >= count:
            return chosen[:count]
    return (chosen + _drawn(count, parameters, rng))[:count]


def litter_of(
    parents: list[Document],
    count: int,
    *,
    change: float,
    focus: str,
    parameters: Parameters,
    rng: np.random.Generator,
) -> tuple[list[Document], list[list[int]]]:
    """Return so many children, and for each the indices of its parents; each differs to the eye if it can.

    `change` lies in [0, 1], `focus` is "whole", "structure" or "colour". Parents take turns; of two or more half of
    the children are crosses. Raises GenomeError where a parent is not a network of these parameters.
    """
    _require_focus(focus)
    CppnEncoding(parameters).from_json(parents)
    chances = _Chances.of(change)
    indices = [_parents_of(number, len(parents), rng) for number in range(count)]
    children = [_conceived([parents[row] for row in rows], focus, rng) for rows in indices]
    children = [_mutated(child, chances, focus, parameters, rng) for child in children]
    return _unlike(children, parents, indices, chances, focus, parameters, rng), indices


def without_colour(document: Document) -> Document:
    """Return the genome with its brightness alone shown; raises GenomeError where none of its outputs says that."""
    colour = str(document.get("colour", ""))
    if colour.endswith(GREY):
        return document
    if colour not in BRIGHTNESS:
        raise GenomeError(
            "this genome does not tell brightness from colour, so its colour cannot be switched off"
        )
    return {**document, "colour": f"{colour}{GREY}"}


def with_colour(document: Document) -> Document:
    """Return the genome with the colours that its outputs say."""
    return {**document, "colour": _base(document)} if "colour" in document else document


def _require_focus(focus: str) -> None:
    if focus not in ("whole", "structure", "colour"):
        raise GenomeError(f"{focus[:40]!r} is no focus; there are whole, structure and colour")


def _drawn(count: int, parameters: Parameters, rng: np.random.Generator) -> list[Document]:
    encoding = CppnEncoding(parameters)
    population = encoding.random(count, rng)
    documents = [_calmed(encoding.to_json(population, row), parameters) for row in range(count)]
    chances = _Chances.of(0.5)
    for _ in range(3):
        documents = [_mutated(document, chances, "whole", parameters, rng) for document in documents]
    return documents


def _calmed(document: Document, parameters: Parameters) -> Document:
    share = min(1.0, FIRST_WEIGHT / parameters.cppn.weight_bound)
    connections = [
        [source, target, _shortest(weight * share)] for source, target, weight in document["connections"]
    ]
    return {**document, "connections": connections}


def _parents_of(number: int, n_parents: int, rng: np.random.Generator) -> list[int]:
    """Return the parents of a child: they take turns, and a second one comes to half of the children."""
    first = number % n_parents
    if n_parents == 1 or rng.random() >= CROSSED:
        return [first]
    return [first, (first + 1 + int(rng.integers(n_parents - 1))) % n_parents]


def _conceived(parents: list[Document], focus: str, rng: np.random.Generator) -> Document:
    return parents[0] if len(parents) == 1 else _crossed(parents[0], parents[1], focus, rng)


def _crossed(first: Document, second: Document, focus: str, rng: np.random.Generator) -> Document:
    """Return a network whose outputs come from either parent or are fed by both; at least one is not the first's."""
    outputs = _outputs_of(first, focus)
    picks = rng.integers(3, size=len(outputs))  # the first's own, the second's, both
    if not picks.any():
        picks[rng.integers(len(picks))] = 1 + int(rng.integers(2))
    merged = _Merged(first, second)
    own = [merged.taken(0, output) for output in range(first["outputs"])]
    for output, pick in zip(outputs, picks, strict=True):
        if pick:
            other = merged.taken(1, output)
            own[output] = other if pick == 1 else _of_both(own[output], other, rng)
    child = merged.document(own)
    too_large = len(child["functions"]) > MOST_NODES or len(child["connections"]) > MOST_CONNECTIONS
    return first if too_large else child


def _of_both(first: "_Node", second: "_Node", rng: np.random.Generator) -> "_Node":
    """Return an output that each connection of either feeds with a chance of a half, with the function of either."""
    function = (first, second)[int(rng.integers(2))][0]
    fed = {edge[0]: edge for edge in (*first[1], *second[1])}
    kept = tuple(edge for edge in fed.values() if rng.random() < 0.5)
    return function, kept or first[1]


_Node = tuple[
    str, tuple[tuple[int, float], ...]
]  # a function, and from which place of the child with which weight


class _Merged:
    """A child under way, into which parents are taken; what both compute alike is kept once."""

    def __init__(self, first: Document, second: Document) -> None:
        self.parents = first, second
        self.feeding = _feeding(first), _feeding(second)
        self.known: tuple[dict[int, int], ...] = tuple(
            {place: place for place in range(N_INPUTS)} for _ in self.parents
        )  # of each parent's places, those in the child
        self.nodes: list[_Node] = []
        self.places: dict[_Node, int] = {}

    def taken(self, parent: int, output: int) -> _Node:
        """Take in all that feeds an output of a parent; return the output itself, which is placed at the end."""
        known, feeding = self.known[parent], self.feeding[parent]
        output += first_output(self.parents[parent])
        for place in sorted(_all_that_feed(feeding, output) - known.keys()):
            known[place] = self._placed(_node(self.parents[parent], feeding, place, known), known)
        return _node(self.parents[parent], feeding, output, known)

    def document(self, outputs: list[_Node]) -> Document:
        """Return the child with these outputs, without what feeds none of them."""
        used = self._feeding_any(outputs)
        places = {place: place for place in range(N_INPUTS)}
        places.update({old: new for new, old in enumerate(used, start=N_INPUTS)})
        nodes = [*(self.nodes[place - N_INPUTS] for place in used), *outputs]
        connections = [
            [places[source], N_INPUTS + row, weight]
            for row, node in enumerate(nodes)
            for source, weight in node[1]
        ]
        return {**self.parents[0], "functions": [node[0] for node in nodes], "connections": connections}

    def _placed(self, node: _Node, known: dict[int, int]) -> int:
        """Return the place of a node like this one; two nodes of one parent stay two, even if they are alike."""
        place = self.places.get(node)
        if place is None or place in known.values():
            self.nodes.append(node)
            place = self.places[node] = N_INPUTS + len(self.nodes) - 1
        return place

    def _feeding_any(self, outputs: list[_Node]) -> list[int]:
        """Return the hidden places that feed an output, in their order: each comes after all that feed it."""
        used: set[int] = set()
        waiting = list(outputs)
        while waiting:
            for source, _ in waiting.pop()[1]:
                if source >= N_INPUTS and source not in used:
                    used.add(source)
                    waiting.append(self.nodes[source - N_INPUTS])
        return sorted(used)


def _node(document: Document, feeding: dict[int, list[Any]], place: int, known: dict[int, int]) -> _Node:
    edges = tuple((known[source], weight) for source, _, weight in feeding.get(place, ()))
    return document["functions"][place - N_INPUTS], edges


def _feeding(document: Document) -> dict[int, list[Any]]:
    feeding: dict[int, list[Any]] = {}
    for edge in document["connections"]:
        feeding.setdefault(edge[1], []).append(edge)
    return feeding


def _all_that_feed(feeding: dict[int, list[Any]], output: int) -> set[int]:
    """Return the hidden places that feed an output, near or far."""
    found: set[int] = set()
    waiting = [output]
    while waiting:
        for source, _, _ in feeding.get(waiting.pop(), ()):
            if source >= N_INPUTS and source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _outputs_of(document: Document, focus: str) -> list[int]:
    """Return the outputs that a focus is on."""
    brightness = BRIGHTNESS.get(_base(document))
    if focus == "whole" or document["outputs"] != 3 or brightness is None:
        return list(range(document["outputs"]))
    return [brightness] if focus == "structure" else [row for row in range(3) if row != brightness]


def _base(document: Document) -> str:
    return str(document.get("colour", "")).removesuffix(GREY)


def _editable(document: Document, focus: str) -> set[int]:
    """Return the places of the nodes that may change."""
    every = set(range(N_INPUTS, N_INPUTS + len(document["functions"])))
    brightness = BRIGHTNESS.get(_base(document))
    if focus == "whole" or document["outputs"] != 3 or brightness is None:
        return every
    output = first_output(document) + brightness
    shaping = _all_that_feed(_feeding(document), output) | {output}
    return shaping if focus == "structure" else every - shaping


def _mutated(
    document: Document, chances: _Chances, focus: str, parameters: Parameters, rng: np.random.Generator
) -> Document:
    """Return a changed copy."""
    for _ in range(chances.times):
        drawn = rng.random(5)
        if drawn[0] < chances.add:
            document = _with_connection(document, focus, parameters, rng)
        if drawn[1] < chances.remove:
            document = _with_one_less(document, _editable(document, focus), rng)
        if drawn[2] < chances.split:
            document = _with_node(document, _editable(document, focus), parameters, rng)
        if drawn[3] < chances.remove_node:
            document = _without_node(document, _editable(document, focus), rng)
        if drawn[4] < chances.function:
            document = _with_function(document, _editable(document, focus), parameters, rng)
    return _with_weights(document, chances, focus, parameters, rng)


def _with_weights(
    document: Document, chances: _Chances, focus: str, parameters: Parameters, rng: np.random.Generator
) -> Document:
    """Return the genome with some weights changed, one at least."""
    editable = _editable(document, focus)
    bound = parameters.cppn.weight_bound
    rows = [row for row, edge in enumerate(document["connections"]) if edge[1] in editable]
    if not rows:
        return _with_connection(document, focus, parameters, rng)
    changed = rng.random(len(rows)) < chances.weight
    changed[rng.integers(len(rows))] = True
    steps = rng.normal(0, chances.step * bound, len(rows))
    connections = list(document["connections"])
    for row, is_changed, step in zip(rows, changed, steps, strict=True):
        if is_changed:
            source, target, weight = connections[row]
            connections[row] = [source, target, _shortest(min(max(weight + step, -bound), bound))]
    return {**document, "connections": connections}


def _with_connection(
    document: Document, focus: str, parameters: Parameters, rng: np.random.Generator
) -> Document:
    """Return the genome with one connection more into what may change; a saturated one stays as it is.

    What serves colour alone does not come to serve structure.
    """
    editable = _editable(document, focus)
    strangers = set(range(N_INPUTS, first_output(document))) - editable if focus == "structure" else set()
    if len(document["connections"]) >= MOST_CONNECTIONS:
        return document
    targets, bound = sorted(editable), min(FIRST_WEIGHT, parameters.cppn.weight_bound)
    known = {(source, target) for source, target, _ in document["connections"]}
    for _ in range(TRIES):
        source, target = int(rng.integers(first_output(document))), targets[int(rng.integers(len(targets)))]
        is_new = source != target and (source, target) not in known and source not in strangers
        if is_new and (source < target or source not in reached_from(document, target)):
            return add_connection(document, source, target, _shortest(rng.uniform(-bound, bound)))
    return document


def _with_one_less(document: Document, editable: set[int], rng: np.random.Generator) -> Document:
    edges = [edge for edge in document["connections"] if edge[1] in editable]
    if len(edges) < 2:
        return document
    source, target, _ = edges[int(rng.integers(len(edges)))]
    return remove_connection(document, source, target)


def _with_node(
    document: Document, editable: set[int], parameters: Parameters, rng: np.random.Generator
) -> Document:
    edges = [edge for edge in document["connections"] if edge[1] in editable]
    if not edges or len(document["functions"]) >= MOST_NODES:
        return document
    source, target, _ = edges[int(rng.integers(len(edges)))]
    return split_connection(document, source, target, _function(parameters, rng))


def _without_node(document: Document, editable: set[int], rng: np.random.Generator) -> Document:
    """Return the genome without a hidden node that feeds nothing but what may change."""
    needed = {source for source, target, _ in document["connections"] if target not in editable}
    hidden = sorted(place for place in editable - needed if place < first_output(document))
    return remove_node(document, hidden[int(rng.integers(len(hidden)))]) if hidden else document


def _with_function(
    document: Document, editable: set[int], parameters: Parameters, rng: np.random.Generator
) -> Document:
    places = sorted(editable)
    return set_function(document, places[int(rng.integers(len(places)))], _function(parameters, rng))


def _function(parameters: Parameters, rng: np.random.Generator) -> str:
    return parameters.cppn.functions[int(rng.integers(len(parameters.cppn.functions)))]


def _shortest(weight: float) -> float:
    """Return a weight as a genome keeps it: the shortest decimals of a float32."""
    return float(str(np.float32(weight)))


def _unlike(
    children: list[Document],
    parents: list[Document],
    indices: list[list[int]],
    chances: _Chances,
    focus: str,
    parameters: Parameters,
    rng: np.random.Generator,
) -> list[Document]:
    """Return the children: those that look like a parent changed further, those that are blank made anew."""
    if focus == "colour":  # told apart by their colours, even where those are switched off
        parameters = _coloured(parameters)
    looks = _pictures(parents, parameters)
    shown = looks.std(axis=(2, 3)).max(axis=1) >= FLAT  # whether a parent shows anything
    waiting = list(range(len(children)))
    for _ in range(ROUNDS):
        pictures = _pictures([children[row] for row in waiting], parameters)
        alike = [
            row
            for row, picture in zip(waiting, pictures, strict=True)
            if any(np.array_equal(picture, looks[parent]) for parent in indices[row])
        ]
        blank = [
            row
            for row, picture in zip(waiting, pictures, strict=True)
            if shown[indices[row]].any() and picture.std(axis=(1, 2)).max() < BLANK
        ]
        for row in blank:
            children[row] = _conceived([parents[parent] for parent in indices[row]], focus, rng)
        waiting = sorted({*alike, *blank})
        if not waiting:
            break
        for row in waiting:
            children[row] = _mutated(children[row], chances, focus, parameters, rng)
    return children


def _pictures(documents: list[Document], parameters: Parameters) -> Any:
    encoding = CppnEncoding(parameters)
    documents = [_as_read(document, parameters) for document in documents]
    return encoding.develop_at(encoding.from_json(documents), SIDE, SIDE)


def _coloured(parameters: Parameters) -> Parameters:
    colour: Any = parameters.colour.removesuffix(GREY)
    return parameters.replaced(colour=colour)


def _as_read(document: Document, parameters: Parameters) -> Document:
    """Return the genome with the colour of the parameters, if it has any."""
    return {**document, "colour": parameters.colour} if "colour" in document else document
