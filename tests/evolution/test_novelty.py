"""Novelty search: distances against a slow twin, who survives, who is remembered, and exact resuming."""

import numpy as np
import pytest

from evolution.checkpoint import Checkpoint
from evolution.encoding import encoding_for
from evolution.errors import CheckpointError
from evolution.map_elites import Search
from evolution.novelty import BLOCK, novelty_of
from evolution.parameters import NoveltyParameters, Parameters
from evolution.searching import generations, method_for

KINDS = [(encoding, fidelity) for encoding in ("cppn", "direct") for fidelity in ("paper", "released-code")]


def parameters_of(encoding="cppn", fidelity="paper", generations=8, **settings):
    sizes = {"first_population": 30, "offspring": 20}
    return Parameters.for_fidelity(
        fidelity, encoding=encoding, generations=generations, method="novelty", **sizes | settings
    )


def generations_of(parameters, evaluate, search):
    return generations(method_for(encoding_for(parameters), evaluate, parameters), parameters, search)


def begun(parameters, evaluate, seed=1):
    return method_for(encoding_for(parameters), evaluate, parameters).begun(Search.begin(10, seed))


def softmaxes(rng, count, n_classes=10, sharpness=3.0):
    powers = np.exp(rng.normal(0, sharpness, (count, n_classes)))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def novelty_slowly(pool, memory, neighbours):
    """One pair after another, as the definition says."""
    everybody = [*pool.astype(np.float64), *memory.astype(np.float64)]
    novelties = []
    for own, image in enumerate(pool.astype(np.float64)):
        others = [np.sqrt(((image - other) ** 2).sum()) for row, other in enumerate(everybody) if row != own]
        novelties.append(np.mean(sorted(others)[:neighbours]))
    return np.array(novelties)


def stored(search, evaluate, parameters):
    """Take a search down as a database would hold it, and restore it."""
    encoding = encoding_for(parameters)
    method = method_for(encoding, evaluate, parameters)
    champions = Checkpoint.of(search, encoding).restored(encoding, search.archive.n_classes)
    return method.resumed(champions, method.state_of(search))


@pytest.mark.parametrize("remembered", [0, 1, 25])
def test_measures_novelty_as_its_slow_twin_does(rng, remembered):
    pool, memory = softmaxes(rng, 40), softmaxes(rng, remembered)

    found = novelty_of(pool, memory, 8)

    np.testing.assert_allclose(found, novelty_slowly(pool, memory, 8), atol=1e-7)


def test_measures_the_same_across_blocks(rng, monkeypatch):
    pool, memory = softmaxes(rng, 50, 30), softmaxes(rng, 41, 30)
    assert len(pool) < BLOCK
    expected = novelty_of(pool, memory, 8)
    monkeypatch.setattr("evolution.novelty.BLOCK", 7)

    found = novelty_of(pool, memory, 8)

    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_counts_all_others_where_there_are_fewer_than_neighbours(rng):
    pool = softmaxes(rng, 4)

    np.testing.assert_allclose(novelty_of(pool, pool[:0], 8), novelty_slowly(pool, pool[:0], 8), atol=1e-7)


def test_measures_by_hand():
    """Three images sure of one class each: every two are the root of 2 apart; a fourth repeats the first."""
    pool = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]

    novelty = novelty_of(pool, pool[:0], 1)

    np.testing.assert_allclose(novelty, [0, np.sqrt(2), np.sqrt(2), 0], atol=1e-7)


def test_lets_the_most_novel_of_parents_and_offspring_survive(evaluate):
    parameters = parameters_of()
    search = begun(parameters, evaluate)
    for _ in generations_of(parameters.replaced(generations=5), evaluate, search):
        pass
    parents, memory = search.population, search.memory

    generation = next(generations_of(parameters, evaluate, search))

    numbers = [*parents.numbers.tolist(), *range(generation.first_number, generation.evaluations)]
    pool = np.concatenate([parents.confidences, generation.confidences])
    strangers = memory.confidences[~np.isin(memory.numbers, numbers)]
    novelty = dict(zip(numbers, novelty_slowly(pool, strangers, 8), strict=True))
    survivors = search.population.numbers.tolist()
    assert len(survivors) == parameters.offspring == len(set(survivors))
    assert min(novelty[number] for number in survivors) >= max(
        value for number, value in novelty.items() if number not in survivors
    )
    remembered = search.memory.numbers[len(memory.numbers) :].tolist()
    newcomers = sorted(range(generation.first_number, generation.evaluations), key=lambda n: -novelty[n])
    assert remembered == newcomers[:4]


