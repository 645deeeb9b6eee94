"""Graphs as genomes: how they are born, taken apart and joined, stored and read."""

import copy
import json
import zlib

import numpy as np
import pytest

from evolution.cppn import CppnEncoding
from evolution.errors import GenomeError
from evolution.parameters import FUNCTIONS, CppnParameters, Parameters


def encoding_with(**settings):
    return CppnEncoding(Parameters(cppn=CppnParameters(**settings)))


def jsons(encoding, population):
    return [encoding.to_json(population, row) for row in range(len(population))]


def assert_equal(mine, theirs):
    assert mine.n_outputs == theirs.n_outputs
    for one, other in zip(mine.graphs, theirs.graphs, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_begins_fully_connected_without_hidden_nodes(cppn, rng):
    for genome in jsons(cppn, cppn.random(50, rng)):
        assert len(genome["functions"]) == 1
        assert [connection[:2] for connection in genome["connections"]] == [[0, 4], [1, 4], [2, 4], [3, 4]]


def test_begins_with_uniform_weights_and_functions(cppn, rng):
    graphs = cppn.random(20_000, rng).graphs

    histogram, _ = np.histogram(graphs.weights, bins=20, range=(-10, 10))
    assert histogram.sum() == 80_000
    assert np.abs(histogram / 4000 - 1).max() < 0.1
    assert np.abs(np.bincount(graphs.functions) / 5000 - 1).max() < 0.1


def test_begins_with_allowed_functions_only(rng):
    encoding = encoding_with(functions=("gaussian", "linear"))

    functions = {
        name for genome in jsons(encoding, encoding.random(100, rng)) for name in genome["functions"]
    }

    assert functions == {"gaussian", "linear"}


def test_develops_into_eight_bit_grey_values(cppn, grow):
    images = cppn.develop(grow(cppn, 30, 30))

    assert (images.shape, images.dtype) == ((30, 1, 28, 28), np.float32)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(images, np.rint(images * 255).astype(np.float32) / np.float32(255))


def test_takes_networks_in_any_order_and_twice(cppn, grow):
    population = grow(cppn, 6, 40)

    taken = cppn_rows(cppn, population, [5, 0, 0, 3])

    everyone = jsons(cppn, population)
    assert jsons(cppn, taken) == [everyone[row] for row in (5, 0, 0, 3)]


def cppn_rows(encoding, population, rows):
    taken = population.take(np.array(rows, np.int64))
    assert len(taken) == len(rows)
    return taken


def test_takes_no_network_at_all(cppn, grow):
    assert len(grow(cppn, 3, 10).take(np.array([], np.int64))) == 0


def test_takes_all_as_they_are(cppn, grow):
    population = grow(cppn, 6, 40)

    assert_equal(cppn_rows(cppn, population, range(6)), population)


def test_joins_two_populations(cppn, grow):
    mine, theirs = grow(cppn, 4, 30, seed=1), grow(cppn, 3, 50, seed=2)

    joined = mine.joined_with(theirs)

    assert len(joined) == 7
    assert jsons(cppn, joined) == jsons(cppn, mine) + jsons(cppn, theirs)


def test_reads_back_what_it_stored_bit_for_bit(cppn, grow):
    population = grow(cppn, 40, 80)

    read = cppn.from_bytes([cppn.to_bytes(population, row) for row in range(40)])

    assert_equal(read, population)
    np.testing.assert_array_equal(cppn.develop(read), cppn.develop(population))


def test_reads_back_its_json_after_a_journey_as_text(cppn, grow):
    population = grow(cppn, 20, 80)

    read = cppn.from_json(json.loads(json.dumps(jsons(cppn, population), indent=2)))

    assert_equal(read, population)


def test_writes_each_weight_as_the_shortest_decimals(cppn, rng):
    population = cppn.random(1, rng)
    population.graphs.weights[:] = [0.1, -10, 1 / 3, 1e-7]

    genome = json.dumps(cppn.to_json(population, 0))

    assert "[[0, 4, 0.1], [1, 4, -10.0], [2, 4, 0.33333334], [3, 4, 1e-07]]" in genome


def test_has_one_fingerprint_however_a_genome_was_packed(cppn, grow):
    population = grow(cppn, 3, 40)
    loosely = zlib.compress(json.dumps(cppn.to_json(population, 1), indent=4).encode(), 0)

    read = cppn.from_bytes([loosely])

    assert cppn.fingerprint(read, 0) == cppn.fingerprint(population, 1)


def test_has_another_fingerprint_for_every_other_genome(cppn, grow):
    population = grow(cppn, 200, 40)

    assert len({cppn.fingerprint(population, row) for row in range(200)}) == 200


SOUND = {
    "format": "foolbreeder-cppn",
    "version": 1,
    "inputs": ["x", "y", "d", "bias"],
    "coordinates": "normalised",
    "outputs": 1,
    "functions": ["sine", "gaussian", "linear"],
    "connections": [[0, 4, 1.5], [4, 5, -2], [1, 5, 0.25], [5, 6, 10.0], [3, 6, -10.0]],
}


def test_reads_a_genome_written_by_hand(cppn):
    population = cppn.from_json([SOUND])

    assert [FUNCTIONS[index] for index in population.graphs.functions] == ["sine", "gaussian", "linear"]
    assert population.graphs.edge_starts.tolist() == [0, 1, 3, 5]
    assert population.graphs.sources.tolist() == [0, 4, 1, 5, 3]


def test_reads_a_network_without_connections(cppn):
    assert len(cppn.from_json([{**SOUND, "connections": []}])) == 1


def altered(**changes):
    return {**copy.deepcopy(SOUND), **changes}


def connected(*connections):
    return altered(connections=[list(connection) for connection in connections])


def without(key):
    return {name: value for name, value in SOUND.items() if name != key}


DAMAGED = {
    "nothing": None,
    "a list": [SOUND],
    "text": "genome",
    "a number": 7,
    "an empty object": {},
    **{f"no {key}": without(key) for key in SOUND},
    "another format": altered(format="picbreeder"),
    "another version": altered(version=2),
    "other inputs": altered(inputs=["x", "y"]),
    "other coordinates": altered(coordinates="pixel-indices"),
    "other outputs": altered(outputs=3),
    "no functions": altered(functions=[]),
    "an unknown function": altered(functions=["sine", "tangent", "linear"]),
    "a function that is a number": altered(functions=[0, 1, 2]),
    "functions as text": altered(functions="sine"),
    "functions that are nothing": altered(functions=None),
    "connections as text": altered(connections="all"),
    "connections as numbers": altered(connections=[1, 2, 3]),
    "connections as objects": altered(connections={"0": 4}),
    "a connection without weight": connected([0, 4]),
    "a connection with something to spare": connected([0, 4, 1.0, 1.0]),
    "connections of two lengths": connected([0, 4, 1.0], [0, 4]),
    "a cycle of one": connected([4, 4, 1.0]),
    "a cycle of two": connected([5, 4, 1.0], [4, 5, 1.0], [5, 6, 1.0]),
    "a connection into an input": connected([4, 0, 1.0]),
    "a connection between inputs": connected([0, 1, 1.0]),
    "a connection out of an output": connected([6, 6, 1.0]),
    "a connection from nowhere": connected([7, 4, 1.0]),
    "a connection from before the beginning": connected([-1, 4, 1.0]),
    "a connection to nowhere": connected([0, 7, 1.0]),
    "a place beyond all numbers": connected([0, 10**30, 1.0]),
    "a fraction of a place": connected([0.5, 4, 1.0]),
    "a place as text": connected(["0", 4, 1.0]),
    "a place as a truth": connected([True, 4, 1.0]),
    "a place that is nothing": connected([None, 4, 1.0]),
    "connections not grouped": connected([0, 5, 1.0], [0, 4, 1.0], [5, 6, 1.0]),
    "a connection twice": connected([0, 4, 1.0], [0, 4, 2.0]),
    "a weight that is no number": connected([0, 4, float("nan")]),
    "an infinite weight": connected([0, 4, float("inf")]),
    "a weight beyond all numbers": connected([0, 4, 10**400]),
    "a weight beyond float32": connected([0, 4, 1e300]),
    "a weight out of bounds": connected([0, 4, 10.001]),
    "a weight as text": connected([0, 4, "1.0"]),
    "a weight that is nothing": connected([0, 4, None]),
    "a weight that is a list": connected([0, 4, [1.0]]),
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.filterwarnings("error")
def test_refuses_a_damaged_genome(cppn, kind):
    with pytest.raises(GenomeError) as refusal:
        cppn.from_json([SOUND, DAMAGED[kind]])

    assert "\n" not in str(refusal.value)


TOO_LARGE = {
    "20,001 nodes; 20,000": altered(functions=["sine"] * 20_001, connections=[]),
    "1,000,000 nodes; 20,000": altered(functions=["sine"] * 1_000_000),
    "100,001 connections; 100,000": altered(connections=[[0, 4, 1.0]] * 100_001),
}


@pytest.mark.parametrize("sizes", TOO_LARGE)
def test_refuses_a_genome_that_is_too_large(cppn, sizes):
    with pytest.raises(GenomeError, match=f"^the genome has {sizes} are the most$"):
        cppn.from_json([TOO_LARGE[sizes]])


@pytest.mark.parametrize("changes", [{"inputs": ["x"] * 10**6}, {"connections": [[0, 4, ["x"] * 10**6]]}])
def test_refuses_in_a_short_line_what_a_file_says_at_length(cppn, changes):
    with pytest.raises(GenomeError) as refusal:
        cppn.from_json([altered(**changes)])

    assert len(str(refusal.value)) < 400


def stored(document):
    return zlib.compress(json.dumps(document).encode())


BROKEN = {
    "nothing": b"",
    "text": b"genome",
    "cut short": stored(SOUND)[:-5],
    "an altered byte": stored(SOUND)[:30] + bytes([stored(SOUND)[30] ^ 255]) + stored(SOUND)[31:],
    "bytes to spare": stored(SOUND) + b"more",
    "not compressed": json.dumps(SOUND).encode(),
    "no JSON": zlib.compress(b"{'format'"),
    "no text": zlib.compress(b"\xff\xfe\x80"),
    "brackets without end": zlib.compress(b"[" * 1_000_000),
    "a bomb of a hundred megabytes": zlib.compress(b" " * 100_000_000, 9),
    "not a number within": zlib.compress(json.dumps(connected([0, 4, float("nan")])).encode()),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_refuses_a_genome_that_is_broken_in_storage(cppn, kind):
    with pytest.raises(GenomeError) as refusal:
        cppn.from_bytes([BROKEN[kind]])

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("read", ["from_bytes", "from_json"])
def test_refuses_to_read_no_genome_at_all(cppn, read):
    with pytest.raises(GenomeError, match="no genome"):
        getattr(cppn, read)([])
