"""Single-class evolution: every offspring is bred from, and competes for, one target class."""

import numpy as np
import pytest

from evolution.archive import VACANT
from evolution.checkpoint import Checkpoint
from evolution.encoding import encoding_for
from evolution.map_elites import Search
from evolution.parameters import Parameters
from evolution.searching import generations, method_for
from evolution.single_class import targets_of

KINDS = [(encoding, fidelity) for encoding in ("cppn", "direct") for fidelity in ("paper", "released-code")]


def parameters_of(encoding="cppn", fidelity="paper", generations=12):
    sizes = {"first_population": 30, "offspring": 16}
    return Parameters.for_fidelity(
        fidelity, encoding=encoding, generations=generations, method="single-class", **sizes
    )


def generations_of(parameters, evaluate, search):
    return generations(method_for(encoding_for(parameters), evaluate, parameters), parameters, search)


@pytest.mark.parametrize("kind", KINDS)
def test_never_lets_an_offspring_take_a_class_that_is_not_its_target(evaluate, kind):
    parameters, search = parameters_of(*kind), Search.begin(10, 1)
    taken = 0
    for generation in generations_of(parameters, evaluate, search):
        if generation.number:
            targets = targets_of(parameters, generation.number, 10)
            takeovers = generation.takeovers
            np.testing.assert_array_equal(takeovers.class_indices, targets[takeovers.rows])
            taken += len(takeovers)

    assert taken > 10


@pytest.mark.parametrize("kind", KINDS)
def test_breeds_from_the_champion_of_the_target_alone(evaluate, kind):
    parameters, search = parameters_of(*kind), Search.begin(10, 1)
    holders = None
    for generation in generations_of(parameters, evaluate, search):
        if generation.number:
            expected = holders[targets_of(parameters, generation.number, 10)]
            assert (generation.lineage == expected[:, np.newaxis]).all()
        holders = search.archive.holders.copy()


def test_lets_the_first_population_compete_for_every_class(evaluate):
    search = Search.begin(10, 1)

    generation = next(generations_of(parameters_of(), evaluate, search))

    assert len(generation.takeovers) == 10
    np.testing.assert_array_equal(search.archive.confidences, generation.confidences.max(axis=0))


def test_gives_every_class_its_turn():
    """16 offspring are 8 pairs; ten generations of them are 80 pairs, 8 for each of ten classes."""
    parameters = parameters_of()

    targets = np.concatenate([targets_of(parameters, number, 10) for number in range(1, 11)])

    assert targets[:22].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 0, 0]
    assert np.bincount(targets).tolist() == [16] * 10


@pytest.mark.parametrize("kind", KINDS)
def test_makes_the_classifier_surer_and_never_less_sure(evaluate, kind):
    parameters, search = parameters_of(*kind, generations=20), Search.begin(10, 1)

    history = [search.archive.confidences.copy() for _ in generations_of(parameters, evaluate, search)]

    assert (np.diff(history, axis=0) >= 0).all()
    assert np.median(history[-1]) > 1.1 * np.median(history[0])


def test_records_an_offsprings_confidence_in_all_classes(evaluate):
    parameters, search = parameters_of(), Search.begin(10, 1)

    for generation in generations_of(parameters, evaluate, search):
        np.testing.assert_allclose(generation.confidences.sum(axis=1), 1, rtol=1e-5)


def test_breeds_for_a_vacant_class_from_one_that_is_held():
    """A classifier that gives class 1 nothing: its offspring descend from champions of the others."""

    def evaluate(images):
        confidences = np.zeros((len(images), 3), np.float32)
        confidences[:, [0, 2]] = 0.5
        return confidences

    parameters, search = parameters_of(), Search.begin(3, 1)
    lineages = [generation.lineage for generation in generations_of(parameters, evaluate, search)]

    assert search.archive.holders[1] == VACANT
    assert all((lineage >= 0).all() for lineage in lineages)


@pytest.mark.parametrize("kind", KINDS)
def test_goes_on_bit_for_bit_from_its_champions(evaluate, kind):
    parameters = parameters_of(*kind)
    encoding = encoding_for(parameters)
    undisturbed, search = Search.begin(10, 3), Search.begin(10, 3)
    list(generations_of(parameters, evaluate, undisturbed))

    while search.generation <= parameters.generations:
        next(generations_of(parameters, evaluate, search))
        search = Checkpoint.of(search, encoding).restored(encoding, 10)

    assert search.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)


def test_follows_from_its_seed(evaluate):
    parameters = parameters_of()
    searches = [Search.begin(10, seed) for seed in (1, 1, 2)]
    for search in searches:
        list(generations_of(parameters, evaluate, search))

    once, again, other = (search.archive.sha256(encoding_for(parameters)) for search in searches)

    assert once == again
    assert once != other
