"""Networks of a given size, larger than evolution usually makes them, so that rendering has work to do."""

from typing import Any

import numpy as np

from evolution.cppn import CppnEncoding, CppnPopulation
from evolution.parameters import PAPER_FUNCTIONS

N_INPUTS, HIDDEN, CONNECTIONS = 4, 20, 60


def large_population(encoding: CppnEncoding, count: int, seed: int = 1) -> CppnPopulation:
    """Return networks with 20 hidden nodes and 60 connections each."""
    rng = np.random.default_rng(seed)
    return encoding.from_json([_genome(encoding, rng) for _ in range(count)])


def _genome(encoding: CppnEncoding, rng: np.random.Generator) -> dict[str, Any]:
    """Return a network in which every node is fed, and every hidden node feeds another."""
    first_output, n_outputs = N_INPUTS + HIDDEN, encoding.parameters.channels
    end = first_output + n_outputs
    pairs = {(int(rng.integers(min(target, first_output))), target) for target in range(N_INPUTS, end)}
    pairs |= {(source, int(rng.integers(source + 1, end))) for source in range(N_INPUTS, first_output)}
    while len(pairs) < CONNECTIONS:
        target = int(rng.integers(N_INPUTS, end))
        pairs.add((int(rng.integers(min(target, first_output))), target))
    connections = sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    weights = rng.uniform(-10, 10, len(connections)).astype(np.float32)
    template = encoding.to_json(encoding.random(1, rng), 0)
    return {
        **template,
        "functions": [
            PAPER_FUNCTIONS[index] for index in rng.integers(len(PAPER_FUNCTIONS), size=HIDDEN + n_outputs)
        ],
        "connections": [[*pair, float(str(w))] for pair, w in zip(connections, weights, strict=True)],
    }
