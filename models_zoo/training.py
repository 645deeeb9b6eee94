"""How the zoo's classifiers are trained, and how what comes out is written down.

On one machine with one number of threads the same settings give the same weights, bit for bit: every random
number comes from the seed, and training runs on the CPU. LeNet's settings are those of the solver released
with the paper (section 2.1).
"""

import dataclasses
import datetime
import hashlib
import json
import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from models_zoo.cards import TrainedCard
from models_zoo.classifier import Classifier, build_network
from models_zoo.datasets import LabelledImages
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import ClassifierEntry

TEST_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Everything that decides how a network is trained.

    "sgd" has momentum 0.9; "adamw" its usual numbers. The rate falls as (1 + 1e-4 * iteration) ** -0.75
    ("inverse") or along half a cosine to zero ("cosine"). `shift` is by how many pixels, at most, each
    training image is moved at random in either direction.
    """

    seed: int
    optimiser: Literal["sgd", "adamw"]
    learning_rate: float
    schedule: Literal["inverse", "cosine"]
    weight_decay: float
    batch_size: int
    epochs: int
    shift: int = 0


LENET = TrainingSettings(
    seed=1,
    optimiser="sgd",
    learning_rate=0.01,
    schedule="inverse",
    weight_decay=5e-4,
    batch_size=64,
    epochs=20,
)

# To add a classifier, give it settings here under its name in the registry.
SETTINGS: dict[str, TrainingSettings] = {
    "mnist-cnn": TrainingSettings(
        seed=4,
        optimiser="adamw",
        learning_rate=2e-3,
        schedule="cosine",
        weight_decay=0.01,
        batch_size=128,
        epochs=12,
        shift=2,
    ),
    "mnist-lenet": LENET,
    "mnist-lenet-b": dataclasses.replace(LENET, seed=2),
    "mnist-mlp": TrainingSettings(
        seed=3,
        optimiser="adamw",
        learning_rate=1e-3,
        schedule="cosine",
        weight_decay=0.01,
        batch_size=128,
        epochs=30,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a training stands: iterations and epochs done of how many, and the loss of the last batch."""

    iteration: int
    iterations: int
    epoch: int
    epochs: int
    loss: float


def settings_for(name: str) -> TrainingSettings:
    """Return the settings that the classifier of this name is trained with; raises UnknownClassifier."""
    if name not in SETTINGS:
        raise UnknownClassifier(f"no training settings for {name!r}; there are: {', '.join(SETTINGS)}")
    return SETTINGS[name]


def new_network(entry: ClassifierEntry, seed: int) -> nn.Module:
    """Return an untrained network, its weights drawn from this seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build_network(entry)


def count_iterations(settings: TrainingSettings, n_images: int) -> int:
    """Return how many batches the whole training takes."""
    return settings.epochs * math.ceil(n_images / settings.batch_size)


def train(
    network: nn.Module, entry: ClassifierEntry, data: LabelledImages, settings: TrainingSettings
) -> Iterator[Progress]:
    """Train the network in place, yielding after every batch; after the last it is in evaluation mode."""
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.from_numpy(data.images.copy()).unsqueeze(1)  # (n, 1, 28, 28)
    labels = torch.from_numpy(data.labels.astype(np.int64))  # (n,)
    optimiser = _optimiser(network, settings)
    random = torch.Generator().manual_seed(settings.seed)
    iteration, iterations = 0, count_iterations(settings, len(data))
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(len(data), generator=random)
        for chosen in torch.split(order, settings.batch_size):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(settings, iteration, iterations)
            batch = shifted(images[chosen], settings.shift, random).float() / 255 * entry.preprocessing.scale
            loss = _learn(network, optimiser, batch, labels[chosen], random)
            iteration += 1
            yield Progress(
                iteration=iteration, iterations=iterations, epoch=epoch, epochs=settings.epochs, loss=loss
            )
    network.eval()


def learning_rate(settings: TrainingSettings, iteration: int, iterations: int) -> float:
    """Return the learning rate of this iteration of so many."""
    if settings.schedule == "inverse":
        return settings.learning_rate * math.pow(1 + 1e-4 * iteration, -0.75)
    return settings.learning_rate * (1 + math.cos(math.pi * iteration / iterations)) / 2


def count_mistakes(classifier: Classifier, data: LabelledImages) -> int:
    """Return how many images the classifier puts into a wrong class."""
    mistakes = 0
    for start in range(0, len(data), TEST_BATCH):
        images = data.images[start : start + TEST_BATCH, None].astype(np.float32) / 255
        labels = data.labels[start : start + TEST_BATCH]
        mistakes += int((classifier(images).argmax(axis=1) != labels).sum())
    return mistakes


def save_weights(
    network: nn.Module,
    entry: ClassifierEntry,
    settings: TrainingSettings,
    training_set: LabelledImages,
    test_set: LabelledImages,
    folder: Path,
) -> TrainedCard:
    """Measure the test error, write weights (safetensors) and card into the folder, and return the card."""
    mistakes = count_mistakes(Classifier(network, entry, "cpu"), test_set)
    content = safetensors.torch.save(
        {name: value.contiguous() for name, value in network.state_dict().items()}
    )
    card = TrainedCard(
        classifier=entry.name,
        dataset=entry.dataset,
        training_images=len(training_set),
        test_images=len(test_set),
        test_mistakes=mistakes,
        test_error_percent=round(100 * mistakes / len(test_set), 4),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        iterations=count_iterations(settings, len(training_set)),
        settings=dataclasses.asdict(settings),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        sha256=hashlib.sha256(content).hexdigest(),
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    )
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / entry.weights
    _write(weights, content)
    _write(weights.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())
    return card


def _optimiser(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=decay)
    return torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)


def _learn(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    random: torch.Generator,
) -> float:
    """Take one step; return the loss. Dropout draws from torch's global generator, so that is lent a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**31, (), generator=random)))
        loss = functional.cross_entropy(network(images), labels)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item()


def shifted(images: Tensor, shift: int, random: torch.Generator) -> Tensor:
    """Return images (B, 1, H, W), each moved by up to `shift` pixels down or up and right or left."""
    if shift == 0:
        return images
    count, _, height, width = images.shape
    padded = functional.pad(images, (shift,) * 4)
    top, left = torch.randint(0, 2 * shift + 1, (2, count, 1), generator=random)
    rows = (top + torch.arange(height))[:, :, None]  # (B, H, 1)
    columns = (left + torch.arange(width))[:, None, :]  # (B, 1, W)
    return padded[torch.arange(count)[:, None, None], 0, rows, columns].unsqueeze(1)


def _write(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
