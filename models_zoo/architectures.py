"""The networks that weights may be brought for: all of torchvision's classifiers and the ones for MNIST.

An architecture is written `torchvision:resnet18` or `mnist-lenet`. A network is built for any number of classes
and returns logits; parts that serve training alone are left out.
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from models_zoo import mnist
from models_zoo.architecture_names import TORCHVISION, require_architecture
from models_zoo.errors import ImportRefused

MNIST: dict[str, type[nn.Module]] = {
    "mnist-cnn": mnist.SmallCNN,
    "mnist-lenet": mnist.LeNet,
    "mnist-mlp": mnist.Perceptron,
}
WITHOUT_AUXILIARIES = {"aux_logits": False, "init_weights": False}
TAKES: dict[str, str] = {"maxvit_": "input_size", "vit_": "image_size"}  # networks made for one size of input
TRAINING_ALONE = ("aux1.", "aux2.", "AuxLogits.", "module.")
OLD_DENSE_LAYER = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")


def build(architecture: str, n_classes: int, input_size: int) -> nn.Module:
    """Return an untrained network; raises ImportRefused for an unknown architecture or an impossible size."""
    require_architecture(architecture, input_size)
    if architecture in MNIST:
        return MNIST[architecture](n_classes)
    return _build_torchvision(architecture.removeprefix(TORCHVISION), n_classes, input_size)


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names of today's networks, without parts that serve training alone."""
    return {
        OLD_DENSE_LAYER.sub(r"\1\2.", name): values
        for name, values in weights.items()
        if not name.startswith(TRAINING_ALONE[:-1])
    }


def _build_torchvision(name: str, n_classes: int, input_size: int) -> nn.Module:
    from models_zoo import torchvision_ops  # noqa: F401 (must come before torchvision)
    from torchvision import models  # isort: skip

    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):
        options |= WITHOUT_AUXILIARIES
    for start, option in TAKES.items():
        if name.startswith(start):
            options[option] = (input_size, input_size) if option == "input_size" else input_size
    try:
        network: nn.Module = models.get_model(name, weights=None, num_classes=n_classes, **options)
    except (ValueError, AssertionError, RuntimeError) as error:
        raise ImportRefused(
            f"torchvision:{name} cannot take inputs of {input_size} pixels ({error})"
        ) from error
    return network
