"""Read a genome of Picbreeder from the XML in which it was published.

Its network reads x and y as ours do and 1.4 times our distance from the centre, which goes into the weights. Nodes
are named by two numbers, a branch and an id. What Picbreeder's outputs "hue", "saturation" and "brightness" mean is
the colour "picbreeder" of `evolution.colour_kernel`; the grey pictures' only output, "ink", is their brightness.
Outputs may feed nodes there, which ours may not: such an output is computed by a hidden node and shown by another.

The file comes from anybody. It is bounded before it is parsed, entities and document types are refused, and nothing
of it is used but numbers and names from short lists.
"""

import math
import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from evolution.cppn import FORMAT, INPUTS, MOST_BYTES, MOST_CONNECTIONS, MOST_NODES, VERSION
from evolution.cppn_editing import Document, ordered
from evolution.cppn_kernel import N_INPUTS
from evolution.errors import GenomeError
from evolution.parameters import (
    MAX_WEIGHT,
    PICBREEDER_FUNCTIONS,
    Colour,
    CppnParameters,
    FunctionName,
    Parameters,
)

SIDE = 256  # pixels
DEEPEST = 40  # elements within each other; Picbreeder's own files have six
MOST_ELEMENTS = 200_000  # 4 MB of a genome's shortest links have fewer
DISTANCE = 1.4  # by which Picbreeder multiplies the distance from the centre, 1 at the middle of an edge
OUTPUTS = ("hue", "saturation", "brightness")
INK = "ink"  # the only output of a grey picture
FUNCTIONS: dict[str, FunctionName] = {
    "sin(x)": "sine",
    "cos(x)": "cosine",
    "sigmoid(x)": "sigmoid",
    "gaussian(x)": "signed-gaussian",
    "identity(x)": "identity",
}
VERSION_MARK = re.compile(rb"<cppn-data\b[^<>]*/>")  # stands beside the root, which no XML may have

_Name = tuple[str, str]  # of a node: branch and id


class _Network:
    """What the XML says: inputs and outputs by their labels, functions and weights by the names of nodes."""

    def __init__(self) -> None:
        self.inputs: dict[_Name, int] = {}  # places
        self.outputs: dict[str, _Name] = {}
        self.functions: dict[_Name, FunctionName] = {}  # of hidden nodes and outputs
        self.weights: dict[tuple[_Name, _Name], float] = {}


class _Builder(TreeBuilder):
    """Build the tree, but no deeper and no larger than a genome is."""

    depth = 0
    count = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> Element:
        """Open an element."""
        self.depth += 1
        self.count += 1
        if self.depth > DEEPEST:
            raise GenomeError(f"the file nests elements more than {DEEPEST} deep, which no genome does")
        if self.count > MOST_ELEMENTS:
            raise GenomeError(f"the file has more than {MOST_ELEMENTS:,} elements, which no genome has")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> Element:
        """Close an element."""
        self.depth -= 1
        return super().end(tag)


def read_picbreeder(xml: bytes) -> tuple[Document, Parameters]:
    """Return a genome's document and the parameters with which it is read; raises GenomeError."""
    genome = _genome(_parsed(xml))
    network = _Network()
    _read_nodes(network, _children(genome, "nodes", "node", MOST_NODES))
    _read_links(network, _children(genome, "links", "link", MOST_CONNECTIONS))
    document = _document(network, _colour(genome, network))
    return document, _parameters(document)


