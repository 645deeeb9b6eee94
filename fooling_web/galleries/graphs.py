"""The network of an image as people look at it: nodes and connections by name, what each computes, a weight swept.

Only images whose genome is a network have one. All numbers come from the genome; what a classifier says of the
pictures is `weighing`'s.
"""

import functools
import io
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from evolution.encoding import encoding_for
from evolution.errors import GenomeError
from evolution.parameters import Parameters
from fooling_web.runs.cabinet import kept
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.percentages import finely
from fooling_web.runs.pictures import NotKept
from fooling_web.runs.watching import SHORT_HASH

INPUTS = ("x", "y", "distance", "bias")
OUTPUTS = {
    "grey": ("grey",),
    "hsv": ("hue", "saturation", "value"),
    "hls": ("hue", "lightness", "saturation"),
    "rgb": ("red", "green", "blue"),
    "picbreeder": ("hue", "saturation", "brightness"),
}
TILE = 80  # pixels a side, of the picture of a node
MOST_PLACES, MOST_CONNECTIONS = 600, 3000  # that are shown; evolved networks have some dozens
STEPS = 17  # weights that are tried, evenly from bound to bound: 0 is one of them; the present one joins them
LARGEST_SWEPT = 192  # pixels a side, of the pictures of a sweep
LARGEST_NATIVE = 64  # pixels a side: shown pixel by pixel
SWEPT_COLUMNS = 6
QUALITY = 82  # of WebP
CURVE_WIDTH, CURVE_HEIGHT = 320, 132  # of the drawing in its own units, without margins
NOT_KEPT_COLOUR = (128, 128, 128)


class TooLarge(GenomeError):
    """A network has more nodes or connections than a page shows."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A place of the network: an input, or a node that computes."""

    place: int
    role: str  # "input", "hidden", "output"
    title: str
    function: str  # empty for an input
    sources: int
    targets: int
    x: int  # where in the sprite its picture begins
    y: int


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A weighted way from one place to another; `index` counts them as the genome does."""

    index: int
    source: Node
    target: Node
    weight: float

    @property
    def edge(self) -> str:
        """How an address names it."""
        return f"{self.source.place}-{self.target.place}"

    @property
    def title(self) -> str:
        """How a page names it."""
        return f"{self.source.title} → {self.target.title}"

    @property
    def written(self) -> str:
        """The weight as a page writes it."""
        return written(self.weight)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network with names for its parts."""

    nodes: list[Node]
    connections: list[Connection]
    bound: float
    columns: int  # of the sprite of nodes

    @property
    def has_picture(self) -> bool:
        """Whether the picture is another than that of its only output."""
        return sum(node.role == "output" for node in self.nodes) > 1

    def connection(self, edge: str) -> Connection | None:
        """Return a connection by the name that addresses give it; None where there is none."""
        return next((one for one in self.connections if one.edge == edge), None)

    @property
    def tile(self) -> int:
        """Pixels a side of the picture of a node."""
        return TILE

    @property
    def width(self) -> int:
        """The width of the sprite."""
        return self.columns * TILE

    @property
    def height(self) -> int:
        """The height of the sprite; the whole picture, where it has one, stands behind the last node."""
        return math.ceil((len(self.nodes) + self.has_picture) / self.columns) * TILE

    def as_json(self) -> dict[str, Any]:
        """Return what the browser draws."""
        return {
            "bound": self.bound,
            "tile": TILE,
            "columns": self.columns,
            "hasPicture": self.has_picture,
            "nodes": [[node.role, node.title] for node in self.nodes],
            "connections": [[one.source.place, one.target.place, one.weight] for one in self.connections],
        }


@dataclass(frozen=True, kw_only=True)
class Value:
    """One weight of a sweep, and where its picture stands in the sprite."""

    weight: float
    written: str
    is_present: bool
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A connection with the weights that are tried in its place."""

    connection: Connection
    values: list[Value]
    tile: int
    width: int
    height: int
    chosen: int  # of the values, the one that is shown

    @property
    def shown(self) -> Value:
        """The weight that is shown first."""
        return self.values[self.chosen]

    @property
    def present(self) -> int:
        """Which of the values is the genome's own."""
        return next(place for place, value in enumerate(self.values) if value.is_present)

    @property
    def last(self) -> int:
        """The place of the last value."""
        return len(self.values) - 1


def network_of(run: Run, individual: Individual) -> Network:
    """Return the network of an image; raises GenomeError where it is damaged, not kept or too large to show."""
    encoding, population = _read(run.settings, individual)
    return network_from(encoding.to_json(population, 0), run.settings)


