"""Runs of every kind that archive files hold, and what a site holds of one, so that two sites can be compared."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from evolution.archive_file import archive_sha256
from evolution.encoding import encoding_for
from fooling_web.runs.guests import Guest, admit
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Climb, Run
from tests.factories import execute_once, executed, launched

OF_THE_RUN = (
    *("name", "kind", "classifier", "classifier_sha256", "encoding", "parameters", "seed", "status"),
    *("generation", "generations", "evaluations", "median_confidence", "max_confidence"),
    *("random_state", "n_founders", "guests"),
)
TABLES: dict[str, tuple[str, ...]] = {
    "individuals": ("number", "generation", "parents", "top", "genome", "genome_hash"),
    "takeovers": ("generation", "class_index", "individual__number", "confidence", "taken_from"),
    "champions": ("class_index", "individual__number", "confidence", "generation"),
    "statistics": (
        *("generation", "median", "mean", "max", "share_99", "share_9999"),
        *("takeovers", "evaluations", "seconds"),
    ),
    "climbs": ("class_index", "start", *Climb.MILESTONES),
}


def recorded(run: Run) -> dict[str, Any]:
    """Return all that must be the same elsewhere, as JSON can hold it."""
    run.refresh_from_db()
    facts = {**{name: getattr(run, name) for name in OF_THE_RUN}, "seconds": round(run.seconds, 3)}
    tables = {name: list(_lines(run, name)) for name in TABLES}
    founders = list(run.founding_genomes)
    state = hashlib.sha256(run.kept_state()).hexdigest()
    held = run.champions.values_list("class_index", "individual__genome_hash", "confidence")
    sha256 = archive_sha256(run.n_classes, {index: (name, sure) for index, name, sure in held})
    return {**facts, **tables, "founders": founders, "state": state, "archive_sha256": sha256}


def _lines(run: Run, table: str) -> Iterator[list[Any]]:
    rows = getattr(run, table).order_by(*TABLES[table][:3]).values_list(*TABLES[table])
    return ([_plain(name, value) for name, value in zip(TABLES[table], row, strict=True)] for row in rows)


def _plain(name: str, value: Any) -> Any:
    if name == "seconds":
        return round(value, 3)  # files tell thousandths
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _by(**choices: Any) -> Run:
    parameters = parameters_for("mnist-lenet", "cppn", generations=4, population=20, **choices)
    return launch("mnist-lenet", "cppn", parameters=parameters, seed=1)


def _ascent() -> Run:
    chosen = {"classes": (3, 7), "starts": 2, "generations": 30}
    return launch(
        "mnist-lenet", "gradient", parameters=parameters_for("mnist-lenet", "gradient", **chosen), seed=1
    )


def in_colour(encoding: str) -> Run:
    """Return a run of few large pictures, at which a network with a thousand classes looks."""
    parameters = parameters_for("efficientnet-lite0", encoding, generations=1, population=4)
    return launch("efficientnet-lite0", encoding, parameters=parameters, seed=1)


def _stopped(run: Run) -> Run:
    """Return a run that waits for its owner in the midst, with all that it needs to go on."""
    execute_once(run, seconds=0)
    run.pause()
    run.refresh_from_db()
    return run


def bred_with() -> Run:
    """Return a run that began with bred pictures, and that another one came into."""
    begun = launched()
    encoding = encoding_for(begun.settings)
    population = encoding.random(5, np.random.default_rng(4))
    run = launched(founders=[encoding.to_json(population, row) for row in range(4)])
    begun.delete()
    execute_once(run, seconds=0)
    sure = np.zeros(10, np.float32)
    sure[[3, 7]] = 0.9999
    assert run.borrow("a test")
    admit(run, Guest(*encoding.written(population, 4), sure, [(3, float(sure[3]))]))
    run.release()
    return executed(run)


SMALL: dict[str, Callable[[], Run]] = {
    "cppn": lambda: executed(launched()),
    "direct": lambda: executed(launched(encoding="direct")),
    "gradient": lambda: executed(_ascent()),
    "gradient, in the midst": lambda: _stopped(_ascent()),
    "single-class": lambda: executed(_by(method="single-class")),
    "novelty, in the midst": lambda: _stopped(_by(method="novelty")),
    "with founders and a guest": bred_with,
    "networks in colour": lambda: executed(in_colour("cppn")),
}
LARGE: dict[str, Callable[[], Run]] = {"pixels in colour": lambda: executed(in_colour("direct"))}
