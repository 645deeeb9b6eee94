"""Breeding by hand: children differ as much as asked, and only in what was asked for."""

from typing import Any

import numpy as np
import pytest

from evolution.breeding import begun, litter_of, with_colour, without_colour
from evolution.cppn import CppnEncoding
from evolution.cppn_twin import develop_slowly
from evolution.errors import GenomeError
from evolution.parameters import CppnParameters, Parameters

COLOURED = Parameters(channels=3, height=64, width=64)
GREY = Parameters(height=28, width=28)
SETTINGS = [COLOURED, COLOURED.replaced(colour="hls"), GREY]


def pictures(documents: list[dict[str, Any]], parameters: Parameters, **changes: Any) -> Any:
    encoding = CppnEncoding(parameters.replaced(**changes) if changes else parameters)
    return encoding.develop(encoding.from_json(documents))


def litter(
    parents: list[dict[str, Any]], parameters: Parameters = COLOURED, seed: int = 1, **wishes: Any
) -> tuple[list[dict[str, Any]], list[list[int]]]:
    wishes = {"change": 0.3, "focus": "whole", **wishes}
    return litter_of(parents, 15, parameters=parameters, rng=np.random.default_rng(seed), **wishes)


def drawn(count: int = 15, parameters: Parameters = COLOURED, seed: int = 7) -> list[dict[str, Any]]:
    return begun(count, parameters, np.random.default_rng(seed))


def brightness(images: Any, colour: str) -> Any:
    most, least = images.max(axis=1), images.min(axis=1)
    return most if colour == "hsv" else (most + least) / 2


@pytest.mark.parametrize("parameters", SETTINGS)
def test_first_pictures_show_something_and_differ(parameters: Parameters) -> None:
    images = pictures(drawn(parameters=parameters), parameters)

    assert images.reshape(15, -1).std(axis=1).min() > 0.02
    assert len({image.tobytes() for image in images}) == 15


@pytest.mark.parametrize("parameters", SETTINGS)
@pytest.mark.parametrize("change", [0.0, 0.3, 1.0])
def test_no_child_looks_like_its_parent(parameters: Parameters, change: float) -> None:
    parent = drawn(1, parameters)
    children, parents = litter(parent, parameters, change=change)

    before = pictures(parent, parameters)[0]
    assert all((image != before).any() for image in pictures(children, parameters))
    assert parents == [[0]] * 15


def test_a_seed_gives_one_litter() -> None:
    parents = drawn(2)

    assert litter(parents, seed=5) == litter(parents, seed=5)
    assert litter(parents, seed=5) != litter(parents, seed=6)


def test_more_change_gives_more_difference() -> None:
    def distance(change: float) -> float:
        apart = []
        for seed in range(8):
            parent = drawn(1, seed=seed)
            children, _ = litter(parent, seed=seed, change=change)
            apart.append(np.abs(pictures(children, COLOURED) - pictures(parent, COLOURED)).mean())
        return float(np.mean(apart))

    little, some, much = distance(0), distance(0.4), distance(1)
    assert little < 0.08 < some < much


@pytest.mark.parametrize("colour", ["hsv", "hls"])
def test_focus_on_colour_leaves_the_brightness_bit_for_bit(colour: str) -> None:
    parameters = COLOURED.replaced(colour=colour)
    for seed in range(5):
        parents = drawn(2, parameters, seed)
        children, indices = litter(parents, parameters, seed, focus="colour", change=0.8)

        greys = pictures([without_colour(child) for child in children], parameters, colour=f"{colour}-grey")
        before = pictures([without_colour(one) for one in parents], parameters, colour=f"{colour}-grey")
        for row, (first, *_) in enumerate(indices):
            assert (greys[row] == before[first]).all()


def test_focus_on_structure_leaves_what_serves_colour_alone() -> None:
    parent = drawn(1, seed=3)
    for _ in range(3):
        parent, _ = litter(parent, focus="colour", change=0.6)  # nodes that serve colour alone
    only_colour = _serving_colour_alone(parent[0])

    children, _ = litter(parent[:1], focus="structure", change=0.5)

    assert only_colour
    assert all(only_colour <= _weights(child) for child in children)


def _weights(document: dict[str, Any]) -> set[float]:
    return {weight for _, _, weight in document["connections"]}


def _serving_colour_alone(document: dict[str, Any]) -> set[float]:
    """The weights of connections from which no way leads to the brightness."""
    reached = {4 + len(document["functions"]) - 1}  # the value, last of hue, saturation and value
    for source, target, _ in reversed(document["connections"]):
        if target in reached:
            reached.add(source)
    return {weight for _, target, weight in document["connections"] if target not in reached}


