"""How a network's child differs from it: each operator alone, and all of them for a long time."""

from collections import Counter

import numpy as np
import pytest

from evolution.cppn import CppnEncoding
from evolution.parameters import CppnParameters, Parameters

NOTHING = dict.fromkeys(
    [
        "add_connection",
        "delete_connection",
        "split_connection",
        "delete_node",
        "weight_rate",
        "function_rate",
    ],
    0,
)


def encoding_with(**settings):
    return CppnEncoding(Parameters(cppn=CppnParameters(**settings)))


def families(parents_of, count=300, generations=40, **rates):
    """Return parents, and their children under these rates alone, as pairs of genomes in JSON."""
    parents = parents_of(encoding_with(), count, generations)
    encoding = encoding_with(**{**NOTHING, **rates})
    children, _ = encoding.vary(parents, 1, np.random.default_rng(3))
    return [(encoding.to_json(parents, row), encoding.to_json(children, row)) for row in range(count)]


def anonymous(genome):
    """What a genome says whatever order its hidden nodes stand in: weights and functions as counts."""
    return Counter(weight for _, _, weight in genome["connections"]), Counter(genome["functions"])


def sound(genome):
    """Check what rendering relies on; return the genome's number of connections."""
    connections, n_places = genome["connections"], 4 + len(genome["functions"])
    assert all(0 <= source < n_places - 1 and 4 <= target < n_places for source, target, _ in connections)
    assert all(source < target for source, target, _ in connections)
    targets = [target for _, target, _ in connections]
    assert targets == sorted(targets)
    pairs = {(source, target) for source, target, _ in connections}
    assert len(pairs) == len(connections)
    assert all(abs(weight) <= 10 for _, _, weight in connections)
    return len(connections)


@pytest.mark.parametrize("crossover", [False, True])
def test_keeps_networks_sound_for_two_hundred_generations(rng, crossover):
    """Never a cycle, never into an input or out of an output, nodes in order, connections grouped, weights bound."""
    encoding = encoding_with(crossover=crossover)
    population = encoding.random(30, rng)
    for generation in range(200):
        population, _ = encoding.vary(population, generation, rng)
        assert len(population) == 30
        for row in range(30):
            sound(encoding.to_json(population, row))


def test_keeps_networks_sound_where_connections_are_many(rng):
    """Many additions come out of order and must be refused or sorted."""
    encoding = encoding_with(add_connection=1, delete_connection=0, split_connection=0.3, delete_node=0.1)
    population = encoding.random(20, rng)
    for generation in range(120):
        population, _ = encoding.vary(population, generation, rng)

    assert np.mean([sound(encoding.to_json(population, row)) for row in range(20)]) > 80


def test_can_be_read_back_at_any_age(cppn, grow):
    population = grow(cppn, 40, 150)

    cppn.from_bytes([cppn.to_bytes(population, row) for row in range(40)])


def test_changes_nothing_where_all_rates_are_zero(grow):
    assert all(parent == child for parent, child in families(grow))


def test_leaves_the_parents_alone(cppn, grow, rng):
    parents = grow(cppn, 20, 30)
    before = [array.copy() for array in parents.graphs]

    cppn.vary(parents, 1, rng)

    for array, copied in zip(parents.graphs, before, strict=True):
        np.testing.assert_array_equal(array, copied)


def test_adds_exactly_one_connection(grow):
    for parent, child in families(grow, add_connection=1):
        added, removed = changes(parent, child)
        assert (len(added), removed) == (1, [])
        assert anonymous(parent)[1] == anonymous(child)[1]


def changes(parent, child):
    """Return the weights that came and those that went."""
    before, after = anonymous(parent)[0], anonymous(child)[0]
    return list((after - before).elements()), list((before - after).elements())


def test_leaves_a_saturated_network_as_it_is(cppn, rng):
    """Four inputs into one output: nothing can be added."""
    parents = cppn.random(50, rng)

    children, _ = encoding_with(**{**NOTHING, "add_connection": 1}).vary(parents, 1, rng)

    np.testing.assert_array_equal(children.graphs.weights, parents.graphs.weights)


def test_draws_added_weights_from_the_whole_range(grow):
    weights = [
        weight for family in families(grow, 2000, 20, add_connection=1) for weight in changes(*family)[0]
    ]

    assert np.mean(weights) == pytest.approx(0, abs=0.5)
    assert np.std(weights) == pytest.approx(20 / np.sqrt(12), abs=0.3)


