"""A genome changed by hand: what each change does, and what is refused."""

from typing import Any

import numpy as np
import pytest

from evolution.cppn import CppnEncoding
from evolution.cppn_editing import (
    add_connection,
    add_node,
    ordered,
    remove_connection,
    remove_node,
    set_function,
    set_weight,
    split_connection,
)
from evolution.errors import GenomeError
from evolution.parameters import Parameters

PARAMETERS = Parameters(height=28, width=28)
ENCODING = CppnEncoding(PARAMETERS)


def genome(functions: list[str], connections: list[Any]) -> dict[str, Any]:
    """A grey network; places from 4 on are nodes, the last is the output."""
    empty = ENCODING.to_json(ENCODING.random(1, np.random.default_rng(1)), 0)
    return {**empty, "functions": functions, "connections": connections}


LINE = genome(["sine", "gaussian", "linear"], [[0, 4, 1.0], [4, 5, 2.0], [1, 6, 0.5], [5, 6, 3.0]])


def picture(document: dict[str, Any]) -> Any:
    return ENCODING.develop(ENCODING.from_json([document]))[0]


def test_sets_a_function_and_a_weight_and_leaves_the_given_genome_alone() -> None:
    before = [list(edge) for edge in LINE["connections"]]
    changed = set_weight(set_function(LINE, 5, "sigmoid"), 4, 5, -1.25)

    assert changed["functions"] == ["sine", "sigmoid", "linear"]
    assert [4, 5, -1.25] in changed["connections"]
    assert LINE["connections"] == before
    assert (picture(changed) != picture(LINE)).any()


def test_connects_against_the_order_and_puts_nodes_in_order() -> None:
    loose = add_node(
        remove_connection(LINE, 4, 5), "sine"
    )  # places 4 and 5, then 6 the newcomer, 7 the output
    connected = add_connection(loose, 6, 4, 1.0)

    ENCODING.from_json([connected])
    assert len(connected["connections"]) == 4


def test_splitting_keeps_the_weight_on_both_halves() -> None:
    split = split_connection(LINE, 5, 6, "linear")

    ENCODING.from_json([split])
    assert len(split["functions"]) == 4
    assert sorted(weight for *_, weight in split["connections"]) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_node_goes_with_its_connections() -> None:
    without = remove_node(LINE, 5)

    assert without["connections"] == [[0, 4, 1.0], [1, 5, 0.5]]
    ENCODING.from_json([without])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: add_connection(LINE, 5, 4, 1.0), "close a cycle"),
        (lambda: add_connection(LINE, 5, 5, 1.0), "close a cycle"),
        (lambda: add_connection(LINE, 4, 5, 1.0), "connected already"),
        (lambda: add_connection(LINE, 6, 5, 1.0), "is an output"),
        (lambda: add_connection(LINE, 0, 3, 1.0), "is an input"),
        (lambda: remove_connection(LINE, 0, 6), "no connection"),
        (lambda: remove_node(LINE, 6), "an output"),
        (lambda: remove_node(LINE, 2), "an input"),
        (lambda: set_function(LINE, 99, "sine"), "does not exist"),
        (lambda: set_function(LINE, 4, "tangent"), "no function"),
    ],
)
def test_refuses_what_cannot_be(change: Any, reason: str) -> None:
    with pytest.raises(GenomeError, match=reason):
        change()


def test_names_a_connection_of_a_cycle() -> None:
    with pytest.raises(GenomeError, match=r"from place \d to place \d closes a cycle"):
        ordered(genome(["sine", "sine", "linear"], [[4, 5, 1.0], [5, 4, 1.0], [5, 6, 1.0]]))


def test_puts_any_order_in_order_without_changing_the_picture() -> None:
    shuffled = genome(["gaussian", "sine", "linear"], [[5, 4, 2.0], [0, 5, 1.0], [4, 6, 3.0], [1, 6, 0.5]])

    np.testing.assert_allclose(picture(ordered(shuffled)), picture(LINE), atol=1.1 / 255)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "no genome"),
        ({"functions": 3, "connections": [], "outputs": 1}, "no list of nodes"),
        ({**LINE, "outputs": 4}, "3 nodes but 4 outputs"),
        ({**LINE, "outputs": True}, "3 nodes but True outputs"),
        (genome(["sine"], [[0, 4]]), "not two places and a weight"),
        (genome(["sine"], [["0", 4, 1.0]]), "not two places and a weight"),
        (genome(["sine"], [7]), "not two places and a weight"),
        (genome(["sine"], [[4, 4, 1.0]]), "from place 4 to place 4 cannot be"),
        (genome(["sine"], [[0, 10**5000, 1.0]]), "from place 0 to place beyond all cannot be"),
        (genome(["sine"], [[-1, 4, 1.0]]), "from place -1"),
    ],
)
def test_refuses_to_order_what_is_no_network(document: Any, reason: str) -> None:
    with pytest.raises(GenomeError, match=reason):
        ordered(document)


def test_orders_a_long_line_quickly() -> None:
    count = 20_000
    line = [[place + 1, place, 1.0] for place in range(4, 2 + count)]

    functions = ordered(genome(["sine"] * count, [*line, [4, count + 3, 1.0]]))["functions"]

    assert len(functions) == count
