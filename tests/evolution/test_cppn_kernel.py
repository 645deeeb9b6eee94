"""The rendering kernel against its slow twin, and each node function against numpy."""

import numpy as np
import pytest

from evolution.cppn import CppnEncoding, coordinates
from evolution.cppn_kernel import (
    BLOCK,
    COSINE,
    FARTHEST,
    GAUSSIAN,
    IDENTITY,
    LINEAR,
    SIGMOID,
    SIGNED_GAUSSIAN,
    SINE,
    Graphs,
    render,
)
from evolution.cppn_twin import develop_slowly
from evolution.parameters import MAX_SIDE, MAX_WEIGHT, CppnParameters, Parameters


def encoding_of(side, kind):
    return CppnEncoding(Parameters(height=side, width=side, cppn=CppnParameters(coordinates=kind)))


def rendered(encoding, genomes):
    side, kind = encoding.parameters.height, encoding.parameters.cppn.coordinates
    images = np.empty((len(genomes), 1, side * side), np.float32)
    render(genomes.graphs, coordinates(side, side, kind), 1, images)
    return images.reshape(len(genomes), 1, side, side)


def drawn_slowly(encoding, genomes):
    side = encoding.parameters.height
    rows = range(len(genomes))
    return np.stack([develop_slowly(encoding.to_json(genomes, row), side, side) for row in rows])


def absolute_outputs(function, arguments):
    """Put arguments through one node whose only connection, of weight 1, comes from x."""
    arguments = np.asarray(arguments, np.float32)
    node = Graphs(
        np.array([0, 1]),
        np.array([function], np.uint8),
        np.array([0, 1]),
        np.array([0], np.int32),
        np.array([1], np.float32),
    )
    inputs = np.stack([arguments, *[np.zeros_like(arguments)] * 3])
    images = np.empty((1, 1, len(arguments)), np.float32)
    render(node, inputs, 1, images)
    return images[0, 0].astype(np.float64)


@pytest.mark.parametrize("kind", ["normalised", "pixel-indices"])
@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("generations", [0, 30, 70])
def test_draws_as_its_twin_does(grow, kind, side, generations):
    """Deep sines amplify the last bit of a float32, here as in numpy, so a few pixels in 10,000 may differ more."""
    encoding = encoding_of(side, kind)
    genomes = grow(encoding, 40, generations)

    errors = np.abs(rendered(encoding, genomes) - drawn_slowly(encoding, genomes))

    assert (errors < 1e-3).mean() >= 0.999
    assert errors.max() < 0.05


def test_shows_the_same_grey_levels_as_its_twin(cppn, grow):
    genomes = grow(cppn, 60, 80)
    expected = np.rint(drawn_slowly(cppn, genomes) * 255)

    levels = cppn.develop(genomes) * 255

    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert np.abs(levels - expected).max() < 1.001
    assert (np.abs(levels - expected) < 0.001).mean() >= 0.999


def test_draws_networks_with_many_connections_into_one_node(rng):
    """Sums are taken three and two connections at a time: every remainder must come out."""
    encoding = encoding_of(28, "normalised")
    genomes = [dense(n_hidden, rng) for n_hidden in range(9)]

    population = encoding.from_json(genomes)

    errors = np.abs(rendered(encoding, population) - drawn_slowly(encoding, population))
    assert errors.max() < 1e-3


def dense(n_hidden, rng):
    """A genome in which every node is fed by every node before it."""
    names = ["sine", "sigmoid", "gaussian", "linear"]
    pairs = [(source, target) for target in range(4, 5 + n_hidden) for source in range(target)]
    return {
        "format": "foolbreeder-cppn",
        "version": 1,
        "inputs": ["x", "y", "d", "bias"],
        "coordinates": "normalised",
        "outputs": 1,
        "functions": [names[index] for index in rng.integers(4, size=n_hidden + 1)],
        "connections": [[source, target, float(rng.uniform(-1, 1))] for source, target in pairs],
    }


def test_leaves_a_node_that_nothing_feeds_at_its_functions_zero(cppn):
    genome = {**dense(0, np.random.default_rng(0)), "connections": []}

    images = {
        name: cppn.develop(cppn.from_json([{**genome, "functions": [name]}]))
        for name in ("sine", "sigmoid", "gaussian", "linear")
    }

    assert [images[name].max() for name in images] == [0, 0, 1, 0]
    assert images["gaussian"].min() == 1


def test_computes_the_sine_of_small_and_large_arguments():
    small = np.linspace(-10, 10, 200_001, dtype=np.float32)
    large = np.linspace(-10_000, 10_000, 200_001, dtype=np.float32)

    for arguments, tolerance in ((small, 2e-7), (large, 3e-7)):
        errors = np.abs(absolute_outputs(SINE, arguments) - np.abs(np.sin(arguments.astype(np.float64))))
        assert errors.max() < tolerance


