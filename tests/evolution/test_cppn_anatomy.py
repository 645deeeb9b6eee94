"""What each node of a network computes, node by node against the slow twin, and what one weight changes."""

import numpy as np
import pytest

from evolution.cppn import CppnEncoding
from evolution.cppn_anatomy import activations, portraits, with_weights
from evolution.cppn_twin import FUNCTIONS, develop_slowly
from evolution.parameters import CppnParameters, Parameters

COLOUR = {"channels": 3, "height": 48, "width": 48}


def encoding_of(coordinates="normalised", **settings):
    return CppnEncoding(Parameters(cppn=CppnParameters(coordinates=coordinates), **settings))


def cut_at(genome, place):
    """Return a genome's JSON whose only output is one node: nodes after it are gone."""
    functions = genome["functions"][: place - 3]
    connections = [one for one in genome["connections"] if one[1] <= place]
    return {**genome, "functions": functions, "connections": connections, "outputs": 1}


@pytest.mark.parametrize("coordinates", ["normalised", "pixel-indices"])
def test_computes_every_node_as_the_twin_does(grow, coordinates):
    encoding = encoding_of(coordinates)
    population = grow(encoding, 5, 25)

    for row in range(5):
        genome = encoding.to_json(population, row)
        values = activations(encoding, population, row, 28)

        assert values.shape == (4 + len(genome["functions"]), 28, 28)
        for place in range(4, len(values)):
            slowly = develop_slowly(cut_at(genome, place), 28, 28)[0]
            np.testing.assert_allclose(np.abs(values[place]), slowly, atol=2e-3)  # sines of large sums drift


def test_keeps_the_sign_of_what_a_node_computes(cppn):
    genome = {
        "format": "foolbreeder-cppn",
        "version": 1,
        "inputs": ["x", "y", "d", "bias"],
        "coordinates": "normalised",
        "outputs": 1,
        "functions": ["linear", "sine"],
        "connections": [[0, 4, 3.0], [4, 5, 1.5]],
    }

    values = activations(cppn, cppn.from_json([genome]), 0, 9)

    x = np.tile(np.linspace(-1, 1, 9), (9, 1))
    np.testing.assert_allclose(values[4], x, atol=1e-6)  # 3x, clipped to [-3, 3], over 3
    np.testing.assert_allclose(values[5], FUNCTIONS["sine"](1.5 * x), atol=1e-6)


def test_draws_minus_one_black_nothing_grey_and_one_white(cppn):
    genome = {
        "format": "foolbreeder-cppn",
        "version": 1,
        "inputs": ["x", "y", "d", "bias"],
        "coordinates": "normalised",
        "outputs": 1,
        "functions": ["linear", "linear"],
        "connections": [[0, 4, 3.0], [0, 5, 3.0]],
    }

    pictures = portraits(cppn, cppn.from_json([genome]), 0, 3)

    assert pictures[4].tolist() == [[0, 128, 255]] * 3
    assert pictures[5].tolist() == [[255, 0, 255]] * 3  # the output: without its sign
    assert pictures[0].tolist() == [[0, 128, 255]] * 3
    assert pictures[2].tolist() == [[255, 218, 255], [218, 128, 218], [255, 218, 255]]  # over the root of two
    assert pictures[3].tolist() == [[255] * 3] * 3


@pytest.mark.parametrize("coordinates", ["normalised", "pixel-indices"])
@pytest.mark.parametrize("side", [28, 80])
def test_draws_the_output_of_a_grey_network_as_its_picture(grow, coordinates, side):
    encoding = encoding_of(coordinates)
    population = grow(encoding, 10, 25)

    images = encoding.develop_at(population, side, side)

    for row in range(10):
        output = portraits(encoding, population, row, side)[-1]
        np.testing.assert_array_equal(output, np.rint(images[row, 0] * 255))


def test_draws_the_outputs_of_a_network_in_colour_as_its_channels(grow):
    encoding = encoding_of(colour="rgb", **COLOUR)  # each output is a channel: nothing is mixed
    population = grow(encoding, 10, 25)

    images = encoding.develop(population)

    for row in range(10):
        outputs = portraits(encoding, population, row, 48)[-3:]
        np.testing.assert_array_equal(outputs, np.rint(images[row] * 255))


def test_computes_some_rows_as_it_computes_all(cppn, grow):
    population = grow(cppn, 1, 25)

    whole = activations(cppn, population, 0, 40)

    np.testing.assert_array_equal(activations(cppn, population, 0, 40, slice(16, 32)), whole[:, 16:32])


def test_changes_one_weight_and_nothing_else(cppn, grow):
    population = grow(cppn, 3, 25)
    genome = cppn.to_json(population, 0)
    weights = np.array([-10, 0, 2.5], np.float32)

    swept = with_weights(population, 0, 3, weights)

    assert len(swept) == 3
    for row, weight in enumerate(weights.tolist()):
        changed = {**genome, "connections": [list(one) for one in genome["connections"]]}
        changed["connections"][3][2] = weight
        assert cppn.to_json(swept, row) == changed
    assert cppn.to_json(population, 0) == genome


def test_draws_the_very_picture_with_the_present_weight(cppn, grow):
    population = grow(cppn, 3, 25)
    weight = cppn.to_json(population, 2)["connections"][0][2]

    swept = with_weights(population, 2, 0, np.array([weight], np.float32))

    np.testing.assert_array_equal(cppn.develop(swept)[0], cppn.develop(population)[2])


def test_refuses_a_connection_that_is_not_there(cppn, rng):
    with pytest.raises(IndexError):
        with_weights(cppn.random(1, rng), 0, 4, np.zeros(2, np.float32))
