"""`manage.py download_classifier`: fetch the weights of a classifier that torchvision offers."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from models_zoo.downloading import download
from models_zoo.errors import ZooError
from models_zoo.torchvision_zoo import OFFERS


class Command(BaseCommand):
    """Fetch a classifier."""

    help = (
        "Fetch the weights of an ImageNet classifier through torchvision, check them by their hash, and keep them "
        "as safetensors in FOOLING_HOME/classifiers. A file that lies in FOOLING_HOME/downloads is taken instead."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("name", help=f"one of {', '.join(OFFERS)}")
        parser.add_argument("--mirror", default="", help="address of a folder that holds the files")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch, check, store, and say what came out."""
        try:
            with tqdm(unit="B", unit_scale=True, desc=options["name"], disable=None) as bar:
                entry = download(options["name"], mirror=options["mirror"], watch=_shown_on(bar))
        except ZooError as error:
            raise CommandError(str(error)) from error
        card = entry.card
        if options["json"]:
            self.stdout.write(
                json.dumps({"name": entry.name, "parameters": card["parameters"], "sha256": card["sha256"]})
            )
            return
        self.stdout.write(
            f"{entry.name}: {card['parameters']:,} parameters, hash {card['sha256'][:12]}, ready for runs"
        )


def _shown_on(bar: Any) -> Any:
    """Return what tells a progress bar of bytes that arrived."""

    def show(done: int, total: int) -> None:
        bar.total = total or None
        bar.update(done - bar.n)

    return show
