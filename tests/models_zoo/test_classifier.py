"""The door to every network: what it takes, what it refuses, what it answers."""

import numpy as np
import pytest
import torch
from torch import nn

from models_zoo.classifier import Classifier, build_network, load_classifier, top
from models_zoo.datasets import load_mnist_sample
from models_zoo.errors import BadImages, NotInEvalMode
from models_zoo.registry import CLASSIFIERS, find, load

DIGITS = [name for name, entry in CLASSIFIERS.items() if entry.dataset == "mnist"]


@pytest.fixture(scope="module")
def lenet():
    return load("mnist-lenet", "cpu")


@pytest.fixture
def untrained():
    entry = find("mnist-cnn")
    return Classifier(build_network(entry).eval(), entry, "cpu")


def noise(count):
    return np.random.default_rng(1).random((count, 1, 28, 28), dtype=np.float32)


@pytest.mark.parametrize("name", DIGITS)
def test_answers_with_confidences(name):
    confidences = load(name, "cpu")(noise(7))

    assert confidences.shape == (7, 10)
    assert confidences.dtype == np.float32
    assert (confidences >= 0).all()
    np.testing.assert_allclose(confidences.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", DIGITS)
def test_knows_digits(name):
    digits = load_mnist_sample("test")

    confidences = load(name, "cpu")(digits.images[:, None].astype(np.float32) / 255)

    assert (confidences.argmax(axis=1) == digits.labels).mean() >= 0.98


def test_takes_a_tensor_as_it_takes_an_array(lenet):
    images = noise(3)

    np.testing.assert_array_equal(lenet(torch.from_numpy(images)), lenet(images))


def test_shows_lenet_pixels_divided_by_256(lenet):
    pixels = np.random.default_rng(2).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)
    with torch.inference_mode():
        expected = lenet.network(torch.from_numpy(pixels) / 256).softmax(1).numpy()

    confidences = lenet(pixels.astype(np.float32) / 255)

    np.testing.assert_allclose(confidences, expected, atol=1e-6)


@pytest.mark.parametrize("name", DIGITS)
def test_answers_as_the_network_does_in_the_plain_layout(name):
    classifier = load_classifier(find(name), "cpu")
    images = noise(20)
    confidences = classifier(images)

    classifier.network.to(memory_format=torch.contiguous_format)

    np.testing.assert_allclose(classifier(images), confidences, atol=1e-5)


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-lenet"])
def test_convolves_in_channels_last_layout(name):
    classifier = load_classifier(find(name), "cpu")
    layouts = []
    for layer in classifier.network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda _layer, _taken, given: layouts.append(
                    given.is_contiguous(memory_format=torch.channels_last)
                )
            )

    classifier(noise(4))

    assert len(layouts) >= 2
    assert all(layouts)


def test_answers_an_empty_batch_with_no_confidences(lenet):
    assert lenet(noise(0)).shape == (0, 10)


@pytest.mark.filterwarnings("error")
def test_takes_arrays_that_may_not_be_written_or_lie_backwards(lenet):
    images = noise(6)
    images.flags.writeable = False

    backwards = lenet(images[::-1])

    np.testing.assert_allclose(backwards[::-1], lenet(images), atol=1e-6)


def test_leaves_the_images_as_they_were(lenet):
    images = noise(4)
    before = images.copy()

    lenet(images)

    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(
    "shape", [(28, 28), (1, 28, 28), (2, 28, 28, 1), (2, 3, 28, 28), (2, 1, 27, 28), (2, 1, 28, 29)]
)
def test_refuses_images_of_another_shape(lenet, shape):
    with pytest.raises(BadImages, match=r"mnist-lenet takes \(B, 1, 28, 28\)"):
        lenet(np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.uint8, np.int64, bool, np.complex64, object])
def test_refuses_images_of_another_type(lenet, dtype):
    with pytest.raises(BadImages, match="float32"):
        lenet(np.zeros((2, 1, 28, 28), dtype))


def test_refuses_what_is_no_array(lenet):
    with pytest.raises(BadImages, match="list"):
        lenet([[0.0]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.001, 1.001, 255.0])
def test_refuses_a_single_value_outside_zero_to_one(lenet, value):
    images = noise(200)
    images[123, 0, 4, 5] = value

    with pytest.raises(BadImages, match=r"\[0, 1\]"):
        lenet(images)


def test_refuses_a_network_in_training_mode(untrained):
    untrained.network.train()

    with pytest.raises(NotInEvalMode, match="mnist-cnn"):
        untrained(noise(2))


def test_refuses_a_network_of_which_one_layer_is_in_training_mode(untrained):
    untrained.network.dropout.train()

    with pytest.raises(NotInEvalMode):
        untrained(noise(2))


def test_sorts_the_likeliest_classes_first():
    confidences = np.array([[0.1, 0.5, 0.2, 0.2], [0.7, 0.0, 0.1, 0.2]])

    np.testing.assert_array_equal(top(confidences, 3), [[1, 2, 3], [0, 3, 2]])
