"""`manage.py export_study`: write a study's data, images and design to a ZIP."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fooling_web.studies.files_views import DEED
from fooling_web.studies.filing import PHASES, write_study
from fooling_web.studies.models import Study
from fooling_web.users.auditing import record


class Command(BaseCommand):
    """Write a study to a file."""

    help = "Write every trial of a study, its images, design and codebook to a ZIP, but not who people are."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument(
            "study", metavar="STUDY", help="its number, as in its address, or the code of its link"
        )
        parser.add_argument("--output", type=Path, required=True, metavar="F.zip", help="the file to write")
        parser.add_argument("--phase", choices=PHASES, help="this phase alone (both)")
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Write the file whole, or not at all, and say what is in it."""
        study, output = _study(options["study"]), options["output"]
        aside = output.with_name(f".{output.name}.part")
        try:
            with aside.open("wb") as target:
                counts = write_study(study, target, [options["phase"]] if options["phase"] else PHASES)
            os.replace(aside, output)
        except OSError as error:
            raise CommandError(
                f"{output} cannot be written: {error.strerror}; choose another place"
            ) from error
        finally:
            aside.unlink(missing_ok=True)
        record(None, DEED, f"{study.title} ({study.pk})", size=output.stat().st_size)
        report = {"study": str(study.pk), "title": study.title, "file": str(output), "rows": counts}
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))


def _study(told: str) -> Study:
    try:
        found = Study.objects.filter(pk=uuid.UUID(told)).first()
    except ValueError:
        found = Study.objects.filter(code=told.upper()).first()
    if found is None:
        raise CommandError(f"no study is {told}; give its number or the code of its link")
    return found


def _in_words(report: dict[str, Any]) -> str:
    tables = ", ".join(f"{name} {count:,}" for name, count in report["rows"].items())
    return f"{report['file']}: {report['title']}; rows: {tables}"
