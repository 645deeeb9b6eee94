"""`manage.py verify_archive`: check an archive file from end to end, without taking it in."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evolution.archive_file import ArchiveFile
from evolution.errors import EvolutionError


class Command(BaseCommand):
    """Check an archive file."""

    help = "Check an archive file from end to end: hashes, genomes, and whether its takeovers lead to its archive."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("file", type=Path, metavar="F.zip", help="the archive file")
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Check, and say what the file holds."""
        try:
            with ArchiveFile(options["file"]) as archive:
                archive.check()
                report = _report(archive)
        except EvolutionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))


def _report(archive: ArchiveFile) -> dict[str, Any]:
    return {
        "file": str(archive.path),
        "name": archive.run.name,
        "classifier": archive.run.classifier["name"],
        "seed": archive.run.seed,
        "generation": archive.generation,
        "evaluations": archive.evaluations,
        "classes": len(archive.champions),
        **archive.counts,
        "holds": archive.holds,
        "can_go_on": not archive.is_finished and archive.random_state is not None,
        "archive_sha256": archive.archive_sha256,
    }


def _in_words(report: dict[str, Any]) -> str:
    return (
        f"{report['file']} is whole: {report['name']}, generation {report['generation']}, "
        f"{report['classes']:,} champions, {report['individuals']:,} individuals, {report['takeovers']:,} takeovers "
        f"({report['holds']}), archive {report['archive_sha256'][:16]}…"
    )