def test_deletes_exactly_one_connection(grow):
    for parent, child in families(grow, delete_connection=1):
        added, removed = changes(parent, child)
        assert (added, len(removed)) == ([], min(1, len(parent["connections"])))
        assert parent["functions"] == child["functions"]


def test_deletes_any_connection_alike(cppn, rng):
    parents = cppn.random(1, rng).take(np.zeros(8000, np.int64))

    children, _ = encoding_with(**{**NOTHING, "delete_connection": 1}).vary(parents, 1, rng)

    kept = Counter(children.graphs.sources.tolist())
    assert all(count == pytest.approx(6000, abs=200) for count in kept.values())


def test_deletes_nothing_where_nothing_is_left(cppn, rng):
    parents = cppn.from_json([{**cppn.to_json(cppn.random(1, rng), 0), "connections": []}] * 2)

    children, _ = encoding_with(delete_connection=1, split_connection=1, add_connection=0).vary(
        parents, 1, rng
    )

    assert len(children.graphs.sources) == 0


def test_splits_a_connection_into_two_of_its_weight(cppn, rng):
    """By hand: one of the four connections of a first network goes through the new node, 4; the output moves to 5."""
    parents = cppn.random(200, rng)
    encoding = encoding_with(**{**NOTHING, "split_connection": 1})

    children, _ = encoding.vary(parents, 1, rng)

    for row in range(200):
        parent, child = cppn.to_json(parents, row), encoding.to_json(children, row)
        weight_from = {source: weight for source, _, weight in parent["connections"]}
        (split,) = (source for source, target, _ in child["connections"] if target == 4)
        straight = [[source, 5, weight_from[source]] for source in range(4) if source != split]
        assert child["connections"][0] == [split, 4, weight_from[split]]
        assert sorted(child["connections"][1:]) == [*straight, [4, 5, weight_from[split]]]
        assert child["functions"][1:] == parent["functions"]


def test_splits_one_connection_of_a_grown_network(grow):
    for parent, child in families(grow, split_connection=1):
        added, removed = changes(parent, child)
        n_new = min(1, len(parent["connections"]))
        assert (len(added), removed) == (n_new, [])
        assert set(added) <= set(anonymous(parent)[0])
        assert len(child["functions"]) == len(parent["functions"]) + n_new


def test_deletes_a_hidden_node_with_its_connections(grow):
    for parent, child in families(grow, delete_node=1):
        hidden = range(4, 3 + len(parent["functions"]))
        orphans = [survivors(parent, node) for node in hidden] or [anonymous(parent)]
        assert anonymous(child) in orphans
        assert child["functions"][-1] == parent["functions"][-1]


def survivors(genome, node):
    rest = [connection for connection in genome["connections"] if node not in connection[:2]]
    functions = [name for place, name in enumerate(genome["functions"], start=4) if place != node]
    return anonymous({"connections": rest, "functions": functions})


def test_deletes_any_hidden_node_alike(cppn, grow):
    """Four hidden nodes in a chain: the weights that are left tell which of them went."""
    chain = [[place - 1, place, float(place)] for place in range(4, 9)]
    parent = {**cppn.to_json(grow(cppn, 1, 0), 0), "functions": ["sine"] * 5, "connections": chain}
    twins = cppn.from_json([parent]).take(np.zeros(8000, np.int64))

    children, _ = encoding_with(**{**NOTHING, "delete_node": 1}).vary(twins, 1, np.random.default_rng(4))

    kept = Counter(children.graphs.weights.tolist())
    assert all(
        kept[weight] == pytest.approx(6000, abs=200) for weight in (4, 8)
    )  # each touches one hidden node
    assert all(kept[weight] == pytest.approx(4000, abs=200) for weight in (5, 6, 7))  # and each of these two


def test_never_deletes_an_output(cppn, rng):
    parents = cppn.random(50, rng)

    children, _ = encoding_with(**{**NOTHING, "delete_node": 1}).vary(parents, 1, rng)

    np.testing.assert_array_equal(children.graphs.weights, parents.graphs.weights)


def test_steps_every_weight_at_rate_one_and_nothing_else(grow):
    for parent, child in families(grow, weight_rate=1):
        assert child["functions"] == parent["functions"]
        assert [edge[:2] for edge in child["connections"]] == [edge[:2] for edge in parent["connections"]]
        pairs = zip(parent["connections"], child["connections"], strict=True)
        assert all(before[2] != after[2] for before, after in pairs if abs(before[2]) < 10)


