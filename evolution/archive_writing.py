"""Write a run to an archive file: the same run gives the same bytes, and a file is there whole or not at all."""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from evolution.archive_file import (
    ASCENT,
    CHAMPIONS_ONLY,
    CHECKPOINT,
    EXTENDED,
    EXTRA,
    FORMAT,
    FOUNDERS,
    LINEAGES,
    MANIFEST,
    NETWORKS,
    PLAIN,
    RUN,
    STATE,
    SUMS,
    WHOLE,
    Description,
    History,
    Selection,
    archive_sha256,
)
from evolution.archive_lines import (
    CLIMBS,
    INDIVIDUALS,
    STATISTICS,
    TAKEOVERS,
    Individual,
    Statistics,
    Takeover,
    write_climb,
    write_individual,
    write_statistics,
    write_takeover,
)
from evolution.archive_selection import Selected, ancestors_of
from evolution.errors import ArchiveFileError

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can tell


@dataclass(frozen=True)
class Extra:
    """A member for people or for other programs."""

    name: str
    parts: Iterable[bytes]
    is_packed: bool = False  # by its own format, as a PNG: deflating it again gains nothing


class Extras(Protocol):
    """What a file holds beside the run itself."""

    def members(self, told: dict[str, Any], history: History) -> Iterator[Extra]:
        """Yield members one after the other; `told` is what run.json tells, `history` what the file holds."""


def thinned(*, champions_only: bool = False, lineages_only: bool = False) -> str:
    """Return what a file holds that is thinned by one of these wishes."""
    return CHAMPIONS_ONLY if champions_only else LINEAGES if lineages_only else WHOLE


