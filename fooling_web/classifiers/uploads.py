"""Turns pictures that a person sends into images of a classifier's size, and into small pictures for the answer."""

import base64
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from models_zoo.errors import BadImages
from models_zoo.pictures import read_picture
from models_zoo.registry import ClassifierEntry

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]  # generic in its stubs only
else:
    Upload = UploadedFile

MOST_PIXELS = 40_000_000  # of one picture; more would fill the web process's memory
LONGEST_SHAPE = 20  # times as long as wide; to bring a longer strip's short side to size would fill it too
THUMBNAIL = 160  # pixels


def image_of(upload: Upload, entry: ClassifierEntry) -> np.ndarray:
    """Return an upload as an image (C, H, W), uint8, of the classifier's picture size; raises BadImages."""
    name = str(upload.name)[:80]
    _refuse_huge(upload, name)
    with tempfile.NamedTemporaryFile(prefix="trial-") as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        try:
            image = read_picture(Path(file.name), entry)  # (C, H, W) in [0, 1]
        except BadImages as error:
            raise BadImages(str(error).replace(file.name, f"the file {name}")) from error
    levels: np.ndarray = np.rint(image * 255).astype(np.uint8)
    return levels


def thumbnail_of(image: np.ndarray) -> str:
    """Return an image (C, H, W), uint8, as a data address for a page."""
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    file = io.BytesIO()
    if max(picture.size) > THUMBNAIL:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        picture.save(file, format="JPEG", quality=85)
        return _address("jpeg", file)
    picture.save(file, format="PNG")
    return _address("png", file)


def _address(kind: str, file: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _refuse_huge(upload: Upload, name: str) -> None:
    """Look at the size that the file's first lines tell, before anything is unpacked."""
    try:
        with Image.open(upload) as picture:
            width, height = picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImages(
            f"the file {name} cannot be read as a picture; give a PNG, JPEG or the like"
        ) from error
    finally:
        upload.seek(0)
    if width * height > MOST_PIXELS:
        raise BadImages(
            f"the file {name} has {width * height:,} pixels; give a picture of at most {MOST_PIXELS:,}"
        )
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        raise BadImages(
            f"the file {name} is a strip of {width} x {height} pixels; give a picture of a usual shape"
        )
