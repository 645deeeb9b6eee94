"""`manage.py classifiers`: the classifiers that runs can try to fool."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from models_zoo.errors import WeightsMissing, ZooError
from models_zoo.registry import ClassifierEntry, all_entries

ROW = "{:<20} {:<20} {:>6}  {:<9} {:>10}  {:<8} {}"


class Command(BaseCommand):
    """List the classifiers."""

    help = (
        "List the classifiers: name, title, number of labels, image, test error, whether the weights are here, "
        "absent (download_classifier fetches them) or damaged, and their hash."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the table or the JSON; what is damaged does not hide the rest."""
        facts = [self._facts(entry) for entry in all_entries()]
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        headings = ("name", "title", "labels", "image", "test error", "weights", "sha256")
        self.stdout.write(ROW.format(*headings))
        for fact in facts:
            self.stdout.write(_row(fact))

    def _facts(self, entry: ClassifierEntry) -> dict[str, Any]:
        weights, error_percent, sha256 = self._state(entry), None, None
        if weights != "damaged":
            error_percent = entry.card["test_error_percent"]
        if weights == "here":
            sha256 = entry.card["sha256"]
        return {
            "name": entry.name,
            "title": entry.title,
            "summary": entry.summary,
            "dataset": entry.dataset,
            "labels": entry.n_classes,
            "input": [entry.channels, entry.height, entry.width],
            "test_error_percent": error_percent,
            "weights": weights,
            "weights_sha256": sha256,
        }

    def _state(self, entry: ClassifierEntry) -> str:
        try:
            entry.require_weights()
        except WeightsMissing as error:
            if entry.published:
                return "absent"
            self.stderr.write(str(error))
        except ZooError as error:
            self.stderr.write(str(error))
        else:
            return "here"
        return "damaged"


def _row(fact: dict[str, Any]) -> str:
    size = "x".join(str(number) for number in fact["input"])
    error = "" if fact["test_error_percent"] is None else f"{fact['test_error_percent']:.2f} %"
    sha256 = (fact["weights_sha256"] or "")[:12]
    row = ROW.format(fact["name"], fact["title"], fact["labels"], size, error, fact["weights"], sha256)
    return row.rstrip()
