"""A process that takes a ZIP of several runs into a site of its own, after another was killed over it there.

`python -m tests.exports.killed_import FILE` writes how many runs are to be seen and how many there are in all, first
as the killed process left them, then when the file is in. The site's home is the one that the environment names.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import django


def main(file: Path) -> None:
    """Let a child die after the first run, so that no line of Python hears of it; then take the file in."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fooling_web.settings"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from fooling_web.exports import bundles
    from fooling_web.runs.models import Run

    connection.close()  # a process has its own
    if not (child := os.fork()):
        die_over(file)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    left = Run.objects.count(), Run.everything.count()
    bundles.import_bundle(file)
    print(*left, Run.objects.count(), Run.everything.count())


def die_over(file: Path) -> None:
    """Take in one run of a file, and never return."""
    from fooling_web.exports import bundles, importing

    taken_in: list[Path] = []

    def import_or_die(path: Path, **options: Any) -> Any:
        if taken_in:
            os.kill(os.getpid(), signal.SIGKILL)
        taken_in.append(path)
        return importing.import_archive(path, **options)

    vars(bundles)["import_archive"] = import_or_die
    bundles.import_bundle(file)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
