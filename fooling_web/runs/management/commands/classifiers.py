"""`manage.py classifiers`: the classifiers that runs can try to fool."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from models_zoo.cards import Card
from models_zoo.errors import ZooError
from models_zoo.registry import CLASSIFIERS, ClassifierEntry

ROW = "{:<15} {:<12} {:>6}  {:<8} {:>10}  {}"


class Command(BaseCommand):
    """List the classifiers."""

    help = "List the classifiers: name, title, number of labels, input, test error and hash of the weights."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the table or the JSON; what is damaged does not hide the rest."""
        facts = [self._facts(entry) for entry in CLASSIFIERS.values()]
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(ROW.format("name", "title", "labels", "input", "test error", "sha256"))
        for fact in facts:
            self.stdout.write(_row(fact))

    def _facts(self, entry: ClassifierEntry) -> dict[str, Any]:
        card = self._card(entry)
        return {
            "name": entry.name,
            "title": entry.title,
            "summary": entry.summary,
            "labels": entry.n_classes,
            "input": [entry.channels, entry.height, entry.width],
            "test_error_percent": card and card["test_error_percent"],
            "weights_sha256": card and card["sha256"],
        }

    def _card(self, entry: ClassifierEntry) -> Card | None:
        try:
            entry.require_weights()
            return entry.card
        except ZooError as error:
            self.stderr.write(str(error))
            return None


def _row(fact: dict[str, Any]) -> str:
    size = "x".join(str(number) for number in fact["input"])
    error, sha256 = "damaged", ""
    if fact["weights_sha256"]:
        error, sha256 = f"{fact['test_error_percent']:.2f} %", fact["weights_sha256"][:12]
    return ROW.format(fact["name"], fact["title"], fact["labels"], size, error, sha256).rstrip()
