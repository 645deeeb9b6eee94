"""`manage.py import_pictures`: take plain pictures with a table of classes into this site."""

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fooling_web.exports.importing import AlreadyImported
from fooling_web.exports.management.commands.import_archive import owner_called
from fooling_web.exports.picture_files import PicturesRefused
from fooling_web.exports.pictures_in import import_pictures
from fooling_web.runs.models import Run
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Take plain pictures into this site, as one run."""

    help = (
        "Take PNG, JPEG and WebP pictures with a table of their classes into this site, as one run: all of them or "
        "none. The classifier is asked about each where its weights are here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("path", type=Path, metavar="PATH", help="a folder or a ZIP of pictures")
        parser.add_argument("--classifier", required=True, help="whose classes the table names")
        parser.add_argument(
            "--csv",
            type=Path,
            metavar="classes.csv",
            help="the table; else the one that lies with the pictures",
        )
        parser.add_argument(
            "--owner", help="the account that the run shall belong to; else to administrators"
        )
        parser.add_argument("--visibility", default="public", help=" or ".join(Run.Visibility.values))
        parser.add_argument(
            "--name", default="", help="shown on the site; else the name of the folder or ZIP"
        )
        parser.add_argument(
            "--anyway", action="store_true", help="take in what is here already as the run of somebody else"
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Import, and say what came in."""
        if options["visibility"] not in Run.Visibility.values:
            raise CommandError(
                f"visibility {options['visibility']!r} is unknown; choose one of "
                f"{', '.join(Run.Visibility.values)}"
            )
        if options["csv"] and options["path"].is_dir() and not options["csv"].is_file():
            options["csv"] = options["path"] / options["csv"]
        begun = time.monotonic()
        try:
            run = import_pictures(
                options["path"],
                classifier=options["classifier"],
                table=options["csv"],
                owner=owner_called(options["owner"]),
                visibility=options["visibility"],
                name=options["name"],
                anyway=options["anyway"],
            )
        except AlreadyImported as error:
            is_own = error.run.owner == owner_called(options["owner"])
            raise CommandError(f"{error}{'' if is_own else '; --anyway takes in another copy'}") from error
        except (PicturesRefused, ZooError, OSError) as error:
            raise CommandError(str(error)) from error
        report = report_of(run, time.monotonic() - begun)
        self.stdout.write(json.dumps(report) if options["json"] else in_words(run, report))


def report_of(run: Run, seconds: float) -> dict[str, Any]:
    """Return what came in."""
    return {
        "run": str(run.pk),
        "pictures": run.individuals.count(),
        "classes": run.champions.count(),
        "confidences": Run.CLAIMED if run.is_claimed else "measured",
        "median_confidence": run.median_confidence,
        "archive_sha256": (run.origin or {})["archive_sha256"],
        "seconds": round(seconds, 3),
    }


def in_words(run: Run, report: dict[str, Any]) -> str:
    """Return the same for people."""
    return (
        f"Imported: {run.name}, {report['pictures']:,} pictures of {report['classes']:,} classes, their confidences "
        f"{report['confidences']}, in {report['seconds']:.1f} s: {run.get_absolute_url()}"
    )
