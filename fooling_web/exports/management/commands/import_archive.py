"""`manage.py import_archive`: take a run into this site from a file."""

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evolution.errors import EvolutionError
from fooling_web.exports.bundles import import_bundle, is_bundle
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.runs.models import Run
from fooling_web.users.models import User
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Take a run into this site from an archive file, with its whole history."""

    help = (
        "Take a run into this site from an archive file, as `export_archive` or `python -m standalone evolve` "
        "wrote it: with its whole history, or not at all. A ZIP of several comes in as a whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("file", type=Path, metavar="F.zip", help="the archive file, or a ZIP of several")
        parser.add_argument(
            "--owner", help="the account that the run shall belong to; else to administrators"
        )
        parser.add_argument("--visibility", default="public", help=" or ".join(Run.Visibility.values))
        parser.add_argument("--name", default="", help="shown on the site; else the name in the file")
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
        begun = time.monotonic()
        try:
            runs = _imported(options)
        except AlreadyImported as error:
            is_own = error.run.owner == owner_called(options["owner"])
            remedy = "" if is_own else "; --anyway takes in another copy"
            raise CommandError(f"{error}{remedy}") from error
        except (EvolutionError, ZooError, OSError) as error:
            raise CommandError(str(error)) from error
        reports = [report_of(run, time.monotonic() - begun) for run in runs]
        if options["json"]:
            self.stdout.write(json.dumps({"runs": reports} if is_bundle(options["file"]) else reports[0]))
            return
        for run, report in zip(runs, reports, strict=True):
            self.stdout.write(in_words(run, report))


def _imported(options: dict[str, Any]) -> list[Run]:
    """Take in the runs of a file: one, or those of a ZIP of several, together or not at all."""
    path, owner, visibility = options["file"], owner_called(options["owner"]), options["visibility"]
    anyway = options["anyway"]
    if not is_bundle(path):
        name = options["name"]
        return [import_archive(path, owner=owner, visibility=visibility, name=name, anyway=anyway)]
    if options["name"]:
        raise CommandError("--name is for a single run; leave it out, and each keeps the name in its file")
    return import_bundle(path, owner=owner, visibility=visibility, anyway=anyway)


def report_of(run: Run, seconds: float) -> dict[str, Any]:
    """Return what came in."""
    return {
        "run": str(run.pk),
        "status": str(run.status),
        "generation": run.generation,
        "individuals": run.individuals.count(),
        "takeovers": run.takeovers.count(),
        "classes": run.champions.count(),
        "archive_sha256": (run.origin or {})["archive_sha256"],
        "seconds": round(seconds, 3),
    }


def in_words(run: Run, report: dict[str, Any]) -> str:
    """Return the same for people."""
    return (
        f"Imported: {run.name}, {report['classes']:,} champions, {report['individuals']:,} individuals and "
        f"{report['takeovers']:,} takeovers, in {report['seconds']:.1f} s: {run.get_absolute_url()}"
    )


def owner_called(name: str | None) -> User | None:
    """Return the account that a command names."""
    if name is None:
        return None
    owner = User.objects.filter(username__iexact=name).first()
    if owner is None:
        raise CommandError(f"no account is called {name!r}; sign up on the site first, or leave --owner out")
    return owner
