"""The names of the networks that weights may be brought for. Importable without torch: forms and pages read them.

A test compares them with what the installed torchvision offers, and the last layers with the networks themselves.
"""

import difflib
import json
import struct
from typing import BinaryIO

from models_zoo.errors import ImportRefused

TORCHVISION = "torchvision:"
MNIST_SIDE = 28
MNIST_NAMES = ("mnist-cnn", "mnist-lenet", "mnist-mlp")
TORCHVISION_NAMES = tuple(
    """
    alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169
    densenet201 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5
    efficientnet_b6 efficientnet_b7 efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s googlenet inception_v3
    maxvit_t mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small
    regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf
    regnet_y_128gf regnet_y_16gf regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf
    regnet_y_8gf resnet101 resnet152 resnet18 resnet34 resnet50 resnext101_32x8d resnext101_64x4d
    resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0
    squeezenet1_1 swin_b swin_s swin_t swin_v2_b swin_v2_s swin_v2_t vgg11 vgg11_bn vgg13 vgg13_bn vgg16
    vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_h_14 vit_l_16 vit_l_32 wide_resnet101_2 wide_resnet50_2
    """.split()  # noqa: SIM905 (eighty lines otherwise)
)
ARCHITECTURES = (*MNIST_NAMES, *(TORCHVISION + name for name in TORCHVISION_NAMES))
LAST_LAYERS: dict[
    str, str
] = {  # what an architecture's name begins with, and the layer with one output a class
    "alexnet": "classifier.6",
    "convnext": "classifier.2",
    "densenet": "classifier",
    "efficientnet": "classifier.1",
    "googlenet": "fc",
    "inception": "fc",
    "maxvit": "classifier.5",
    "mnasnet": "classifier.1",
    "mnist-cnn": "fc2",
    "mnist-lenet": "fc2",
    "mnist-mlp": "fc3",
    "mobilenet_v2": "classifier.1",
    "mobilenet_v3": "classifier.3",
    "regnet": "fc",
    "resn": "fc",
    "shufflenet": "fc",
    "squeezenet": "classifier.1",
    "swin": "head",
    "vgg": "classifier.6",
    "vit": "heads.head",
    "wide_resnet": "fc",
}
LARGEST_HEADER = 20_000_000  # bytes; the names of the largest network here take a hundredth of it


def channels_of(architecture: str) -> int:
    """Return how many channels the network's input has."""
    return 1 if architecture in MNIST_NAMES else 3


def require_architecture(architecture: str, input_size: int | None = None) -> None:
    """Raise ImportRefused unless there is such an architecture, and for inputs of this size."""
    if architecture not in ARCHITECTURES:
        raise ImportRefused(
            f"unknown architecture {architecture[:60]!r}; {_suggestion(architecture)}", about="architecture"
        )
    if architecture in MNIST_NAMES and input_size not in (MNIST_SIDE, None):
        raise ImportRefused(
            f"input size {input_size}; {architecture} takes 28, and channel order grey", about="input_size"
        )


def require_channels(architecture: str, channel_order: str, channels: int) -> None:
    """Raise ImportRefused where the network's input has another number of channels."""
    wanted = channels_of(architecture)
    if wanted != channels:
        orders = "grey" if wanted == 1 else "rgb or bgr"
        raise ImportRefused(
            f"channel order {channel_order}; {architecture} takes {orders}", about="channel_order"
        )


def classes_in(file: BinaryIO, architecture: str) -> int | None:
    """Return how many classes a file of safetensors tells apart, from its header; None where that cannot be told."""
    try:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(min(length, LARGEST_HEADER)))
        shape = header[f"{last_layer_of(architecture)}.weight"]["shape"]
        return int(shape[0])
    except (KeyError, IndexError, TypeError, ValueError, struct.error, RecursionError):
        return None


def last_layer_of(architecture: str) -> str:
    """Return the name of the layer that has one output for each class."""
    name = architecture.removeprefix(TORCHVISION)
    return next(layer for start, layer in LAST_LAYERS.items() if name.startswith(start))


def _suggestion(architecture: str) -> str:
    given = architecture[:60].removeprefix(TORCHVISION)
    close = [
        *difflib.get_close_matches(given, MNIST_NAMES, n=1, cutoff=0.7),
        *difflib.get_close_matches(TORCHVISION + given, ARCHITECTURES, n=3, cutoff=0.7),
    ]
    return (
        f"choose {' or '.join(close)}"
        if close
        else f"choose {', '.join(MNIST_NAMES)} or torchvision:resnet18 and the like"
    )
