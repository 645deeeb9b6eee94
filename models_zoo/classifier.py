"""A classifier: images in [0, 1] in, confidences out. It is all that a search ever sees of a network.

It owns size, preprocessing, labels, device and memory layout, and refuses what would quietly give wrong
confidences. The layout is channels_last, which makes LeNet twice as fast on a CPU; it is enough to lay out
the weights so, since each convolution follows its weights.
"""

import importlib
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from models_zoo.cards import corrupted, read_weights
from models_zoo.errors import BadImages, NotInEvalMode, UnknownDevice
from models_zoo.registry import ClassifierEntry


class Classifier:
    """A trained network with everything that belongs to its use.

    `weights_sha256` is the hash of the file the weights came from, empty for a network that has none.
    """

    def __init__(
        self, network: nn.Module, entry: ClassifierEntry, device: torch.device | str, weights_sha256: str = ""
    ) -> None:
        self.device = torch.device(device)
        self.network = network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.entry = entry
        self.name = entry.name
        self.labels = entry.labels
        self.n_classes = entry.n_classes
        self.weights_sha256 = weights_sha256

    @torch.inference_mode()
    def __call__(self, images: np.ndarray | Tensor) -> np.ndarray:
        """Return the confidences (B, n_classes), float32, of images (B, C, H, W), float32 in [0, 1].

        Raises BadImages for another shape or type, NaN, or values outside [0, 1]; NotInEvalMode.
        """
        self._refuse_training_mode()
        batch = _as_tensor(images)
        self._refuse_bad(batch)
        logits = self.network(batch.to(self.device) * self.entry.scale)
        confidences: np.ndarray = logits.softmax(1).cpu().numpy()
        return confidences

    def _refuse_training_mode(self) -> None:
        if any(module.training for module in self.network.modules()):
            raise NotInEvalMode(f"the network of {self.name} is in training mode; call network.eval() first")

    def _refuse_bad(self, batch: Tensor) -> None:
        channels, height, width = self.entry.channels, self.entry.height, self.entry.width
        if batch.ndim != 4 or batch.shape[1:] != (channels, height, width):
            raise BadImages(
                f"images of shape {tuple(batch.shape)} given; "
                f"{self.name} takes (B, {channels}, {height}, {width}), B of them"
            )
        if batch.dtype != torch.float32:
            raise BadImages(f"images of type {batch.dtype} given; convert them to float32 in [0, 1]")
        if batch.numel() == 0:
            return
        low, high = (bound.item() for bound in torch.aminmax(batch))
        if not (low >= 0 and high <= 1):  # false for NaN too, which aminmax passes on
            raise BadImages(f"images with values from {low} to {high} given; bring them into [0, 1]")


def top(confidences: np.ndarray, k: int = 5) -> np.ndarray:
    """Return the class indices (B, k) of the k greatest confidences (B, n_classes), greatest first."""
    return np.argsort(-confidences, axis=1, kind="stable")[:, :k]


def _as_tensor(images: np.ndarray | Tensor) -> Tensor:
    """Return the images as a tensor, copied only where torch could not share the memory."""
    if isinstance(images, Tensor):
        return images
    if not isinstance(images, np.ndarray) or images.dtype.kind not in "fiub":
        raise BadImages(f"images given as {_kind(images)}; give a float32 array in [0, 1]")
    return torch.from_numpy(np.require(images, requirements=("C", "W")))


def _kind(images: object) -> str:
    return f"an array of {images.dtype}" if isinstance(images, np.ndarray) else type(images).__name__


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of this name; "auto" is CUDA where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise UnknownDevice(f"device {name!r} cannot be used on this machine; choose auto or cpu") from error


def build_network(entry: ClassifierEntry) -> nn.Module:
    """Return an untrained network of this entry's kind, weights drawn from torch's global generator."""
    module, _, network = entry.builder.partition(":")
    built: nn.Module = getattr(importlib.import_module(module), network)(entry.n_classes)
    return built


def load_classifier(entry: ClassifierEntry, folder: Path, device: torch.device | str) -> Classifier:
    """Return the classifier whose weights and card lie in this folder; raises WeightsCorrupted."""
    content, card = read_weights(entry.name, folder / entry.weights)
    network = build_network(entry)
    try:
        network.load_state_dict(safetensors.torch.load(content))
    except (SafetensorError, RuntimeError) as error:
        raise corrupted(entry.name, f"the weights file {entry.weights} does not fit the network") from error
    return Classifier(network.eval(), entry, device, card["sha256"])
