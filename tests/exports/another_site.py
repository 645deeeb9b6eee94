"""Another site on this machine, with a home and a database of its own: what came in there, and what was born there.

`python -m tests.exports.another_site FOLDER` takes in each file of `FOLDER/sent`, writes down what it holds of it
then (`FOLDER/came/NAME.json`) and exports it again (`FOLDER/came/NAME.zip`); then it does the like for runs of its
own (`FOLDER/born`). Home and database are those that the environment names.
"""

import json
import os
import sys
from pathlib import Path

import django


def main(folder: Path) -> None:
    """Take in and send out."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fooling_web.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.conf import settings

    from fooling_web.exports.importing import import_archive
    from fooling_web.runs.models import Run
    from tests.exports.recorded import SMALL, recorded

    settings.RUN_FLUSH_SECONDS = 0

    def write_down(run: Run, path: Path) -> None:
        from fooling_web.exports.exporting import export_archive

        path.parent.mkdir(exist_ok=True)
        export_archive(run, path.with_suffix(".zip"))
        path.with_suffix(".json").write_text(json.dumps(recorded(run)))

    for file in sorted((folder / "sent").iterdir()):
        write_down(import_archive(file), folder / "came" / file.name)
    for number, made in enumerate(SMALL.values()):
        write_down(made(), folder / "born" / f"{number}.zip")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
