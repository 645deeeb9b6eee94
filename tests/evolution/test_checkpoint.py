"""A run that stops and goes on is the run that never stopped; a damaged checkpoint is refused."""

import base64
import copy
import json

import numpy as np
import pytest

from evolution.checkpoint import Checkpoint
from evolution.encoding import encoding_for
from evolution.errors import CheckpointError
from evolution.map_elites import Search, evolve
from evolution.parameters import Parameters

KINDS = [(encoding, fidelity) for encoding in ("cppn", "direct") for fidelity in ("paper", "released-code")]
GENERATIONS = 8


def parameters_of(encoding, fidelity):
    sizes = {"generations": GENERATIONS, "first_population": 30, "offspring": 20}
    return Parameters.for_fidelity(fidelity, encoding=encoding, **sizes)


def through_text(search, encoding):
    """Take a search down as text, as a file or a database would hold it, and restore it."""
    text = json.dumps(Checkpoint.of(search, encoding).to_json())
    return Checkpoint.from_json(json.loads(text)).restored(encoding, 10)


@pytest.mark.parametrize("stop", range(GENERATIONS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_goes_on_bit_for_bit_from_any_generation(evaluate, kind, stop):
    parameters = parameters_of(*kind)
    encoding = encoding_for(parameters)
    undisturbed, search = Search.begin(10, 3), Search.begin(10, 3)
    takeovers = [
        len(generation.takeovers) for generation in evolve(encoding, evaluate, parameters, undisturbed)
    ]
    for generation in evolve(encoding, evaluate, parameters, search):
        if generation.number == stop:
            break

    restored = through_text(search, encoding)
    rest = [len(generation.takeovers) for generation in evolve(encoding, evaluate, parameters, restored)]

    assert rest == takeovers[stop + 1 :]
    assert restored.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)
    np.testing.assert_array_equal(restored.archive.holders, undisturbed.archive.holders)


def test_may_be_interrupted_after_every_generation(evaluate):
    parameters = parameters_of("cppn", "paper")
    encoding = encoding_for(parameters)
    undisturbed, search = Search.begin(10, 3), Search.begin(10, 3)
    list(evolve(encoding, evaluate, parameters, undisturbed))

    while search.generation <= GENERATIONS:
        next(evolve(encoding, evaluate, parameters, search))
        search = through_text(search, encoding)

    assert search.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)


def test_restores_a_search_that_has_not_begun(evaluate):
    parameters = parameters_of("cppn", "paper")
    encoding = encoding_for(parameters)
    undisturbed, search = Search.begin(10, 3), through_text(Search.begin(10, 3), encoding)

    for one in (undisturbed, search):
        list(evolve(encoding, evaluate, parameters, one))

    assert search.archive.sha256(encoding) == undisturbed.archive.sha256(encoding)


def test_keeps_classes_vacant_that_were(evaluate):
    parameters = parameters_of("direct", "paper")
    encoding, search = encoding_for(parameters), Search.begin(10, 3)

    def never_a_seven(images):
        confidences = evaluate(images)
        confidences[:, 7] = 0
        return confidences

    next(evolve(encoding, never_a_seven, parameters, search))

    restored = through_text(search, encoding)

    np.testing.assert_array_equal(restored.archive.holders, search.archive.holders)
    assert restored.archive.confidences[7] == 0
    list(evolve(encoding, never_a_seven, parameters, restored))


def test_leaves_the_search_alone_that_it_takes_down(evaluate):
    parameters = parameters_of("cppn", "paper")
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    next(evolve(encoding, evaluate, parameters, search))

    once, again = (Checkpoint.of(search, encoding).to_json() for _ in range(2))

    assert once == again


def with_altered_genome(document):
    genome = bytearray(base64.b64decode(document["holdings"][4]["genome"]))
    genome[len(genome) // 2] ^= 1
    document["holdings"][4]["genome"] = base64.b64encode(bytes(genome)).decode()


def with_swapped_genomes(document):
    first, second = document["holdings"][0], document["holdings"][-1]
    first["genome"], second["genome"] = second["genome"], first["genome"]


def alter_holding(**changes):
    return lambda document: document["holdings"][2].update(changes)


def alter(**changes):
    return lambda document: document.update(changes)


def alter_random_state(**changes):
    return lambda document: document["random_state"].update(changes)


def without(key):
    return lambda document: document.pop(key)


DAMAGES = {
    "an altered genome": with_altered_genome,
    "swapped genomes": with_swapped_genomes,
    "a genome that is no base64": alter_holding(genome="***"),
    "a genome that is nothing": alter_holding(genome=None),
    "an altered hash": alter_holding(genome_hash="0" * 64),
    "a class that does not exist": alter_holding(class_index=10),
    "a class before the first": alter_holding(class_index=-1),
    "a class as text": alter_holding(class_index="seven"),
    "a class held twice": alter_holding(class_index=0),
    "a confidence above one": alter_holding(confidence=1.5),
    "a confidence of zero": alter_holding(confidence=0),
    "a confidence that is no number": alter_holding(confidence=float("nan")),
    "a confidence as text": alter_holding(confidence="sure"),
    "a number as text": alter_holding(number="first"),
    "an unknown entry": alter_holding(colour="red"),
    "another version": alter(version=2),
    "another format": alter(format="zip"),
    "no generation": without("generation"),
    "a generation as text": alter(generation="third"),
    "no random state": without("random_state"),
    "a random state that is nothing": alter(random_state=None),
    "an empty random state": alter(random_state={}),
    "a random state of another kind": alter_random_state(bit_generator="MT19937"),
    "a random state without its words": alter_random_state(state={}),
    "a random state of text": alter_random_state(state={"state": "much", "inc": "more"}),
    "a random state too large": alter_random_state(state={"state": str(2**200), "inc": "1"}),
    "a random state below zero": alter_random_state(state={"state": "-5", "inc": "1"}),
    "holdings that are nothing": alter(holdings=None),
    "holdings that are numbers": alter(holdings=[1, 2]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("encoding_name", ["cppn", "direct"])
def test_refuses_a_damaged_checkpoint(evaluate, encoding_name, damage):
    parameters = parameters_of(encoding_name, "paper")
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    next(evolve(encoding, evaluate, parameters, search))
    document = copy.deepcopy(Checkpoint.of(search, encoding).to_json())
    DAMAGES[damage](document)

    with pytest.raises(CheckpointError) as refusal:
        Checkpoint.from_json(document).restored(encoding, 10)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("document", [None, [], {}, "checkpoint", 7])
def test_refuses_what_is_no_checkpoint(document):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        Checkpoint.from_json(document)


def test_refuses_genomes_of_another_encoding(evaluate):
    parameters = parameters_of("direct", "paper")
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    next(evolve(encoding, evaluate, parameters, search))
    checkpoint = Checkpoint.of(search, encoding)

    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.restored(encoding_for(parameters_of("cppn", "paper")), 10)
