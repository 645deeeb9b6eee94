"""Classifiers that stand in for large ones where only the search around them is measured.

They are LeNets from a random start that see the red of coloured pictures of 28 x 28: real networks, whose confidences
differ from picture to picture, so that classes change hands, but cheap. They are entered into the registry of this
process alone.
"""

import hashlib
import time
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from models_zoo.mnist import LeNet
from models_zoo.preprocessing import Preprocessing
from models_zoo.registry import CLASSIFIERS, ClassifierEntry

MOST_CLASSES = 1000
SPREAD = (
    30  # by which logits are stretched, so that some classes are won with high confidence and some are not
)
AS_FAST_AS_PROMISED = 0.12 / 400  # seconds an image: 5,000 generations of 400 within 10 minutes
BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
SIGHT = Preprocessing(input_size=28, channel_order="rgb", mean=BLACK, std=WHITE, resize="none")


class Cheap(nn.Module):
    """A network with a thousand outputs, of which the first so many count: its cost does not depend on them."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.network, self.n_classes = LeNet(MOST_CLASSES), n_classes

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, n_classes) of images (B, 3, 28, 28)."""
        logits: Tensor = self.network(images[:, :1])[:, : self.n_classes] * SPREAD
        return logits


class Unhurried(Cheap):
    """The same, keeping the processor busy until each image has cost as much as it may on a large GPU."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, n_classes) of images (B, 3, 28, 28)."""
        until = time.process_time() + AS_FAST_AS_PROMISED * len(images)
        logits = super().forward(images)
        while time.process_time() < until:
            pass
        return logits


def enter(kind: type[Cheap], n_classes: int, folder: Path) -> str:
    """Write such a network's weights into a folder, enter it into the registry and return its name."""
    name = f"bench-{kind.__name__.lower()}-{n_classes}"
    torch.manual_seed(1)
    weights = folder / f"{name}.safetensors"
    weights.write_bytes(safetensors.torch.save(kind(n_classes).state_dict()))
    CLASSIFIERS[name] = ClassifierEntry(
        name=name,
        title=name,
        summary="Stands in for a large network.",
        dataset="custom",
        labels=tuple(f"class {index}" for index in range(n_classes)),
        preprocessing=SIGHT,
        builder=f"{__name__}:{kind.__name__}",
        weights=weights.name,
        folder=folder,
        published={
            "classifier": name,
            "dataset": "none",
            "test_error_percent": None,
            "parameters": 0,
            "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        },
    )
    return name