def test_remembers_so_many_of_each_generation(evaluate):
    parameters = parameters_of(novelty=NoveltyParameters(remembered=3))
    search = begun(parameters, evaluate)

    list(generations_of(parameters, evaluate, search))

    assert len(search.memory.numbers) == 3 * (parameters.generations + 1)
    assert search.memory.confidences.shape == (27, 10)


def test_keeps_genomes_and_confidences_of_the_population_together(evaluate):
    parameters = parameters_of()
    search = begun(parameters, evaluate)

    list(generations_of(parameters, evaluate, search))

    again = evaluate(encoding_for(parameters).develop(search.genomes))
    np.testing.assert_allclose(again, search.population.confidences, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_breeds_from_the_population_and_not_from_the_champions(evaluate, kind):
    parameters = parameters_of(*kind)
    search = begun(parameters, evaluate)
    alive = set()
    for generation in generations_of(parameters, evaluate, search):
        assert set(generation.lineage.ravel().tolist()) <= alive
        alive = set(search.population.numbers.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_records_the_surest_image_of_every_class(evaluate, kind):
    """Confidence never falls, and no image that was ever seen was surer than the champion."""
    parameters = parameters_of(*kind)
    search = begun(parameters, evaluate)
    best = np.zeros(10, np.float32)
    for generation in generations_of(parameters, evaluate, search):
        best = np.maximum(best, generation.confidences.max(axis=0))
        np.testing.assert_array_equal(search.archive.confidences, best)


@pytest.mark.parametrize("kind", KINDS)
def test_goes_on_bit_for_bit_after_every_generation(evaluate, kind):
    parameters = parameters_of(*kind)
    encoding = encoding_for(parameters)
    undisturbed, search = begun(parameters, evaluate, 3), begun(parameters, evaluate, 3)
    list(generations_of(parameters, evaluate, undisturbed))

    while search.generation <= parameters.generations:
        next(generations_of(parameters, evaluate, search))
        search = stored(search, evaluate, parameters)

    assert search.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)
    np.testing.assert_array_equal(search.population.numbers, undisturbed.population.numbers)
    np.testing.assert_array_equal(search.population.confidences, undisturbed.population.confidences)
    np.testing.assert_array_equal(search.memory.confidences, undisturbed.memory.confidences)


def test_follows_from_its_seed(evaluate):
    parameters = parameters_of()
    searches = [begun(parameters, evaluate, seed) for seed in (1, 1, 2)]
    for search in searches:
        list(generations_of(parameters, evaluate, search))

    once, again, other = (search.archive.sha256(encoding_for(parameters)) for search in searches)

    assert once == again
    assert once != other


@pytest.fixture
def kept(evaluate):
    """Return the method, a search's champions and its state."""
    parameters = parameters_of(generations=2)
    encoding, search = encoding_for(parameters), begun(parameters, evaluate)
    list(generations_of(parameters, evaluate, search))
    method = method_for(encoding, evaluate, parameters)
    return method, Checkpoint.of(search, encoding).restored(encoding, 10), method.state_of(search)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
def test_refuses_a_damaged_state(kept, damage):
    method, champions, state = kept
    middle = len(state) // 2
    damaged = {
        "empty": b"",
        "text": b"not a population",
        "cut": state[:middle],
        "flipped": state[:middle] + bytes([state[middle] ^ 255]) + state[middle + 1 :],
    }

    with pytest.raises(CheckpointError, match="the population is damaged"):
        method.resumed(champions, damaged[damage])


def test_refuses_the_state_of_another_generation(kept):
    method, champions, state = kept
    champions.generation = 2

    with pytest.raises(CheckpointError, match="of generation 3, the champions are of 2"):
        method.resumed(champions, state)


def test_refuses_genomes_of_another_kind(kept):
    method, champions, state = kept
    coloured = method_for(encoding_for(Parameters(channels=3)), method.judge, method.parameters)

    with pytest.raises(CheckpointError, match="the population is damaged: the genome is not"):
        coloured.resumed(champions, state)
