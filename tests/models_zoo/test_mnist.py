"""The networks for MNIST."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from models_zoo.mnist import LeNet, Perceptron, SmallCNN


def convolve(images, weight, bias):
    windows = sliding_window_view(images, (5, 5), axis=(2, 3))  # (B, C, H - 4, W - 4, 5, 5)
    return np.einsum("bchwij,ocij->bohw", windows, weight) + bias[None, :, None, None]


def halve(images):
    count, channels, height, width = images.shape
    return images.reshape(count, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def slow_lenet(images, state):
    """LeNet in numpy: no ReLU but the one after fc1."""
    images = halve(convolve(images, state["conv1.weight"], state["conv1.bias"]))
    images = halve(convolve(images, state["conv2.weight"], state["conv2.bias"]))
    hidden = images.reshape(len(images), -1) @ state["fc1.weight"].T + state["fc1.bias"]
    return np.maximum(hidden, 0) @ state["fc2.weight"].T + state["fc2.bias"]


def test_computes_lenet_as_its_slow_twin_does():
    network = LeNet()
    torch.nn.init.normal_(network.conv1.bias)  # so that many convolved values are negative
    images = np.random.default_rng(1).random((3, 1, 28, 28), dtype=np.float32)
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}

    logits = network(torch.from_numpy(images)).detach().numpy()

    np.testing.assert_allclose(logits, slow_lenet(images, state), rtol=1e-4, atol=1e-4)


def test_names_and_shapes_lenets_weights_as_released():
    shapes = {name: tuple(value.shape) for name, value in LeNet().state_dict().items()}

    assert shapes == {
        "conv1.weight": (20, 1, 5, 5),
        "conv1.bias": (20,),
        "conv2.weight": (50, 20, 5, 5),
        "conv2.bias": (50,),
        "fc1.weight": (500, 800),
        "fc1.bias": (500,),
        "fc2.weight": (10, 500),
        "fc2.bias": (10,),
    }


def test_starts_lenet_within_the_bound_of_its_fan_in():
    network = LeNet()

    assert network.fc1.weight.abs().max() <= (3 / 800) ** 0.5
    assert network.fc1.weight.abs().max() > 0.99 * (3 / 800) ** 0.5
    assert not network.fc1.bias.any()


@pytest.mark.parametrize("network", [LeNet, Perceptron, SmallCNN])
def test_can_tell_another_number_of_classes_apart(network):
    assert network(n_classes=11)(torch.zeros(2, 1, 28, 28)).shape == (2, 11)


@pytest.mark.parametrize("network", [LeNet, Perceptron, SmallCNN])
def test_answers_with_logits_not_confidences(network):
    logits = network().eval()(torch.rand(4, 1, 28, 28))

    assert (logits < 0).any()
