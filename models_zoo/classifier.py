"""A classifier: images in [0, 1] in, confidences out. It is all that a search ever sees of a network.

It owns size, crops, preprocessing, labels, device, precision and memory layout, and refuses what would quietly
give wrong confidences. The layout is channels_last, which makes LeNet twice as fast on a CPU and the networks for
ImageNet three times; it is enough to lay out weights and input so, since each convolution follows its weights.
"""

import copy
import importlib
import io
import math
import pickle
from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse

from models_zoo.cards import corrupted
from models_zoo.errors import (
    BadImages,
    NoConfidences,
    NotInEvalMode,
    OutOfMemory,
    UnknownDevice,
    UnsuitableViews,
)
from models_zoo.memory import fitting, is_out_of_memory, keep_freed_memory
from models_zoo.registry import ClassifierEntry

Precision = Literal["float32", "half"]
Answer = TypeVar("Answer")

MOST_IMAGES = 500  # in one batch: bounds memory, whatever the population
PIXELS_AT_ONCE = 32 * 224 * 224  # of input; on a CPU more of them are no faster and take more memory
PIXELS_AT_ONCE_ON_CUDA = 1024 * 224 * 224  # an upper bound; what fits is measured
TRIAL_VIEWS = 16  # with which it is measured
SHARE_OF_FREE_MEMORY = 0.6  # the rest is for others on the same device, and for what measuring missed
TEN = 10  # four corners, the centre, and their mirror images


