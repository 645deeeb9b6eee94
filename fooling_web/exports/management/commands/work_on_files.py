"""`manage.py work_on_files out|in`: pack or take in what waits, and end; workers start this aside."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fooling_web.exports.aside import OUT, WAYS, do_without, give_way, tied_to
from fooling_web.exports.working import work_off


class Command(BaseCommand):
    """Work off what waits."""

    help = (
        "Pack the archive files that people asked for (out), or take in those that they sent (in), until nothing "
        "waits. Workers start this by themselves, at low priority."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("way", choices=WAYS)
        parser.add_argument(
            "--parent", type=int, default=0, metavar="PID", help="end when this process, the parent, is gone"
        )

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Work, and say how many jobs were tried."""
        for end in (signal.SIGTERM, signal.SIGINT):
            signal.signal(end, _stop)
        give_way()
        if options["way"] == OUT:
            do_without(
                "pandas", "scipy"
            )  # Parquet and the drawing kernels load them to look for what is not here
        with tied_to(options["parent"]):
            count = work_off(options["way"])
        if not options["parent"]:
            self.stdout.write(f"{count} job{'' if count == 1 else 's'} worked on.")


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