def write_archive(
    path: Path,
    run: Description,
    history: History,
    *,
    random_state: dict[str, Any] | None,
    search_state: bytes = b"",
    holds: str = WHOLE,
    selection: Selection | None = None,
    extras: Extras | None = None,
) -> str:
    """Write a run to a file, all of it or nothing, and return the archive's hash.

    `holds` is one of WHOLE, LINEAGES and CHAMPIONS_ONLY. Those whose genomes a file does not hold keep their place in
    the history, but neither genome nor hash nor confidences, which makes the file many times smaller. What stays in
    memory are the classes' champions, for LINEAGES everybody's parents and, of genomes that are pictures, a line
    each. A selection cannot be continued: it goes without random state and search state. Without it and without
    extras the file is of version 1. Raises OSError where the file cannot be written, and ArchiveFileError where a
    champion's genome is gone or nothing was selected.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            writer = _Writer(file, run, history, holds, selection)
            sha256 = writer.write(*(({}, b"") if selection else (random_state or {}, search_state)), extras)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return sha256


class _Writer:
    """One file under way."""

    def __init__(
        self, file: IO[bytes], run: Description, history: History, holds: str, selection: Selection | None
    ) -> None:
        self._run, self._history, self._holds = run, history, holds
        self._selection: Selection | None = None
        if selection:
            self._history = selected = Selected(history, run.n_classes, selection, holds)
            self._selection = selected.selection
        self._zip = zipfile.ZipFile(file, "w")
        self._members: dict[str, dict[str, Any]] = {}
        self._holders: dict[int, Takeover] = {}
        self._hashes: dict[int, str] = {}  # of the champions' genomes
        self._counts = {"individuals": 0, "takeovers": 0}
        self._latest: Statistics | None = None

    def write(self, random_state: dict[str, Any], search_state: bytes, extras: Extras | None) -> str:
        """Write every member; the manifest comes last, since it vouches for the others."""
        with self._zip:
            self._add("takeovers.csv", self._table(TAKEOVERS, self._takeovers()))
            self._champions = {takeover.individual for takeover in self._holders.values()}
            self._ancestors = self._lineage() if self._holds == LINEAGES else set()
            self._add("individuals.csv", self._table(INDIVIDUALS, self._individuals()))
            self._add("statistics.csv", self._table(STATISTICS, self._statistics()))
            if self._run.parameters.encoding == "gradient":
                self._add(ASCENT, self._table(CLIMBS, map(write_climb, self._history.climbs())))
            self._add_genomes()
            self._add_founders()
            self._add_state(random_state, search_state)
            sha256 = self._sha256()
            document = self._document(sha256)
            self._add(RUN, [_json(document)])
            if extras:
                self._add_extras(extras, document)
            version = EXTENDED if extras or self._selection else PLAIN
            manifest = {"format": FORMAT, "version": version, "members": self._members}
            self._add(MANIFEST, [_json(manifest)])
        return sha256

    def _takeovers(self) -> Iterator[str]:
        for takeover in self._history.takeovers():
            self._holders[takeover.class_index] = takeover
            self._counts["takeovers"] += 1
            yield write_takeover(takeover)

    def _individuals(self) -> Iterator[str]:
        for individual in self._history.individuals(with_genomes=False):
            self._counts["individuals"] += 1
            if individual.number in self._champions:
                self._hashes[individual.number] = individual.genome_hash
            elif not self._is_held(individual.number):
                individual = individual._replace(top=(), genome_hash="")
            yield write_individual(individual)

    def _is_held(self, number: int) -> bool:
        return self._holds == WHOLE or number in self._champions or number in self._ancestors

    def _lineage(self) -> set[int]:
        """Return all ancestors of the champions."""
        parents = {one.number: one.parents for one in self._history.individuals(with_genomes=False)}
        return ancestors_of(self._champions, parents)

    def _statistics(self) -> Iterator[str]:
        for statistics in self._history.statistics():
            self._latest = statistics
            yield write_statistics(statistics)

    def _add_genomes(self) -> None:
        if self._run.parameters.encoding == "cppn":
            self._add(NETWORKS, map(_network_line, self._kept()))
            return
        for individual in self._kept():
            self._add(f"genomes/{individual.number}.png", [individual.genome], zipfile.ZIP_STORED)

    def _add_founders(self) -> None:
        if self._run.founders:
            self._add(FOUNDERS, (_line_of(document) for document in self._run.founders))

    def _kept(self) -> Iterator[Individual]:
        """Yield those whose genomes the file will hold; raises ArchiveFileError where a champion's is gone."""
        for individual in self._history.individuals(with_genomes=True):
            is_champion = individual.number in self._champions
            if is_champion and not individual.genome:
                raise ArchiveFileError(
                    f"the genome of champion {individual.number} is gone: pause the run, and export it then"
                )
            if individual.genome and (is_champion or self._is_held(individual.number)):
                yield individual

    def _add_extras(self, extras: Extras, document: dict[str, Any]) -> None:
        """Add what is for people, and at last the hashes of all, as `sha256sum -c` reads them."""
        for extra in extras.members(document, self._history):
            assert EXTRA.fullmatch(extra.name), extra.name
            self._add(
                extra.name, extra.parts, zipfile.ZIP_STORED if extra.is_packed else zipfile.ZIP_DEFLATED
            )
        self._add(SUMS, [f"{facts['sha256']}  {name}\n".encode() for name, facts in self._members.items()])

    def _add_state(self, random_state: dict[str, Any], search_state: bytes) -> None:
        if random_state and self._latest:
            self._add(
                CHECKPOINT,
                [_json({"generation": self._latest.generation + 1, "random_state": random_state})],
            )
        if search_state:
            self._add(STATE, [search_state])

    def _sha256(self) -> str:
        champions = {
            index: (self._hashes[takeover.individual], takeover.confidence)
            for index, takeover in self._holders.items()
        }
        return archive_sha256(self._run.n_classes, champions)

    def _document(self, sha256: str) -> dict[str, Any]:
        latest = self._latest
        return {
            "name": self._run.name,
            "seed": self._run.seed,
            "parameters": self._run.parameters.to_json(),
            "classifier": self._run.classifier,
            "versions": self._run.versions,
            "created": self._run.created,
            "holds": self._holds,
            "generation": latest.generation if latest else None,
            "evaluations": latest.evaluations if latest else 0,
            "seconds": round(latest.seconds, 3) if latest else 0.0,
            **self._counts,
            "archive_sha256": sha256,
            **({"guests": self._run.guests} if self._run.guests else {}),
            **({"kind": self._run.kind} if self._run.kind != "search" else {}),
            **({"selection": self._selection.to_json()} if self._selection else {}),
        }

    def _table(self, header: str, lines: Iterator[str]) -> Iterator[bytes]:
        yield f"{header}\n".encode()
        for line in lines:
            yield f"{line}\n".encode()

    def _add(self, name: str, parts: Iterable[bytes], packing: int = zipfile.ZIP_DEFLATED) -> None:
        info = zipfile.ZipInfo(name, FIXED_DATE)
        info.compress_type, info.external_attr = packing, 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as member:
            for part in parts:
                member.write(part)
                digest.update(part)
                size += len(part)
        self._members[name] = {"sha256": digest.hexdigest(), "size": size}


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _line_of(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def _network_line(individual: Individual) -> bytes:
    return b'{"number":%d,"genome":%s}\n' % (individual.number, zlib.decompress(individual.genome))
