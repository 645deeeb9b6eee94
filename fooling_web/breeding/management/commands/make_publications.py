"""`manage.py make_publications`: fill a site with imagined published pictures and their families."""

import json
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from fooling_web.breeding.models import Publication
from fooling_web.galleries.imagining import let_the_planner_know
from fooling_web.runs.management.numbers import whole
from fooling_web.runs.models import Run

MOST = 1_000_000


class Command(BaseCommand):
    """Fill a site with imagined published pictures."""

    help = (
        "Fill a site with imagined published pictures and their families, for demonstrations and measurements: what "
        "the classifier says of them, their stars and dates are drawn. Meant for a site of its own (FOOLING_HOME)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("--publications", default="300", metavar="N", help="how many pictures (300)")
        parser.add_argument("--seed", default="1", help="of all that is drawn (1)")
        parser.add_argument("--add", action="store_true", help="go ahead though the site has runs already")
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Imagine, and say how much."""
        from fooling_web.breeding.imagining import imagine_publications  # brings in the compiler

        count = whole("publications", options["publications"], 300) or 0
        seed = whole("seed", options["seed"], 1) or 0
        if not 1 <= count <= MOST:
            raise CommandError(f"publications {count} is out of range: it must lie between 1 and {MOST:,}")
        call_command("migrate", verbosity=0)
        if Run.objects.exists() and not options["add"]:
            raise CommandError(
                "this site has runs already; choose an empty one by FOOLING_HOME, or --add imagined ones to them"
            )
        begun = time.monotonic()
        with tqdm(total=count, unit="picture", disable=None) as bar:
            for number in imagine_publications(count, seed):
                bar.update(number)
        let_the_planner_know()
        report = {
            "publications": count,
            "published": Publication.objects.count(),
            "seconds": round(time.monotonic() - begun, 1),
        }
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))


def _in_words(report: dict[str, Any]) -> str:
    return (
        f"Imagined: {report['publications']:,} published pictures in {report['seconds']:,.0f} s. "
        f"The site has {report['published']:,} now."
    )
