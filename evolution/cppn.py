"""The CPPN encoding: a genome is a small feed-forward network that computes every pixel from its position.

Source: paper, section 2.3; Stanley 2007 for compositional pattern-producing networks. A population is held as flat
arrays (`Graphs`) from birth to rendering, so that nothing is packed in between.
"""

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.colour_kernel import CODES, GREY
from evolution.cppn_kernel import N_INPUTS, Graphs, paint
from evolution.cppn_variation import Rates, vary_networks
from evolution.encoding import Images
from evolution.errors import GenomeError
from evolution.parameters import FUNCTIONS, Coordinates, Parameters

FORMAT, VERSION = "foolbreeder-cppn", 1
INPUTS = ("x", "y", "d", "bias")
MOST_NODES, MOST_CONNECTIONS = 20_000, 100_000
MOST_BYTES = 4_000_000  # of a genome's JSON: some 100,000 connections
ALL = slice(None)
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CppnPopulation:
    """P networks with the same number of outputs."""

    graphs: Graphs
    n_outputs: int

    def __len__(self) -> int:
        return len(self.graphs.node_starts) - 1

    def take(self, rows: Rows) -> "CppnPopulation":
        """Return the networks at rows, (B,), in that order; a row may repeat."""
        graphs = self.graphs
        nodes, node_starts = slices_at(graphs.node_starts, rows)
        edges, edge_starts = slices_at(graphs.edge_starts, nodes)
        return CppnPopulation(
            Graphs(
                node_starts,
                graphs.functions[nodes],
                edge_starts,
                graphs.sources[edges],
                graphs.weights[edges],
            ),
            self.n_outputs,
        )

    def joined_with(self, other: "CppnPopulation") -> "CppnPopulation":
        """Return these networks followed by the other's."""
        assert self.n_outputs == other.n_outputs
        mine, theirs = self.graphs, other.graphs
        return CppnPopulation(
            Graphs(
                np.concatenate([mine.node_starts, theirs.node_starts[1:] + mine.node_starts[-1]]),
                np.concatenate([mine.functions, theirs.functions]),
                np.concatenate([mine.edge_starts, theirs.edge_starts[1:] + mine.edge_starts[-1]]),
                np.concatenate([mine.sources, theirs.sources]),
                np.concatenate([mine.weights, theirs.weights]),
            ),
            self.n_outputs,
        )

    def replaced(self, rows: Rows, other: "CppnPopulation", others: Rows) -> "CppnPopulation":
        """Return these networks with those at rows, (T,), exchanged for the other's."""
        kept = np.arange(len(self))
        kept[rows] = len(self) + others
        return self.joined_with(other).take(kept)


