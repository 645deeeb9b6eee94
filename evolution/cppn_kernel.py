"""Render a population of CPPNs on the CPU: one fused kernel, node by node over a block of pixels.

The values of a block stay in the processor's cache while all nodes of all genomes pass over it, and every inner
loop becomes vector instructions. Sums and polynomials use explicit fused multiply-adds and nothing is reordered,
so a genome gives the same picture, bit for bit, on every processor. `cppn_twin.py` says the same slowly.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from evolution.colour_kernel import PICBREEDER, as_level, at_most_one, write_colours

N_INPUTS = 4  # x, y, distance from the centre, bias
# In the order of evolution.parameters.FUNCTIONS.
SINE, SIGMOID, GAUSSIAN, LINEAR, IDENTITY, COSINE, SIGNED_GAUSSIAN = range(7)
BLOCK = 1024  # pixels: 25 nodes of float32 fill 100 kB, within a level-2 cache

# Minimax polynomials: sin(r) / r in r^2 on [-pi/2, pi/2] (error 7e-9); 2^f on [-1/2, 1/2] (error 1e-7).
S0, S1, S2 = np.float32(0.9999999957158398), np.float32(-0.1666665796990472), np.float32(0.00833305061732849)
S3, S4 = np.float32(-0.00019809046357424854), np.float32(2.605166276123669e-06)
E0, E1, E2 = np.float32(1.0000000754953489), np.float32(0.6931472067106204), np.float32(0.24022107355830596)
E3, E4, E5 = (
    np.float32(0.05550327214209104),
    np.float32(0.009676037097864609),
    np.float32(0.001340043216540429),
)
# Pi in three pieces whose products with whole numbers below 2^16 are exact (Cody and Waite's reduction).
PI_1, PI_2, PI_3 = np.float32(3.140625), np.float32(0.0009670257568359375), np.float32(6.278329465203569e-07)
ONE_OVER_PI, LOG2_E = np.float32(1 / np.pi), np.float32(np.log2(np.e))
ROUND = np.float32(1.5 * 2**23)  # adding it rounds to a whole number, which its low bits then hold
HALF, FARTHEST = np.float32(0.5), np.float32(10_000)  # an identity goes no farther: sums stay finite
ZERO, ONE, TWO, THREE, THIRD = np.float32(0), np.float32(1), np.float32(2), np.float32(3), np.float32(1 / 3)
LOWEST_EXPONENT = np.float32(-80)  # e^-80 vanishes beside 1, and 2^n stays a normal number


class Graphs(NamedTuple):
    """A population of P networks as flat arrays, ready to render: N computed nodes and E connections in all.

    Within a genome a place is an input (0..3) or 4 + the index of a computed node; nodes stand in an order in
    which each comes after all that feed it, outputs last.
    """

    node_starts: npt.NDArray[np.int64]  # (P + 1,) genome i computes nodes node_starts[i]:node_starts[i + 1]
    functions: npt.NDArray[np.uint8]  # (N,) index into evolution.parameters.FUNCTIONS
    edge_starts: npt.NDArray[np.int64]  # (N + 1,) node n sums edge_starts[n]:edge_starts[n + 1]
    sources: npt.NDArray[np.int32]  # (E,) place, within the genome, from which a connection comes
    weights: npt.NDArray[np.float32]  # (E,)


@intrinsic
def _multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded once."""
    return types.float32(types.float32, types.float32, types.float32), (
        lambda context, builder, signature, arguments: builder.fma(*arguments)
    )


@intrinsic
def _bits_of(typing: Any, value: Any) -> Any:
    """Return the bits of a float32 as an int32."""
    return types.int32(types.float32), (
        lambda context, builder, signature, arguments: builder.bitcast(
            arguments[0], context.get_value_type(types.int32)
        )
    )


@intrinsic
def _float_of(typing: Any, bits: Any) -> Any:
    """Return the float32 that has these bits."""
    return types.float32(types.int32), (
        lambda context, builder, signature, arguments: builder.bitcast(
            arguments[0], context.get_value_type(types.float32)
        )
    )


# The compiler hands in the first argument of each, which their types do not say.
fused_multiply_add: Any = _multiply_add
bits_of: Any = _bits_of
float_of: Any = _float_of


