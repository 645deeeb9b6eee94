"""`manage.py load_newcomers_gallery`: runs that came with the project, so that a new site has something to show."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import IntegrityError, transaction

from evolution.errors import EvolutionError
from fooling_web.exports.importing import AlreadyImported, file_sha256, import_archive
from fooling_web.exports.models import GalleryFile
from fooling_web.home import gallery
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Take in every archive file of the gallery that this site has not had yet."""

    help = "Take in every archive file of the gallery that this site has not had yet; what was deleted stays away."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("--folder", type=Path, default=gallery(), help="where the archive files lie")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Import; a file that is damaged does not keep the others out, nor the site from starting."""
        loaded = set(GalleryFile.objects.values_list("sha256", flat=True))
        for path in sorted(options["folder"].glob("*.zip")):
            sha256 = file_sha256(path)
            if sha256 not in loaded:
                self._load(path, sha256)

    def _load(self, path: Path, sha256: str) -> None:
        """Import a file and note it together, so that of two starts at once one loads it, and whole."""
        try:
            with transaction.atomic():
                GalleryFile.objects.create(sha256=sha256, name=path.name)
                run = import_archive(path)
        except AlreadyImported:
            GalleryFile.objects.get_or_create(sha256=sha256, defaults={"name": path.name})
            return
        except IntegrityError:
            return
        except (EvolutionError, ZooError) as error:
            self.stderr.write(f"the gallery's {path.name} was left out: {error}")
            return
        self.stdout.write(f"Imported: {run.name}")
