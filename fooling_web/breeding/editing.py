"""A picture's genome changed by hand: read and checked, changed field by field, drawn, and kept as a litter.

Nothing but `keep` writes. A genome comes from outside with every request and is checked each time as thoroughly as
any that is taken in; only its functions, weights, nodes and connections may differ from those of the picture.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from evolution.errors import GenomeError
from evolution.parameters import FUNCTIONS, Parameters
from fooling_web.breeding.beginning import MOST_BYTES, parsed
from fooling_web.breeding.litters import add_litter, encoding_from, parameters_of
from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.breeding.pictures import FINE_SIDE, picture_of
from fooling_web.galleries.graphs import (
    INPUTS,
    MOST_CONNECTIONS,
    MOST_PLACES,
    Connection,
    Network,
    Node,
    network_from,
    nodes_drawn,
)

Document = dict[str, Any]
MOST_NODES = MOST_PLACES - len(INPUTS)
MOST_FIELDS = (
    450  # weights, and as many functions, that a form without scripts sends; Django takes 1,000 in all
)
LONGEST_TEXT = 40  # characters of what somebody wrote, in a message


@dataclass(frozen=True)
class Draft:
    """A genome that is being changed, and the tile that it comes from."""

    litter: Litter
    place: int
    document: Document

    @property
    def session(self) -> BreedingSession:
        """The session of the litter."""
        return self.litter.session

    @property
    def number(self) -> int:
        """What people call the tile: they count from one."""
        return self.place + 1

    @cached_property
    def network(self) -> Network:
        """The genome with names for its parts; raises TooLarge where a page cannot show it."""
        return network_from(self.document, self.parameters)

    @property
    def parameters(self) -> Parameters:
        """How the genome is read."""
        return parameters_of(self.session.settings, [self.document])

    @property
    def as_text(self) -> str:
        """The genome as a form carries it."""
        return json.dumps(self.document, separators=(",", ":"))

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what the litter has."""
        return bool(self.fingerprint != self.litter.hashes[self.place])

    @cached_property
    def fingerprint(self) -> str:
        """The genome's SHA-256."""
        encoding, population = _population(self)
        return str(encoding.fingerprint(population, 0))

    @property
    def functions(self) -> tuple[str, ...]:
        """What a node may compute."""
        return FUNCTIONS

    @property
    def sources(self) -> list[Node]:
        """The places that a connection may come from."""
        return [node for node in self.network.nodes if node.role != "output"]

    @property
    def targets(self) -> list[Node]:
        """The places that a connection may lead to."""
        return [node for node in self.network.nodes if node.role != "input"]

    @property
    def least(self) -> float:
        """The least weight that there may be."""
        return -self.network.bound

    @property
    def new_node(self) -> Node:
        """What the row of a node is made from that is not there yet."""
        return Node(place=0, role="hidden", title="", function=FUNCTIONS[0], sources=0, targets=0, x=0, y=0)

    @property
    def new_connection(self) -> Connection:
        """What the row of a connection is made from that is not there yet."""
        return Connection(index=0, source=self.new_node, target=self.new_node, weight=0.0)

    @property
    def most_fields(self) -> int:
        """How many weights, and how many functions, are sent without scripts."""
        return MOST_FIELDS


def draft_of(litter: Litter, place: int) -> Draft:
    """Return the genome of a tile as it is in the litter."""
    return Draft(litter, place, litter.documents[place])


def read_draft(litter: Litter, place: int, text: bytes | str) -> Draft:
    """Return a changed genome of a tile, its nodes in order; raises GenomeError for anything that cannot be one."""
    text = text.encode() if isinstance(text, str) else text
    if len(text) > MOST_BYTES:
        raise GenomeError(f"the genome is larger than {MOST_BYTES // 10**6} MB")
    return _checked(draft_of(litter, place), parsed(text))


def changed(draft: Draft, fields: Mapping[str, str]) -> Draft:
    """Return a genome with the values of a form, and then with the deed of the button that was pressed."""
    return _checked(draft, _after(_filled(draft.document, fields), fields))


def draw(draft: Draft) -> bytes:
    """Return the genome's picture, a WebP of 256 pixels a side, or with its few pixels."""
    return picture_of(draft.session, draft.document, FINE_SIDE)


def draw_nodes(draft: Draft) -> bytes:
    """Return what every node computes, in one WebP."""
    encoding, population = _population(draft)
    return nodes_drawn(encoding, population, draft.network)


