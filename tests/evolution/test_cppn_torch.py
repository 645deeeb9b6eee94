"""The renderer for torch devices, proved on all that are here: against the slow twin, and against what a site paints.

Every machine has torch's CPU device; where there are others, the same comparisons run on them too.
"""

import numpy as np
import pytest
import torch

from evolution import cppn_torch
from evolution.colour_torch import develop_levels_on
from evolution.cppn import CppnEncoding
from evolution.cppn_torch import develop_on
from evolution.cppn_twin import develop_slowly
from evolution.direct import DirectEncoding
from evolution.encoding import encoding_for
from evolution.parameters import FUNCTIONS, CppnParameters, Parameters

COLOURS = ("rgb", "hsv", "hls", "hsv-grey", "hls-grey", "picbreeder", "picbreeder-grey")
KINDS = ("normalised", "pixel-indices")
FOUND = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
DEVICES = ["cpu", *(device for device, is_here in FOUND.items() if is_here)]

on_each_device = pytest.mark.parametrize("device", DEVICES)


def encoding_of(kind="normalised", channels=1, side=32, colour="hsv", **settings):
    return CppnEncoding(
        Parameters(
            channels=channels,
            height=side,
            width=side,
            colour=colour,
            cppn=CppnParameters(coordinates=kind, **settings),
        )
    )


def developed(encoding, genomes, levels=256, colour=None, device="cpu"):
    settings = encoding.parameters
    kind = settings.cppn.coordinates
    return develop_on(
        genomes, settings.height, settings.width, kind, colour or settings.colour, device, levels
    ).cpu()


def drawn_slowly(encoding, genomes):
    side = encoding.parameters.height
    return np.stack(
        [develop_slowly(encoding.to_json(genomes, row), side, side) for row in range(len(genomes))]
    )


def network(functions, connections, outputs=1):
    return {
        "format": "foolbreeder-cppn",
        "version": 1,
        "inputs": ["x", "y", "d", "bias"],
        "coordinates": "normalised",
        "outputs": outputs,
        "functions": functions,
        "connections": connections,
    }


@on_each_device
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("generations", [0, 30, 70])
def test_computes_what_the_twin_computes(grow, kind, channels, generations, device):
    """Deep sines amplify the last bit of a float32 here as elsewhere, so a few values in 10,000 may differ more."""
    encoding = encoding_of(kind, channels)
    genomes = grow(encoding, 20, generations)

    errors = np.abs(
        developed(encoding, genomes, None, "rgb", device).numpy() - drawn_slowly(encoding, genomes)
    )

    assert (errors < 1e-3).mean() >= 0.999
    assert errors.max() < 0.05


@on_each_device
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_computes_each_function_as_the_twin_does(grow, function, kind, device):
    """Without layers of sines nothing is amplified: every value agrees."""
    encoding = encoding_of(kind, functions=(function,))
    genomes = grow(encoding, 30, 0)

    shown = np.minimum(drawn_slowly(encoding, genomes), 1)  # an identity may go beyond
    errors = np.abs(developed(encoding, genomes, None, device=device).numpy() - shown)

    assert errors.max() < 1e-3


@on_each_device
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", COLOURS)
def test_shows_the_pictures_that_the_site_paints(grow, kind, colour, device):
    """A site paints genomes on its CPU: at most 1 value in 1,000 may fall on another of the 256 levels there."""
    encoding = encoding_of(kind, 3, colour=colour)
    genomes = grow(encoding, 30, 40)
    painted = encoding.develop(genomes)

    images = developed(encoding, genomes, device=device).numpy()

    assert images.shape == painted.shape
    assert (np.abs(images - painted) < 1e-6).mean() > 0.999
    assert (np.abs(images - painted) < 1.5 / 255).mean() > 0.9999


@on_each_device
def test_shows_the_grey_pictures_that_the_site_paints(grow, device):
    encoding = encoding_of(side=28)
    genomes = grow(encoding, 60, 60)

    images = developed(encoding, genomes, device=device).numpy()

    assert (images == encoding.develop(genomes)).mean() > 0.999


@on_each_device
def test_rounds_to_exactly_the_values_of_an_8_bit_picture(grow, device):
    encoding = encoding_of(channels=3)
    picture = np.arange(256, dtype=np.float32) / np.float32(255)

    images = developed(encoding, grow(encoding, 10, 20), device=device).numpy()

    assert np.isin(images, picture).all()


