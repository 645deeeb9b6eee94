"""Classifiers that a user might bring along: the project's own digits, and small colour networks."""

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from models_zoo.cards import WEIGHTS
from models_zoo.describing import describe
from models_zoo.imported import Description

DIGITS_FILE = WEIGHTS / "mnist-mlp.safetensors"
ALIVE = 20  # added to the last layer, whose ReLU would else cut most logits off
COLOURS = ("red", "green", "blue")


def digits(**changes: Any) -> Description:
    """Describe the project's perceptron as somebody's own."""
    texts = {
        "name": "my-digits",
        "architecture": "mnist-mlp",
        "input_size": "28",
        "channel_order": "grey",
        "scale": "1",
        "mean": "0",
        "std": "1",
        "resize": "squash:28",
        "labels": "mnist",
    }
    return describe(**{**texts, **changes})


def colours(**changes: Any) -> Description:
    """Describe a SqueezeNet for three classes."""
    texts = {
        "name": "my-colours",
        "architecture": "torchvision:squeezenet1_1",
        "input_size": "32",
        "channel_order": "bgr",
        "scale": "255",
        "mean": "104,117,123",
        "std": "1",
        "resize": "squash:40",
        "labels": COLOURS,
    }
    return describe(**{**texts, **changes})


def colour_weights(n_classes: int = 3) -> dict[str, Tensor]:
    """Return random weights of a SqueezeNet that answers different images differently."""
    from models_zoo.architectures import build

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = build("torchvision:squeezenet1_1", n_classes, 32)
    weights = {name: values.clone() for name, values in network.state_dict().items()}
    weights["classifier.1.bias"] += ALIVE
    return weights


def written(weights: dict[str, Tensor], path: Path) -> Path:
    """Write weights into a file and return its path."""
    safetensors.torch.save_file(weights, path)
    return path