def test_half_of_the_children_of_two_have_both_as_parents() -> None:
    parents = drawn(3)
    counts = [len(rows) for seed in range(20) for rows in litter(parents, seed=seed)[1]]

    assert 0.4 < sum(count == 2 for count in counts) / len(counts) < 0.6
    firsts = [rows[0] for rows in litter(parents)[1]]
    assert firsts == [row % 3 for row in range(15)]


def test_a_cross_has_nodes_of_both() -> None:
    first, second = drawn(2)
    children, indices = litter([first, second], change=0.0)

    crosses = [child for child, rows in zip(children, indices, strict=True) if len(rows) == 2]
    from_both = [
        child for child in crosses if _weights(child) & _weights(first) and _weights(child) & _weights(second)
    ]
    assert from_both


def test_a_cross_keeps_apart_the_nodes_of_one_parent_that_are_alike() -> None:
    """Were its two unfed gaussians taken for one, two connections would lead from it to each output."""
    other = drawn(1)[0]
    alike = {
        **other,
        "functions": ["gaussian", "gaussian", "sine", "sine", "sine"],
        "connections": [[4, 6, 1.0], [5, 6, 2.0], [0, 7, 1.0], [4, 8, 1.0], [5, 8, 2.0], [0, 8, 0.5]],
    }
    for seed in range(5):
        for parents in ([alike, other], [other, alike], [alike, alike]):
            children, _ = litter(parents, seed=seed)
            assert len(pictures(children, COLOURED)) == 15


def test_colours_differ_even_where_they_are_switched_off() -> None:
    grey = COLOURED.replaced(colour="hsv-grey")
    parent = without_colour(drawn(1)[0])

    children, _ = litter([parent], grey, focus="colour", change=0.0)

    assert (pictures(children, grey) == pictures([parent], grey)).all()
    before = pictures([with_colour(parent)], COLOURED)[0]
    assert all(
        (image != before).any() for image in pictures([with_colour(one) for one in children], COLOURED)
    )


def test_many_generations_stay_within_bounds() -> None:
    parents = drawn(2)
    for seed in range(40):
        children, _ = litter(parents, seed=seed, change=1.0)
        parents = children[:3]
    assert max(len(child["functions"]) for child in parents) < 200


def test_colour_switched_off_shows_the_brightness_alone_and_comes_back() -> None:
    for colour in ("hsv", "hls"):
        parameters = COLOURED.replaced(colour=colour)
        documents = drawn(4, parameters)
        grey = [without_colour(document) for document in documents]

        images = pictures(grey, parameters, colour=f"{colour}-grey")

        assert (images[:, 0] == images[:, 1]).all()
        assert (images[:, 0] == images[:, 2]).all()
        np.testing.assert_allclose(
            images[:, 0], brightness(pictures(documents, parameters), colour), atol=1.1 / 255
        )
        assert [with_colour(document) for document in grey] == documents
        assert without_colour(grey[0]) == grey[0]


@pytest.mark.parametrize(("colour", "output"), [("hsv", 2), ("hls", 1)])
def test_grey_pictures_are_those_of_the_twin(colour: str, output: int) -> None:
    """Sums of other lengths of number may fall on the other side of a level."""
    parameters = COLOURED.replaced(colour=f"{colour}-grey")
    documents = [without_colour(one) for one in drawn(4, COLOURED.replaced(colour=colour))]

    slowly = np.stack([develop_slowly(document, 64, 64)[output] for document in documents])

    images = pictures(documents, parameters)
    apart = np.abs(images - np.round(slowly * 255)[:, np.newaxis] / 255)
    assert apart.max() < 1.1 / 255
    assert (apart > 0.1 / 255).mean() < 0.001


def test_a_grey_value_has_no_colour_to_switch() -> None:
    document = drawn(1, GREY)[0]

    assert with_colour(document) == document
    with pytest.raises(GenomeError, match="cannot be switched off"):
        without_colour(document)


def test_refuses_what_has_no_brightness_of_its_own() -> None:
    document = drawn(1, COLOURED.replaced(colour="rgb"))[0]

    with pytest.raises(GenomeError, match="cannot be switched off"):
        without_colour(document)


def test_refuses_an_unknown_focus_and_a_parent_of_another_kind() -> None:
    with pytest.raises(GenomeError, match="no focus"):
        litter(drawn(1), focus="everything")
    with pytest.raises(GenomeError):
        litter(drawn(1, GREY), COLOURED)


def test_draws_only_functions_of_the_settings() -> None:
    parameters = COLOURED.replaced(cppn=CppnParameters(functions=("gaussian",)))
    children, _ = litter(drawn(1, parameters), parameters, change=1.0)

    assert {name for child in children for name in child["functions"]} == {"gaussian"}
