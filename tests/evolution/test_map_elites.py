"""The loop: what a generation is, and that a run follows from its seed alone."""

import numpy as np
import pytest

from evolution.archive import VACANT
from evolution.encoding import encoding_for
from evolution.map_elites import Search, advance, evaluations_before, evolve
from evolution.parameters import Parameters
from evolution.statistics import summarise

KINDS = [(encoding, fidelity) for encoding in ("cppn", "direct") for fidelity in ("paper", "released-code")]


def parameters_of(encoding, fidelity, generations=15):
    sizes = {"first_population": 30, "offspring": 20}
    return Parameters.for_fidelity(fidelity, encoding=encoding, generations=generations, **sizes)


def whole_run(parameters, evaluate, seed=1):
    search = Search.begin(10, seed)
    return search, list(evolve(encoding_for(parameters), evaluate, parameters, search))


@pytest.mark.parametrize("kind", KINDS)
def test_gives_the_same_archive_for_the_same_seed(evaluate, kind):
    parameters = parameters_of(*kind)
    searches = [whole_run(parameters, evaluate, seed)[0] for seed in (1, 1, 2)]

    once, again, other = (search.archive.sha256(encoding_for(parameters)) for search in searches)

    assert once == again
    assert once != other


@pytest.mark.parametrize("kind", KINDS)
def test_makes_the_classifier_surer_and_never_less_sure(evaluate, kind):
    parameters, search = parameters_of(*kind), Search.begin(10, 1)
    history = [
        search.archive.confidences.copy()
        for _ in evolve(encoding_for(parameters), evaluate, parameters, search)
    ]

    assert (np.diff(history, axis=0) >= 0).all()
    assert (history[-1] > history[0]).all()
    assert summarise(history[-1]).median > 1.2 * summarise(history[0]).median


@pytest.mark.parametrize("kind", KINDS)
def test_gives_the_parents_that_bred_each_child(evaluate, kind):
    """Each of them held a class when its generation began."""
    parameters, search = parameters_of(*kind), Search.begin(10, 1)
    holders = set()
    for generation in evolve(encoding_for(parameters), evaluate, parameters, search):
        assert len(generation.lineage) == len(generation.population)
        assert set(generation.lineage.ravel().tolist()) <= holders
        assert generation.lineage.shape[1] == (0 if generation.number == 0 else parents_each(*kind))
        holders = set(search.archive.holders.tolist()) - {VACANT}


def parents_each(encoding, fidelity):
    return 2 if (encoding, fidelity) == ("direct", "released-code") else 1


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_every_individual_once(evaluate, kind):
    parameters = parameters_of(*kind, generations=4)

    search, generations = whole_run(parameters, evaluate)

    numbers = [
        generation.first_number + row
        for generation in generations
        for row in range(len(generation.population))
    ]
    assert numbers == list(range(parameters.evaluations))
    assert set(search.archive.holders.tolist()) <= set(numbers)


@pytest.mark.parametrize("kind", KINDS)
def test_tells_every_change_of_the_archive_as_a_takeover(evaluate, kind):
    """Who follows the takeovers alone knows the archive."""
    search, generations = whole_run(parameters_of(*kind), evaluate)

    holders, confidences = [VACANT] * 10, [0.0] * 10
    for generation in generations:
        takeovers = generation.takeovers
        for place, class_index in enumerate(takeovers.class_indices):
            assert takeovers.taken_from[place] == holders[class_index]
            assert takeovers.confidences[place] > confidences[class_index]
            row = takeovers.rows[place]
            assert takeovers.confidences[place] == generation.confidences[row, class_index]
            holders[class_index] = generation.first_number + row
            confidences[class_index] = takeovers.confidences[place]

    assert holders == search.archive.holders.tolist()
    assert confidences == search.archive.confidences.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_champions_of_whom_the_classifier_is_as_sure_as_recorded(evaluate, kind):
    parameters = parameters_of(*kind)

    search, _ = whole_run(parameters, evaluate)

    again = evaluate(encoding_for(parameters).develop(search.archive.genomes))
    np.testing.assert_allclose(np.diag(again), search.archive.confidences, rtol=1e-5)


def test_counts_generations_and_evaluations(evaluate):
    parameters = parameters_of("cppn", "paper", generations=4)

    _, generations = whole_run(parameters, evaluate)

    assert [generation.number for generation in generations] == [0, 1, 2, 3, 4]
    assert [generation.evaluations for generation in generations] == [30, 50, 70, 90, 110]
    assert [generation.first_number for generation in generations] == [0, 30, 50, 70, 90]
    assert parameters.evaluations == 110


def test_counts_the_evaluations_before_a_generation():
    parameters = Parameters(first_population=400, offspring=100)

    assert [evaluations_before(parameters, number) for number in (0, 1, 2, 200)] == [0, 400, 500, 20_300]


def test_shows_the_classifier_every_image_once(evaluate):
    parameters, seen = parameters_of("cppn", "paper", generations=3), []

    def counting(images):
        seen.append(images.shape)
        return evaluate(images)

    whole_run(parameters, counting)

    assert seen == [(30, 1, 28, 28), (20, 1, 28, 28), (20, 1, 28, 28), (20, 1, 28, 28)]


def test_has_nothing_left_to_do_after_the_last_generation(evaluate):
    parameters = parameters_of("direct", "paper", generations=2)
    search, _ = whole_run(parameters, evaluate)

    more = list(evolve(encoding_for(parameters), evaluate, parameters, search))

    assert more == []


def test_advances_by_one_generation(evaluate):
    parameters, search = parameters_of("cppn", "paper"), Search.begin(10, 1)

    generation = advance(encoding_for(parameters), evaluate, parameters, search)

    assert (generation.number, search.generation) == (0, 1)


def test_fills_other_classes_than_the_one_an_image_looks_most_like(evaluate):
    """Every image competes for every class: after one generation all are held, though few are argmax of any."""
    parameters, search = parameters_of("direct", "paper"), Search.begin(10, 1)

    generation = advance(encoding_for(parameters), evaluate, parameters, search)

    assert (search.archive.holders != VACANT).all()
    assert len(generation.takeovers) == 10
    assert len(set(generation.confidences.argmax(axis=1).tolist())) < 10