def keep(draft: Draft, token: uuid.UUID) -> Litter:
    """Add the litter with this genome in its place; a genome that is as it was adds nothing.

    Raises SessionFull.
    """
    if not draft.is_changed:
        return draft.litter
    litter, place = draft.litter, draft.place
    documents = litter.documents
    documents[place] = draft.document
    return add_litter(
        draft.session,
        deed=Litter.Deed.EDIT,
        documents=documents,
        before=litter,
        parent=litter,
        picked=[],
        parents=[[one] for one in range(len(documents))],
        token=uuid.uuid5(token, f"{Litter.Deed.EDIT} {litter.number} {place} {draft.fingerprint}"),
        in_colour=litter.in_colour,
        change=litter.change,
        focus=litter.focus,
    )


def _checked(draft: Draft, document: Any) -> Draft:
    """Return the draft with another genome of its kind, written as litters keep it."""
    from evolution.cppn_editing import ordered  # brings in the compiler of its kernels: only where it is used

    _require_showable(document)
    document = ordered(document)
    _require_weights(document, draft.parameters.cppn.weight_bound)
    encoding: Any = encoding_from(draft.session.settings, [draft.document])
    population = encoding.from_json([document])
    return replace(draft, document=encoding.to_json(population, 0))


def _require_showable(document: Any) -> None:
    """Refuse what is no genome or too large for a page, before its parts are looked at one by one."""
    if not isinstance(document, dict):
        raise GenomeError("this is no genome: it has neither nodes nor connections")
    for key, most, noun in (
        ("functions", MOST_NODES, "nodes"),
        ("connections", MOST_CONNECTIONS, "connections"),
    ):
        found = document.get(key)
        if not isinstance(found, list):
            raise GenomeError(f"this genome has no list of {noun}")
        if len(found) > most:
            raise GenomeError(
                f"this genome has {len(found):,} {noun}; {most:,} are the most that are edited here"
            )
    for name in document["functions"]:
        if name not in FUNCTIONS:
            raise GenomeError(
                f"“{str(name)[:LONGEST_TEXT]}” is no function; there are {', '.join(FUNCTIONS)}"
            )


def _require_weights(document: Document, bound: float) -> None:
    """Refuse a weight that is no number within the bound, and name its connection."""
    for source, target, weight in document["connections"]:
        if type(weight) not in (int, float) or not abs(weight) <= bound:  # nan is not within any
            raise GenomeError(
                f"the weight from place {source} to place {target} is {str(weight)[:LONGEST_TEXT]}; "
                f"weights lie from {-bound:g} to {bound:g}"
            )


def _filled(document: Document, fields: Mapping[str, str]) -> Document:
    """Return a genome with the functions and weights of a form; what the form does not have stays."""
    from evolution.cppn_editing import set_function, set_weight

    for place, function in enumerate(document["functions"], len(INPUTS)):
        if (chosen := fields.get(f"function-{place}", function)) != function:
            document = set_function(document, place, chosen)
    for source, target, weight in document["connections"]:
        if (written := fields.get(f"weight-{source}-{target}", str(weight))) != str(weight):
            document = set_weight(document, source, target, _number(written))
    return document


def _after(document: Document, fields: Mapping[str, str]) -> Document:
    """Return a genome after what a button says: a deed, and the places that it is done to."""
    from evolution import cppn_editing as by_hand

    deed, *places = fields.get("deed", "").split() or [""]
    function = fields.get("function", FUNCTIONS[0])
    match deed, [_place(place) for place in places]:
        case "add-node", []:
            return by_hand.add_node(document, function)
        case "remove-node", [place]:
            return by_hand.remove_node(document, place)
        case "insert", [source, target]:
            return by_hand.split_connection(document, source, target, function)
        case "remove-connection", [source, target]:
            return by_hand.remove_connection(document, source, target)
        case "connect", []:
            source, target = _place(fields.get("source", "")), _place(fields.get("target", ""))
            return by_hand.add_connection(document, source, target, _number(fields.get("weight", "")))
    return document


def _place(text: str) -> int:
    if not text.isdecimal() or len(text) > LONGEST_TEXT:
        raise GenomeError(f"“{text[:LONGEST_TEXT]}” is no place of this genome")
    return int(text)


def _number(text: str) -> float:
    """Read a number as people write it: with a comma, or with a true minus."""
    try:
        number = float(text.replace("\N{MINUS SIGN}", "-").replace(",", ".")[: 2 * LONGEST_TEXT])
    except ValueError:
        number = float("nan")
    if number != number:
        raise GenomeError(f"“{text[:LONGEST_TEXT]}” is no weight; write a number such as -1.5")
    return number


def _population(draft: Draft) -> tuple[Any, Any]:
    """Return the encoding of a genome, and a population of it alone."""
    encoding: Any = encoding_from(draft.session.settings, [draft.document])
    return encoding, encoding.from_json([draft.document])
