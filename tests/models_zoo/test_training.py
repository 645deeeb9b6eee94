"""Training: deterministic from its seed, and written down truthfully."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import torch

from models_zoo.classifier import Classifier, load_classifier
from models_zoo.datasets import LabelledImages, load_mnist_sample
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import CLASSIFIERS, find
from models_zoo.training import (
    SETTINGS,
    count_mistakes,
    learning_rate,
    new_network,
    save_weights,
    settings_for,
    shifted,
    train,
)


@pytest.fixture(scope="module")
def few():
    """Three hundred digits, thirty of each."""
    sample = load_mnist_sample("train")
    chosen = slice(None, None, len(sample) // 300)
    return LabelledImages(images=sample.images[chosen][:300], labels=sample.labels[chosen][:300])


def trained(name, data, *, seed=1, epochs=1, between=lambda: None):
    entry = find(name)
    settings = dataclasses.replace(settings_for(name), seed=seed, epochs=epochs)
    network = new_network(entry, seed)
    for _ in train(network, entry, data, settings):
        between()
    return network


def same(network, other):
    return all(
        torch.equal(value, other_value)
        for value, other_value in zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-lenet", "mnist-mlp"])
def test_gives_the_same_weights_from_the_same_seed(name, few):
    assert same(trained(name, few), trained(name, few))


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-lenet", "mnist-mlp"])
def test_gives_other_weights_from_another_seed(name, few):
    assert not same(trained(name, few, seed=1), trained(name, few, seed=2))


def test_is_not_disturbed_by_who_draws_random_numbers_meanwhile(few):
    assert same(trained("mnist-cnn", few), trained("mnist-cnn", few, between=lambda: torch.rand(3)))


def test_leaves_the_global_generator_as_it_was(few):
    before = torch.get_rng_state()

    trained("mnist-cnn", few)

    assert torch.equal(torch.get_rng_state(), before)


def test_tells_its_progress_after_every_batch(few):
    entry, settings = find("mnist-lenet"), dataclasses.replace(settings_for("mnist-lenet"), epochs=2)

    told = list(train(new_network(entry, 1), entry, few, settings))

    # 300 images in batches of 64 are 5 batches an epoch
    assert [progress.iteration for progress in told] == list(range(1, 11))
    assert [progress.epoch for progress in told] == [1] * 5 + [2] * 5
    assert {(progress.iterations, progress.epochs) for progress in told} == {(10, 2)}


def test_learns(few):
    entry = find("mnist-lenet")

    network = trained("mnist-lenet", few, epochs=20)

    assert count_mistakes(Classifier(network, entry, "cpu"), few) < 30  # of 300; guessing makes 270


def test_ends_in_evaluation_mode(few):
    network = trained("mnist-cnn", few)

    assert not any(module.training for module in network.modules())


def test_lowers_lenets_learning_rate_as_released():
    assert learning_rate(SETTINGS["mnist-lenet"], 0, 20_000) == 0.01
    # 0.01 * (1 + 1e-4 * 10,000) ** -0.75 = 0.01 / 2 ** 0.75
    assert learning_rate(SETTINGS["mnist-lenet"], 10_000, 20_000) == pytest.approx(0.00594603557)


def test_lowers_the_other_rates_to_zero_along_a_cosine():
    settings = SETTINGS["mnist-mlp"]

    assert learning_rate(settings, 0, 600) == settings.learning_rate
    assert learning_rate(settings, 300, 600) == pytest.approx(settings.learning_rate / 2)
    assert learning_rate(settings, 600, 600) == 0


def test_shifts_each_image_by_its_own_few_pixels():
    images = torch.zeros(500, 1, 28, 28, dtype=torch.uint8)
    images[:, 0, 10, 20] = 255

    moved = shifted(images, 2, torch.Generator().manual_seed(1))

    _, _, rows, columns = moved.nonzero(as_tuple=True)
    assert moved.shape == images.shape
    assert len(rows) == 500
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (row, column) for row in range(8, 13) for column in range(18, 23)
    }


def test_has_settings_for_the_classifiers_of_the_registry_and_no_others():
    trained_here = {name for name, entry in CLASSIFIERS.items() if entry.dataset == "mnist"}

    assert set(SETTINGS) == trained_here


def test_names_the_classifiers_that_have_settings():
    with pytest.raises(UnknownClassifier, match="'vgg'; there are: mnist-cnn"):
        settings_for("vgg")


def test_counts_mistakes(few):
    entry = find("mnist-mlp")
    classifier = Classifier(new_network(entry, 1).eval(), entry, "cpu")
    confidences = classifier(few.images[:, None].astype(np.float32) / 255)

    assert count_mistakes(classifier, few) == (confidences.argmax(axis=1) != few.labels).sum()


def test_saves_weights_that_load_as_they_were(tmp_path, few):
    entry = find("mnist-cnn")
    network = trained("mnist-cnn", few)

    save_weights(network, entry, settings_for("mnist-cnn"), few, few, tmp_path / "new")

    assert same(load_classifier(dataclasses.replace(entry, folder=tmp_path / "new"), "cpu").network, network)


def test_saves_a_card_that_tells_the_truth(tmp_path, few):
    entry, settings = find("mnist-lenet"), settings_for("mnist-lenet")
    network = trained("mnist-lenet", few)

    card = save_weights(network, entry, settings, few, few, tmp_path)

    mistakes = count_mistakes(Classifier(network, entry, "cpu"), few)
    assert card == json.loads((tmp_path / "mnist-lenet.json").read_text())
    assert card["sha256"] == hashlib.sha256((tmp_path / entry.weights).read_bytes()).hexdigest()
    assert card["test_mistakes"] == mistakes
    assert card["test_error_percent"] == pytest.approx(mistakes / 3, abs=1e-4)  # of 300
    assert card["training_images"] == 300
    assert card["settings"] == dataclasses.asdict(settings)
    assert card["parameters"] == 431_080  # 520 + 25,050 + 400,500 + 5,010


def test_leaves_nothing_unfinished_beside_the_files(tmp_path, few):
    entry = find("mnist-mlp")

    save_weights(trained("mnist-mlp", few), entry, settings_for("mnist-mlp"), few, few, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist-mlp.json", "mnist-mlp.safetensors"]