def test_rounds_to_fewer_levels(grow):
    encoding = encoding_of()

    images = developed(encoding, grow(encoding, 10, 20), levels=3).numpy()

    assert set(np.unique(images).tolist()) == {0, 0.5, 1}


def test_keeps_the_levels_of_a_chunk_in_the_chunks_place(grow, monkeypatch):
    """With memory for a few networks at a time the pictures are the same, in the same order."""
    encoding = encoding_of(channels=3)
    genomes = grow(encoding, 25, 30)
    together = developed(encoding, genomes)
    monkeypatch.setattr(cppn_torch, "BYTES_ON_CPU", 60 * 4 * 32 * 32)

    in_chunks = developed(encoding, genomes)

    assert torch.equal(in_chunks, together)


def test_develops_a_network_that_is_larger_than_its_share_of_memory(grow, monkeypatch):
    encoding = encoding_of()
    genomes = grow(encoding, 3, 30)
    monkeypatch.setattr(cppn_torch, "BYTES_ON_CPU", 1)

    assert developed(encoding, genomes).shape == (3, 1, 32, 32)


@on_each_device
def test_draws_a_genome_alike_in_any_company(grow, device):
    encoding = encoding_of(channels=3)
    genomes = grow(encoding, 20, 50)

    together = developed(encoding, genomes, device=device)

    for row in range(20):
        assert torch.equal(
            developed(encoding, genomes.take(np.array([row])), device=device)[0], together[row]
        )


def test_leaves_a_node_that_nothing_feeds_at_its_functions_zero():
    encoding = encoding_of()
    genomes = encoding.from_json([network([name], []) for name in ("sine", "sigmoid", "gaussian", "linear")])

    images = developed(encoding, genomes).numpy()

    assert images.min(axis=(1, 2, 3)).tolist() == images.max(axis=(1, 2, 3)).tolist() == [0, 0, 1, 0]


def test_tells_fed_nodes_from_those_beside_them_that_nothing_feeds():
    """All three are linear and in one step: the sums of one must not reach the others."""
    encoding = encoding_of()
    fed = network(["linear"], [[3, 4, 3.0]])
    genomes = encoding.from_json([network(["linear"], []), fed, network(["linear"], [])])

    images = developed(encoding, genomes).numpy()

    assert images.mean(axis=(1, 2, 3)).tolist() == [0, 1, 0]


def test_follows_connections_past_several_layers():
    """Bias 1 by hand: linear(3 * 1) is 1, linear(1.5 * 1) is 0.5, and the output adds both and the bias: 2.1 / 3."""
    encoding = encoding_of()
    connections = [[3, 4, 3.0], [4, 5, 1.5], [3, 6, 0.6], [4, 6, 1.0], [5, 6, 1.0]]

    images = developed(encoding, encoding.from_json([network(["linear"] * 3, connections)]), None).numpy()

    np.testing.assert_allclose(images, 0.7, rtol=1e-6)


def test_keeps_values_in_range_for_the_largest_weights(grow):
    encoding = encoding_of("pixel-indices", weight_bound=1000, functions=("sine",), side=256)

    images = developed(encoding, grow(encoding, 5, 40))

    assert (images >= 0).all()
    assert images.max() == 1


@on_each_device
@pytest.mark.parametrize("colour", COLOURS)
def test_shows_genomes_of_pixels_as_the_site_does(rng, colour, device):
    encoding = DirectEncoding(Parameters(encoding="direct", channels=3, height=32, width=32, colour=colour))
    genomes = encoding.random(10, rng)
    painted = encoding.develop(genomes)

    images = develop_levels_on(genomes.levels, colour, device).cpu().numpy()

    assert (images == painted).mean() > 0.999
    assert np.abs(images - painted).max() < 1.5 / 255


def test_shows_grey_genomes_of_pixels_exactly(rng, direct):
    genomes = direct.random(5, rng)

    images = develop_levels_on(genomes.levels, "hsv", "cpu").numpy()

    np.testing.assert_array_equal(images, direct.develop(genomes))


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_develops_where_the_encoding_was_made_for(rng, encoding):
    """For torch "cpu:0" is the CPU too, but here it stands for any device that is not plainly the CPU."""
    parameters = Parameters(encoding=encoding, channels=3, height=32, width=32)
    here, there = encoding_for(parameters), encoding_for(parameters, device="cpu:0")
    genomes = here.random(10, rng)

    images = there.develop(genomes)

    assert isinstance(images, torch.Tensor)
    assert np.abs(images.numpy() - here.develop(genomes)).max() < 1.5 / 255