def network_from(document: dict[str, Any], parameters: Parameters) -> Network:
    """Return the network of a genome that has been checked; raises TooLarge where it is too large to show."""
    functions, connections = document["functions"], document["connections"]
    if len(functions) + len(INPUTS) > MOST_PLACES or len(connections) > MOST_CONNECTIONS:
        raise TooLarge(
            f"{len(functions)} nodes and {len(connections)} connections are more than a page shows"
        )
    columns = math.ceil(math.sqrt(len(INPUTS) + len(functions) + 1))
    nodes = _nodes(functions, connections, OUTPUTS[_colour(parameters)], columns)
    return Network(
        nodes=nodes,
        connections=[
            Connection(index=index, source=nodes[source], target=nodes[target], weight=weight)
            for index, (source, target, weight) in enumerate(connections)
        ],
        bound=parameters.cppn.weight_bound,
        columns=columns,
    )


def nodes_sprite(run: Run, individual: Individual, network: Network) -> bytes:
    """Return a WebP of what each place computes, TILE pixels a side, in rows of `network.columns`.

    Every picture is computed at twice as many points a side, which are then averaged.
    """
    name = f"{run.pk}-{individual.number}-{individual.genome_hash[:SHORT_HASH]}-nodes-{TILE}.webp"
    return kept(name, lambda: nodes_drawn(*_read(run.settings, individual), network))


