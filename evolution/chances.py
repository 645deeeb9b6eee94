"""Whole numbers with given chances, quickly: one draw and one comparison for each (Walker 1977, Vose 1991).

Compiled code draws them from a stream of its own, SplitMix64 (Steele, Lea and Flood 2014), which is computed in place
where a call of numpy's generator costs more than all the rest. A run's generator seeds a stream each time it is used,
so that everything still follows from the run's seed, and nothing of a stream outlives a generation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Stream = npt.NDArray[np.uint64]  # (1,) a counter: its next value, mixed, is the next 64 random bits

WORDS, WORD = 2**64, np.uint64(64)
STRIDE, MIX_1, MIX_2 = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
UNUSED_BITS, UNIT = np.uint64(11), 2.0**-53  # a double holds 53 of the 64


class Chances(NamedTuple):
    """Chances of the whole numbers from 0 on, in 2^bits columns of equal width: two numbers at most share one."""

    bits: np.uint64
    own: npt.NDArray[
        np.uint64
    ]  # (2^bits,) how much of a column belongs to the number of that column, of 2^64
    others: npt.NDArray[np.int16]  # (2^bits,) whose the rest is


def chances_of(shares: Sequence[float]) -> Chances:
    """Return a table from which number i comes with chance shares[i]; they add up to 1."""
    bits = (len(shares) - 1).bit_length()
    left = [share * 2**bits / sum(shares) for share in shares] + [0.0] * (2**bits - len(shares))
    own, others = [WORDS - 1] * 2**bits, list(range(2**bits))  # what rounding leaves over keeps its column
    small = [number for number, share in enumerate(left) if share < 1]
    large = [number for number, share in enumerate(left) if share >= 1]
    while small and large:
        number, other = small.pop(), large[-1]
        own[number], others[number] = int(left[number] * WORDS), other
        left[other] -= 1 - left[number]
        if left[other] < 1:
            small.append(large.pop())
    return Chances(np.uint64(bits), np.array(own, np.uint64), np.array(others, np.int16))


def stream_from(rng: np.random.Generator) -> Stream:
    """Return a stream that begins where the generator says."""
    return rng.integers(0, WORDS, 1, np.uint64)


@njit(nogil=True, inline="always")
def _next_word(stream: Any) -> Any:
    stream[0] += STRIDE
    word = stream[0]
    word = (word ^ (word >> SHIFT_1)) * MIX_1
    word = (word ^ (word >> SHIFT_2)) * MIX_2
    return word ^ (word >> SHIFT_3)


@njit(nogil=True, inline="always")
def drawn(chances: Any, stream: Any) -> Any:
    """Draw a whole number: the first bits choose a column, the others one of the two in it."""
    word = _next_word(stream)
    column = np.int64(word >> (WORD - chances.bits))
    other = np.int64(chances.others[column])  # read in either case, which spares the processor a guess
    return column if word << chances.bits < chances.own[column] else other


@njit(nogil=True, inline="always")
def uniform(stream: Any) -> Any:
    """Draw a number from [0, 1)."""
    return np.float64(_next_word(stream) >> UNUSED_BITS) * UNIT
