"""Founders begin a search, and guests come into it later; whatever stops it, it goes on as if it never had."""

import json

import numpy as np
import pytest

from evolution.archive import VACANT
from evolution.checkpoint import Checkpoint
from evolution.encoding import encoding_for
from evolution.map_elites import Search, evolve
from evolution.parameters import Parameters
from evolution.searching import generations, method_for

GENERATIONS = 6
SIZES = {"generations": GENERATIONS, "first_population": 20, "offspring": 10}
METHODS = ("map-elites", "single-class", "novelty")


def founders_of(encoding, count):
    """Return genomes that another search might have left."""
    return encoding.random(count, np.random.default_rng(77))


def visit(encoding, search, parameters, seed):
    """Let an image from outside take two classes, as a run does between two of its slices."""
    guest = encoding.random(1, np.random.default_rng(seed))
    sure = np.zeros((1, search.archive.n_classes), np.float32)
    sure[0, [2, 5]] = search.archive.confidences[[2, 5]] / 2 + np.float32(0.5)
    number = search.next_number(parameters)
    search.archive.add(guest, sure, number)
    search.generation, search.guests = search.generation + 1, search.guests + 1
    return number


def through_text(method, search, encoding):
    """Take a search down as a run keeps it, and restore it."""
    state = method.state_of(search)
    text = json.dumps(Checkpoint.of(search, encoding).to_json())
    return method.resumed(Checkpoint.from_json(json.loads(text)).restored(encoding, 10), state)


def test_begins_with_the_founders_and_random_ones_after_them(evaluate):
    parameters = Parameters(**SIZES)
    encoding = encoding_for(parameters)
    founders = founders_of(encoding, 7)

    first = next(evolve(encoding, evaluate, parameters, Search.begin(10, 3, founders)))

    assert (len(first.population), first.evaluations, first.lineage.shape) == (20, 20, (20, 0))
    assert [encoding.to_bytes(first.population, row) for row in range(7)] == [
        encoding.to_bytes(founders, row) for row in range(7)
    ]
    random = encoding.random(13, np.random.Generator(np.random.PCG64(3)))
    assert encoding.to_bytes(first.population, 7) == encoding.to_bytes(random, 0)


def test_begins_with_founders_alone_where_they_are_as_many_as_the_population(evaluate):
    parameters = Parameters(**SIZES)
    encoding = encoding_for(parameters)
    founders = founders_of(encoding, 20)

    first = next(evolve(encoding, evaluate, parameters, Search.begin(10, 3, founders)))

    assert [encoding.fingerprint(first.population, row) for row in range(20)] == [
        encoding.fingerprint(founders, row) for row in range(20)
    ]


def test_gives_the_same_archive_for_the_same_founders_and_another_without(evaluate):
    parameters = Parameters(**SIZES)
    encoding = encoding_for(parameters)

    def archive(founders):
        search = Search.begin(10, 3, founders)
        list(evolve(encoding, evaluate, parameters, search))
        return search.archive.sha256(encoding)

    assert archive(founders_of(encoding, 7)) == archive(founders_of(encoding, 7)) != archive(None)


@pytest.mark.parametrize("method_name", METHODS)
@pytest.mark.parametrize("visited_after", range(GENERATIONS))
def test_goes_on_bit_for_bit_with_founders_and_guests(evaluate, method_name, visited_after):
    parameters = Parameters(method=method_name, **SIZES)
    encoding = encoding_for(parameters)
    method = method_for(encoding, evaluate, parameters)

    def ended(interrupted):
        search = method.begun(Search.begin(10, 3, founders_of(encoding, 7)))
        found = []
        while search.own_generation <= GENERATIONS:
            generation = next(generations(method, parameters, search))
            found.append((generation.number, generation.first_number, len(generation.takeovers)))
            if search.own_generation == visited_after + 1:
                visit(encoding, search, parameters, 5)
                visit(encoding, search, parameters, 6)
            if interrupted:
                search = through_text(method, search, encoding)
        return search, found

    undisturbed, found = ended(False)
    interrupted, again = ended(True)

    assert again == found
    assert interrupted.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)
    np.testing.assert_array_equal(interrupted.archive.holders, undisturbed.archive.holders)
    assert (undisturbed.generation, undisturbed.guests) == (GENERATIONS + 3, 2)


def test_counts_guests_among_generations_and_evaluations_and_breeds_from_them(evaluate):
    parameters = Parameters(**SIZES)
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    found = [next(evolve(encoding, evaluate, parameters, search))]

    guest = visit(encoding, search, parameters, 5)
    found += list(evolve(encoding, evaluate, parameters, search))

    assert guest == 20
    assert [generation.number for generation in found] == [0, *range(2, GENERATIONS + 2)]
    assert [generation.first_number for generation in found[:3]] == [0, 21, 31]
    assert found[-1].evaluations == parameters.evaluations + 1
    assert any(guest in generation.lineage for generation in found)
    assert (search.archive.holders != VACANT).all()


def test_varies_as_it_would_have_without_a_guest(evaluate):
    parameters = Parameters(**SIZES, encoding="direct")
    encoding = encoding_for(parameters)
    counted = []

    class Counting:
        """The same encoding, which tells for which generation it is asked."""

        def __init__(self):
            self.parameters = parameters

        def __getattr__(self, name):
            return getattr(encoding, name)

        def vary(self, parents, generation, rng):
            counted.append(generation)
            return encoding.vary(parents, generation, rng)

    search = Search.begin(10, 3)
    for generation in evolve(Counting(), evaluate, parameters, search):
        if generation.number == 1:
            visit(encoding, search, parameters, 5)

    assert counted == list(range(1, GENERATIONS + 1))


def test_reads_a_checkpoint_of_before_there_were_guests(evaluate):
    parameters = Parameters(**SIZES)
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    next(evolve(encoding, evaluate, parameters, search))
    document = Checkpoint.of(search, encoding).to_json()
    del document["guests"]

    assert Checkpoint.from_json(document).restored(encoding, 10).guests == 0
