"""A run as one file: a ZIP that another machine or another site can read with its whole history.

The file holds the run's description, every individual, takeover and generation as plain tables, the genomes, and
where the search stands, so that it can be looked at, checked and continued anywhere. docs/archives.md explains the
format, and `archive_writing.py` writes it. Whoever reads a file trusts nothing in it: `ArchiveFile` checks structure,
sizes and hashes on opening, and every line while it is read.

Version 2 may hold more, for people and for other programs, of which nothing but names, sizes and hashes is looked at;
and it may be a selection: some of the classes alone.
"""

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self, TypeVar

import numpy as np

from evolution.archive_lines import (
    CLIMBS,
    INDIVIDUALS,
    STATISTICS,
    TAKEOVERS,
    Climb,
    Individual,
    Statistics,
    Takeover,
    read_climb,
    read_individual,
    read_statistics,
    read_takeover,
)
from evolution.encoding import encoding_for
from evolution.errors import ArchiveFileError, GenomeError, ParameterError
from evolution.parameters import MAX_CLASSES, MAX_SEED, Parameters

FORMAT = "foolbreeder-archive"
PLAIN, EXTENDED = VERSIONS = (1, 2)  # the second with members for people, or of a selection
# What a file may hold: every genome, those of the champions and of all their ancestors, or the champions' alone.
WHOLE, LINEAGES, CHAMPIONS_ONLY = (
    "whole history",
    "genomes of champions and ancestors",
    "champions' genomes only",
)

MANIFEST, RUN, CHECKPOINT, STATE = "manifest.json", "run.json", "checkpoint.json", "search-state.bin"
TABLES = ("individuals.csv", "takeovers.csv", "statistics.csv")
NETWORKS, ASCENT, FOUNDERS = "genomes.jsonl", "climbs.csv", "founders.jsonl"
PICTURE = re.compile(r"genomes/(0|[1-9][0-9]{0,17})\.png")
REQUIRED = (RUN, *TABLES)
SUMS = "SHA256SUMS"
SHOWN = re.compile(r"pictures/([0-9]{1,9})_[^/]+\.png")  # a champion, by its class
EXTRA = re.compile(
    r"README\.txt|LICENSE\.txt|SHA256SUMS|packages\.txt|labels\.csv|champions\.csv|classifier\.json"
    r"|parquet/(individuals|takeovers|statistics|champions)\.parquet"
    r"|pictures/[0-9]{1,6}_[a-z0-9-]{1,60}\.png"
    r"|authors/(bestfit|archive_[0-9]{1,9})\.dat"
    r"|authors/map_gen_[0-9]{1,9}/map_gen_[0-9]{1,9}_[0-9]{1,6}_[01]\.[0-9]{6}\.png"
)
KINDS = (
    "search",
    "breeding",
    "pictures",
)  # who evolved: the computer, a person by hand, or nobody that is known
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what no line of text holds
END_OF_ZIP, END_LENGTH = b"PK\x05\x06", 22  # with which a ZIP ends, but for a comment, and its bytes
MEGABYTE = 2**20
LARGEST = {  # bytes of a member, unpacked
    MANIFEST: 64 * MEGABYTE,
    RUN: 64 * MEGABYTE,
    CHECKPOINT: MEGABYTE,
    STATE: 1024 * MEGABYTE,
    "individuals.csv": 2048 * MEGABYTE,
    "takeovers.csv": 2048 * MEGABYTE,
    "statistics.csv": 64 * MEGABYTE,
    NETWORKS: 2048 * MEGABYTE,
    ASCENT: 64 * MEGABYTE,
    FOUNDERS: 256 * MEGABYTE,
}
LARGEST_PICTURE = 16 * MEGABYTE
LARGEST_EXTRAS = {".png": LARGEST_PICTURE, ".parquet": 2048 * MEGABYTE}  # and of others:
LARGEST_EXTRA = 256 * MEGABYTE
LARGEST_IN_ALL = 8192 * MEGABYTE
MOST_MEMBERS = 1_000_000
TIGHTEST = 200  # times smaller than unpacked; tables of real runs pack five times, and only bombs beyond this
SMALL = MEGABYTE  # what is smaller may be as tight as it likes
LONGEST_LINE = 1000  # characters
LONGEST_NETWORK = 4_100_000
LONGEST_TEXT = 1000
BLOCK = 2**18

