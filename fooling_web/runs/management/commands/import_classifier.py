"""`manage.py import_classifier`: take in a classifier of one's own."""

import json
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from models_zoo.architectures import MNIST
from models_zoo.describing import describe, read_labels, require_importable
from models_zoo.errors import ZooError
from models_zoo.imported import Description, Measured, require_free
from models_zoo.importing import Candidate, known_by_card_alone, prepare
from models_zoo.trial import LabelledPicture, a_few, labelled_pictures, measure, other_order, suggestion

TYPED = ("architecture", "input_size", "channel_order", "scale", "mean", "std", "resize", "labels")
FOR_DIGITS = {  # what an MNIST architecture takes unless something else is said
    "input_size": "28",
    "channel_order": "grey",
    "scale": "1",
    "mean": "0",
    "std": "1",
    "resize": "squash:28",
    "labels": "mnist",
}


class Command(BaseCommand):
    """Take a classifier in."""

    help = (
        "Take in a classifier of your own: safetensors weights for a known architecture. Pictures are resized, "
        "values scaled to 0..scale, then (value - mean) / std in the given channel order, then the centre crop of "
        "input-size. Never a pickle. Where the site knows a classifier by its card alone, name and weights suffice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("name", help="small letters, digits and hyphens")
        parser.add_argument("--weights", required=True, type=Path, help="safetensors file")
        parser.add_argument("--architecture", help="torchvision:squeezenet1_1 and the like, mnist-lenet, ...")
        parser.add_argument("--input-size", help="side of the network's input in pixels, such as 227")
        parser.add_argument("--channel-order", help="rgb, bgr or grey")
        parser.add_argument("--scale", help="what white is, such as 255 or 1")
        parser.add_argument("--mean", help="subtracted, one number a channel: 104,117,123")
        parser.add_argument("--std", help="divided by, one number a channel: 1,1,1")
        parser.add_argument("--resize", help="squash:256, short:256 or none")
        parser.add_argument(
            "--interpolation", default="bilinear", help="bilinear (the default), bicubic or nearest"
        )
        parser.add_argument(
            "--labels", help="imagenet, mnist or a file with one label a line, in class order"
        )
        parser.add_argument("--title", default="", help="its name for people")
        parser.add_argument("--licence", default="", help="of the weights")
        parser.add_argument(
            "--accuracy-on", type=Path, metavar="FOLDER", help="try it on pictures with a labels.csv first"
        )
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, try, store, and say what came out."""
        try:
            candidate, hint = _candidate(options)
            entry = candidate.store()
        except ZooError as error:
            raise CommandError(str(error)) from error
        measured = candidate.card.measured
        if options["json"]:
            self.stdout.write(json.dumps(_facts(candidate, measured, hint)))
            return
        if measured:
            self.stdout.write(_in_words(measured))
        if hint:
            self.stdout.write(hint)
        self.stdout.write(
            f"{entry.name}: {entry.n_classes} labels, {candidate.card.parameters:,} parameters, "
            f"hash {candidate.card.sha256[:12]}, ready for runs"
        )


def _candidate(options: dict[str, Any]) -> tuple[Candidate, str]:
    """Return what is to be stored, tried where that was asked for, and a hint at a wrong channel order."""
    description = _description(options)
    require_importable(description)
    folder = options["accuracy_on"]
    pictures = labelled_pictures(folder, len(description.label_names)) if folder else []
    candidate = prepare(description, options["weights"])
    if not pictures:
        return candidate, ""
    candidate.card = replace(candidate.card, measured=_measured(candidate, pictures))
    return candidate, _hint(candidate, pictures)


def _description(options: dict[str, Any]) -> Description:
    known = known_by_card_alone(options["name"])
    typed = {name: options[name] for name in TYPED}
    if known and not any(typed.values()):
        return known.description
    if not known:
        require_free(options["name"])
    if typed["architecture"] in MNIST:
        typed = {name: given or FOR_DIGITS.get(name) for name, given in typed.items()}
    absent = [f"--{name.replace('_', '-')}" for name, given in typed.items() if given is None]
    if absent:
        raise CommandError(f"a classifier needs {', '.join(absent)} too")
    labels = read_labels(typed.pop("labels"))
    others = {name: options[name] for name in ("interpolation", "title", "licence")}
    return describe(name=options["name"], labels=labels, **typed, **others)


def _measured(candidate: Candidate, pictures: list[LabelledPicture]) -> Measured:
    """Try it on all the pictures; the bar is drawn on a terminal only."""
    with tqdm(total=len(pictures), unit="picture", disable=None) as bar:
        for measured in measure(candidate.classifier(), pictures):
            bar.update(measured.images - bar.n)
    return measured


def _hint(candidate: Candidate, pictures: list[LabelledPicture]) -> str:
    turned = other_order(candidate.entry.preprocessing.channel_order)
    if not turned:
        return ""
    few = a_few(pictures)
    *_, own = measure(candidate.classifier(), few)
    *_, other = measure(candidate.classifier(channel_order=turned), few)
    return suggestion(own, other, turned)


def _in_words(measured: Measured) -> str:
    return (
        f"{measured.images} pictures: top-1 {measured.top_1:.3f}, top-5 {measured.top_5:.3f}, "
        f"median top-1 confidence {measured.median_confidence:.3f}"
    )


def _facts(candidate: Candidate, measured: Measured | None, hint: str) -> dict[str, Any]:
    return {
        "name": candidate.entry.name,
        "labels": candidate.entry.n_classes,
        "parameters": candidate.card.parameters,
        "sha256": candidate.card.sha256,
        "accuracy": measured and asdict(measured),
        "hint": hint,
    }
