"""The pictures that a study shows: PNGs of its own, each kept once under the hash of its content.

They stay as they were when the study took them, whatever becomes of the run, the collection or the file that they
came from. An address is made of the hash, so browsers may keep a picture for ever, and nobody guesses it.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from fooling_web.studies.models import StudyImage
from models_zoo.errors import BadImages

FOLDER = "studies"
KINDS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 10_000_000  # of one upload
MOST_PIXELS = 40_000_000  # of one picture; more would fill the web process's memory
SMALLEST = 16  # pixels, of the shorter side
SIDES = {"mnist": 28}  # pixels of natural pictures beside evolved ones of a data set
SIDE = 256  # of all others, as runs on ImageNet draw theirs


@dataclass(frozen=True)
class Kept:
    """A picture that was put away."""

    name: str
    sha256: str
    side: int


def keep(picture: Image.Image) -> Kept:
    """Put a square picture away as a PNG, once however often it comes."""
    assert picture.width == picture.height
    file = io.BytesIO()
    picture.convert("L" if picture.mode in ("1", "L") else "RGB").save(file, format="PNG")
    content = file.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    name = name_of(sha256)
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(content))
    return Kept(name, sha256, picture.width)


def name_of(sha256: str) -> str:
    """Return under which name a picture lies in the storage."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}.png"


def sweep_up(hashes: set[str]) -> None:
    """Delete pictures that no study shows any more."""
    used = set(StudyImage.objects.filter(sha256__in=hashes).values_list("sha256", flat=True))
    for sha256 in hashes - used:
        default_storage.delete(name_of(sha256))


def squared(picture: Image.Image, dataset: str) -> Image.Image:
    """Return the middle of a picture, as large as a data set's natural pictures are shown."""
    side = SIDES.get(dataset, SIDE)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("RGBA", "LA", "P", "PA"):
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, "black"), seen)
    mode = "L" if dataset == "mnist" or upright.mode in ("1", "L") else "RGB"
    return ImageOps.fit(upright.convert(mode), (side, side), Image.Resampling.BICUBIC)


def read(content: bytes, name: str, dataset: str) -> Image.Image:
    """Return an uploaded PNG, JPEG or WebP as a study shows it; raises BadImages."""
    if len(content) > MOST_BYTES:
        raise BadImages(
            f"{name} has {len(content) / 1e6:.1f} MB; give a picture of at most {MOST_BYTES // 10**6} MB."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs: the number of pixels is looked at below
            picture = Image.open(io.BytesIO(content), formats=KINDS)
            _require_usual(picture, name)
            picture.load()
            return squared(picture, dataset)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImages(f"{name} cannot be read as a picture; give a PNG, JPEG or WebP.") from error


def _require_usual(picture: Image.Image, name: str) -> None:
    """Look at the size that the file's first lines tell, before anything is unpacked."""
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise BadImages(f"{name} has {width * height:,} pixels; give a picture of at most {MOST_PIXELS:,}.")
    if min(width, height) < SMALLEST:
        raise BadImages(
            f"{name} has {width} x {height} pixels; give a picture of at least {SMALLEST} x {SMALLEST}."
        )