Line = TypeVar("Line")


@dataclass(frozen=True, kw_only=True)
class Description:
    """What determined a run, and where it was computed."""

    name: str
    seed: int
    parameters: Parameters
    classifier: dict[str, Any]  # name, title, summary, dataset, labels, preprocessing, weights_sha256, ...
    versions: dict[str, str]
    created: str  # ISO 8601
    guests: int = 0  # generations that were images from outside, each one by itself
    founders: tuple[dict[str, Any], ...] = ()  # genomes that the first population began with
    kind: str = KINDS[0]

    @property
    def n_classes(self) -> int:
        """How many classes compete."""
        return len(self.classifier["labels"])


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of a run's archive a file holds, where it does not hold all of it."""

    classes: tuple[int, ...] = ()  # empty: all
    at_least: float = 0.0  # the confidence of the champions
    whole_archive_sha256: str = ""  # the hash over all champions of the run

    @property
    def words(self) -> str:
        """What was chosen, for people."""
        which = f"{len(self.classes):,} chosen classes" if self.classes else "all classes"
        return which + (f", champions of at least {self.at_least:.6g}" if self.at_least else "")

    def to_json(self) -> dict[str, Any]:
        """Return what run.json tells."""
        return {
            "classes": list(self.classes),
            "at_least": self.at_least,
            "whole_archive_sha256": self.whole_archive_sha256,
        }


class History(Protocol):
    """What a run has found, to be gone through more than once."""

    def individuals(self, *, with_genomes: bool) -> Iterable[Individual]:
        """Return every individual by rising number; those asked for with genomes have what is kept of them."""

    def takeovers(self) -> Iterable[Takeover]:
        """Return every takeover by generation and class."""

    def statistics(self) -> Iterable[Statistics]:
        """Return every generation's line."""

    def climbs(self) -> Iterable[Climb]:
        """Return every image of gradient ascent with its milestones; of another search nothing."""


def archive_sha256(n_classes: int, champions: Mapping[int, tuple[str, float]]) -> str:
    """Return the hash over every champion's genome and confidence in class order, as the archive itself does.

    champions maps a class_index to its champion's genome_hash and confidence.
    """
    digest = hashlib.sha256()
    for class_index in range(n_classes):
        genome_hash, confidence = champions.get(class_index, ("", 0.0))
        digest.update(genome_hash.encode() + np.float32(confidence).tobytes())
    return digest.hexdigest()


