"""The paper's figures 4 and 5 in short: LeNet, really trained, becomes sure of pictures that show no digit."""

import pytest

from evolution.encoding import encoding_for
from evolution.map_elites import Search, evolve
from evolution.parameters import Parameters
from evolution.statistics import VERY_SURE, summarise
from models_zoo.registry import load


def first_sure_generation(parameters, seed):
    """Return the first generation whose median confidence reaches 99.99 %, or None."""
    lenet = load("mnist-lenet", "cpu")
    search = Search.begin(lenet.n_classes, seed)
    for generation in evolve(encoding_for(parameters), lenet, parameters, search):
        if summarise(search.archive.confidences).median >= VERY_SURE:
            return generation.number
    return None


@pytest.mark.parametrize("seed", [1, 2])
def test_is_sure_of_networks_pictures_within_sixty_generations(seed):
    assert first_sure_generation(Parameters(generations=60), seed) is not None


def test_is_sure_of_noise_within_a_hundred_and_twenty_generations():
    assert first_sure_generation(Parameters(encoding="direct", generations=120), 1) is not None


def test_is_fooled_alike_by_the_released_codes_variation():
    assert first_sure_generation(Parameters.for_fidelity("released-code", generations=60), 1) is not None
