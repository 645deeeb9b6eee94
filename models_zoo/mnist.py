"""Networks for MNIST: grey digits of 28 x 28 pixels in, ten logits out. The softmax is the classifier's.

`LeNet` is the network that the paper fools (section 2.1); the two others ask whether its weakness is theirs
too.
"""

from torch import Tensor, nn
from torch.nn import functional


class LeNet(nn.Module):
    """LeNet as released with the paper (section 2.1): no ReLU after the convolutions.

    Takes pixels 0..255 divided by 256 as (B, 1, 28, 28) and returns logits (B, n_classes).
    """

    def __init__(self, n_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, kernel_size=5)
        self.conv2 = nn.Conv2d(20, 50, kernel_size=5)
        self.fc1 = nn.Linear(50 * 4 * 4, 500)
        self.fc2 = nn.Linear(500, n_classes)
        self.apply(_fill_as_released)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images (B, 1, 28, 28)."""
        images = functional.max_pool2d(self.conv1(images), 2)  # (B, 20, 12, 12)
        images = functional.max_pool2d(self.conv2(images), 2)  # (B, 50, 4, 4)
        hidden = functional.relu(self.fc1(images.flatten(1)))  # (B, 500)
        logits: Tensor = self.fc2(hidden)
        return logits


class Perceptron(nn.Module):
    """A multilayer perceptron with two hidden layers and dropout.

    Takes (B, 1, 28, 28) in [0, 1] and returns logits (B, n_classes).
    """

    def __init__(self, n_classes: int = 10) -> None:
        super().__init__()
        self.fc1 = nn.Linear(28 * 28, 420)
        self.fc2 = nn.Linear(420, 200)
        self.fc3 = nn.Linear(200, n_classes)
        self.dropout = nn.Dropout(0.3)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images (B, 1, 28, 28)."""
        hidden = self.dropout(functional.relu(self.fc1(images.flatten(1))))  # (B, 420)
        hidden = self.dropout(functional.relu(self.fc2(hidden)))  # (B, 200)
        logits: Tensor = self.fc3(hidden)
        return logits


class SmallCNN(nn.Module):
    """A small convolutional network of today's kind: batch norm, ReLU and dropout.

    Takes (B, 1, 28, 28) in [0, 1] and returns logits (B, n_classes).
    """

    def __init__(self, n_classes: int = 10) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _stage(1, 32, kernel_size=5, padding=0),  # (B, 32, 12, 12)
            _stage(32, 64, kernel_size=3, padding=1),  # (B, 64, 6, 6)
            _stage(64, 96, kernel_size=3, padding=1),  # (B, 96, 3, 3)
        )
        self.fc1 = nn.Linear(96 * 3 * 3, 128)
        self.fc2 = nn.Linear(128, n_classes)
        self.dropout = nn.Dropout(0.4)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images (B, 1, 28, 28)."""
        images = self.stages(images)
        hidden = functional.relu(self.fc1(self.dropout(images.flatten(1))))  # (B, 128)
        logits: Tensor = self.fc2(self.dropout(hidden))
        return logits


def _fill_as_released(layer: nn.Module) -> None:
    """Draw weights uniformly within sqrt(3 / fan_in), the released solver's Xavier rule; biases are zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _stage(channels_in: int, channels_out: int, *, kernel_size: int, padding: int) -> nn.Sequential:
    """Return convolution, batch norm, ReLU and a halving max-pool."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size, padding=padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
