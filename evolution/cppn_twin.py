"""The CPPN twin: develops one genome slowly and obviously, to prove the kernel in `cppn_kernel.py`.

It reads the genome's JSON rather than the flat arrays and goes through it one node at a time in double precision,
so it shares neither data layout nor arithmetic with what it proves. Nothing but tests and benchmarks uses it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float64]

# Paper, supplement; the released code's four. Then those that Picbreeder has besides.
FUNCTIONS: dict[str, Callable[[Pixels], Pixels]] = {
    "sine": np.sin,
    "sigmoid": lambda p: np.tanh(p / 2),  # equals 2 / (1 + e^-p) - 1 and cannot overflow
    "gaussian": lambda p: np.exp(-(p**2)),
    "linear": lambda p: np.clip(p, -3, 3) / 3,
    "identity": lambda p: np.clip(p, -10_000, 10_000),
    "cosine": np.cos,
    "signed-gaussian": lambda p: 2 * np.exp(-(p**2)) - 1,
}


def develop_slowly(genome: dict[str, Any], height: int, width: int) -> Pixels:
    """Return the outputs of a genome's network, (C, H, W), before they are rounded to 8 bits.

    They are absolute values, but for a genome of Picbreeder's colours, which need the signs.
    """
    values = _inputs(genome["coordinates"], height, width)
    for place, function in enumerate(genome["functions"], start=len(values)):
        total = np.zeros((height, width))
        for source, target, weight in genome["connections"]:
            if target == place:
                total += float(np.float32(weight)) * values[source]  # JSON holds the shortest decimals
        values.append(FUNCTIONS[function](total))
    outputs = np.stack(values[-genome["outputs"] :])
    return outputs if str(genome.get("colour", "")).startswith("picbreeder") else np.abs(outputs)


def _inputs(coordinates: str, height: int, width: int) -> list[Pixels]:
    """Return x, y, distance from the centre and bias, each (H, W)."""
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    x, y = columns / (width - 1) * 2 - 1, rows / (height - 1) * 2 - 1
    distance = np.sqrt(x**2 + y**2)
    if coordinates == "pixel-indices":
        x, y = columns, rows
    return [x, y, distance, np.ones((height, width))]
