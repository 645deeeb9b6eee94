"""The anatomy of a CPPN: what each of its nodes computes, as a picture, and what becomes of it if one weight changes.

A node's activation lies in [-1, 1] (paper, supplement: the four functions) and is drawn as a grey: -1 is black, 0
the middle, 1 white. Outputs are drawn as the picture reads them: by their absolute value, 0 black and 1 white, so
that the only output of a grey network is its picture, level for level. Inputs may leave [-1, 1] (the distance, and
positions counted in pixels); each is first divided by the largest absolute value that it takes in the picture.

Two things of Picbreeder are drawn so, too, though there they mean more: an identity may leave [-1, 1] and is cut off,
and of hue and saturation, whose sign counts there, the absolute value is seen.
"""

import numpy as np
import numpy.typing as npt

from evolution.cppn import CppnEncoding, CppnPopulation, coordinates
from evolution.cppn_kernel import N_INPUTS, compute_places

ROWS_AT_ONCE = 16  # of a picture: a thousand nodes then hold some megabytes
Levels = npt.NDArray[np.uint8]


def activations(
    encoding: CppnEncoding, population: CppnPopulation, row: int, side: int, rows: slice = slice(None)
) -> npt.NDArray[np.float32]:
    """Return what every place of one network holds, (4 + n_nodes, rows, side), inputs first, outputs last.

    The picture is `side` pixels wide and high, of which some rows may be asked for; values are those that the
    picture itself is drawn from, bit for bit, with their sign.
    """
    parameters = encoding.parameters
    native = (parameters.height, parameters.width)
    positions = coordinates(side, side, parameters.cppn.coordinates, native, rows)  # (4, rows * side)
    starts = population.graphs.node_starts
    n_places = N_INPUTS + int(starts[row + 1] - starts[row])
    values = np.empty((n_places, positions.shape[1]), np.float32)
    compute_places(population.graphs, row, positions, values)
    return values.reshape(n_places, -1, side)


def portraits(encoding: CppnEncoding, population: CppnPopulation, row: int, side: int) -> Levels:
    """Return the grey picture of every place of one network, (4 + n_nodes, side, side), inputs first."""
    largest = _largest_inputs(encoding, side)
    parts = [
        _as_greys(
            activations(encoding, population, row, side, slice(first, first + ROWS_AT_ONCE)),
            largest,
            population.n_outputs,
        )
        for first in range(0, side, ROWS_AT_ONCE)
    ]
    return np.concatenate(parts, axis=1)


def with_weights(
    population: CppnPopulation, row: int, connection: int, weights: npt.NDArray[np.float32]
) -> CppnPopulation:
    """Return one network as often as there are weights, (B,), each time with another one for a connection.

    Connections are counted as in the genome's JSON. Raises IndexError where the network has no such connection.
    """
    copies = population.take(np.full(len(weights), row, np.int64))
    changed = copies.graphs.weights.copy().reshape(len(weights), -1)  # (B, connections)
    changed[:, connection] = weights
    return CppnPopulation(copies.graphs._replace(weights=changed.reshape(-1)), copies.n_outputs)


def _largest_inputs(encoding: CppnEncoding, side: int) -> npt.NDArray[np.float32]:
    """Return the largest absolute value of each input, (4,)."""
    parameters = encoding.parameters
    native = (parameters.height, parameters.width)
    positions = coordinates(side, side, parameters.cppn.coordinates, native)
    largest: npt.NDArray[np.float32] = np.abs(positions).max(axis=1)
    return np.maximum(largest, np.finfo(np.float32).tiny)  # of a single pixel all positions are 0


def _as_greys(values: npt.NDArray[np.float32], largest: npt.NDArray[np.float32], n_outputs: int) -> Levels:
    """Map values in [-1, 1] to levels, and outputs as the picture reads them."""
    values[:N_INPUTS] /= largest[:, np.newaxis, np.newaxis]
    shown = (values + 1) / 2
    shown[-n_outputs:] = np.abs(values[-n_outputs:])
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
