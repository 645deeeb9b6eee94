"""`manage.py export_archive`: write a run to a file that another site can import."""

import json
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evolution.archive_writing import thinned
from evolution.errors import EvolutionError
from fooling_web.exports.exporting import export_archive
from fooling_web.runs.models import Run
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Write a run to an archive file."""

    help = (
        "Write a run with its whole history to an archive file, which any site can import and anybody check."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("run", help="its number, as in the address of its page")
        parser.add_argument("--output", type=Path, required=True, metavar="F.zip", help="the file to write")
        thinner = parser.add_mutually_exclusive_group()
        thinner.add_argument(
            "--champions-only",
            action="store_true",
            help="leave out genomes that hold no class: many times smaller",
        )
        thinner.add_argument(
            "--lineages-only",
            action="store_true",
            help="leave out genomes that neither hold a class nor are ancestors of such",
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Export, and say what came out."""
        run, output = _run(options["run"]), options["output"]
        holds = thinned(champions_only=options["champions_only"], lineages_only=options["lineages_only"])
        try:
            sha256 = export_archive(run, output, holds=holds)
        except OSError as error:
            raise CommandError(
                f"{output} cannot be written ({error.strerror}); name another --output"
            ) from error
        except (EvolutionError, ZooError) as error:
            raise CommandError(str(error)) from error
        size = output.stat().st_size
        if options["json"]:
            report = {"run": str(run.pk), "file": str(output), "bytes": size, "archive_sha256": sha256}
            self.stdout.write(json.dumps(report))
            return
        self.stdout.write(f"{output}: {size:,} bytes, archive {sha256[:16]}…")


def _run(text: str) -> Run:
    """Return the run of this number; its page's address may stand around it."""
    try:
        return Run.objects.get(pk=uuid.UUID(text.rstrip("/").rpartition("/")[2]))
    except (ValueError, Run.DoesNotExist):
        raise CommandError(
            f"no run has the number {text[:60]!r}; it stands in the address of the run's page"
        ) from None
