"""`manage.py develop`: draw a genome at any size."""

import codecs
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from PIL import Image

from evolution.cppn import MOST_BYTES, CppnEncoding
from evolution.errors import EvolutionError
from evolution.parameters import MAX_WEIGHT, CppnParameters, Parameters
from evolution.picbreeder import read_picbreeder
from fooling_web.runs.management.numbers import whole

LARGEST = 8192  # pixels on a side
NATIVE = {1: 28, 3: 256}  # pixels on a side that a network was evolved at, by its outputs


class Command(BaseCommand):
    """Draw a genome that is a network, as a PNG of any size."""

    help = (
        "Draw a genome at any size: a network as its page on the site gives it for download (JSON), or one of "
        "Picbreeder (XML). What was evolved at 28 x 28 pixels is the same function at 2,800 x 2,800."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument(
            "genome", metavar="GENOME", help="a JSON or XML file, or - for the standard input"
        )
        parser.add_argument("--size", default="256", help="pixels on a side (256)")
        parser.add_argument(
            "--output", type=Path, required=True, metavar="F.png", help="the picture to write"
        )

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Read, draw, write."""
        size = whole("size", options["size"], 256) or 0
        if not 1 <= size <= LARGEST:
            raise CommandError(f"size {size} is out of range: it must lie between 1 and {LARGEST:,}")
        levels = _drawn(*_read(options["genome"]), size)
        try:
            Image.fromarray(levels).save(options["output"], format="PNG")
        except OSError as error:
            raise CommandError(
                f"{options['output']} cannot be written ({error.strerror}); name another --output"
            ) from error
        self.stdout.write(f"{options['output']}: {size} x {size} pixels")


def _read(name: str) -> tuple[Any, Parameters]:
    """Return a genome's document and the settings under which it is read."""
    content = _content(name)
    try:
        if content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
            return read_picbreeder(content)
        document = json.loads(content)
        return document, _parameters(document)
    except (EvolutionError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{name} is no genome of a network: {error}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(
            f"{name} is no genome: give the JSON file of a network, or Picbreeder's XML"
        ) from error


def _content(name: str) -> bytes:
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1) if name == "-" else _start_of(Path(name))
    except OSError as error:
        raise CommandError(f"{name} cannot be read ({error.strerror}); give the file of a genome") from error
    if len(content) > MOST_BYTES:
        raise CommandError(f"{name} is larger than a genome can be ({MOST_BYTES:,} bytes)")
    return content


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _drawn(document: Any, parameters: Parameters, size: int) -> np.ndarray:
    """Return the levels of a network's picture, (size, size) or (size, size, 3)."""
    try:
        encoding = CppnEncoding(parameters)
        population = encoding.from_json([document])
    except (EvolutionError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"this is no genome of a network: {error}") from error
    image = encoding.develop_at(population, size, size)[0]  # (C, size, size)
    levels: np.ndarray = np.rint(image * 255).astype(np.uint8)
    return levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0)


def _parameters(document: Any) -> Parameters:
    """Return the settings under which a network is read: all that its own document tells of them."""
    outputs = document["outputs"]
    native = NATIVE.get(outputs, NATIVE[1])
    return Parameters(
        channels=outputs,
        height=native,
        width=native,
        colour=document.get("colour", "hsv"),
        cppn=CppnParameters(coordinates=document["coordinates"], weight_bound=MAX_WEIGHT),
    )
