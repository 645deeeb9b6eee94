"""`manage.py classify`: what a classifier takes pictures for."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from fooling_web.runs.percentages import confidence
from models_zoo.classifier import Classifier, top
from models_zoo.errors import ZooError
from models_zoo.pictures import read_picture
from models_zoo.registry import load


class Command(BaseCommand):
    """Classify picture files."""

    help = (
        "Say what a classifier takes pictures for. Any picture that Pillow reads is made grey (for a "
        "classifier of grey images), brought to the classifier's size in its own way (squashed to 28 x 28 for "
        "MNIST, the middle square for EfficientNet-Lite) and scaled to [0, 1]; transparent parts count as "
        "black. MNIST's digits are white on black."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="a picture file")
        parser.add_argument("--classifier", required=True, help="a name that `manage.py classifiers` lists")
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Classify every picture and write the five likeliest classes of each."""
        try:
            answers = _classify(options["images"], load(options["classifier"]))
        except ZooError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(answers))
            return
        for answer in answers:
            guesses = ", ".join(
                f"{guess['label']} ({confidence(guess['confidence'])})" for guess in answer["top"]
            )
            self.stdout.write(f"{answer['image']}: {guesses}")


def _classify(paths: list[Path], classifier: Classifier) -> list[dict[str, Any]]:
    images = np.stack([read_picture(path, classifier.entry) for path in paths])  # (B, C, H, W)
    confidences = classifier(images)  # (B, n_classes)
    rows = zip(paths, confidences, top(confidences), strict=True)
    return [
        {"image": str(path), "top": [_guess(classifier, row, int(class_index)) for class_index in best]}
        for path, row, best in rows
    ]


def _guess(classifier: Classifier, confidences: np.ndarray, class_index: int) -> dict[str, Any]:
    return {
        "class_index": class_index,
        "label": classifier.labels[class_index],
        "confidence": float(confidences[class_index]),
    }
