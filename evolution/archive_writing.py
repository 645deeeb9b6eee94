"""Write a run to an archive file: the same run gives the same bytes, and a file is there whole or not at all."""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from evolution.archive_file import (
    ASCENT,
    CHAMPIONS_ONLY,
    CHECKPOINT,
    FORMAT,
    LINEAGES,
    MANIFEST,
    NETWORKS,
    RUN,
    STATE,
    VERSION,
    WHOLE,
    Description,
    History,
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
from evolution.errors import ArchiveFileError

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can tell


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
) -> str:
    """Write a run to a file, all of it or nothing, and return the archive's hash.

    `holds` is one of WHOLE, LINEAGES and CHAMPIONS_ONLY. Those whose genomes a file does not hold keep their place in
    the history, but neither genome nor hash nor confidences, which makes the file many times smaller. What stays in
    memory are the classes' champions, for LINEAGES everybody's parents and, of genomes that are pictures, a line
    each. Raises OSError where the file cannot be written, and
    ArchiveFileError where a champion's genome is gone.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            sha256 = _Writer(file, run, history, holds).write(random_state, search_state)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return sha256


class _Writer:
    """One file under way."""

    def __init__(self, file: IO[bytes], run: Description, history: History, holds: str) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._run, self._history, self._holds = run, history, holds
        self._members: dict[str, dict[str, Any]] = {}
        self._holders: dict[int, Takeover] = {}
        self._hashes: dict[int, str] = {}  # of the champions' genomes
        self._counts = {"individuals": 0, "takeovers": 0}
        self._latest: Statistics | None = None

    def write(self, random_state: dict[str, Any] | None, search_state: bytes) -> str:
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
            self._add_state(random_state, search_state)
            sha256 = self._sha256()
            self._add(RUN, [_json(self._document(sha256))])
            manifest = {"format": FORMAT, "version": VERSION, "members": self._members}
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
        found: set[int] = set()
        newest = self._champions
        while newest:
            newest = {parent for number in newest for parent in parents.get(number, ())} - found
            found |= newest
        return found

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

    def _add_state(self, random_state: dict[str, Any] | None, search_state: bytes) -> None:
        if random_state is not None and self._latest:
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


def _network_line(individual: Individual) -> bytes:
    return b'{"number":%d,"genome":%s}\n' % (individual.number, zlib.decompress(individual.genome))
