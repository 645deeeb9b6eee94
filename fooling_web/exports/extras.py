"""What an archive file holds for people and for other programs beside the run itself, in constant memory.

Nothing of it is read when a file comes in: a site develops its pictures anew and counts its tables itself.
"""

import csv
import io
import json
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import groupby
from typing import Any, NamedTuple

from PIL import Image

from evolution.archive_file import Description, History
from evolution.archive_lines import Takeover
from evolution.archive_writing import Extra
from evolution.errors import ArchiveFileError, GenomeError
from fooling_web.exports import authors_layout, parquet
from fooling_web.exports.explaining import licence_text, readme_text
from fooling_web.home import PROJECT
from fooling_web.runs.models import Run
from fooling_web.runs.pictures import picture_of_size

AT_ONCE = 20  # genomes in memory
QUICK = 3  # of 9: how hard a PNG is packed; twice as quick as usual, and a tenth larger
CHAMPION_COLUMNS = (
    "class_index",
    "label",
    "confidence",
    "individual",
    "generation",
    "genome_hash",
    "picture",
)


class ChampionRow(NamedTuple):
    """Who holds a class at the end."""

    class_index: int
    label: str
    confidence: float
    individual: int
    generation: int
    genome_hash: str
    picture: str  # the member that shows it, if one does


@dataclass
class Extras:
    """The members for people, of one run; `whole` is its history where the file holds a selection alone."""

    run: Run
    description: Description
    whole: History
    size: int  # of pictures, in pixels a side; 0: none
    tables: bool
    authors: bool
    step: Callable[[], None]
    pictures: int = 0  # written so far

    def members(self, told: dict[str, Any], history: History) -> Iterator[Extra]:
        """Yield one member after the other."""
        classifier = self.description.classifier
        holders: dict[int, Takeover] = {one.class_index: one for one in history.takeovers()}
        champions = self._champions(holders, history)
        yield Extra("README.txt", [self._readme(told, champions)])
        yield Extra("LICENSE.txt", [licence_text(PROJECT / "LICENSE", classifier).encode()])
        yield Extra("classifier.json", [_json(classifier)])
        yield Extra("packages.txt", [packages_text(self.description.versions).encode()])
        yield Extra("labels.csv", _csv(("class_index", "label"), enumerate(classifier["labels"])))
        yield Extra("champions.csv", _csv(CHAMPION_COLUMNS, _in_shortest_decimals(champions)))
        if self.tables:
            yield from parquet.members(history, champions)
        if self.authors:
            yield from authors_layout.members(self.whole, history, self.description.n_classes)
        if self.size or self.authors:
            yield from self._pictures(champions, told["generation"])

    def _readme(self, told: dict[str, Any], champions: list[ChampionRow]) -> bytes:
        text = readme_text(
            told,
            self.description,
            champions=len(champions),
            size=self.size,
            tables=self.tables,
            authors=self.authors,
        )
        return text.encode()

    def _champions(self, holders: dict[int, Takeover], history: History) -> list[ChampionRow]:
        numbers = {takeover.individual for takeover in holders.values()}
        everybody = history.individuals(with_genomes=False)
        hashes = {one.number: one.genome_hash for one in everybody if one.number in numbers}
        labels, rows = self.description.classifier["labels"], []
        digits = len(str(len(labels) - 1))
        for class_index, takeover in sorted(holders.items()):
            label, number = labels[class_index], takeover.individual
            picture = f"pictures/{class_index:0{digits}d}_{_slug(label)}.png" if self.size else ""
            facts = (takeover.confidence, number, takeover.generation, hashes[number], picture)
            rows.append(ChampionRow(class_index, label, *facts))
        return rows

    def _pictures(self, champions: list[ChampionRow], generation: int) -> Iterator[Extra]:
        """Draw each champion once and write it for each class that it holds."""
        parameters = self.description.parameters
        by_number = sorted(champions, key=lambda row: row.individual)
        held = {number: list(rows) for number, rows in groupby(by_number, key=lambda row: row.individual)}
        for number, genome in self._genomes(list(held)):
            try:
                content = png_of(picture_of_size(parameters, genome, self.size or parameters.width))
            except GenomeError as error:
                raise ArchiveFileError(f"the genome of champion {number} is damaged ({error})") from error
            for row in held[number]:
                yield from self._of_class(row, generation, content)

    def _of_class(self, row: ChampionRow, generation: int, content: bytes) -> Iterator[Extra]:
        if row.picture:
            yield self._counted(row.picture, content)
        if self.authors:
            yield self._counted(
                authors_layout.picture_name(generation, row.class_index, row.confidence), content
            )

    def _counted(self, name: str, content: bytes) -> Extra:
        self.pictures += 1
        self.step()
        return Extra(name, [content], is_packed=True)

    def _genomes(self, numbers: list[int]) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(numbers), AT_ONCE):
            rows = self.run.individuals.filter(number__in=numbers[start : start + AT_ONCE]).order_by("number")
            for number, genome in rows.values_list("number", "genome"):
                yield number, bytes(genome)


def png_of(picture: Image.Image) -> bytes:
    """Return a picture as a PNG that is quickly written."""
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=QUICK)
    return file.getvalue()


def packages_text(versions: dict[str, str]) -> str:
    """Return which versions computed a run, and all that is installed where its file is written."""
    installed = {each.metadata["Name"]: each.version for each in distributions()}
    lines = [
        "# what computed the run",
        *(f"{name}=={number}" for name, number in sorted(versions.items())),
        "",
        "# all that was installed where this file was written",
        f"python=={platform.python_version()}",
        *(f"{name}=={installed[name]}" for name in sorted(installed, key=str.lower)),
    ]
    return "\n".join(lines) + "\n"


def _in_shortest_decimals(champions: list[ChampionRow]) -> Iterator[tuple[Any, ...]]:
    from numpy import float32

    return (row._replace(confidence=str(float32(row.confidence))) for row in champions)  # type: ignore[arg-type]


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    for row in (columns, *rows):
        writer.writerow(row)
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60].strip("-") or "class"


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()
