"""`manage.py make_gallery`: fill a site with imagined runs, to try out how it bears many images."""

import json
import time
from contextlib import nullcontext
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from fooling_web.galleries.imagining import imagine_site, let_the_planner_know, without_indexes
from fooling_web.galleries.models import Entry
from fooling_web.runs.management.numbers import whole
from fooling_web.runs.models import Run

MOST = 10_000_000
WORTH_IT = 50_000  # champions from which on indexes are built at the end


class Command(BaseCommand):
    """Fill a site with imagined runs."""

    help = (
        "Fill a site with imagined runs, people and opinions, so that one sees how it bears many images: their "
        "confidences are drawn, not measured. Meant for a site of its own (FOOLING_HOME)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument(
            "--champions", default="100000", metavar="N", help="how many images hang (100000)"
        )
        parser.add_argument("--seed", default="1", help="of all that is drawn (1)")
        parser.add_argument("--add", action="store_true", help="go ahead though the site has runs already")
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Imagine, and say how much."""
        champions = whole("champions", options["champions"], 100_000) or 0
        seed = whole("seed", options["seed"], 1) or 0
        if not 1 <= champions <= MOST:
            raise CommandError(f"champions {champions} is out of range: it must lie between 1 and {MOST:,}")
        call_command("migrate", verbosity=0)
        is_empty = not Run.objects.exists()
        if not is_empty and not options["add"]:
            raise CommandError(
                "this site has runs already; choose an empty one by FOOLING_HOME, or --add imagined ones to them"
            )
        begun = time.monotonic()
        with (
            without_indexes() if is_empty and champions >= WORTH_IT else nullcontext(),
            tqdm(total=champions, unit="champion", disable=None) as bar,
        ):
            for count in imagine_site(champions, seed):
                bar.update(count)
        let_the_planner_know()
        report = {
            "champions": champions,
            "runs": Run.objects.count(),
            "hanging": Entry.objects.count(),
            "seconds": round(time.monotonic() - begun, 1),
        }
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))


def _in_words(report: dict[str, Any]) -> str:
    return (
        f"Imagined: {report['champions']:,} champions in {report['seconds']:,.0f} s. The site has "
        f"{report['runs']:,} runs now, and {report['hanging']:,} images hang in its galleries."
    )
