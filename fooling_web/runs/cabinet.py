"""Keep what is costly to draw as files under the home; where they grow too many, the longest unused go first.

Everything in here can be made again. The folder may be emptied at any time.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

MOST_BYTES = 256 * 2**20
KEPT_OF_FULL = 0.8  # what is left of a full folder, so that not every file that follows has to tidy up


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return a file's content, made now if it is not there. The name must say all that the content depends on."""
    content = found(name)
    if content is None:
        content = make()
        with suppress(OSError):  # a full disk makes pages slower, and no more
            _write(_folder() / name, content)
            tidy_up()
    return content


def found(name: str) -> bytes | None:
    """Return a file's content if it is there."""
    path = _folder() / name
    with suppress(OSError):
        content = path.read_bytes()
        os.utime(path)  # used just now
        return content
    return None


def tidy_up(most: int = MOST_BYTES) -> None:
    """Remove the longest unused files where all together are larger than `most` bytes."""
    files = [(entry.stat(), entry.path) for entry in os.scandir(_folder()) if entry.is_file()]
    size = sum(status.st_size for status, _ in files)
    if size <= most:
        return
    for status, path in sorted(files, key=lambda file: file[0].st_mtime):
        Path(path).unlink(missing_ok=True)
        size -= status.st_size
        if size <= most * KEPT_OF_FULL:
            return


def _folder() -> Path:
    return Path(settings.HOME) / "pictures"


def _write(path: Path, content: bytes) -> None:
    """Write a file that nobody ever sees half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(name).replace(path)
