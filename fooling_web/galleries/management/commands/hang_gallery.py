"""`manage.py hang_gallery`: bring the galleries up to date, in the foreground."""

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry


class Command(BaseCommand):
    """Hang the champions of public runs in the galleries."""

    help = (
        "Bring the galleries up to date with the runs, as a worker does every few seconds; --rebuild looks at every "
        "champion again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument(
            "--rebuild", action="store_true", help="look at every champion of every run again"
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Hang, and say what was done."""
        begun = time.monotonic()
        hung = hang_all(anew=options["rebuild"])
        report = {
            **asdict(hung),
            "hanging": Entry.objects.count(),
            "seconds": round(time.monotonic() - begun, 3),
        }
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))


def _in_words(report: dict[str, Any]) -> str:
    return (
        f"Hung: {report['entries']:,} images of {report['runs']:,} runs, {report['taken_down']:,} taken down, in "
        f"{report['seconds']:.1f} s. {report['hanging']:,} hang in the galleries."
    )
