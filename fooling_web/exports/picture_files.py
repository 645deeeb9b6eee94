"""Plain pictures with a table of their classes, as somebody has them: in a folder or in a ZIP.

Nothing in them is trusted: names, links, sizes and every line of the table are checked before a picture is opened,
and a picture's size before it is unpacked. What is wrong is said in one line, with the file and the remedy.
"""

import csv
import io
import os
import stat
import struct
import unicodedata
import warnings
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from PIL import ExifTags, Image

from fooling_web.runs.kinds import classes_named
from models_zoo.errors import BadImages
from models_zoo.known_classes import class_of_name
from models_zoo.pictures import image_of
from models_zoo.registry import ClassifierEntry

TABLE = "classes.csv"  # the usual name
COLUMNS = ("file", "class")
EXAMPLE = "file,class,confidence\none.png,3,0.98\ntwo.jpg,starfish,\n"
MOST_PICTURES = 10_000
MOST_ENTRIES = 2 * MOST_PICTURES  # of a ZIP, folders among them
MOST_BYTES = 10_000_000  # of one picture
MOST_PIXELS = 40_000_000
LONGEST_SHAPE = 20  # times as long as wide
LONGEST_TABLE = 5_000_000  # bytes
LONGEST_NAME = 300  # characters
KINDS = ("PNG", "JPEG", "WEBP")
TURNS = {  # by what cameras write into a file
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave behind
LITTER_FOLDER = "__MACOSX"
ALMOST = 3  # labels that are offered in the place of one that is not known


class PicturesRefused(Exception):
    """A folder or ZIP of pictures that is not taken in; the message says why, and what would help."""


@dataclass(frozen=True)
class Told:
    """What a line of the table says of a picture."""

    line: int
    name: str
    class_index: int
    confidence: float | None


class Source(Protocol):
    """Files by their names, with `/` between folders."""

    names: list[str]

    def read(self, name: str, most: int) -> bytes:
        """Return a file, or a byte more than so many of it; raises PicturesRefused."""

    def close(self) -> None:
        """Let go of what is open."""


class Folder:
    """Files in a folder and in those below it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        for place, folders, files in os.walk(path):
            for name in (*folders, *files):
                _refuse_link(name, is_link=Path(place, name).is_symlink())
            self.names += [Path(place, name).relative_to(path).as_posix() for name in files]
            _refuse_too_many(len(self.names), MOST_ENTRIES)
        self.names = [name for name in self.names if not _is_litter(name)]

    def read(self, name: str, most: int) -> bytes:
        """Return a file, or a byte more than so many of it; raises PicturesRefused."""
        try:
            with (self.path / name).open("rb") as file:
                return file.read(most + 1)
        except OSError as error:
            raise PicturesRefused(f"{name} cannot be read: {error.strerror}; look at its rights") from error

    def close(self) -> None:
        """Nothing stays open."""


class Zipped:
    """Files in a ZIP."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise PicturesRefused(
                f"{path.name} cannot be read: cut short or no ZIP; pack it again"
            ) from error
        infos = self._zip.infolist()
        _refuse_too_many(len(infos), MOST_ENTRIES)
        for info in infos:
            _check_entry(info)
        self.names = [info.filename for info in infos if not info.is_dir() and not _is_litter(info.filename)]
        if len(set(self.names)) < len(self.names):
            raise PicturesRefused(f"{path.name} holds a file twice; pack it again")

    def read(self, name: str, most: int) -> bytes:
        """Return a file, or a byte more than so many of it; raises PicturesRefused."""
        try:
            with self._zip.open(name) as member:
                return member.read(most + 1)
        except (
            OSError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise PicturesRefused(f"{name[:60]} is damaged in the ZIP; pack it again") from error

    def close(self) -> None:
        """Close the ZIP."""
        self._zip.close()


class Pictures:
    """Pictures whose table and names were checked; raises PicturesRefused where they do not fit together."""

    def __init__(self, path: Path, entry: ClassifierEntry, table: Path | None = None) -> None:
        self.entry = entry
        self._source = _source(path)
        self.table, self._base, own = self._table(path, table)
        title = PurePosixPath(own).name or (table.name if table else TABLE)
        self.told = read_table(self.table, entry.labels, title)
        self._files = {_plain(name): name for name in self._source.names if name != own}
        self._refuse_others(title)

    def close(self) -> None:
        """Let go of the folder or ZIP."""
        self._source.close()

    def content_of(self, told: Told) -> bytes:
        """Return a picture's file; raises PicturesRefused."""
        content = self._source.read(self._files[self._place(told)], MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise PicturesRefused(
                f"{told.name} has more than {MOST_BYTES // 10**6} MB; give a smaller picture"
            )
        return content

    def _table(self, path: Path, table: Path | None) -> tuple[bytes, PurePosixPath, str]:
        """Return the table, the folder that its names start from, and its own name if it lies with the pictures."""
        if table is not None and table.is_file():
            if not (path.is_dir() and table.resolve().is_relative_to(path.resolve())):
                return _read_outside(table), self._only_folder(), ""
            table = table.resolve().relative_to(path.resolve())
        name = self._table_named(path, table)
        return self._source.read(name, LONGEST_TABLE), PurePosixPath(name).parent, name

    def _table_named(self, path: Path, table: Path | None) -> str:
        """Return the name of the table: that which was asked for, or the only one, or the one with the usual name."""
        names = [name for name in self._source.names if name.lower().endswith(".csv")]
        if table is not None:
            names = [name for name in names if _plain(name) == _plain(table.as_posix())]
        elif len(names) > 1:
            names = [name for name in names if PurePosixPath(name).name == TABLE] or names
        if not names:
            wanted = table.as_posix() if table else TABLE
            raise PicturesRefused(
                f"{path.name} holds no {wanted}; add a table with the columns file and class, and perhaps confidence"
            )
        if len(names) > 1:
            raise PicturesRefused(f"{path.name} holds several tables; leave one, called {TABLE}")
        return names[0]

    def _only_folder(self) -> PurePosixPath:
        """Return the folder in which all files lie, where a whole folder was packed."""
        tops = {PurePosixPath(name).parts[0] for name in self._source.names}
        is_alone = len(tops) == 1 and all("/" in name for name in self._source.names)
        return PurePosixPath(tops.pop()) if is_alone else PurePosixPath()

    def _place(self, told: Told) -> str:
        return _plain((self._base / told.name).as_posix())

    def _refuse_others(self, table: str) -> None:
        """Make sure that every line has a file and every file a line."""
        wanted = {self._place(told) for told in self.told}
        for told in self.told:
            if self._place(told) not in self._files:
                raise PicturesRefused(
                    f"{table}, line {told.line}: there is no file {told.name[:100]}; add it, or take the line out"
                )
        if others := sorted(set(self._files) - wanted):
            raise PicturesRefused(
                f"{others[0][:100]} is not in {table}; add a line for it, or take the file out"
            )


def read_table(content: bytes, labels: tuple[str, ...], name: str) -> list[Told]:
    """Return what the table says, by line; raises PicturesRefused naming the first line that is wrong."""
    if len(content) > LONGEST_TABLE:
        raise PicturesRefused(
            f"{name} has more than {LONGEST_TABLE // 10**6} MB; {MOST_PICTURES:,} lines are the most"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PicturesRefused(f"{name} is not in UTF-8; save it so") from error
    header = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header and "," not in header else ",")
    try:
        return _lines(rows, labels, name)
    except csv.Error as error:
        raise PicturesRefused(f"{name}, line {rows.line_num}: {error}; save it as a plain CSV") from error


def _lines(rows: "csv.DictReader[str]", labels: tuple[str, ...], name: str) -> list[Told]:
    rows.fieldnames = [(column or "").strip().lower() for column in rows.fieldnames or ()]
    if missing := [column for column in COLUMNS if column not in rows.fieldnames]:
        raise PicturesRefused(
            f"{name}, line 1: there is no column {missing[0]}; begin with file,class or file,class,confidence"
        )
    found: dict[str, Told] = {}
    for row in rows:
        where = f"{name}, line {rows.line_num}"
        told = Told(
            rows.line_num,
            _file_name(row["file"] or "", where),
            class_told(row["class"] or "", labels, where),
            _confidence(row.get("confidence") or "", where),
        )
        if before := found.get(_plain(told.name)):
            raise PicturesRefused(
                f"{where}: {told.name[:100]} stands in line {before.line}, too; leave one of the two"
            )
        found[_plain(told.name)] = told
        _refuse_too_many(len(found), MOST_PICTURES)
    if not found:
        raise PicturesRefused(f"{name} names no picture; give a line for each")
    return list(found.values())


def class_told(text: str, labels: tuple[str, ...], where: str) -> int:
    """Return the class that an index or a label names; raises PicturesRefused."""
    word = text.strip()
    if not word:
        raise PicturesRefused(
            f"{where}: the class is missing; give an index from 0 to {len(labels) - 1} or a label"
        )
    if word.isascii() and word.isdecimal():
        if len(word) > 9 or int(word) >= len(labels):
            raise PicturesRefused(
                f"{where}: class {word[:20]} is out of range; classes are 0 to {len(labels) - 1}"
            )
        return int(word)
    named = [index for index, label in enumerate(labels) if label.casefold() == word.casefold()]
    if len(named) > 1:
        raise PicturesRefused(
            f"{where}: “{word[:40]}” is the name of {len(named)} classes; give {named[0]} or {named[1]}"
        )
    found = named[0] if named else class_of_name(word, labels)
    if found is None:
        almost = ", ".join(f"{labels[index]} ({index})" for index in classes_named(labels, word)[:ALMOST])
        offered = f"perhaps {almost}" if almost else f"give an index from 0 to {len(labels) - 1} or a label"
        raise PicturesRefused(f"{where}: no class is called “{word[:40]}”; {offered}")
    return found


def levels_of(content: bytes, name: str, entry: ClassifierEntry) -> np.ndarray:
    """Return a PNG, JPEG or WebP as (C, H, W), uint8, of the classifier's picture size; raises PicturesRefused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs: the number of pixels is looked at below
            with Image.open(io.BytesIO(content), formats=KINDS) as picture:
                _refuse_unusual(picture, name)
                image = image_of(_in_bytes(_upright(picture)), entry, name)  # (C, H, W) in [0, 1]
    except BadImages as error:
        raise PicturesRefused(str(error)) from error
    except Image.DecompressionBombError as error:
        raise PicturesRefused(
            f"{name[:100]} has far too many pixels; give a picture of at most {MOST_PIXELS:,}"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PicturesRefused(
            f"{name[:100]} cannot be read as a picture; give a whole PNG, JPEG or WebP"
        ) from error
    levels: np.ndarray = np.rint(image * 255).astype(np.uint8)
    return levels


def _in_bytes(picture: Image.Image) -> Image.Image:
    """Return a picture of 65,536 greys as one of 256; Pillow itself would cut all but the darkest to white."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray(np.rint(np.asarray(picture, np.float32) / 257).astype(np.uint8))


def _upright(picture: Image.Image) -> Image.Image:
    """Return a picture as cameras say that it is to be held: what says so does not come in with it."""
    turn = None
    with suppress(OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):  # damaged words
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _refuse_unusual(picture: Image.Image, name: str) -> None:
    """Look at the size that the file's first lines tell, before anything is unpacked."""
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise PicturesRefused(
            f"{name[:100]} has {width * height:,} pixels; give a picture of at most {MOST_PIXELS:,}"
        )
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        raise PicturesRefused(
            f"{name[:100]} is a strip of {width} x {height} pixels; give a picture of a usual shape"
        )


def _source(path: Path) -> Source:
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise PicturesRefused(f"{path} does not exist; give a folder or a ZIP of pictures")
    return Zipped(path)


def _read_outside(table: Path) -> bytes:
    try:
        with table.open("rb") as file:
            return file.read(LONGEST_TABLE + 1)
    except OSError as error:
        raise PicturesRefused(f"{table} cannot be read: {error.strerror}; look at its rights") from error


def _check_entry(info: zipfile.ZipInfo) -> None:
    """Refuse what points outside, links, what is encrypted or packed unusually, and what unpacks too large."""
    name = info.filename
    if not _is_inside(name):
        raise PicturesRefused(f"{name[:60]!r} in the ZIP points outside of it; pack it again")
    _refuse_link(name, is_link=stat.S_ISLNK(info.external_attr >> 16))
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PicturesRefused(f"{name[:60]} is encrypted or packed in an unusual way; pack it as a plain ZIP")
    if info.file_size > MOST_BYTES:
        raise PicturesRefused(
            f"{name[:60]} has more than {MOST_BYTES // 10**6} MB, unpacked; give a smaller picture"
        )


def _is_inside(name: str) -> bool:
    place = PurePosixPath(name)
    is_plain = "\\" not in name and ":" not in name and name.isprintable() and len(name) <= LONGEST_NAME
    return is_plain and not place.is_absolute() and ".." not in place.parts


def _is_litter(name: str) -> bool:
    place = PurePosixPath(name)
    return place.name in LITTER or place.name.startswith("._") or LITTER_FOLDER in place.parts


def _refuse_link(name: str, *, is_link: bool) -> None:
    if is_link:
        raise PicturesRefused(f"{name[:60]} is a link; put the file itself in its place")


def _refuse_too_many(count: int, most: int) -> None:
    if count > most:
        raise PicturesRefused(f"there are more than {MOST_PICTURES:,} pictures; bring them in parts")


def _plain(name: str) -> str:
    """Return a name in one spelling: some systems write an accent as a letter of its own."""
    return unicodedata.normalize("NFC", name)


def _file_name(text: str, where: str) -> str:
    name = text.strip().replace("\\", "/").removeprefix("./")
    if not name or not _is_inside(name):
        raise PicturesRefused(f"{where}: {text[:60]!r} names no file beside the table; give its name alone")
    return name


def _confidence(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        confidence = float(text)
    except ValueError:
        confidence = float("nan")
    if not 0 < confidence <= 1:  # false for NaN too
        raise PicturesRefused(
            f"{where}: {text[:20]!r} is no confidence; give a number above 0 and up to 1, like 0.98"
        )
    return confidence