def test_steps_weights_as_far_as_the_polynomial_says(cppn, rng):
    """Half of the steps lie within 0.042397 of the range, which is 20 wide: 0.847946."""
    parents = cppn.random(20_000, rng)
    parents.graphs.weights[:] = 0

    children, _ = encoding_with(**{**NOTHING, "weight_rate": 1}).vary(parents, 1, rng)

    assert (np.abs(children.graphs.weights) < 0.847946).mean() == pytest.approx(0.5, abs=0.01)
    assert children.graphs.weights.mean() == pytest.approx(0, abs=0.05)


def test_clips_weights_to_their_bound(cppn, rng):
    parents = cppn.random(2000, rng)
    parents.graphs.weights[:] = 10

    children, _ = encoding_with(**{**NOTHING, "weight_rate": 1}).vary(parents, 1, rng)

    assert children.graphs.weights.max() == 10
    assert (children.graphs.weights == 10).mean() == pytest.approx(0.5, abs=0.02)


def test_redraws_functions_at_rate_one_and_nothing_else(grow):
    pairs = families(grow, 1000, function_rate=1)

    assert all(parent["connections"] == child["connections"] for parent, child in pairs)
    kept = [
        before == after
        for parent, child in pairs
        for before, after in zip(parent["functions"], child["functions"], strict=True)
    ]
    assert np.mean(kept) == pytest.approx(0.25, abs=0.02)  # one in four draws the same again


def test_draws_allowed_functions_only(rng):
    encoding = encoding_with(
        functions=("sigmoid", "gaussian", "linear"), split_connection=1, function_rate=0.5
    )
    population = encoding.random(100, rng)
    for generation in range(20):
        population, _ = encoding.vary(population, generation, rng)

    names = {name for row in range(100) for name in encoding.to_json(population, row)["functions"]}

    assert names == {"sigmoid", "gaussian", "linear"}


def test_applies_each_operator_as_often_as_its_rate_says(cppn, grow):
    """Of children of one parent: +1, -1 connection, +1 and -1 node tell the four operators apart by their sums."""
    parent = cppn.to_json(grow(cppn, 1, 60), 0)
    twins = cppn.from_json([parent]).take(np.zeros(20_000, np.int64))
    n_edges, n_nodes = len(parent["connections"]), len(parent["functions"])

    for rates, mean_edges, mean_nodes in (
        ({"add_connection": 0.5}, 0.5, 0),
        ({"delete_connection": 0.3}, -0.3, 0),
        ({"split_connection": 0.5}, 0.5, 0.5),
        ({"delete_node": 0.2}, None, -0.2),
    ):
        children, _ = encoding_with(**{**NOTHING, **rates}).vary(twins, 1, np.random.default_rng(4))
        graphs = children.graphs
        assert len(graphs.functions) / 20_000 - n_nodes == pytest.approx(mean_nodes, abs=0.015)
        if mean_edges is not None:
            assert len(graphs.sources) / 20_000 - n_edges == pytest.approx(mean_edges, abs=0.015)


def test_steps_as_many_weights_and_redraws_as_many_functions_as_the_rates_say(grow):
    pairs = families(grow, 2000, weight_rate=0.1, function_rate=0.1)

    weights = [
        before[2] != after[2]
        for parent, child in pairs
        for before, after in zip(parent["connections"], child["connections"], strict=True)
    ]
    functions = [
        before != after
        for parent, child in pairs
        for before, after in zip(parent["functions"], child["functions"], strict=True)
    ]
    assert np.mean(weights) == pytest.approx(0.1, abs=0.01)
    assert np.mean(functions) == pytest.approx(0.075, abs=0.01)


def test_names_each_childs_one_parent(cppn, grow, rng):
    _, rows = cppn.vary(grow(cppn, 10, 5), 1, rng)

    np.testing.assert_array_equal(rows, np.arange(10)[:, np.newaxis])


def test_copies_one_of_a_pair_whole_where_the_released_code_crosses(grow):
    parents = grow(encoding_with(), 400, 20)
    encoding = encoding_with(**NOTHING, crossover=True)

    children, rows = encoding.vary(parents, 1, np.random.default_rng(2))

    assert (rows[:, 0] // 2 == np.arange(400) // 2).all()
    assert (rows[:, 0] != np.arange(400)).mean() == pytest.approx(0.5, abs=0.1)
    for row in range(400):
        assert encoding.to_json(children, row) == encoding.to_json(parents, rows[row, 0])


def test_follows_from_its_generator_alone(cppn, grow):
    once, again, other = (grow(cppn, 20, 30, seed) for seed in (1, 1, 2))

    for one, same in zip(once.graphs, again.graphs, strict=True):
        np.testing.assert_array_equal(one, same)
    assert once.graphs.weights.tolist() != other.graphs.weights.tolist()