@njit(inline="always", error_model="numpy")
def _sine(p: Any) -> Any:
    turns = fused_multiply_add(p, ONE_OVER_PI, ROUND)
    return _sine_beyond(p, turns - ROUND, turns)


@njit(inline="always", error_model="numpy")
def _cosine(p: Any) -> Any:
    turns = fused_multiply_add(p, ONE_OVER_PI, HALF) + ROUND
    return _sine_beyond(p, (turns - ROUND) - HALF, turns)  # cosines are sines from a quarter turn before


@njit(inline="always", error_model="numpy")
def _sine_beyond(p: Any, n: Any, turns: Any) -> Any:
    """Return the sine of what p is beyond n half-turns, with the sign that the whole number in turns gives."""
    r = fused_multiply_add(-n, PI_3, fused_multiply_add(-n, PI_2, fused_multiply_add(-n, PI_1, p)))
    z = r * r
    tail = fused_multiply_add(z, fused_multiply_add(z, S4, S3), S2)
    value = r * fused_multiply_add(z, fused_multiply_add(z, tail, S1), S0)
    return float_of(bits_of(value) ^ (bits_of(turns) << np.int32(31)))  # odd half-turns change the sign


@njit(inline="always", error_model="numpy")
def _exponential_below_zero(p: Any) -> Any:
    q = LOWEST_EXPONENT if p < LOWEST_EXPONENT else p
    doublings = fused_multiply_add(q, LOG2_E, ROUND)
    f = fused_multiply_add(q, LOG2_E, -(doublings - ROUND))
    tail = fused_multiply_add(f, fused_multiply_add(f, E5, E4), E3)
    value = fused_multiply_add(f, fused_multiply_add(f, fused_multiply_add(f, tail, E2), E1), E0)
    return float_of(bits_of(value) + (bits_of(doublings) << np.int32(23)))


@njit(inline="always", error_model="numpy")
def _activate(function: Any, row: Any, count: int) -> None:
    """Apply a node's function in place (four of paper and released code, and Picbreeder's)."""
    if function == SINE:
        for x in range(count):
            row[x] = _sine(row[x])
    elif function == SIGMOID:  # 2 / (1 + e^-p) - 1, odd in p: from e^-|p| it cannot overflow
        for x in range(count):
            decay = _exponential_below_zero(-abs(row[x]))
            half = (ONE - decay) / (ONE + decay)
            row[x] = half if row[x] > ZERO else -half
    elif function == GAUSSIAN:
        for x in range(count):
            row[x] = _exponential_below_zero(-row[x] * row[x])
    elif function == IDENTITY:
        for x in range(count):
            p = row[x]
            p = -FARTHEST if p < -FARTHEST else p
            row[x] = FARTHEST if p > FARTHEST else p
    elif function == COSINE:
        for x in range(count):
            row[x] = _cosine(row[x])
    elif function == SIGNED_GAUSSIAN:
        for x in range(count):
            row[x] = TWO * _exponential_below_zero(-row[x] * row[x]) - ONE
    else:
        for x in range(count):
            p = row[x]
            p = -THREE if p < -THREE else p
            row[x] = (THREE if p > THREE else p) * THIRD


@njit(inline="always", error_model="numpy")
def _sum_inputs(row: Any, values: Any, sources: Any, weights: Any, first: int, last: int, count: int) -> None:
    """Set row to the weighted sum of the node's inputs, two or three connections a pass."""
    edge = first
    if last - first >= 3:
        a, b, c = values[sources[edge]], values[sources[edge + 1]], values[sources[edge + 2]]
        wa, wb, wc = weights[edge], weights[edge + 1], weights[edge + 2]
        for x in range(count):
            row[x] = fused_multiply_add(wc, c[x], fused_multiply_add(wb, b[x], wa * a[x]))
        edge += 3
    elif last - first >= 1:
        a, wa = values[sources[edge]], weights[edge]
        for x in range(count):
            row[x] = wa * a[x]
        edge += 1
    else:
        row[:count] = ZERO
    while edge + 1 < last:
        a, b, wa, wb = values[sources[edge]], values[sources[edge + 1]], weights[edge], weights[edge + 1]
        for x in range(count):
            row[x] = fused_multiply_add(wb, b[x], fused_multiply_add(wa, a[x], row[x]))
        edge += 2
    if edge < last:
        a, wa = values[sources[edge]], weights[edge]
        for x in range(count):
            row[x] = fused_multiply_add(wa, a[x], row[x])


