"""Pack runs for people and for other programs: the archive file with pictures, tables and a text that explains it.

One run gives one archive file, several give an outer ZIP of archive files. Whatever a run's size, few rows and one
picture are in memory at a time. A file is there whole or not at all: where `progress` raises, nothing stays behind.
"""

import hashlib
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from django.db import connection

from evolution.archive_file import CHAMPIONS_ONLY, LINEAGES, WHOLE, History, Selection
from evolution.archive_lines import Climb, Individual, Statistics, Takeover
from evolution.archive_writing import FIXED_DATE, write_archive
from evolution.errors import ArchiveFileError, ParameterError
from fooling_web.exports.exporting import StoredHistory, description_of
from fooling_web.exports.extras import Extras
from fooling_web.runs.models import Run

PICTURE_SIZES = (0, 64, 128, 256, 512)  # pixels a side; 0: without pictures
HISTORIES = {"whole": WHOLE, "lineages": LINEAGES, "champions": CHAMPIONS_ONLY}
EVERY = 0.25  # seconds between two calls of `progress`
ROWS = 500  # of a table count as one step, as a picture does
PASSES = 5  # over all individuals, roughly
BLOCK = 2**20
LEAN = {
    "cache_size": -4096,
    "mmap_size": 0,
}  # of SQLite: what it keeps for pages serves nobody who reads all once
OUTER_README = """\
Runs of Foolbreeder, a site that evolves images which classifiers are sure of.

Each ZIP in here is the archive file of one run, and the README.txt inside it explains what it holds. All of them
together come into a site with

    python manage.py import_archive THIS.zip

and SHA256SUMS lets anybody check that nothing was altered:

    sha256sum -c SHA256SUMS

"""

Progress = Callable[[int, int], None]
Thinness = Literal["whole", "lineages", "champions"]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What goes into a file; raises ParameterError where that cannot be meant."""

    history: Thinness = "whole"
    pictures: int = 256
    classes: tuple[int, ...] = ()  # empty: all
    at_least: float = 0.0  # the confidence of the champions
    tables: bool = True  # as Parquet, too
    authors: bool = False  # laid out as the authors' own software wrote, too
    plain: bool = False  # nothing but what a site needs to take the run in

    def __post_init__(self) -> None:
        if self.history not in HISTORIES:
            raise ParameterError(f"history {self.history!r} is unknown: choose {', '.join(HISTORIES)}")
        if self.pictures not in PICTURE_SIZES:
            sizes = ", ".join(map(str, PICTURE_SIZES[1:]))
            raise ParameterError(
                f"pictures of {self.pictures} pixels are not offered: choose {sizes}, or 0 for none"
            )
        if not 0 <= self.at_least <= 1:
            raise ParameterError(
                f"a confidence of {self.at_least} is out of range: it must lie between 0 and 1"
            )

    @property
    def selection(self) -> Selection | None:
        """Which part of the archive is wanted; None means all of it."""
        if not (self.classes or self.at_least):
            return None
        return Selection(classes=tuple(sorted(set(self.classes))), at_least=self.at_least)


@dataclass(frozen=True)
class Packed:
    """A file that was written."""

    sha256: str
    size: int  # bytes
    archive_sha256: str  # of what the file holds; of several runs empty
    pictures: int


def pack(run: Run, path: Path, choices: Choices, progress: Progress | None = None) -> Packed:
    """Write a run to an archive file; `progress` hears of steps done and steps in all, and may raise to end it.

    Raises ArchiveFileError where a champion's genome is missing or nothing is left to be written, ParameterError,
    UnknownClassifier, OSError.
    """
    steps = _Steps([run], choices, progress)
    packed = _pack(run, path, choices, steps)
    steps.finish()
    return packed


def pack_many(runs: Sequence[Run], path: Path, choices: Choices, progress: Progress | None = None) -> Packed:
    """Write runs to a ZIP of archive files; raises like `pack`, naming the run."""
    if not runs:
        raise ParameterError("no run was chosen; choose one or more")
    steps = _Steps(runs, choices, progress)
    part, inner = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.run.zip")
    try:
        with part.open("wb") as file:
            pictures = _write_outer(file, runs, inner, choices, steps)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
        inner.unlink(missing_ok=True)
    steps.finish()
    return Packed(_sha256(path), path.stat().st_size, "", pictures)


def _pack(run: Run, path: Path, choices: Choices, steps: "_Steps") -> Packed:
    _refuse(run, choices)
    told = description_of(run)
    history = _Counted(StoredHistory(run, -1 if run.generation is None else run.generation), steps)
    extras = None
    if not choices.plain:
        size = choices.pictures
        extras = Extras(
            run, told, history, size=size, tables=choices.tables, authors=choices.authors, step=steps.step
        )
    with _reading_leanly():
        archive_sha256 = write_archive(
            path,
            told,
            history,
            random_state=run.random_state,
            search_state=run.kept_state(),
            holds=HISTORIES[choices.history],
            selection=choices.selection,
            extras=extras,
        )
    return Packed(_sha256(path), path.stat().st_size, archive_sha256, extras.pictures if extras else 0)


@contextmanager
def _reading_leanly() -> Iterator[None]:
    """Let SQLite hold little in memory for a while."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone() for name in LEAN}
        for name, value in LEAN.items():
            cursor.execute(f"PRAGMA {name}={value}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, row in before.items():
                if row:  # a database in memory has no such thing
                    cursor.execute(f"PRAGMA {name}={int(row[0])}")


def _refuse(run: Run, choices: Choices) -> None:
    if run.kind == Run.Kind.BREEDING and run.generation is None:
        raise ArchiveFileError(
            f"no classifier has looked at {run.name or 'the picture'} yet; export it later"
        )
    wrong = [index for index in choices.classes if not 0 <= index < run.n_classes]
    if wrong and run.n_classes:
        raise ParameterError(
            f"class {wrong[0]} is out of range: classes of {run.classifier_title} are numbered from 0 to "
            f"{run.n_classes - 1}"
        )


def _write_outer(file: IO[bytes], runs: Sequence[Run], inner: Path, choices: Choices, steps: "_Steps") -> int:
    """Write each run to a file beside and from there into the outer ZIP; return the number of pictures."""
    pictures, sums = 0, []
    readme = OUTER_README
    with zipfile.ZipFile(file, "w") as outer:
        for number, run in enumerate(runs, start=1):
            packed = _pack_named(run, inner, choices, steps)
            name = _name_of(run, number, len(runs))
            _store(outer, name, inner, packed.size)
            sums.append(f"{packed.sha256}  {name}\n")
            readme += f"{name}\n    {run.name or 'untitled'}; archive {packed.archive_sha256}\n"
            pictures += packed.pictures
        sums.append(f"{hashlib.sha256(readme.encode()).hexdigest()}  README.txt\n")
        for name, text in (("README.txt", readme), ("SHA256SUMS", "".join(sums))):
            outer.writestr(_info(name), text)
    return pictures


def _pack_named(run: Run, path: Path, choices: Choices, steps: "_Steps") -> Packed:
    """Pack one of many runs; what is wrong is told with the run's name."""
    try:
        return _pack(run, path, choices, steps)
    except ArchiveFileError as error:
        raise ArchiveFileError(f"{run.name or run.pk}: {error}") from error


def _name_of(run: Run, number: int, count: int) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", run.name.lower()).strip("-")[:40].strip("-")
    return f"{number:0{len(str(count))}d}-{words or 'run'}-{run.pk}.zip"


def _store(outer: zipfile.ZipFile, name: str, path: Path, size: int) -> None:
    info = _info(name)
    info.file_size = size  # so that more than two gigabytes have room
    with path.open("rb") as source, outer.open(info, "w") as member:
        while block := source.read(BLOCK):
            member.write(block)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, FIXED_DATE)
    info.external_attr = 0o644 << 16
    return info


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


