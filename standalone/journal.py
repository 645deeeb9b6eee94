"""What a run has found so far, in a working folder beside its output, safe from sudden death.

Tables only ever grow. Every checkpoint is one file that is replaced in one step, and it tells how long each table
was at that moment: whatever lies behind, a process that died had not yet vouched for, and it is cut off. So history
and checkpoint agree, whenever the process dies.
"""

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from evolution.archive_file import ArchiveFile, Description
from evolution.archive_lines import (
    Climb,
    Individual,
    Statistics,
    Takeover,
    read_individual,
    read_statistics,
    read_takeover,
    write_individual,
    write_statistics,
    write_takeover,
)
from evolution.checkpoint import Holding
from evolution.errors import EvolutionError
from evolution.parameters import Parameters
from standalone.errors import StandaloneError

TABLES = ("individuals", "takeovers", "statistics", "genomes")
CHECKPOINT, RUN, LOCK = "checkpoint.json", "run.json", "lock"


class Journal:
    """The history of one run on disk, as an archive file is later written from it."""

    def __init__(self, folder: Path, run: Description) -> None:
        self.folder, self.run = folder, run
        self.generation: int | None = None  # the last one kept
        self.random_state: dict[str, Any] | None = None
        self._climbs: list[Climb] = []
        self.champions: dict[int, Takeover] = {}
        self.statistics_so_far: Statistics | None = None
        self._pending: dict[str, list[str]] = {table: [] for table in TABLES}
        self._pictures: dict[int, bytes] = {}
        self._dethroned: set[int] = set()
        self._state_name = ""
        self._lock: TextIO | None = None

    @classmethod
    def begun(cls, folder: Path, run: Description) -> "Journal":
        """Make the working folder of a run that begins."""
        journal = cls(folder, run)
        try:
            (folder / "genomes").mkdir(parents=True)
            journal._take_lock()
            for table in TABLES:
                journal._table(table).touch()
        except OSError as error:
            raise StandaloneError(
                f"{folder} cannot be made ({error.strerror}); name an --output elsewhere"
            ) from error
        _replace(folder / RUN, _json(_described(run)))
        journal._write_checkpoint(b"")
        return journal

    @classmethod
    def reopened(cls, folder: Path) -> "Journal":
        """Return the journal of a run that stopped, as its last checkpoint left it; raises StandaloneError."""
        try:
            run = _description(json.loads((folder / RUN).read_text()))
            journal = cls(folder, run)
            journal._take_lock()
            journal._restore(json.loads((folder / CHECKPOINT).read_text()))
        except (OSError, ValueError, KeyError, TypeError, EvolutionError) as error:
            raise StandaloneError(
                f"{folder} cannot be continued: {error}; remove it, and begin anew or from its archive file"
            ) from error
        return journal

    @classmethod
    def unpacked(cls, folder: Path, archive: ArchiveFile) -> "Journal":
        """Make a working folder of an archive file, which is checked on the way."""
        if archive.random_state is None:
            raise StandaloneError(
                f"{archive.path} holds no checkpoint, so it cannot be continued; begin anew with its seed"
            )
        journal = cls.begun(folder, archive.run)
        try:
            for individual in archive.individuals():
                journal._add_individual(individual)
            for takeover in archive.takeovers():
                journal._add_takeover(takeover)
            for statistics in archive.statistics():
                journal._add_statistics(statistics)
            journal.keep(archive.random_state, archive.search_state(), list(archive.climbs()))
        except BaseException:
            journal.close()
            journal.remove()
            raise
        return journal

    def record(
        self, individuals: Iterable[Individual], takeovers: Iterable[Takeover], statistics: Statistics
    ) -> None:
        """Take down one generation; it is kept at the next `keep`."""
        for individual in individuals:
            self._add_individual(individual)
        for takeover in takeovers:
            self._add_takeover(takeover)
        self._add_statistics(statistics)

    def keep(
        self, random_state: dict[str, Any], search_state: bytes = b"", climbs: Iterable[Climb] = ()
    ) -> None:
        """Write everything down and vouch for it; what holds no class any more may then go."""
        for number, picture in self._pictures.items():
            _write(self._picture(number), picture)
        for table, lines in self._pending.items():
            _append(self._table(table), lines)
        self.random_state, self._climbs = random_state, list(climbs)
        self._write_checkpoint(search_state)
        if not self.run.parameters.keeps_every_genome:
            self._forget_dethroned()
        self._pending = {table: [] for table in TABLES}
        self._pictures = {}

    def aim_at(self, generations: int) -> None:
        """Let the run end later than it was meant to; raises ParameterError for a number out of range."""
        self.run = replace(self.run, parameters=self.run.parameters.replaced(generations=generations))
        _replace(self.folder / RUN, _json(_described(self.run)))

    def individuals(self, *, with_genomes: bool) -> Iterator[Individual]:
        """Yield every individual that was kept."""
        genomes = self._genomes() if with_genomes and self._holds_networks else iter(())
        waiting = next(genomes, None)
        for line in self._lines("individuals"):
            individual = read_individual(line)
            if waiting and waiting[0] == individual.number:
                individual = individual._replace(genome=waiting[1])
                waiting = next(genomes, None)
            if with_genomes and not self._holds_networks:
                individual = individual._replace(genome=self._read_picture(individual.number))
            yield individual

    def takeovers(self) -> Iterator[Takeover]:
        """Yield every takeover that was kept."""
        return map(read_takeover, self._lines("takeovers"))

    def statistics(self) -> Iterator[Statistics]:
        """Yield every generation's line that was kept."""
        return map(read_statistics, self._lines("statistics"))

    def climbs(self) -> list[Climb]:
        """Return the milestones of gradient ascent, as they were at the last checkpoint."""
        return self._climbs

    def holdings(self) -> tuple[Holding, ...]:
        """Return who holds the classes, with their genomes."""
        wanted = {takeover.individual for takeover in self.champions.values()}
        holders = {
            individual.number: individual
            for individual in self.individuals(with_genomes=True)
            if individual.number in wanted
        }
        return tuple(
            Holding(
                class_index=class_index,
                number=takeover.individual,
                confidence=takeover.confidence,
                genome=holders[takeover.individual].genome,
                genome_hash=holders[takeover.individual].genome_hash,
            )
            for class_index, takeover in sorted(self.champions.items())
        )

    def search_state(self) -> bytes:
        """Return what some searches need beyond the champions; empty for the others."""
        return (self.folder / self._state_name).read_bytes() if self._state_name else b""

    def close(self) -> None:
        """Let others work on the folder."""
        if self._lock:
            self._lock.close()

    def remove(self) -> None:
        """Remove the folder, once an archive file holds everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _holds_networks(self) -> bool:
        return self.run.parameters.encoding == "cppn"

    def _add_individual(self, individual: Individual) -> None:
        self._pending["individuals"].append(write_individual(individual))
        if not individual.genome:
            return
        if self._holds_networks:
            text = base64.b64encode(individual.genome).decode()
            self._pending["genomes"].append(f"{individual.number} {text}")
        else:
            self._pictures[individual.number] = individual.genome

    def _add_takeover(self, takeover: Takeover) -> None:
        self._pending["takeovers"].append(write_takeover(takeover))
        self.champions[takeover.class_index] = takeover
        self._dethroned.add(takeover.individual)
        if takeover.taken_from is not None:
            self._dethroned.add(takeover.taken_from)

    def _add_statistics(self, statistics: Statistics) -> None:
        self._pending["statistics"].append(write_statistics(statistics))
        self.generation, self.statistics_so_far = statistics.generation, statistics

    def _forget_dethroned(self) -> None:
        """Remove large pictures that hold no class; the checkpoint that needed them has just been replaced."""
        holders = {takeover.individual for takeover in self.champions.values()}
        for number in self._dethroned - holders:
            self._picture(number).unlink(missing_ok=True)
        self._dethroned = set()

    def _write_checkpoint(self, search_state: bytes) -> None:
        before, self._state_name = self._state_name, ""
        if search_state:
            self._state_name = f"search-state-{self.generation}.bin"
            _write(self.folder / self._state_name, search_state)
        document = {
            "generation": self.generation,
            "random_state": self.random_state,
            "lengths": {table: self._table(table).stat().st_size for table in TABLES},
            "search_state": self._state_name,
            "climbs": self._climbs,
        }
        _replace(self.folder / CHECKPOINT, _json(document))
        if before and before != self._state_name:
            (self.folder / before).unlink(missing_ok=True)

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        for table in TABLES:
            length = int(checkpoint["lengths"][table])
            if self._table(table).stat().st_size < length:
                raise ValueError(f"{self._table(table).name} was cut short, its checkpoint tells of more")
            os.truncate(self._table(table), length)
        self.generation, self.random_state = checkpoint["generation"], checkpoint["random_state"]
        self._state_name = checkpoint["search_state"]
        self._climbs = [Climb(*climb) for climb in checkpoint["climbs"]]
        for takeover in self.takeovers():
            self.champions[takeover.class_index] = takeover
        for statistics in self.statistics():
            self.statistics_so_far = statistics
        if not self.run.parameters.keeps_every_genome:
            self._dethroned = {individual.number for individual in self.individuals(with_genomes=False)}

    def _take_lock(self) -> None:
        self._lock = (self.folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StandaloneError(f"{self.folder} is being worked on by another process") from None

    def _genomes(self) -> Iterator[tuple[int, bytes]]:
        for line in self._lines("genomes"):
            number, text = line.split(" ")
            yield int(number), base64.b64decode(text)

    def _read_picture(self, number: int) -> bytes:
        path = self._picture(number)
        return path.read_bytes() if path.exists() else b""

    def _lines(self, table: str) -> Iterator[str]:
        with self._table(table).open(encoding="ascii") as file:
            for line in file:
                yield line.rstrip("\n")

    def _table(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    def _picture(self, number: int) -> Path:
        return self.folder / "genomes" / f"{number}.png"


def _described(run: Description) -> dict[str, Any]:
    return {**vars(run), "parameters": run.parameters.to_json()}


def _description(document: dict[str, Any]) -> Description:
    return Description(**{**document, "parameters": Parameters.from_json(document["parameters"])})


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _append(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    _write(part, content)
    os.replace(part, path)