@njit(inline="always", error_model="numpy")
def _most_nodes(node_starts: Any) -> Any:
    most = 0
    for genome in range(len(node_starts) - 1):
        most = max(most, node_starts[genome + 1] - node_starts[genome])
    return most


@njit(inline="always", error_model="numpy")
def _compute(graphs: Any, genome: int, values: Any, count: int) -> None:
    """Compute every node of one network for a block of pixels, whose inputs stand in values already."""
    node_starts, functions, edge_starts, sources, weights = graphs
    first, last = node_starts[genome], node_starts[genome + 1]
    for node in range(first, last):
        row = values[N_INPUTS + node - first]
        _sum_inputs(row, values, sources, weights, edge_starts[node], edge_starts[node + 1], count)
        _activate(functions[node], row, count)


@njit(nogil=True, cache=True, error_model="numpy")
def render(
    graphs: Graphs, coordinates: npt.NDArray[np.float32], n_outputs: int, images: npt.NDArray[np.float32]
) -> None:
    """Write the absolute value of every network's outputs at every pixel into images.

    coordinates is (4, H*W), images (P, n_outputs, H*W), both float32; values lie in [0, 1] but for the last bit.
    """
    node_starts, pixels = graphs.node_starts, coordinates.shape[1]
    values = np.empty((N_INPUTS + _most_nodes(node_starts), min(BLOCK, pixels)), np.float32)
    for start in range(0, pixels, BLOCK):
        count = min(BLOCK, pixels - start)
        values[:N_INPUTS, :count] = coordinates[:, start : start + count]
        for genome in range(len(node_starts) - 1):
            _compute(graphs, genome, values, count)
            end = N_INPUTS + node_starts[genome + 1] - node_starts[genome]
            for output in range(n_outputs):
                row, image = values[end - n_outputs + output], images[genome, output]
                for x in range(count):
                    image[start + x] = abs(row[x])


@njit(nogil=True, cache=True, error_model="numpy")
def paint(
    graphs: Graphs, coordinates: npt.NDArray[np.float32], colour: int, images: npt.NDArray[np.float32]
) -> None:
    """Write every network's picture into images: (P, 1, H*W) of greys or (P, 3, H*W) of red, green and blue.

    coordinates is (4, H*W); colour is a code of `evolution.colour_kernel`. Values are multiples of 1/255.
    """
    node_starts, pixels, channels = graphs.node_starts, coordinates.shape[1], images.shape[1]
    values = np.empty((N_INPUTS + _most_nodes(node_starts), min(BLOCK, pixels)), np.float32)
    for start in range(0, pixels, BLOCK):
        count = min(BLOCK, pixels - start)
        values[:N_INPUTS, :count] = coordinates[:, start : start + count]
        for genome in range(len(node_starts) - 1):
            _compute(graphs, genome, values, count)
            end = N_INPUTS + node_starts[genome + 1] - node_starts[genome]
            if channels == 1:
                row, image = values[end - 1], images[genome, 0]
                for x in range(count):
                    image[start + x] = as_level(at_most_one(abs(row[x])))
            else:
                outputs = values[end - 3 : end]
                for output in range(3 if colour < PICBREEDER else 0):  # Picbreeder's colours need the signs
                    for x in range(count):
                        outputs[output, x] = abs(outputs[output, x])
                write_colours(colour, outputs[0], outputs[1], outputs[2], images[genome], start, count)


@njit(nogil=True, cache=True, error_model="numpy")
def compute_places(
    graphs: Graphs, genome: int, coordinates: npt.NDArray[np.float32], values: npt.NDArray[np.float32]
) -> None:
    """Write what every place of one network holds at every pixel, inputs first, into values, (4 + n_nodes, H*W)."""
    values[:N_INPUTS] = coordinates
    _compute(graphs, genome, values, coordinates.shape[1])