def _parsed(xml: bytes) -> Element:
    if len(xml) > MOST_BYTES:
        raise GenomeError(f"the file has {len(xml):,} bytes; {MOST_BYTES:,} are the most of a genome")
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        parser.feed(VERSION_MARK.sub(b"", xml.lstrip(), count=1))
        root = parser.close()
    except DefusedXmlException:
        raise GenomeError(
            "the file declares a document type or entities, which no genome needs; remove them"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise GenomeError(f"the file is not XML that can be read: {str(error)[:100]}") from None
    assert isinstance(root, Element)
    return root


def _genome(root: Element) -> Element:
    found = list(root.iter("genome"))
    if len(found) != 1:
        raise GenomeError(
            f"the file holds {len(found):,} elements “genome”; one of Picbreeder's holds a single one"
        )
    return found[0]


def _children(genome: Element, group: str, kind: str, most: int) -> list[Element]:
    found = genome.findall(f"{group}/{kind}")
    if not found:
        raise GenomeError(f"the genome has no {kind}s, so it is not one of Picbreeder's")
    if len(found) > most:
        raise GenomeError(f"the genome has {len(found):,} {kind}s; {most:,} are the most")
    return found


def _read_nodes(network: _Network, nodes: list[Element]) -> None:
    for node in nodes:
        name, kind, label = _name(node, "marking"), node.get("type", ""), node.get("label", "")
        if name in network.inputs or name in network.functions:
            raise GenomeError(f"two nodes of the genome are named {_shown(name)}")
        function = _function(node, name)
        if kind == "in":
            _add_input(network, name, label, function)
            continue
        if kind not in ("hidden", "out"):
            raise GenomeError(f"node {_shown(name)} is {_short(kind)}; there are in, hidden and out")
        network.functions[name] = function
        if kind == "out":
            if label in network.outputs:
                raise GenomeError(f"two outputs of the genome are called {_short(label)}")
            network.outputs[label] = name


def _add_input(network: _Network, name: _Name, label: str, function: FunctionName) -> None:
    if label not in INPUTS:
        raise GenomeError(
            f"input {_short(label)} is unknown; networks of Picbreeder read {', '.join(INPUTS)}"
        )
    if INPUTS.index(label) in network.inputs.values():
        raise GenomeError(f"two inputs of the genome are called {label}")
    if function != "identity":
        raise GenomeError(f"input {label} has the function {function}; inputs are read as they are")
    network.inputs[name] = INPUTS.index(label)


def _function(node: Element, name: _Name) -> FunctionName:
    text = (node.findtext("activation") or "").strip()
    if text not in FUNCTIONS:
        raise GenomeError(
            f"node {_shown(name)} has the function {_short(text)}; Picbreeder's are {', '.join(FUNCTIONS)}"
        )
    bias = _number(node.get("bias", "0"), f"the bias of node {_shown(name)}")
    if bias:
        raise GenomeError(f"node {_shown(name)} has a bias of its own, {bias:g}; Picbreeder's are all 0")
    return FUNCTIONS[text]


def _read_links(network: _Network, links: list[Element]) -> None:
    """Take in the weights; what comes twice between the same nodes is added."""
    for link in links:
        source, target = _name(link, "source"), _name(link, "target")
        for end in (source, target):
            if end not in network.inputs and end not in network.functions:
                raise GenomeError(f"a link of the genome names node {_shown(end)}, which does not exist")
        if target in network.inputs:
            raise GenomeError(f"a link of the genome leads into the input {_shown(target)}")
        between = f"the weight of the link from {_shown(source)} to {_shown(target)}"
        weight = _number((link.findtext("weight") or "").strip(), between)
        network.weights[source, target] = network.weights.get((source, target), 0.0) + weight


def _colour(genome: Element, network: _Network) -> Colour:
    """Return how the outputs are read; raises GenomeError where they are not Picbreeder's."""
    labels, phenotype = set(network.outputs), genome.get("phenotype", "color")
    if labels not in ({INK}, set(OUTPUTS)):
        raise GenomeError(
            f"the genome has the outputs {_short(', '.join(sorted(labels)))}; "
            f"Picbreeder's have {', '.join(OUTPUTS)}, or {INK} alone"
        )
    if phenotype not in ("grey", "color"):
        raise GenomeError(f"the genome's phenotype is {_short(phenotype)}; there are grey and color")
    return "picbreeder-grey" if phenotype == "grey" or labels == {INK} else "picbreeder"


def _document(network: _Network, colour: Colour) -> Document:
    """Return the genome's document, with three outputs; those that a grey picture has not are fed by nothing: 0."""
    sources = {source for source, _ in network.weights}
    shown = {network.outputs[label] for label in network.outputs} - sources  # and feed nothing else
    hidden = [name for name in network.functions if name not in shown]
    places = {**network.inputs, **{name: N_INPUTS + row for row, name in enumerate(hidden)}}
    functions = [network.functions[name] for name in hidden]
    copies = []
    for label in OUTPUTS:
        name = network.outputs.get(label, network.outputs.get(INK) if label == "brightness" else None)
        if name in shown:
            places[name] = N_INPUTS + len(functions)
        elif name is not None:
            copies.append([places[name], N_INPUTS + len(functions), 1.0])
        functions.append(network.functions[name] if name in shown else "identity")
    connections = [
        [places[source], places[target], _scaled(weight, places[source])]
        for (source, target), weight in network.weights.items()
    ]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "inputs": list(INPUTS),
        "coordinates": "normalised",
        "outputs": len(OUTPUTS),
        "colour": colour,
        "functions": functions,
        "connections": connections + copies,
    }
    try:
        return ordered(document)
    except GenomeError:
        raise GenomeError(
            "the genome's links form a cycle; a network here leads from the inputs to the outputs"
        ) from None


def _scaled(weight: float, place: int) -> float:
    """Return a weight as a genome of ours holds it: the shortest decimals of a float32."""
    if place == INPUTS.index("d"):
        weight *= DISTANCE
    if abs(weight) > MAX_WEIGHT:
        raise GenomeError(f"the genome has a weight of {weight:g}; {MAX_WEIGHT:,} is the most")
    return float(str(np.float32(weight)))


def _parameters(document: Document) -> Parameters:
    heaviest = max(abs(weight) for _, _, weight in document["connections"])
    bound = max(CppnParameters().weight_bound, float(math.ceil(heaviest)))
    return Parameters(
        channels=len(OUTPUTS),
        height=SIDE,
        width=SIDE,
        colour=document["colour"],
        cppn=CppnParameters(weight_bound=bound, functions=PICBREEDER_FUNCTIONS),
    )


def _name(element: Element, tag: str) -> _Name:
    found: Any = element.find(tag)
    if found is None or found.get("branch") is None or found.get("id") is None:
        raise GenomeError(f"a {element.tag} of the genome has no “{tag}” with branch and id")
    return found.get("branch"), found.get("id")


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise GenomeError(f"{what} is {_short(text)}, not a number")
    return value


def _shown(name: _Name) -> str:
    return _short("/".join(name))


def _short(text: str) -> str:
    """Return what a file says, bounded and without line breaks: a message stays a line."""
    return f"“{' '.join(text[:200].split())[:40]}”"
