"""What several tests of the engine share: a quick stand-in for a network and genomes with a long history."""

import numpy as np
import pytest

from evolution.encoding import encoding_for
from evolution.parameters import Parameters


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def evaluate():
    """The softmax of a fixed random linear map: a classifier of ten classes without training."""
    slopes = np.random.default_rng(11).normal(0, 0.2, (28 * 28, 10)).astype(np.float32)

    def confidences(images):
        scores = (images.reshape(len(images), -1) - np.float32(0.5)) @ slopes
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    return confidences


@pytest.fixture(scope="session")
def grow():
    """Return a population after so many generations of variation without selection."""

    def population(encoding, count, generations, seed=5):
        rng = np.random.default_rng(seed)
        genomes = encoding.random(count, rng)
        for generation in range(generations):
            genomes, _ = encoding.vary(genomes, generation, rng)
        return genomes

    return population


@pytest.fixture
def cppn():
    return encoding_for(Parameters())


@pytest.fixture
def direct():
    return encoding_for(Parameters(encoding="direct"))