class ArchiveFile:
    """An archive file that is being read.

    Opening it checks that it is whole and that its hashes hold. Its tables are checked while they are read, in the
    order individuals, takeovers, statistics: each once all of it was read. Raises ArchiveFileError at whatever is
    wrong, and never hands out what it has not checked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._generations: dict[int, int] = {}  # of the individuals, by number
        self._hashes: dict[int, str] = {}  # of those whose genomes are kept
        self._guests = 0  # individuals without parents after the first population
        self.champions: dict[int, Takeover] = {}
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            reason = (
                error.strerror if isinstance(error, OSError) and error.strerror else "cut short or no ZIP"
            )
            raise ArchiveFileError(
                f"{path} cannot be read: {reason}; give a file of export_archive"
            ) from error
        try:
            self._check_and_describe()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def is_finished(self) -> bool:
        """Whether the run has kept its last generation; what was not searched for is never continued."""
        if self.run.kind != KINDS[0]:
            return self.generation is not None
        return self.generation == self.run.parameters.generations + self.run.guests

    @property
    def holds_every_genome(self) -> bool:
        """Whether the file was made to hold more than the champions' genomes."""
        return self.holds == WHOLE

    def require_whole(self) -> None:
        """Make sure that the file is no selection; raises ArchiveFileError."""
        if self.selection:
            raise ArchiveFileError(
                f"{self.path} holds a part of a run ({self.selection.words}), which can be looked at and verified, "
                "but not taken in; export the run without choosing classes or a least confidence"
            )

    def check(self) -> None:
        """Go through everything once; raises ArchiveFileError."""
        for table in (self.individuals(), self.takeovers(), self.statistics(), self.climbs()):
            for _ in table:
                pass

    def individuals(self, *, trusting: bool = False) -> Iterator[Individual]:
        """Yield every individual with its genome; `trusting` where `check` has read the genomes before."""
        self._generations, self._hashes, self._guests = {}, {}, 0
        genomes = self._genomes()
        waiting = next(genomes, None)
        last = -1
        for individual in self._lines("individuals.csv", INDIVIDUALS, read_individual):
            if individual.number <= last:
                raise self._damaged(f"individual {individual.number} does not come after {last}")
            last = individual.number
            if waiting and waiting[0] == individual.number:
                individual = individual._replace(genome=waiting[1])
                waiting = next(genomes, None)
            self._check_individual(individual, trusting)
            yield individual
        if waiting:
            raise self._damaged(f"a genome of individual {waiting[0]}, who is not in the history")
        self._refuse_other_count("individuals", len(self._generations))

    def takeovers(self) -> Iterator[Takeover]:
        """Yield every takeover; at the end they have led to the archive whose hash the file tells."""
        self.champions = {}
        last, count = (-1, -1), 0
        for takeover in self._lines("takeovers.csv", TAKEOVERS, read_takeover):
            if (takeover.generation, takeover.class_index) <= last:
                raise self._damaged(f"the takeover {takeover} is out of order")
            last, count = (takeover.generation, takeover.class_index), count + 1
            self._check_takeover(takeover)
            self.champions[takeover.class_index] = takeover
            yield takeover
        self._refuse_other_count("takeovers", count)
        if self._guests > self.run.guests or (self._guests < self.run.guests and not self.selection):
            raise self._damaged(
                f"{self._guests} images came from outside, and {self.run.guests} are announced"
            )
        self._check_champions()

    def statistics(self) -> Iterator[Statistics]:
        """Yield every generation's line."""
        last: Statistics | None = None
        for statistics in self._lines("statistics.csv", STATISTICS, read_statistics):
            if last and (
                statistics.generation <= last.generation or statistics.evaluations < last.evaluations
            ):
                raise self._damaged(f"generation {statistics.generation} is out of order")
            last = statistics
            yield statistics
        reached = (last.generation, last.evaluations, last.seconds) if last else (None, 0, 0.0)
        if reached != (self.generation, self.evaluations, self.seconds):
            raise self._damaged("the statistics do not end where run.json says that the run ended")

    def climbs(self) -> Iterator[Climb]:
        """Yield every image of gradient ascent with its milestones; nothing where the file holds another search."""
        if ASCENT not in self._zip.NameToInfo:
            return
        last = (-1, -1)
        for climb in self._lines(ASCENT, CLIMBS, read_climb):
            if climb.class_index >= self.run.n_classes or climb[:2] <= last:
                raise self._damaged(f"the climb of class {climb.class_index} is out of order or of no class")
            last = climb[:2]
            yield climb

    def pictures(self) -> Iterator[tuple[int, str]]:
        """Yield the class and the name of every picture of a champion that the file carries; unchecked."""
        for name in self._zip.namelist():
            if shown := SHOWN.fullmatch(name):
                yield int(shown[1]), name

    def read(self, name: str) -> bytes:
        """Return a member as it is."""
        return self._read(name)

    def search_state(self) -> bytes:
        """Return what some searches need beyond the champions to go on; empty for the others."""
        return self._read(STATE) if STATE in self._zip.NameToInfo else b""

    def _check_and_describe(self) -> None:
        infos = self._zip.infolist()
        require_nothing_around(self.path, self._zip)
        _check_members(self.path, infos)
        manifest = self._json(MANIFEST)
        self._check_version(manifest)
        names = {info.filename for info in infos} - {MANIFEST}
        self._refuse_extras_of_version_1(names)
        self._check_hashes(manifest, names)
        self._describe(self._json(RUN))
        self._refuse_other_founders()
        self.random_state = self._checkpoint() if CHECKPOINT in self._zip.NameToInfo else None

    def _check_version(self, manifest: Any) -> None:
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise self._damaged("its manifest is not that of an archive file")
        self.version = manifest.get("version")
        if type(self.version) is not int or self.version not in VERSIONS:
            raise ArchiveFileError(
                f"{self.path} has version {_short(self.version)!r} of the format, and versions up to {EXTENDED} are "
                "understood here; update Foolbreeder"
            )

    def _refuse_extras_of_version_1(self, names: set[str]) -> None:
        extras = sorted(name for name in names if EXTRA.fullmatch(name))
        if extras and self.version == PLAIN:
            raise self._damaged(f"it holds {extras[0]}, and is told to be of version {PLAIN}, which has none")

    def _check_hashes(self, manifest: Any, names: set[str]) -> None:
        members = manifest.get("members")
        if not isinstance(members, dict) or set(members) != names:
            raise self._damaged("its manifest does not list what it holds")
        for name, told in members.items():
            digest = hashlib.sha256()
            with self._opened(name) as member:
                while block := member.read(BLOCK):
                    digest.update(block)
            found = {"sha256": digest.hexdigest(), "size": self._zip.getinfo(name).file_size}
            if found != told:
                raise self._damaged(f"{name} does not match its hash: it was altered")

    def _describe(self, document: Any) -> None:
        try:
            self.run = Description(
                name=_text(document["name"]),
                seed=_number(document["seed"], MAX_SEED),
                parameters=Parameters.from_json(document["parameters"]),
                classifier=_classifier(document["classifier"]),
                versions={_text(name): _text(version) for name, version in document["versions"].items()},
                created=_text(document["created"]),
                guests=_number(document.get("guests", 0), 10**9),
                founders=tuple(self._founders()),
                kind=_one_of(document.get("kind", KINDS[0]), KINDS),
            )
            self.selection = _selection(document["selection"], self.run) if "selection" in document else None
            self.holds = _text(document["holds"])
            self.generation = (
                None if document["generation"] is None else _number(document["generation"], 10**9)
            )
            self.evaluations = _number(document["evaluations"], 10**15)
            self.seconds = float(document["seconds"])
            self.counts = {
                name: _number(document[name], MOST_MEMBERS * 100) for name in ("individuals", "takeovers")
            }
            self.archive_sha256 = _text(document["archive_sha256"])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ParameterError) as error:
            raise self._damaged(f"{RUN} does not describe a run: {error}") from error
        self._encoding = encoding_for(self.run.parameters)

    def _founders(self) -> Iterator[dict[str, Any]]:
        """Yield the genomes that the first population began with, still unchecked."""
        if FOUNDERS not in self._zip.NameToInfo:
            return
        for number, line in enumerate(self._text_lines(FOUNDERS, LONGEST_NETWORK), start=1):
            try:
                yield json.loads(line, parse_constant=_refuse_constant)
            except (ValueError, RecursionError) as error:
                raise self._damaged(f"{FOUNDERS}, line {number}: {_short(error)}") from error

    def _refuse_other_founders(self) -> None:
        """Make sure that founders are networks of the run's kind, and no more than its first population holds."""
        founders, parameters = self.run.founders, self.run.parameters
        if not founders:
            return
        if parameters.encoding != "cppn" or len(founders) > parameters.first_population:
            raise self._damaged(f"{FOUNDERS} holds {len(founders)} genomes, which this run cannot begin with")
        try:
            self._encoding.from_json(list(founders))  # type: ignore[attr-defined]  # networks have it
        except GenomeError as error:
            raise self._damaged(f"{FOUNDERS}: {error}") from error

    def _checkpoint(self) -> dict[str, Any]:
        document = self._json(CHECKPOINT)
        try:
            random_state = dict(document["random_state"])
            follows = document["generation"] == (self.generation or 0) + 1 and self.generation is not None
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"{CHECKPOINT} is not a checkpoint: {error!r}") from error
        if not follows:
            raise self._damaged(f"{CHECKPOINT} does not follow generation {self.generation}")
        return random_state

    def _check_individual(self, individual: Individual, trusting: bool) -> None:
        number = individual.number
        if any(class_index >= self.run.n_classes for class_index, _ in individual.top):
            raise self._damaged(f"individual {number} has a confidence for a class that does not exist")
        if self.generation is None or individual.generation > self.generation:
            raise self._damaged(f"individual {number} was born after the run's last generation")
        self._generations[number] = individual.generation
        if self.run.parameters.encoding == "cppn" and individual.generation > 0 and not individual.parents:
            self._guests += 1
        if not individual.genome:
            return
        if not trusting and self._fingerprint(individual) != individual.genome_hash:
            raise self._damaged(f"the genome of individual {number} does not match its hash")
        self._hashes[number] = individual.genome_hash

    def _fingerprint(self, individual: Individual) -> str:
        try:
            return self._encoding.fingerprint(self._encoding.from_bytes([individual.genome]), 0)
        except GenomeError as error:
            raise self._damaged(f"individual {individual.number}: {error}") from error

    def _check_takeover(self, takeover: Takeover) -> None:
        generation, class_index, individual, confidence, taken_from = takeover
        told = f"the takeover of class {class_index} in generation {generation}"
        if class_index >= self.run.n_classes:
            raise self._damaged(f"{told}: the classifier has {self.run.n_classes} classes, from 0")
        if self._generations.get(individual) != generation:
            raise self._damaged(f"{told}: individual {individual} was not born then")
        before = self.champions.get(class_index)
        if taken_from != (before.individual if before else None):
            raise self._damaged(f"{told}: it was not individual {taken_from} who held the class")
        if before and confidence <= before.confidence:
            raise self._damaged(f"{told}: a confidence of {confidence} is no higher than before")

    def _check_champions(self) -> None:
        found = {}
        for class_index, takeover in self.champions.items():
            genome_hash = self._hashes.get(takeover.individual)
            if genome_hash is None:
                raise self._damaged(f"the genome of the champion of class {class_index} is missing")
            found[class_index] = (genome_hash, takeover.confidence)
        if archive_sha256(self.run.n_classes, found) != self.archive_sha256:
            raise self._damaged("its takeovers do not lead to the archive whose hash it tells")

    def _refuse_other_count(self, table: str, count: int) -> None:
        if count != self.counts[table]:
            raise self._damaged(f"it holds {count} {table}, and {self.counts[table]} are announced")

    def _genomes(self) -> Iterator[tuple[int, bytes]]:
        if self.run.parameters.encoding == "cppn":
            yield from self._networks()
            return
        numbers = (PICTURE.fullmatch(name) for name in self._zip.namelist())
        for number in sorted(int(found[1]) for found in numbers if found):
            yield number, self._read(f"genomes/{number}.png")

    def _networks(self) -> Iterator[tuple[int, bytes]]:
        if NETWORKS not in self._zip.NameToInfo:
            return
        for line_number, line in enumerate(self._text_lines(NETWORKS, LONGEST_NETWORK), start=1):
            try:
                document = json.loads(line, parse_constant=_refuse_constant)
                number, genome = document["number"], document["genome"]
                text = json.dumps(genome, sort_keys=True, separators=(",", ":"), allow_nan=False)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise self._damaged(f"{NETWORKS}, line {line_number}: {_short(error)}") from error
            if type(number) is not int:
                raise self._damaged(f"{NETWORKS}, line {line_number}: {number!r} is no number")
            yield number, zlib.compress(text.encode())

    def _lines(self, name: str, header: str, read: Callable[[str], Line]) -> Iterator[Line]:
        """Yield a table's lines, read."""
        lines = self._text_lines(name, LONGEST_LINE)
        if next(lines, None) != header:
            raise self._damaged(f"{name} does not begin with {header}")
        for number, line in enumerate(lines, start=2):
            try:
                yield read(line)
            except (ValueError, OverflowError) as error:
                raise self._damaged(f"{name}, line {number}: {_short(error)}") from error

    def _text_lines(self, name: str, longest: int) -> Iterator[str]:
        with self._opened(name) as member:
            while line := member.readline(longest + 1):
                if len(line) > longest or not line.endswith(b"\n"):
                    raise self._damaged(
                        f"{name} has a line without an end or of more than {longest} characters"
                    )
                yield line[:-1].decode("utf-8", "replace")

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._read(name), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"{name} is no JSON: {_short(error)}") from error

    def _read(self, name: str) -> bytes:
        with self._opened(name) as member:
            return member.read()

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member; what is damaged in the packing is told in one line."""
        try:
            with self._zip.open(name) as member:
                yield member
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise self._damaged(f"{name} cannot be unpacked: {_short(error)}") from error

    def _damaged(self, what: str) -> ArchiveFileError:
        return ArchiveFileError(f"{self.path} is damaged: {what}; export it again")


def require_nothing_around(path: Path, archive: zipfile.ZipFile) -> None:
    """Make sure that a ZIP fills its file; raises ArchiveFileError.

    Readers of ZIPs search for the last one in a file. A ZIP of several that was cut short would be taken for one of
    those within it.
    """
    tail = END_LENGTH + len(archive.comment)
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - tail))
        ends = file.read(4) == END_OF_ZIP
    if not ends or min((info.header_offset for info in archive.infolist()), default=0) > 0:
        raise ArchiveFileError(
            f"{path} is damaged: it is cut short, or something was put around it; fetch it once more"
        )


def _check_members(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse names that no archive file has, and sizes that none reaches."""
    names = [info.filename for info in infos]
    if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
        raise ArchiveFileError(f"{path} is no archive file: it holds too many files, or one of them twice")
    if missing := [name for name in (MANIFEST, *REQUIRED) if name not in names]:
        raise ArchiveFileError(
            f"{path} is no archive file: it has no {missing[0]}; give a file of export_archive"
        )
    for info in infos:
        _check_member(path, info)
    if sum(info.file_size for info in infos) > LARGEST_IN_ALL:
        raise ArchiveFileError(f"{path} is too large: unpacked, it exceeds {LARGEST_IN_ALL:,} bytes")


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    largest = _largest(info.filename)
    if largest is None:
        raise ArchiveFileError(f"{path} is no archive file: it holds {info.filename[:60]!r}")
    if info.file_size > largest:
        raise ArchiveFileError(f"{path} is too large: {info.filename} may have {largest:,} bytes")
    if info.file_size > max(SMALL, TIGHTEST * info.compress_size):
        raise ArchiveFileError(f"{path} is refused: {info.filename} is packed more than {TIGHTEST} times")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveFileError(f"{path} is refused: {info.filename} is encrypted or packed in another way")


