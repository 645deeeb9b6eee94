"""Studies as tests of their building need them: images of small runs in the galleries, digits, and uploads."""

import io
import random
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from fooling_web.galleries.hanging import hang
from fooling_web.runs.models import Run
from fooling_web.studies import building
from fooling_web.studies.choosing import Asked, add_evolved
from fooling_web.studies.models import Study
from fooling_web.studies.naturals import add_digits
from tests.factories import executed, launched


def hung(owner: Any, **choices: Any) -> Run:
    """Return a small run whose champions hang in the galleries."""
    run = executed(launched(owner=owner, **choices))
    hang(run)
    return run


def drafted(owner: Any, preset: str = "", count: int = 6, **design: Any) -> Study:
    """Store a study with evolved images, practice and catch images of digits."""
    study = building.begin(owner, preset)
    study.design = {**study.design, **design}
    study.save()
    if count:
        add_evolved(study, owner, Asked(count=count), random.Random(1))
        add_digits(study, 2, role="catch", classifier="", rng=random.Random(1))
    return study


def sent(name: str = "goldfish.png", kind: str = "PNG", size: tuple[int, int] = (300, 200)) -> Any:
    """Return an upload of a plain picture."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(file, format=kind)
    return SimpleUploadedFile(name, file.getvalue())