def nodes_drawn(encoding: Any, population: Any, network: Network) -> bytes:
    """Return the same of any network, the only one of a population."""
    from evolution.cppn_anatomy import portraits  # brings in the compiler: only where it is used

    pictures = [Image.fromarray(levels) for levels in portraits(encoding, population, 0, 2 * TILE)]
    if network.has_picture:
        pictures.append(_as_picture(encoding.develop_at(population, 2 * TILE, 2 * TILE)[0]))
    sprite = Image.new("RGB", (network.width, network.height))
    for place, picture in enumerate(pictures):
        corner = (place % network.columns * TILE, place // network.columns * TILE)
        sprite.paste(picture.resize((TILE, TILE), Image.Resampling.BOX), corner)
    return _as_webp(sprite)


def sweep_of(run: Run, network: Network, connection: Connection, wanted: str) -> Sweep:
    """Return the weights that are tried for a connection; the one nearest to what is wanted is shown first."""
    weights = weights_tried(network.bound, connection.weight)
    tile = min(run.settings.width, LARGEST_SWEPT)
    values = [
        Value(
            weight=weight,
            written=written(weight),
            is_present=weight == connection.weight,
            x=place % SWEPT_COLUMNS * tile,
            y=place // SWEPT_COLUMNS * tile,
        )
        for place, weight in enumerate(weights)
    ]
    return Sweep(
        connection=connection,
        values=values,
        tile=tile,
        width=SWEPT_COLUMNS * tile,
        height=math.ceil(len(weights) / SWEPT_COLUMNS) * tile,
        chosen=_nearest(weights, wanted, connection.weight),
    )


def weights_tried(bound: float, present: float) -> list[float]:
    """Return weights evenly from -bound to bound, with the present one among them."""
    evenly = np.linspace(-bound, bound, STEPS).astype(np.float32)
    return sorted({float(str(weight)) for weight in evenly} | {present})


def swept_images(run: Run, individual: Individual, connection: Connection, weights: list[float]) -> Any:
    """Return the pictures with each of the weights, (B, C, H, W) in [0, 1], as the classifier sees them."""
    from evolution.cppn_anatomy import with_weights  # brings in the compiler: only where it is used

    encoding, population = _read(run.settings, individual)
    swept = with_weights(population, 0, connection.index, np.array(weights, np.float32))
    return encoding.develop(swept)


def sweep_sprite(run: Run, individual: Individual, sweep: Sweep) -> bytes:
    """Return a WebP of the pictures with each of a sweep's weights; small ones pixel by pixel, large ones smaller."""
    weights = [value.weight for value in sweep.values]
    images = swept_images(run, individual, sweep.connection, weights)
    sprite = Image.new("RGB", (sweep.width, sweep.height), NOT_KEPT_COLOUR)
    for image, value in zip(images, sweep.values, strict=True):
        picture = _as_picture(image).resize((sweep.tile, sweep.tile), Image.Resampling.BOX)
        sprite.paste(picture, (value.x, value.y))
    return _as_webp(sprite, is_exact=sweep.tile <= LARGEST_NATIVE)


def written(weight: float) -> str:
    """Write a weight with a true minus, to three digits."""
    return f"{weight:.3g}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the classifier says with one weight, and where it stands in the drawing."""

    value: Value
    confidence: (
        float | None
    )  # in the class in whose light the image is told; None where that was not asked for
    label: str  # of the likeliest class
    top: float
    is_own: bool  # the likeliest class is that in whose light the image is told
    place: float
    level: float

    @property
    def said(self) -> str:
        """The answer in words."""
        return f"{self.label}, {finely(self.top)}"

    @property
    def written(self) -> str:
        """The confidence in the image's class."""
        return finely(self.confidence)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What the classifier says over all weights, drawn."""

    answers: list[Answer]
    label: str  # of the class in whose light the image is told
    is_of_class: bool
    chosen: int
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT

    @property
    def points(self) -> str:
        """The curve's corners, as SVG wants them."""
        return " ".join(f"{answer.place},{answer.level}" for answer in self.answers)

    @property
    def present(self) -> Answer:
        """What it says with the genome's own weight."""
        return next(answer for answer in self.answers if answer.value.is_present)

    @property
    def shown(self) -> Answer:
        """What it says with the weight that is shown first."""
        return self.answers[self.chosen]

    @property
    def remark(self) -> str:
        """What stands beside the answer that is shown first."""
        return self._remark_on(self.shown)

    @property
    def half(self) -> float:
        """Where 50 % stands."""
        return self.height / 2

    @property
    def zero(self) -> float:
        """Where the weight 0 stands, at which the connection is as good as cut."""
        return self.width / 2

    @property
    def as_text(self) -> str:
        """The place, the answer and the remark for each weight, as JSON."""
        return json.dumps(
            [[answer.place, answer.said, self._remark_on(answer)] for answer in self.answers],
            ensure_ascii=False,
        )

    def _remark_on(self, answer: Answer) -> str:
        return f"; {self.label}: {answer.written}" if self.is_of_class and not answer.is_own else ""


def curve_of(run: Run, sweep: Sweep, bound: float, result: dict[str, Any], class_index: int | None) -> Curve:
    """Return a sweep's answers in the light of a class; where that was not asked for, those of the likeliest."""
    asked = result["classes"].get(str(class_index))
    answers = []
    for place, (value, (index, top)) in enumerate(zip(sweep.values, result["tops"], strict=True)):
        confidence = asked[place] if asked else None
        answers.append(
            Answer(
                value=value,
                confidence=confidence,
                label=run.label_of(index),
                top=top,
                is_own=index == class_index,
                place=round((value.weight / bound + 1) / 2 * CURVE_WIDTH, 1),
                level=round((1 - (top if confidence is None else confidence)) * CURVE_HEIGHT, 1),
            )
        )
    label = "" if class_index is None else run.label_of(class_index)
    return Curve(answers=answers, label=label, is_of_class=asked is not None, chosen=sweep.chosen)


def _nearest(weights: list[float], wanted: str, present: float) -> int:
    """Return the place of the weight nearest to what an address says; that of the present one for nonsense."""
    try:
        sought = float(wanted[:20])
    except ValueError:
        sought = present
    if not math.isfinite(sought):
        sought = present
    return min(range(len(weights)), key=lambda place: abs(weights[place] - sought))


def _read(parameters: Parameters, individual: Individual) -> tuple[Any, Any]:
    """Return the encoding, and a population of the one genome."""
    genome = bytes(individual.genome)
    if not genome:
        raise NotKept("it was dropped when another image took its last class")
    encoding = _encoding(parameters)
    return encoding, encoding.from_bytes([genome])


@functools.lru_cache(maxsize=16)
def _encoding(parameters: Parameters) -> Any:
    return encoding_for(parameters)


def _colour(parameters: Parameters) -> str:
    return "grey" if parameters.channels == 1 else parameters.colour.removesuffix("-grey")


def _nodes(
    functions: list[str], connections: list[list[Any]], outputs: tuple[str, ...], columns: int
) -> list[Node]:
    """Return all places in order: inputs, hidden nodes, outputs."""
    end = len(INPUTS) + len(functions)
    sources, targets = [0] * end, [0] * end
    for source, target, _ in connections:
        targets[source] += 1
        sources[target] += 1
    named = [("input", name, "") for name in INPUTS]
    n_hidden = len(functions) - len(outputs)
    named += [
        ("hidden", f"{name} {place}", name) for place, name in enumerate(functions[:n_hidden], len(INPUTS))
    ]
    named += [
        ("output", f"{title} ({function})", function)
        for title, function in zip(outputs, functions[n_hidden:], strict=True)
    ]
    return [
        Node(
            place=place,
            role=role,
            title=title,
            function=function,
            sources=sources[place],
            targets=targets[place],
            x=place % columns * TILE,
            y=place // columns * TILE,
        )
        for place, (role, title, function) in enumerate(named)
    ]


def _as_picture(image: Any) -> Image.Image:
    """Return an image, (C, H, W) in [0, 1], as a picture."""
    levels = np.rint(image * 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))


def _as_webp(picture: Image.Image, *, is_exact: bool = False) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=QUALITY, method=2, lossless=is_exact)
    return file.getvalue()