def _largest(name: str) -> int | None:
    """Return how many bytes a member may have, unpacked; None where no archive file has such a member."""
    if PICTURE.fullmatch(name):
        return LARGEST_PICTURE
    if EXTRA.fullmatch(name):
        return LARGEST_EXTRAS.get(Path(name).suffix, LARGEST_EXTRA)
    return LARGEST.get(name)


def _selection(document: Any, run: Description) -> Selection:
    at_least = float(document["at_least"])
    if not 0 <= at_least <= 1:
        raise ValueError(f"a selection by a confidence of {at_least}, which is none")
    return Selection(
        classes=tuple(_number(index, run.n_classes - 1) for index in document["classes"]),
        at_least=at_least,
        whole_archive_sha256=_text(document["whole_archive_sha256"]),
    )


def _one_of(value: Any, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{_short(value)!r} is none of {', '.join(words)}")
    return str(value)


def _classifier(document: Any) -> dict[str, Any]:
    """Check what other programs will rely on: name, data set, labels, hash; the rest is for people."""
    labels = document["labels"]
    if not isinstance(labels, list) or not 1 <= len(labels) <= MAX_CLASSES:
        raise ValueError("a classifier has labels, one for each class")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", document["name"]):
        raise ValueError(f"{_short(document['name'])!r} is no name of a classifier")
    if not re.fullmatch(r"[0-9a-f]{64}", document["weights_sha256"]):
        raise ValueError("the hash of the classifier's weights is none")
    for text in (document["title"], document["dataset"], *labels):
        _text(text)
    return dict(document)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or CONTROL.search(value):
        raise ValueError(f"{_short(value)!r} is no line of text")
    return value


def _number(value: Any, highest: int) -> int:
    if type(value) is not int or not 0 <= value <= highest:
        raise ValueError(f"{_short(value)!r} is no whole number up to {highest}")
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _short(value: object) -> str:
    return " ".join(str(value).split())[:160]