class _Steps:
    """How far the work has come, told some times a second."""

    def __init__(self, runs: Iterable[Run], choices: Choices, progress: Progress | None) -> None:
        self._progress = progress or (lambda done, total: None)
        self._done, self._rows, self._told_at = 0, 0, 0.0
        kinds = 0 if choices.plain else bool(choices.pictures) + choices.authors
        self._total = 1 + sum(
            run.champions.count() * kinds + run.individuals.count() * PASSES // ROWS for run in runs
        )
        self._progress(0, self._total)

    def step(self) -> None:
        """Count a step."""
        self._done += 1
        if time.monotonic() - self._told_at > EVERY:
            self._told_at = time.monotonic()
            self._progress(min(self._done, self._total - 1), self._total)

    def row(self) -> None:
        """Count a row of a table."""
        self._rows += 1
        if self._rows % ROWS == 0:
            self.step()

    def finish(self) -> None:
        """Tell that all is done."""
        self._progress(self._total, self._total)


@dataclass(frozen=True)
class _Counted:
    """A history whose rows are counted while they are read."""

    history: History
    steps: _Steps

    def individuals(self, *, with_genomes: bool) -> Iterator[Individual]:
        """Yield every individual."""
        for one in self.history.individuals(with_genomes=with_genomes):
            self.steps.row()
            yield one

    def takeovers(self) -> Iterator[Takeover]:
        """Yield every takeover."""
        for one in self.history.takeovers():
            self.steps.row()
            yield one

    def statistics(self) -> Iterable[Statistics]:
        """Return every generation's line."""
        return self.history.statistics()

    def climbs(self) -> Iterable[Climb]:
        """Return every image of gradient ascent."""
        return self.history.climbs()