def test_computes_the_cosine_of_small_and_large_arguments():
    small = np.linspace(-10, 10, 200_001, dtype=np.float32)
    large = np.linspace(-10_000, 10_000, 200_001, dtype=np.float32)

    for arguments, tolerance in ((small, 2e-7), (large, 3e-7)):
        errors = np.abs(absolute_outputs(COSINE, arguments) - np.abs(np.cos(arguments.astype(np.float64))))
        assert errors.max() < tolerance


def test_computes_the_signed_gaussian():
    arguments = np.linspace(-12, 12, 200_001, dtype=np.float32)

    errors = np.abs(
        absolute_outputs(SIGNED_GAUSSIAN, arguments)
        - np.abs(2 * np.exp(-(arguments.astype(np.float64) ** 2)) - 1)
    )

    assert errors.max() < 4e-7


def test_leaves_what_an_identity_is_given_up_to_a_bound():
    arguments = [-3e38, -12.5, 0, 1e-30, 9999, 10_001]

    assert absolute_outputs(IDENTITY, arguments).tolist() == pytest.approx(
        [FARTHEST, 12.5, 0, 1e-30, 9999, FARTHEST]
    )


def test_computes_the_sigmoid():
    arguments = np.linspace(-30, 30, 200_001, dtype=np.float32)

    errors = np.abs(absolute_outputs(SIGMOID, arguments) - np.abs(np.tanh(arguments.astype(np.float64) / 2)))

    assert errors.max() < 3e-7


def test_computes_the_sigmoid_without_overflow():
    arguments = [-3e38, -1e6, -100, -88.8, 88.8, 100, 1e6, 3e38]

    assert absolute_outputs(SIGMOID, arguments).tolist() == [1] * 8


def test_computes_the_gaussian():
    arguments = np.linspace(-12, 12, 200_001, dtype=np.float32)

    errors = np.abs(absolute_outputs(GAUSSIAN, arguments) - np.exp(-(arguments.astype(np.float64) ** 2)))

    assert errors.max() < 3e-7


def test_computes_the_gaussian_without_underflow():
    assert absolute_outputs(GAUSSIAN, [-3e38, -100, 100, 3e38]).max() < 1e-30


def test_computes_the_linear_function():
    arguments = np.array([-1e6, -3.5, -3, -1.5, 0, 0.75, 3, 3.5, 1e6], np.float32)

    outputs = absolute_outputs(LINEAR, arguments)

    np.testing.assert_allclose(outputs, [1, 1, 1, 0.5, 0, 0.25, 1, 1, 1], rtol=1e-7)


def test_keeps_outputs_in_range_for_the_largest_weights_and_pictures(grow):
    settings = CppnParameters(weight_bound=MAX_WEIGHT, coordinates="pixel-indices", functions=("sine",))
    encoding = CppnEncoding(Parameters(height=MAX_SIDE, width=MAX_SIDE, cppn=settings))

    images = encoding.develop(grow(encoding, 5, 60))

    assert (images >= 0).all()
    assert images.max() == 1


def test_draws_each_pixel_alike_wherever_its_block_begins(cppn, grow):
    """A picture of several blocks agrees with its pixels drawn alone."""
    genomes = grow(cppn, 5, 40)
    places = coordinates(64, 64, "normalised")
    whole, alone = np.empty((5, 1, 64 * 64), np.float32), np.empty((5, 1, 7), np.float32)
    assert 2 * BLOCK < 64 * 64
    render(genomes.graphs, places, 1, whole)

    render(genomes.graphs, np.ascontiguousarray(places[:, BLOCK - 3 : BLOCK + 4]), 1, alone)

    np.testing.assert_array_equal(alone, whole[:, :, BLOCK - 3 : BLOCK + 4])


def test_draws_a_genome_alike_in_any_company(cppn, grow):
    genomes = grow(cppn, 30, 60)

    together = cppn.develop(genomes)

    for row in range(30):
        np.testing.assert_array_equal(cppn.develop(genomes.take(np.array([row])))[0], together[row])


@pytest.mark.parametrize("kind", ["normalised", "pixel-indices"])
def test_measures_the_distance_from_the_centre_on_normalised_positions(kind):
    distance = coordinates(29, 29, kind)[2].reshape(29, 29)

    assert distance[14, 14] == 0
    assert distance[0, 0] == pytest.approx(np.sqrt(2))
    assert distance[14, 28] == pytest.approx(1)


def test_counts_pixels_where_the_released_code_does():
    x, y = coordinates(28, 28, "pixel-indices")[:2].reshape(2, 28, 28)

    assert (x[3, 5], y[3, 5], x.max(), y.max()) == (5, 3, 27, 27)


def test_runs_from_minus_one_to_one_where_positions_are_normalised():
    x, y = coordinates(28, 28, "normalised")[:2].reshape(2, 28, 28)

    assert (x[0, 0], x[0, 27], y[0, 0], y[27, 0]) == (-1, 1, -1, 1)