class Classifier:
    """A trained network with everything that belongs to its use.

    `weights_sha256` is the hash of the file the weights came from, empty for a network that has none. `crops` is
    1, the centre, or 10, of which the confidences are averaged; `precision` is "float32" or "half", which is
    float16, or bfloat16 on a CPU. `batch_size` is how many images it computes at once; a lack of memory halves it.
    """

    def __init__(
        self,
        network: nn.Module,
        entry: ClassifierEntry,
        device: torch.device | str,
        weights_sha256: str = "",
        *,
        crops: int = 1,
        precision: Precision = "float32",
    ) -> None:
        self.device = torch.device(device)
        self.network = network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.entry = entry
        self.name = entry.name
        self.labels = entry.labels
        self.n_classes = entry.n_classes
        self.weights_sha256 = weights_sha256
        self.crops = crops
        self.precision = precision
        self._type = half_type(self.device) if precision == "half" else torch.float32
        self._factors, self._offsets = _channelwise(entry, self.device)
        self._variants = {(crops, precision): self}
        self._batch_size = 0

    @property
    def batch_size(self) -> int:
        """Return how many images are computed at once, at most `MOST_IMAGES`; found at the first question."""
        if not self._batch_size:
            self._batch_size = max(1, min(MOST_IMAGES, self._fitting_views() // self.crops))
        return self._batch_size

    def with_views(self, *, crops: int = 1, precision: Precision = "float32") -> "Classifier":
        """Return this classifier with so many crops in this precision; one per kind, kept for the next caller.

        Raises UnsuitableViews for crops other than 1 and 10, and for ten where the input is the whole image.
        """
        preprocessing = self.entry.preprocessing
        if crops not in (1, TEN):
            raise UnsuitableViews(f"{crops} crops asked for; choose 1 or 10")
        if crops == TEN and preprocessing.side == preprocessing.input_size:
            raise UnsuitableViews(f"10 crops asked for, but {self.name} sees the whole image; choose 1")
        if (crops, precision) not in self._variants:
            self._variants[crops, precision] = self._variant(crops, precision)
        return self._variants[crops, precision]

    def _variant(self, crops: int, precision: Precision) -> "Classifier":
        alike = [made.network for made in self._variants.values() if made.precision == precision]
        network = alike[0] if alike else _in_precision(self.network, precision, self.device)
        variant = Classifier(
            network, self.entry, self.device, self.weights_sha256, crops=crops, precision=precision
        )
        variant._variants = self._variants
        return variant

    @torch.inference_mode()
    def __call__(self, images: np.ndarray | Tensor) -> np.ndarray:
        """Return the confidences (B, n_classes), float32, of images (B, C, H, W), float32 in [0, 1].

        H and W are the image's side or exactly the network's input size. Tensors may lie on any device. Raises
        BadImages for another shape or type, NaN, or values outside [0, 1]; NotInEvalMode; NoConfidences where
        the network answers with NaN; OutOfMemory where not even one image fits.
        """
        batch = self._accepted(images)
        answers = self._in_batches(batch, self._confidences)
        if not answers:
            return np.empty((0, self.n_classes), np.float32)
        confidences: np.ndarray = torch.cat(answers).cpu().numpy()
        self._refuse_nan(bool(np.isfinite(confidences).all()))
        return confidences

    def differentiate(
        self, images: np.ndarray | Tensor, class_indices: np.ndarray | Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return confidences (B, n_classes) and gradients (B, C, H, W), float32, on the classifier's device.

        Row b of the gradients is that of image b's confidence in class `class_indices[b]`, with respect to the
        image. It is computed as the logarithm's gradient times the confidence, which survives half precision
        where confidences are small. Raises what a call raises.
        """
        batch = self._accepted(images)
        classes = torch.as_tensor(class_indices, device=self.device).long()  # (B,)
        self._refuse_bad_classes(classes, len(batch))
        answers = self._in_batches(batch, self._differentiated, classes)
        if not answers:
            return torch.empty((0, self.n_classes), device=self.device), torch.zeros_like(batch)
        confidences, gradients = (torch.cat(parts) for parts in zip(*answers, strict=True))
        self._refuse_nan(bool(torch.isfinite(gradients).all() and torch.isfinite(confidences).all()))
        return confidences, gradients

    def _confidences(self, images: Tensor) -> Tensor:
        """Return the confidences (b, n_classes) of images (b, C, H, W), averaged over crops."""
        confidences: Tensor = self.network(self._views(images)).float().softmax(1)
        return confidences if self.crops == 1 else confidences.view(self.crops, len(images), -1).mean(0)

    @torch.enable_grad()
    def _differentiated(self, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Return confidences (b, n_classes) and gradients (b, C, H, W) for one class each."""
        # A clone, because images made in inference mode cannot be differentiated.
        images = images.detach().to(self.device, copy=True).requires_grad_()
        logarithms = self.network(self._views(images)).float().log_softmax(1)
        if self.crops > 1:
            logarithms = logarithms.view(self.crops, len(images), -1).logsumexp(0) - math.log(self.crops)
        chosen = logarithms.gather(1, classes[:, None])  # (b, 1)
        (gradients,) = torch.autograd.grad(chosen.sum(), images)
        return logarithms.detach().exp(), gradients * chosen.detach().exp()[:, :, None, None]

    def _views(self, images: Tensor) -> Tensor:
        """Return what the network sees of images (b, C, H, W): their crops (crops * b, C, size, size)."""
        images, size = images.to(self.device), self.entry.preprocessing.input_size
        if self.crops == 1:
            images = _crop(images, size, centre := (images.shape[-1] - size) // 2, centre)
        images = self._normalised(images)
        if self.crops == TEN:
            images = _ten_crops(images, size)
        if images.shape[1] == 1:
            return images.to(self._type)
        return images.to(self._type, memory_format=torch.channels_last)

    def _normalised(self, images: Tensor) -> Tensor:
        """Return images in the network's channel order and its range of values."""
        preprocessing = self.entry.preprocessing
        if preprocessing.channel_order == "bgr":
            images = images.flip(1)
        if not any(preprocessing.mean):
            scaled: Tensor = images * self._factors
            return scaled
        return torch.addcmul(self._offsets, images, self._factors)

    def _in_batches(self, images: Tensor, compute: Callable[..., Answer], *others: Tensor) -> list[Answer]:
        """Compute images, with what belongs to each, a batch at a time; where memory is lacking, half of it."""
        answers: list[Answer] = []
        start = 0
        while start < len(images):
            part = slice(start, start + self.batch_size)
            try:
                answers.append(compute(images[part], *(other[part] for other in others)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                lacking = True  # dealt with below, where the error no longer holds on to what was computed
            else:
                start, lacking = start + self.batch_size, False
            if lacking:
                self._take_less(min(self.batch_size, len(images) - start))
        return answers

    def _take_less(self, tried: int) -> None:
        """Halve the batch after so many images were too many; raises OutOfMemory where one was."""
        if tried == 1:
            raise OutOfMemory(
                f"{self.name} lacks memory for a single image on {self.device}; "
                "free some, or choose a smaller classifier, one crop or another device"
            )
        self._batch_size = tried // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _fitting_views(self) -> int:
        """Return how many crops fit; on CUDA as many as a trial shows, elsewhere a number that served well."""
        size = self.entry.preprocessing.input_size
        if self.device.type != "cuda":
            return PIXELS_AT_ONCE // size**2
        most = PIXELS_AT_ONCE_ON_CUDA // size**2
        free, _ = torch.cuda.mem_get_info(self.device)
        try:
            return fitting(most, self._bytes_per_view(), int(free * SHARE_OF_FREE_MEMORY))
        except torch.OutOfMemoryError:
            return TRIAL_VIEWS // 2

    @torch.inference_mode()
    def _bytes_per_view(self) -> int:
        """Return what one crop takes of a CUDA device's memory on its way through the network."""
        size = self.entry.preprocessing.input_size
        views = torch.zeros(
            (TRIAL_VIEWS, self.entry.channels, size, size), device=self.device, dtype=self._type
        )
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self.network(views.contiguous(memory_format=torch.channels_last))
        taken = torch.cuda.max_memory_allocated(self.device) - before
        return taken // TRIAL_VIEWS + views[0].nbytes

    def _accepted(self, images: np.ndarray | Tensor) -> Tensor:
        """Return the images as a tensor, or refuse them, or the network."""
        if any(module.training for module in self.network.modules()):
            raise NotInEvalMode(f"the network of {self.name} is in training mode; call network.eval() first")
        batch = _as_tensor(images)
        self._refuse_bad(batch)
        return batch

    def _refuse_bad(self, batch: Tensor) -> None:
        channels, side, size = self.entry.channels, self.entry.height, self.entry.preprocessing.input_size
        if batch.ndim != 4 or batch.shape[1:] not in {(channels, side, side), (channels, size, size)}:
            smaller = f" or (B, {channels}, {size}, {size})" if size != side else ""
            raise BadImages(
                f"images of shape {tuple(batch.shape)} given; "
                f"{self.name} takes (B, {channels}, {side}, {side}){smaller}, B of them"
            )
        if batch.dtype != torch.float32:
            raise BadImages(f"images of type {batch.dtype} given; convert them to float32 in [0, 1]")
        if batch.numel() == 0:
            return
        low, high = (bound.item() for bound in torch.aminmax(batch.detach()))
        if not (low >= 0 and high <= 1):  # false for NaN too, which aminmax passes on
            raise BadImages(f"images with values from {low} to {high} given; bring them into [0, 1]")

    def _refuse_bad_classes(self, classes: Tensor, count: int) -> None:
        if classes.shape != (count,):
            raise BadImages(
                f"classes of shape {tuple(classes.shape)} given for {count} images; give one for each"
            )
        outside = classes[(classes < 0) | (classes >= self.n_classes)]
        if len(outside):
            raise BadImages(
                f"class index {int(outside[0])} given; the classes of {self.name} are 0 to {self.n_classes - 1}"
            )

    def _refuse_nan(self, is_finite: bool) -> None:
        if not is_finite:
            remedy = "try precision float32" if self.precision == "half" else "its weights are of no use"
            raise NoConfidences(f"{self.name} answers with NaN, which is no confidence; {remedy}")


def top(confidences: np.ndarray, k: int = 5) -> np.ndarray:
    """Return the class indices (B, k) of the k greatest confidences (B, n_classes), greatest first."""
    return np.argsort(-confidences, axis=1, kind="stable")[:, :k]


def _crop(images: Tensor, size: int, top: int, left: int) -> Tensor:
    return images[..., top : top + size, left : left + size]


def _ten_crops(images: Tensor, size: int) -> Tensor:
    """Return the corners, the centre, and their mirror images (10 * B, C, size, size), one crop after another."""
    edge = images.shape[-1] - size
    places = ((0, 0), (0, edge), (edge, 0), (edge, edge), (edge // 2, edge // 2))
    crops = torch.cat([_crop(images, size, top, left) for top, left in places])
    return torch.cat([crops, crops.flip(-1)])


def _channelwise(entry: ClassifierEntry, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return factors and offsets (1, C, 1, 1)."""
    preprocessing = entry.preprocessing
    factors, offsets = (
        torch.tensor(numbers, dtype=torch.float32, device=device)[None, :, None, None]
        for numbers in (preprocessing.factors, preprocessing.offsets)
    )
    return factors, offsets


def _in_precision(network: nn.Module, precision: Precision, device: torch.device) -> nn.Module:
    return copy.deepcopy(network).to(half_type(device)) if precision == "half" else network


def half_type(device: torch.device) -> torch.dtype:
    """Return the number type of half precision on a device; a CPU emulates either, so it gains nothing there."""
    return torch.bfloat16 if device.type == "cpu" else torch.float16


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
    """Return the device of this name; "auto" is CUDA where there is one, else Apple's MPS, else the CPU."""
    if name == "auto":
        mps = "mps" if torch.backends.mps.is_available() else "cpu"
        name = "cuda" if torch.cuda.is_available() else mps
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise UnknownDevice(f"device {name!r} cannot be used on this machine; choose auto or cpu") from error


def build_network(entry: ClassifierEntry) -> nn.Module:
    """Return an untrained network of this entry's kind, weights drawn from torch's global generator."""
    module, _, builder = entry.builder.partition(":")
    build: Callable[..., nn.Module] = getattr(importlib.import_module(module), builder)
    if entry.architecture:
        return build(entry.architecture, entry.n_classes, entry.preprocessing.input_size)
    return build(entry.n_classes)


def load_classifier(entry: ClassifierEntry, device: torch.device | str) -> Classifier:
    """Return the classifier with the weights that its card vouches for; raises WeightsCorrupted."""
    content = entry.read_weights()
    network = build_network(entry)
    try:
        network.load_state_dict(_parsed(entry, content))
    except (SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise corrupted(
            entry.name, f"the weights file {entry.weights} does not fit the network", entry.remedy
        ) from error
    network.eval().requires_grad_(False)
    if entry.channels == 3:  # the digits' networks stay as they are: archives vouch for their last bit
        network = fused(network)
        keep_freed_memory_for(torch.device(device))
    be_exact_on(torch.device(device))
    return Classifier(network, entry, device, entry.card["sha256"])


def _parsed(entry: ClassifierEntry, content: bytes) -> Mapping[str, Tensor]:
    """Return the weights by name. Only tensors are ever unpickled, and only of a file whose hash is known."""
    if not entry.package:
        weights: dict[str, Tensor] = safetensors.torch.load(content)
        return weights
    from models_zoo.imagenet import renamed

    return renamed(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))


def fused(network: nn.Module) -> nn.Module:
    """Return the network with each batch norm drawn into the convolution before it; as it is, where none is.

    Confidences move by rounding alone, some 1e-6, and come a seventh sooner.
    """
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network
    try:
        drawn_together: nn.Module = fuse(network)
    except Exception:  # tracing a network fails in as many ways as networks are written
        return network
    return drawn_together.eval().requires_grad_(False)


def keep_freed_memory_for(device: torch.device) -> None:
    """Let a process that computes large networks on a CPU keep the memory that it frees."""
    if device.type == "cpu":
        keep_freed_memory()


def be_exact_on(device: torch.device) -> None:
    """Let float32 be float32 on CUDA, whatever was loaded before, so that the same seed gives the same run."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # else convolutions round to ten bits, as half precision does
