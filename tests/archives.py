"""Archive files for tests: the real engine's, against a quick stand-in for a network, whole or tampered with."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evolution.archive_file import MANIFEST, WHOLE, Description
from evolution.archive_lines import Climb, Individual, Statistics, Takeover
from evolution.archive_writing import write_archive
from evolution.checkpoint import random_state_of
from evolution.encoding import encoding_for
from evolution.map_elites import Search, evolve
from evolution.parameters import Parameters
from evolution.statistics import summarise

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Found:
    """A history in memory."""

    everyone: list[Individual]
    changes: list[Takeover]
    lines: list[Statistics]

    def individuals(self, *, with_genomes: bool) -> list[Individual]:
        return self.everyone

    def takeovers(self) -> list[Takeover]:
        return self.changes

    def statistics(self) -> list[Statistics]:
        return self.lines

    def climbs(self) -> list[Climb]:
        return []


def description(parameters: Parameters, **changes: Any) -> Description:
    classifier = {
        "name": "stand-in",
        "title": "Stand-in",
        "summary": "A random linear map.",
        "dataset": "custom",
        "labels": [f"class {index}" for index in range(10)],
        "architecture": "mnist-lenet",
        "preprocessing": {
            "input_size": parameters.height,
            "channel_order": "grey",
            "scale": 1.0,
            "mean": [0.0],
            "std": [1.0],
            "resize": f"squash:{parameters.height}",
            "interpolation": "bicubic",
        },
        "weights_sha256": "ab" * 32,
        "test_error_percent": None,
        "parameters": 7840,
        "source": "",
        "licence": "",
    }
    facts = {
        "name": "A run from elsewhere",
        "seed": 3,
        "parameters": parameters,
        "classifier": classifier,
        "versions": {"numpy": "2"},
        "created": "2026-01-02T03:04:05+00:00",
    }
    return Description(**{**facts, **changes})


def stand_in(images: np.ndarray) -> np.ndarray:
    """The softmax of a fixed random linear map: a classifier of ten classes without training."""
    slopes = np.random.default_rng(11).normal(0, 0.2, (28 * 28, 10)).astype(np.float32)
    scores = (images.reshape(len(images), -1) - np.float32(0.5)) @ slopes
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    confidences: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return confidences


def history_of(parameters: Parameters, last: int | None = None) -> tuple[Found, Search]:
    """Evolve up to a generation and return everything that was found."""
    encoding, search = encoding_for(parameters), Search.begin(10, 3)
    found = Found([], [], [])
    for generation in evolve(encoding, stand_in, parameters, search):
        takeovers = generation.takeovers
        for row in sorted(set(takeovers.rows.tolist())):
            sure = generation.confidences[row]
            found.everyone.append(
                Individual(
                    generation.first_number + row,
                    generation.number,
                    tuple(sorted(set(generation.lineage[row].tolist()))),
                    tuple((int(index), float(sure[index])) for index in (-sure).argsort(kind="stable")[:5]),
                    encoding.fingerprint(generation.population, row),
                    encoding.to_bytes(generation.population, row),
                )
            )
        found.changes.extend(
            Takeover(
                generation.number,
                int(index),
                generation.first_number + int(row),
                float(confidence),
                None if before < 0 else int(before),
            )
            for index, row, confidence, before in zip(
                takeovers.class_indices,
                takeovers.rows,
                takeovers.confidences,
                takeovers.taken_from,
                strict=True,
            )
        )
        found.lines.append(
            Statistics(
                generation=generation.number,
                takeovers=len(takeovers),
                evaluations=generation.evaluations,
                seconds=generation.number / 4,
                **asdict(summarise(search.archive.confidences)),
            )
        )
        if generation.number == last:
            break
    return found, search


def written(
    path: Path,
    parameters: Parameters,
    *,
    last: int | None = None,
    holds: str = WHOLE,
) -> Path:
    """Write the archive file of a run that really evolved."""
    found, search = history_of(parameters, last)
    write_archive(
        path,
        description(parameters),
        found,
        random_state=random_state_of(search.rng),
        holds=holds,
    )
    return path


def tampered(
    path: Path, changes: Mapping[str, Change | None], *, also: Mapping[str, bytes] | None = None
) -> Path:
    """Return a copy with members changed (or left out, by None) and added, whose manifest vouches for all of it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        if change is None:
            del members[name]
        else:
            members[name] = change(members[name])
    members |= also or {}
    if MANIFEST not in changes:
        manifest = json.loads(members[MANIFEST])
        manifest["members"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in members.items()
            if name != MANIFEST
        }
        members[MANIFEST] = json.dumps(manifest).encode()
    copy = path.with_name("tampered.zip")
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return copy


def replaced(before: str, after: str) -> Change:
    """Return a change that replaces the first occurrence of a text, which has to be there."""

    def change(content: bytes) -> bytes:
        assert before.encode() in content
        return content.replace(before.encode(), after.encode(), 1)

    return change


def with_json(**changes: Any) -> Change:
    """Return a change of a JSON object's values."""
    return lambda content: json.dumps({**json.loads(content), **changes}).encode()


def on_line(number: int, change: Callable[[str], str]) -> Change:
    """Return a change of one line, counted from 0, the header."""

    def changed(content: bytes) -> bytes:
        lines = content.decode().split("\n")
        lines[number] = change(lines[number])
        return "\n".join(lines).encode()

    return changed


def column(number: int, value: str) -> Callable[[str], str]:
    """Return a change of one cell of a line."""

    def change(line: str) -> str:
        cells = line.split(",")
        cells[number] = value
        return ",".join(cells)

    return change
