"""`manage.py thin_histories`: drop genomes that nobody needs any more from histories of long ago."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from fooling_web.runs.thinning import CHAMPIONS, LINEAGES, Thinned, long_ended, thin
from fooling_web.users.auditing import record

LONGEST = 36500  # days


class Command(BaseCommand):
    """Thin old histories."""

    help = (
        "Drop genomes from histories of runs that ended long ago: of images that hold no class and are no ancestors "
        "of those that do. Final archives stay. Only says what would go, unless --really is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument(
            "--older-than", type=int, default=90, metavar="DAYS", help="since the run ended (default 90)"
        )
        parser.add_argument(
            "--keep",
            choices=(LINEAGES, CHAMPIONS),
            default=LINEAGES,
            help="champions and all their ancestors (the default), or champions alone",
        )
        parser.add_argument(
            "--really", action="store_true", help="do it; otherwise it is only said what would go"
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Thin, and say what went; each run that lost something stands in the audit log."""
        days, really = options["older_than"], options["really"]
        if not 0 <= days <= LONGEST:
            raise CommandError(f"--older-than {days} is out of range: give days, from 0 to {LONGEST}")
        found = []
        for run in long_ended(timezone.now() - timedelta(days=days)).order_by("created_at"):
            thinned = thin(run, options["keep"], really=really)
            if thinned.genomes:
                found.append(thinned)
                self._note(thinned, options["keep"], really)
        if options["json"]:
            self.stdout.write(json.dumps(_document(found, days, options["keep"], really)))
            return
        for thinned in found:
            self.stdout.write(f"{thinned.run.name}: {_in_words(thinned.genomes, thinned.bytes)}")
        self.stdout.write(_in_sum(found, days, really))

    def _note(self, thinned: Thinned, keep: str, really: bool) -> None:
        if really:
            outcome = f"{thinned.genomes:,} genomes dropped, {keep} kept"
            record(None, "thin history", f"{thinned.run.name} ({thinned.run.pk})", thinned.bytes, outcome)


def _document(found: list[Thinned], days: int, keep: str, really: bool) -> dict[str, Any]:
    return {
        "older_than": days,
        "keep": keep,
        "really": really,
        "genomes": sum(thinned.genomes for thinned in found),
        "bytes": sum(thinned.bytes for thinned in found),
        "runs": [
            {"run": str(thinned.run.pk), "genomes": thinned.genomes, "bytes": thinned.bytes}
            for thinned in found
        ],
    }


def _in_sum(found: list[Thinned], days: int, really: bool) -> str:
    if not found:
        return f"nothing to thin in runs that ended more than {days} days ago"
    genomes, size = sum(one.genomes for one in found), sum(one.bytes for one in found)
    runs = f"{len(found)} run{'' if len(found) == 1 else 's'}"
    if really:
        return f"dropped {_in_words(genomes, size)} from {runs}"
    return f"would drop {_in_words(genomes, size)} from {runs}; --really does it"


def _in_words(genomes: int, size: int) -> str:
    return f"{genomes:,} genome{'' if genomes == 1 else 's'}, {filesizeformat(size)}".replace("\xa0", " ")
