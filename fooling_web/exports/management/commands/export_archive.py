"""`manage.py export_archive`: write runs to a file that another site can import and anybody can open."""

import json
import uuid
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evolution.errors import EvolutionError, ParameterError
from fooling_web.exports.packing import PICTURE_SIZES, Choices, Packed, Thinness, pack, pack_many
from fooling_web.runs.kinds import classes_told
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.auditing import record
from models_zoo.errors import ZooError

DEED = "export"


class Command(BaseCommand):
    """Write runs to an archive file."""

    help = (
        "Write a run with its whole history to an archive file, which any site can import and anybody check, and "
        "which explains itself to whoever opens it. Several runs, or those of a sweep, give a ZIP of such files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        sizes = ", ".join(map(str, PICTURE_SIZES[1:]))
        parser.add_argument(
            "runs", nargs="*", metavar="RUN", help="its number, as in the address of its page; one or more"
        )
        parser.add_argument("--sweep", help="all runs of the sweep of this number")
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
        parser.add_argument(
            "--pictures",
            default="256",
            metavar="SIZE",
            help=f"pixels a side of the champions' PNGs: {sizes}, or 0 for none (256)",
        )
        parser.add_argument(
            "--classes", default="", help="these alone: 0,3-5,starfish; such a file is not imported"
        )
        parser.add_argument(
            "--at-least",
            default="0",
            metavar="CONFIDENCE",
            help="champions so sure alone, 0 to 1; not imported either",
        )
        parser.add_argument(
            "--tables", action=BooleanOptionalAction, default=True, help="tables as Parquet, beside the CSV"
        )
        parser.add_argument(
            "--authors",
            action="store_true",
            help="add the layout of the files that the paper's authors wrote",
        )
        parser.add_argument(
            "--plain",
            action="store_true",
            help="only what a site needs to take the run in: the smallest file",
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Export, write that down, and say what came out."""
        runs, output = _runs(options["runs"], options["sweep"]), options["output"]
        try:
            choices = _choices(runs, options)
            is_one = len(runs) == 1 and not options["sweep"]
            packed = pack(runs[0], output, choices) if is_one else pack_many(runs, output, choices)
        except OSError as error:
            raise CommandError(
                f"{output} cannot be written ({error.strerror}); name another --output"
            ) from error
        except (EvolutionError, ZooError) as error:
            raise CommandError(str(error)) from error
        for run in runs:
            record(None, DEED, f"{run.name or 'untitled'} ({run.pk}) to {output.name}", size=packed.size)
        self.stdout.write(
            json.dumps(_report(runs, output, packed)) if options["json"] else _words(output, packed)
        )


def _choices(runs: list[Run], options: dict[str, Any]) -> Choices:
    history: Thinness = "whole"
    if options["champions_only"] or options["lineages_only"]:
        history = "champions" if options["champions_only"] else "lineages"
    return Choices(
        history=history,
        pictures=_number(options["pictures"]),
        classes=_classes(runs, options["classes"]),
        at_least=_confidence(options["at_least"]),
        tables=options["tables"],
        authors=options["authors"],
        plain=options["plain"],
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise ParameterError(
            f"pictures of {text[:20]!r} pixels are not offered: choose {PICTURE_SIZES[1:]}, or 0"
        )
    return int(text)


def _confidence(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"{text[:20]!r} is no confidence: give a number between 0 and 1") from None


def _classes(runs: list[Run], text: str) -> tuple[int, ...]:
    """Return the classes that are named; runs of other labels must not be asked for the same names."""
    if not text:
        return ()
    found = {classes_told(text, run.classifier_entry.labels) for run in runs}
    if len(found) > 1:
        raise ParameterError(f"{text[:40]!r} means other classes to other classifiers; export run by run")
    return found.pop()


def _report(runs: list[Run], output: Path, packed: Packed) -> dict[str, Any]:
    what: dict[str, Any] = {"run": str(runs[0].pk), "archive_sha256": packed.archive_sha256}
    if not packed.archive_sha256:
        what = {"runs": [str(run.pk) for run in runs]}
    facts = {"bytes": packed.size, "file_sha256": packed.sha256, "pictures": packed.pictures}
    return {**what, "file": str(output), **facts}


def _words(output: Path, packed: Packed) -> str:
    pictures = f", {packed.pictures:,} pictures" if packed.pictures else ""
    archive = f", archive {packed.archive_sha256[:16]}…" if packed.archive_sha256 else ""
    return f"{output}: {packed.size:,} bytes{pictures}{archive}"


def _runs(numbers: list[str], sweep: str | None) -> list[Run]:
    """Return the runs that are meant, each once."""
    if not numbers and not sweep:
        raise CommandError("no run was named; give the number of one or more, or --sweep")
    found = [_run(number) for number in numbers] + (_runs_of_sweep(sweep) if sweep else [])
    return list(dict.fromkeys(found))


def _run(text: str) -> Run:
    """Return the run of this number; its page's address may stand around it."""
    try:
        return Run.objects.get(pk=_key(text))
    except (ValueError, Run.DoesNotExist):
        raise CommandError(
            f"no run has the number {text[:60]!r}; it stands in the address of the run's page"
        ) from None


def _runs_of_sweep(text: str) -> list[Run]:
    try:
        found = list(
            Run.objects.filter(sweep=Sweep.objects.get(pk=_key(text))).order_by("seed", "created_at")
        )
    except (ValueError, Sweep.DoesNotExist):
        raise CommandError(
            f"no sweep has the number {text[:60]!r}; it stands in the address of the sweep's page"
        ) from None
    if not found:
        raise CommandError(f"the sweep {text[:60]!r} has no runs left; name another")
    return found


def _key(text: str) -> uuid.UUID:
    return uuid.UUID(text.rstrip("/").rpartition("/")[2])
