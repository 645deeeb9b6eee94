"""`manage.py verify_archive`: check an archive file, and ask its classifier again, without taking it in."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evolution.archive_file import ArchiveFile
from evolution.errors import EvolutionError
from fooling_web.exports.verifying import Verdict, ask_again
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Check an archive file."""

    help = "Check an archive file: hashes, genomes, whether its takeovers lead to its archive, and its confidences."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("file", type=Path, metavar="F.zip", help="the archive file")
        parser.add_argument(
            "--without-asking",
            action="store_true",
            help="do not ask the classifier about the champions again",
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Check, ask the classifier again, and say what the file holds; fail where it claims what is not so."""
        try:
            with ArchiveFile(options["file"]) as archive:
                archive.check()
                verdict = Verdict(absent="not asked") if options["without_asking"] else ask_again(archive)
                report = {**_report(archive), **_found(verdict)}
        except (EvolutionError, ZooError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report, verdict))
        if verdict.far:
            worst = verdict.far[0]
            raise CommandError(
                f"{options['file']} claims what is not so: of {len(verdict.far):,} champions the classifier is surer "
                f"or less sure than it says, most of class {worst.class_index}: {worst.found:.6f}, "
                f"not {worst.claimed:.6f}"
            )


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


def _found(verdict: Verdict) -> dict[str, Any]:
    return {
        "asked_again": len(verdict.differences),
        "not_asked_because": verdict.absent,
        "largest_difference": verdict.largest,
        "mean_difference": verdict.mean,
        "champions_that_differ": [one.class_index for one in verdict.far],
    }


def _asked(verdict: Verdict) -> str:
    if verdict.absent:
        return f"Its champions were not asked about again: {verdict.absent}."
    return (
        f"Asked again about {len(verdict.differences):,} champions, its classifier differs by "
        f"{verdict.largest:.1g} at most and {verdict.mean:.1g} in the mean."
    )


def _in_words(report: dict[str, Any], verdict: Verdict) -> str:
    return (
        f"{report['file']} is whole: {report['name']}, generation {report['generation']}, "
        f"{report['classes']:,} champions, {report['individuals']:,} individuals, {report['takeovers']:,} takeovers "
        f"({report['holds']}), archive {report['archive_sha256'][:16]}…\n"
        f"{_asked(verdict)}"
    )
