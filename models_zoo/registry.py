"""The classifiers that runs may try to fool, by name. Importable without torch: web pages read it.

`find` answers questions about a classifier; `load` brings torch in and returns one that computes.
"""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models_zoo.cards import WEIGHTS, Card, read_card, read_weights
from models_zoo.errors import UnknownClassifier

if TYPE_CHECKING:
    from models_zoo.classifier import Classifier

DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
PIXELS_OVER_256 = 255 / 256  # turns an image in [0, 1] into pixels 0..255 divided by 256


@dataclass(frozen=True, kw_only=True)
class ClassifierEntry:
    """What is known about a classifier before it is loaded.

    `builder` is the dotted path of the network's class; `weights` a file name in `models_zoo/weights`;
    `scale` what an image in [0, 1] is multiplied by before the network sees it.
    """

    name: str
    title: str
    summary: str
    dataset: str
    labels: tuple[str, ...]
    channels: int
    height: int
    width: int
    builder: str
    weights: str
    scale: float = 1.0

    @property
    def n_classes(self) -> int:
        """Return how many classes the classifier tells apart."""
        return len(self.labels)

    @functools.cached_property
    def card(self) -> Card:
        """Return what was measured when the weights were trained; raises WeightsCorrupted."""
        return read_card(self.name, WEIGHTS / self.weights)

    def require_weights(self) -> None:
        """Make sure that the weights are here and whole; raises WeightsCorrupted."""
        read_weights(self.name, WEIGHTS / self.weights)


# To add one, write its network (as in models_zoo/mnist.py), give it an entry here in alphabetical order and
# settings in models_zoo/training.py, and run `manage.py train_classifier NAME`: it writes weights and card.
CLASSIFIERS: dict[str, ClassifierEntry] = {
    "mnist-cnn": ClassifierEntry(
        name="mnist-cnn",
        title="Small CNN",
        summary="A small convolutional network of today's kind, with batch norm and dropout.",
        dataset="mnist",
        labels=DIGITS,
        channels=1,
        height=28,
        width=28,
        builder="models_zoo.mnist:SmallCNN",
        weights="mnist-cnn.safetensors",
    ),
    "mnist-lenet": ClassifierEntry(
        name="mnist-lenet",
        title="LeNet",
        summary="The network for handwritten digits that the paper fools.",
        dataset="mnist",
        labels=DIGITS,
        channels=1,
        height=28,
        width=28,
        builder="models_zoo.mnist:LeNet",
        weights="mnist-lenet.safetensors",
        scale=PIXELS_OVER_256,
    ),
    "mnist-lenet-b": ClassifierEntry(
        name="mnist-lenet-b",
        title="LeNet B",
        summary="LeNet again, trained in the same way from another random start.",
        dataset="mnist",
        labels=DIGITS,
        channels=1,
        height=28,
        width=28,
        builder="models_zoo.mnist:LeNet",
        weights="mnist-lenet-b.safetensors",
        scale=PIXELS_OVER_256,
    ),
    "mnist-mlp": ClassifierEntry(
        name="mnist-mlp",
        title="Perceptron",
        summary="A multilayer perceptron, which sees pixels without knowing which are neighbours.",
        dataset="mnist",
        labels=DIGITS,
        channels=1,
        height=28,
        width=28,
        builder="models_zoo.mnist:Perceptron",
        weights="mnist-mlp.safetensors",
    ),
}


def find(name: str) -> ClassifierEntry:
    """Return the entry of this name; raises UnknownClassifier, which names the known ones."""
    if name not in CLASSIFIERS:
        raise UnknownClassifier(f"unknown classifier {name!r}; choose one of: {', '.join(CLASSIFIERS)}")
    return CLASSIFIERS[name]


def load(name: str, device: str = "auto") -> "Classifier":
    """Return the trained classifier of this name, ready to compute; one per process and device.

    `device` is "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps", ...
    Raises UnknownClassifier, UnknownDevice, WeightsCorrupted.
    """
    from models_zoo.classifier import choose_device

    return _load(find(name), str(choose_device(device)))


@functools.cache
def _load(entry: ClassifierEntry, device: str) -> "Classifier":
    from models_zoo.classifier import load_classifier

    return load_classifier(entry, WEIGHTS, device)