class CppnEncoding:
    """Networks as genomes, with the settings of one run."""

    def __init__(self, parameters: Parameters, device: str = "cpu") -> None:
        self.parameters, self.device = parameters, device
        self._choices = np.array([FUNCTIONS.index(name) for name in parameters.cppn.functions], np.uint8)
        self._coordinates = coordinates(parameters.height, parameters.width, parameters.cppn.coordinates)

    def random(self, count: int, rng: np.random.Generator) -> CppnPopulation:
        """Return networks without hidden nodes: all inputs to all outputs, random weights and functions."""
        n_outputs, bound = self.parameters.channels, self.parameters.cppn.weight_bound
        n_nodes = count * n_outputs
        graphs = Graphs(
            np.arange(count + 1, dtype=np.int64) * n_outputs,
            self._choices[rng.integers(len(self._choices), size=n_nodes)],
            np.arange(n_nodes + 1, dtype=np.int64) * N_INPUTS,
            np.tile(np.arange(N_INPUTS, dtype=np.int32), n_nodes),
            rng.uniform(-bound, bound, n_nodes * N_INPUTS).astype(np.float32),
        )
        return CppnPopulation(graphs, n_outputs)

    def vary(
        self, parents: CppnPopulation, generation: int, rng: np.random.Generator
    ) -> tuple[CppnPopulation, Rows]:
        """Return as many mutated children as there are parents, and each child's parent, (B, 1).

        Paper: child i descends from parent i. Released code: parents stand in pairs, and each child begins as a
        whole copy of one of its pair, chosen by a coin.
        """
        settings = self.parameters.cppn
        rows = np.arange(len(parents), dtype=np.int64)
        if settings.crossover:
            rows = rows - rows % 2 + rng.integers(2, size=len(rows))
            parents = parents.take(rows)
        graphs = Graphs(*vary_networks(parents.graphs, parents.n_outputs, self._rates(), rng))
        return CppnPopulation(graphs, parents.n_outputs), rows[:, np.newaxis]

    def develop(self, population: CppnPopulation) -> Images:
        """Return images, (B, C, H, W) in [0, 1] at the 256 levels of an 8-bit picture.

        What a classifier sees is exactly what a PNG of it shows. With three outputs they are read as the run's
        colour says (paper: hue, saturation, value).
        """
        height, width = self.parameters.height, self.parameters.width
        if self.device == "cpu":
            return self._paint(population, self._coordinates, height, width)
        from evolution.cppn_torch import develop_on  # brings in torch: only where it is used

        kind, colour = self.parameters.cppn.coordinates, self.parameters.colour
        return develop_on(population, height, width, kind, colour, self.device)

    def develop_at(
        self, population: CppnPopulation, height: int, width: int, rows: slice = ALL
    ) -> npt.NDArray[np.float32]:
        """Return the same pictures, (B, C, height, width), finer or coarser than a classifier sees them.

        Of very large pictures some rows may be asked for at a time, which bounds the memory.
        """
        native = (self.parameters.height, self.parameters.width)
        positions = coordinates(height, width, self.parameters.cppn.coordinates, native, rows)
        return self._paint(population, positions, positions.shape[1] // width, width)

    def to_bytes(self, population: CppnPopulation, row: int) -> bytes:
        """Return one genome as compressed JSON."""
        return zlib.compress(_canonical(self.to_json(population, row)))

    def from_bytes(self, genomes: list[bytes]) -> CppnPopulation:
        """Read what `to_bytes` wrote; raises GenomeError for anything else."""
        return self.from_json([_unpack(genome) for genome in genomes])

    def fingerprint(self, population: CppnPopulation, row: int) -> str:
        """Return the SHA-256 of one genome, whatever way it is stored."""
        return hashlib.sha256(_canonical(self.to_json(population, row))).hexdigest()

    def written(self, population: CppnPopulation, row: int) -> tuple[bytes, str]:
        """Return one genome as compressed JSON, and its fingerprint."""
        text = _canonical(self.to_json(population, row))
        return zlib.compress(text), hashlib.sha256(text).hexdigest()

    def to_json(self, population: CppnPopulation, row: int) -> dict[str, Any]:
        """Return one genome as plain JSON values: functions of the computed nodes and [source, target, weight]."""
        node_starts, functions, edge_starts, sources, weights = population.graphs
        first, last = node_starts[row], node_starts[row + 1]
        edges = slice(edge_starts[first], edge_starts[last])
        fan_in = np.diff(edge_starts[first : last + 1])
        targets = np.repeat(np.arange(N_INPUTS, N_INPUTS + last - first), fan_in)
        shortest = [
            float(str(weight)) for weight in weights[edges]
        ]  # the shortest decimals that read back the same
        return {
            "format": FORMAT,
            "version": VERSION,
            "inputs": list(INPUTS),
            "coordinates": self.parameters.cppn.coordinates,
            "outputs": population.n_outputs,
            **_colour_of(population.n_outputs, self.parameters),
            "functions": [FUNCTIONS[index] for index in functions[first:last]],
            "connections": [
                list(row) for row in zip(sources[edges].tolist(), targets.tolist(), shortest, strict=True)
            ],
        }

    def from_json(self, genomes: list[Any]) -> CppnPopulation:
        """Read what `to_json` wrote; raises GenomeError for anything that is not a network of this run's kind."""
        if not genomes:
            raise GenomeError("no genome given")
        return _joined([_read(genome, self.parameters) for genome in genomes], self.parameters.channels)

    def _paint(
        self, population: CppnPopulation, positions: npt.NDArray[np.float32], height: int, width: int
    ) -> npt.NDArray[np.float32]:
        images = np.empty((len(population), population.n_outputs, height * width), np.float32)
        colour = GREY if population.n_outputs == 1 else CODES[self.parameters.colour]
        paint(population.graphs, positions, colour, images)
        return images.reshape(len(population), population.n_outputs, height, width)

    def _rates(self) -> Rates:
        settings = self.parameters.cppn
        return Rates(
            bound=float(settings.weight_bound),
            add_connection=float(settings.add_connection),
            delete_connection=float(settings.delete_connection),
            split_connection=float(settings.split_connection),
            delete_node=float(settings.delete_node),
            weight_rate=float(settings.weight_rate),
            weight_eta=float(settings.weight_eta),
            function_rate=float(settings.function_rate),
            choices=self._choices,
        )


def coordinates(
    height: int, width: int, kind: Coordinates, native: tuple[int, int] | None = None, chosen: slice = ALL
) -> npt.NDArray[np.float32]:
    """Return what the inputs read at each pixel of the chosen rows, (4, H*W): x, y, distance from the centre, bias 1.

    Normalised: x and y run from -1 to 1. Pixel indices (released code): x and y count the pixels of the native
    height and width from 0, and only the distance is taken on normalised positions.
    """
    native_height, native_width = native or (height, width)
    columns = np.arange(width, dtype=np.float64)
    rows = np.arange(height, dtype=np.float64)[chosen, np.newaxis]
    x, y = 2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1
    positions = np.ones((N_INPUTS, len(rows), width), np.float32)
    np.hypot(x, y, out=positions[2], casting="same_kind")
    if kind == "pixel-indices":
        x = columns * ((native_width - 1) / max(width - 1, 1))
        y = rows * ((native_height - 1) / max(height - 1, 1))
    positions[0], positions[1] = x, y
    return positions.reshape(N_INPUTS, -1)


def slices_at(starts: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """Return the flat positions of the slices at rows one after another, and where each slice then starts."""
    lengths = starts[rows + 1] - starts[rows]
    new_starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=new_starts[1:])
    positions = np.arange(new_starts[-1]) + np.repeat(starts[rows] - new_starts[:-1], lengths)
    return positions, new_starts


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _unpack(genome: bytes) -> Any:
    """Decompress and parse within a bound, so that no genome can exhaust memory."""
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(genome, MOST_BYTES)
        if not reader.eof or reader.unused_data:
            raise GenomeError("the genome is cut short, has bytes to spare or is larger than 4 MB")
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise GenomeError(f"the genome is not compressed JSON: {error}") from error


def _joined(networks: list[Graphs], n_outputs: int) -> CppnPopulation:
    """Return networks, each alone in its graphs, as one population."""
    sizes = np.array([len(graphs.functions) for graphs in networks])
    fan_ins = [np.diff(graphs.edge_starts) for graphs in networks]
    graphs = Graphs(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([graphs.functions for graphs in networks]),
        np.concatenate([[0], np.cumsum(np.concatenate(fan_ins))]).astype(np.int64),
        np.concatenate([graphs.sources for graphs in networks]),
        np.concatenate([graphs.weights for graphs in networks]),
    )
    return CppnPopulation(graphs, n_outputs)


def _colour_of(n_outputs: int, parameters: Parameters) -> dict[str, str]:
    """Return how the outputs are read; a single one is a grey value, which needs no word."""
    return {"colour": parameters.colour} if n_outputs == 3 else {}


def _read(document: Any, parameters: Parameters) -> Graphs:
    """Check one genome's JSON thoroughly and return it as graphs of one network."""
    try:
        expected = (FORMAT, VERSION, list(INPUTS), parameters.cppn.coordinates, parameters.channels)
        found = tuple(document[key] for key in ("format", "version", "inputs", "coordinates", "outputs"))
        colour = _colour_of(parameters.channels, parameters)
        if {key: document[key] for key in colour} != colour:
            raise GenomeError(f"the genome is of another colour than {parameters.colour}")
        if found != expected:
            raise GenomeError(f"the genome is of another kind: {_short(found)} instead of {expected!r}")
        _require_size(document)
        functions = np.array([FUNCTIONS.index(name) for name in document["functions"]], np.uint8)
        sources, targets, weights = _columns(document["connections"])
    except GenomeError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
        raise GenomeError(f"the genome is not a network of this format: {error!r}") from error
    _check_network(sources, targets, weights, len(functions), parameters)
    fan_in = np.bincount(targets - N_INPUTS, minlength=len(functions))
    return Graphs(
        np.array([0, len(functions)], np.int64),
        functions,
        np.concatenate([[0], np.cumsum(fan_in)]).astype(np.int64),
        sources.astype(np.int32),
        weights,
    )


def _require_size(document: dict[str, Any]) -> None:
    """Refuse what no search comes to, before it is looked at one by one."""
    for key, noun, most in (
        ("functions", "nodes", MOST_NODES),
        ("connections", "connections", MOST_CONNECTIONS),
    ):
        if len(document[key]) > most:
            raise GenomeError(f"the genome has {len(document[key]):,} {noun}; {most:,} are the most")


def _short(value: Any) -> str:
    """Return what a file says, bounded: a message stays a line."""
    return repr(value)[:200]


def _columns(connections: Any) -> tuple[Rows, Rows, npt.NDArray[np.float32]]:
    """Return sources, targets and weights; texts, truths and fractions are refused, which numpy would convert."""
    for source, target, weight in connections:
        if type(source) is not int or type(target) is not int or type(weight) not in (int, float):
            raise GenomeError(
                f"a connection is not two places and a weight: {_short([source, target, weight])}"
            )
    sources, targets, weights = zip(*connections, strict=True) if connections else ((), (), ())
    with np.errstate(over="ignore"):  # becomes infinite, which is refused with the rest
        return np.array(sources, np.int64), np.array(targets, np.int64), np.array(weights, np.float32)


def _check_network(
    sources: Rows,
    targets: Rows,
    weights: npt.NDArray[np.float32],
    n_nodes: int,
    parameters: Parameters,
) -> None:
    first_output, end = N_INPUTS + n_nodes - parameters.channels, N_INPUTS + n_nodes
    if n_nodes < parameters.channels:
        raise GenomeError(f"the genome has {n_nodes} nodes but needs {parameters.channels} outputs")
    if ((sources < 0) | (sources >= first_output)).any():
        raise GenomeError("a connection starts at a place that does not exist or at an output")
    if ((targets < N_INPUTS) | (targets >= end)).any():
        raise GenomeError("a connection ends at a place that does not exist or at an input")
    if (sources >= targets).any():
        raise GenomeError("the genome has a cycle, or its nodes are not in order")
    if (np.diff(targets) < 0).any():
        raise GenomeError("the genome's connections are not grouped by the node that they feed")
    if len(np.unique(targets * end + sources)) < len(sources):
        raise GenomeError("two connections of the genome have the same ends")
    if not np.isfinite(weights).all() or (np.abs(weights) > parameters.cppn.weight_bound).any():
        raise GenomeError(f"a weight is not a number within {parameters.cppn.weight_bound:g} of zero")
