"""Breeding pictures of pixels in ImageNet's size: beside the slow twin, and beside the network that judges them."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.measurement import Measurement, seconds
from benchmarks.whole_loop import CLASSIFIER, bare_network
from evolution.direct import DirectEncoding, DirectPopulation
from evolution.parameters import Parameters
from evolution.variation import mutate_polynomially
from models_zoo.registry import load

COUNT, TWINS = 200, 20  # pictures; the twin varies some of them, and its time is scaled
FIDELITIES = ("paper", "released-code")


def measure_pixels(rounds: int) -> Iterator[Measurement]:
    """Yield how long pictures take to vary and to develop, as shares of the time that they take to be judged."""
    torch.set_num_threads(1)
    encodings = {fidelity: _encoding(fidelity) for fidelity in FIDELITIES}
    encoding, rng = encodings["paper"], np.random.default_rng(1)
    parents = encoding.random(COUNT, rng)
    forward = bare_network(load(CLASSIFIER, "cpu"), encoding.parameters)
    for each in encodings.values():
        each.vary(parents, 1, rng)
    encoding.develop(parents)
    judging = [seconds(forward) for _ in range(rounds)]
    varying = {name: _varying(each, parents, rounds) for name, each in encodings.items()}
    slowly = [seconds(lambda: _vary_slowly(encoding, parents, rng)) * COUNT / TWINS for _ in range(rounds)]
    developing = [seconds(lambda: encoding.develop(parents)) for _ in range(rounds)]
    what = f"vary {COUNT} direct 256x256x3"
    yield Measurement(f"{what}: pictures/s", [COUNT / one for one in varying["paper"]])
    yield _ratio(f"{what}: times as fast as number by number", slowly, varying["paper"], "{:,.1f}")
    for name, timed in varying.items():
        yield _ratio(f"{what}, {name}, beside lite0's forward pass on them", timed, judging, "{:.2%}")
    yield _ratio("develop as many, beside lite0's forward pass on them", developing, judging, "{:.2%}")


def _encoding(fidelity: str) -> DirectEncoding:
    size = {"first_population": COUNT, "offspring": COUNT, "channels": 3, "height": 256, "width": 256}
    return DirectEncoding(Parameters.for_fidelity(fidelity, encoding="direct", **size))


def _varying(encoding: DirectEncoding, parents: DirectPopulation, rounds: int) -> list[float]:
    rng = np.random.default_rng(1)
    return [seconds(lambda: encoding.vary(parents, 1, rng), 3) for _ in range(rounds)]


def _vary_slowly(encoding: DirectEncoding, parents: DirectPopulation, rng: np.random.Generator) -> None:
    """Mutate some pictures as the tests' twin does, rounding included."""
    settings = encoding.parameters.direct
    for picture in parents.levels[:TWINS]:
        genes = mutate_polynomially(picture / 255, settings.mutation_rate, settings.mutation_eta, rng)
        np.rint(genes * 255).astype(np.uint8)


def _ratio(name: str, above: list[float], below: list[float], style: str) -> Measurement:
    return Measurement(name, [a / b for a, b in zip(above, below, strict=True)], style)
