"""Evolve without the site: the same engine and classifiers, with a journal where the site has its database.

A first Ctrl-C (or SIGTERM, as a cluster sends it) ends the run after the generation under way and leaves an archive
file that can be continued; a second one stops at once, and what the last checkpoint kept remains.
"""

import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from evolution.archive_file import WHOLE, ArchiveFile, Description
from evolution.archive_lines import Climb, Individual, Statistics, Takeover
from evolution.archive_writing import write_archive
from evolution.checkpoint import Checkpoint, random_state_of
from evolution.encoding import Encoding, encoding_for
from evolution.map_elites import Generation, Search
from evolution.parameters import ENCODINGS, Parameters
from evolution.searching import Method, generations, method_for
from evolution.statistics import classes_that_count, summarise
from models_zoo.classifier import Classifier, top
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry, load
from models_zoo.travelling import card_document
from standalone.errors import StandaloneError
from standalone.journal import Journal

MOST_AT_ONCE = 500  # images in one batch, as on the site
NAMED_VERSIONS = ("numpy", "numba", "pillow", "torch")


class Stopped(Exception):
    """Somebody wants the run to end before its last generation."""


def working_folder(output: Path) -> Path:
    """Return where a run keeps what it has found until its archive file is written."""
    return output.with_name(f"{output.name}.working")


def begin(output: Path, entry: ClassifierEntry, parameters: Parameters, seed: int, name: str) -> Journal:
    """Return the journal of a new run; raises StandaloneError where its files are there already."""
    _refuse_folder(output)
    for path in (output, working_folder(output)):
        if path.exists():
            raise StandaloneError(
                f"{path} exists; go on with --resume {output}, or name another --output, or remove it"
            )
    run = Description(
        name=name or f"{entry.title}, {ENCODINGS[parameters.encoding]}, seed {seed}",
        seed=seed,
        parameters=parameters,
        classifier=card_document(entry),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Journal.begun(working_folder(output), run)


def continued(output: Path, generations: int | None = None) -> Journal:
    """Return the journal of a run that stopped: from its working folder, or else from its archive file.

    With `generations` the run goes further than it was meant to. A working folder may hold a run that had reached
    its end when its process died: it goes on to its archive file. Raises StandaloneError or ArchiveFileError.
    """
    _refuse_folder(output)
    folder = working_folder(output)
    journal = Journal.reopened(folder) if folder.exists() else _unpacked(folder, output, generations)
    if generations is None:
        return journal
    try:
        _refuse_fewer(output, journal.generation, generations)
        journal.aim_at(generations)
    except BaseException:
        journal.close()
        raise
    return journal


def _refuse_folder(output: Path) -> None:
    if output.is_dir():
        raise StandaloneError(f"{output} is a folder; name a file in it, such as {output / 'run.zip'}")


def _refuse_fewer(output: Path, reached: int | None, wanted: int) -> None:
    """Make sure that a run is not asked to end before where it has come to."""
    if reached is not None and reached > wanted:
        raise StandaloneError(
            f"{output} has come to generation {reached} already, past --generations {wanted}; give more than "
            f"{reached} to go further, or leave the option out"
        )


def _unpacked(folder: Path, output: Path, generations: int | None) -> Journal:
    with ArchiveFile(output) as archive:
        wanted = archive.run.parameters.generations if generations is None else generations
        _refuse_fewer(output, archive.generation, wanted)
        if archive.generation is not None and archive.generation >= wanted:
            raise StandaloneError(
                f"{output} is finished: generation {archive.generation} of {wanted}; "
                "give --generations to go further"
            )
        if archive.is_finished and _needs_more_than_champions(archive.run.parameters):
            raise StandaloneError(
                f"{output} is finished, and a run of its kind cannot go further; begin anew with "
                f"--generations {wanted}"
            )
        return Journal.unpacked(folder, archive)


def _needs_more_than_champions(parameters: Parameters) -> bool:
    """Whether a search goes on from a state that is dropped at its end."""
    return parameters.encoding == "gradient" or parameters.method == "novelty"


def run(
    journal: Journal,
    output: Path,
    *,
    device: str = "auto",
    checkpoint_every: float = 60,
    holds: str = WHOLE,
    quiet: bool = False,
) -> dict[str, Any]:
    """Advance a run to its end and write its archive file; raises Stopped where it was stopped in between."""
    parameters = journal.run.parameters
    try:
        classifier = _classifier(journal, device)
    except ZooError:
        if journal.generation is None:
            journal.remove()  # nothing was begun
        raise
    encoding = encoding_for(parameters, str(classifier.device))
    method = method_for(encoding, _Batches(classifier), parameters)
    search = _restored(journal, encoding, method)
    ledger = _Ledger(journal, encoding, method, search)
    with (
        _stops_held_back() as stop_is_asked,
        tqdm(total=parameters.generations, unit="generation", disable=quiet or None) as bar,
    ):
        for generation in generations(method, parameters, search):
            ledger.record(generation)
            bar.update(generation.number - bar.n)
            bar.set_postfix_str(f"median {ledger.statistics.median:.2%}")
            if stop_is_asked():
                break
            if ledger.is_due(checkpoint_every):
                ledger.keep()
        ledger.keep(finished=search.generation > parameters.generations)
        write_archive(
            output,
            journal.run,
            journal,
            random_state=journal.random_state,
            search_state=journal.search_state(),
            holds=holds,
        )
    journal.remove()
    if search.generation <= parameters.generations:
        raise Stopped
    return _report(journal, output)


def versions() -> dict[str, str]:
    """Return what computes here."""
    found = {"python": platform.python_version()}
    for package in NAMED_VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


class _Batches:
    """A classifier that is asked batch by batch, which bounds its memory whatever the population."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    @property
    def device(self) -> str:
        """Where the classifier computes."""
        return str(self._classifier.device)

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """The mean of the images that the classifier was trained on, for each channel."""
        return self._classifier.entry.mean_colour

    def differentiate(self, images: Any, class_indices: Any) -> tuple[Any, Any]:
        """Return confidences and gradients as the classifier does."""
        return self._classifier.differentiate(images, class_indices)

    def __call__(self, images: Any) -> npt.NDArray[np.float32]:
        """Return the confidences, (B, n_classes), of images, (B, C, H, W)."""
        most = min(MOST_AT_ONCE, self._classifier.batch_size)
        starts = range(0, len(images), most)
        confidences = [self._classifier(images[start : start + most]) for start in starts]
        return np.concatenate(confidences) if len(confidences) > 1 else confidences[0]


class _Ledger:
    """Takes generations down in a journal."""

    def __init__(self, journal: Journal, encoding: Encoding, method: Method, search: Search) -> None:
        self.journal, self.encoding, self.method, self.search = journal, encoding, method, search
        self._counted = classes_that_count(journal.run.parameters, search.archive.n_classes)
        before = journal.statistics_so_far
        self._seconds_before = before.seconds if before else 0.0
        self._begun = self._kept = time.monotonic()

    @property
    def statistics(self) -> Statistics:
        """The latest generation's line."""
        assert self.journal.statistics_so_far
        return self.journal.statistics_so_far

    def record(self, generation: Generation) -> None:
        """Take down one generation."""
        takeovers = generation.takeovers
        rows = sorted(set(takeovers.rows.tolist()))
        statistics = Statistics(
            generation=generation.number,
            takeovers=len(takeovers),
            evaluations=generation.evaluations,
            seconds=round(self._seconds_before + time.monotonic() - self._begun, 3),
            **asdict(summarise(self.search.archive.confidences[self._counted])),
        )
        self.journal.record(
            [self._individual(generation, row) for row in rows], _takeovers(generation), statistics
        )

    def is_due(self, seconds: float) -> bool:
        """Whether the last checkpoint is that long ago."""
        return time.monotonic() - self._kept >= seconds

    def keep(self, finished: bool = False) -> None:
        """Write a checkpoint; what a search holds beside its champions is of no use once it has ended."""
        state = b"" if finished else self.method.state_of(self.search)
        self.journal.keep(random_state_of(self.search.rng), state, sorted(self._climbs()))
        self._kept = time.monotonic()

    def _climbs(self) -> Iterator[Climb]:
        """Yield the milestones of gradient ascent; of another search nothing."""
        milestones = getattr(self.search, "milestones", None)
        if milestones is None:
            return
        from evolution.gradient_ascent import NOT_YET, targets_of

        settings = self.journal.run.parameters.gradient
        targets = targets_of(settings, self.search.archive.n_classes).tolist()
        for row, (target, passed) in enumerate(zip(targets, milestones.tolist(), strict=True)):
            steps = (None if step == NOT_YET else step for step in passed)
            yield Climb(target, row % settings.starts, *steps)

    def _individual(self, generation: Generation, row: int) -> Individual:
        confidences = generation.confidences[row]  # (n_classes,)
        best = top(confidences[np.newaxis])[0].tolist()
        genome, genome_hash = self.encoding.written(generation.population, row)
        return Individual(
            number=generation.first_number + row,
            generation=generation.number,
            parents=tuple(sorted(set(generation.lineage[row].tolist()))),
            top=tuple((index, float(confidences[index])) for index in best),
            genome_hash=genome_hash,
            genome=genome,
        )


def _takeovers(generation: Generation) -> Iterator[Takeover]:
    takeovers = generation.takeovers
    columns = (takeovers.class_indices, takeovers.rows, takeovers.confidences, takeovers.taken_from)
    for class_index, row, confidence, taken_from in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        yield Takeover(
            generation.number,
            class_index,
            generation.first_number + row,
            confidence,
            None if taken_from < 0 else taken_from,
        )


def _classifier(journal: Journal, device: str) -> Classifier:
    card, parameters = journal.run.classifier, journal.run.parameters
    classifier = load(card["name"], device)
    if classifier.weights_sha256 != card["weights_sha256"]:
        raise StandaloneError(
            f"the weights of {card['name']} here are not those that the run was begun with; bring those, or "
            "begin anew"
        )
    return classifier.with_views(crops=parameters.crops, precision=parameters.precision)


def _restored(journal: Journal, encoding: Encoding, method: Method) -> Search:
    n_classes = journal.run.n_classes
    if journal.generation is None or journal.random_state is None:
        return method.begun(Search.begin(n_classes, journal.run.seed))
    checkpoint = Checkpoint(journal.generation + 1, journal.random_state, journal.holdings())
    return method.resumed(checkpoint.restored(encoding, n_classes), journal.search_state())


def _report(journal: Journal, output: Path) -> dict[str, Any]:
    latest = journal.statistics_so_far
    assert latest
    with ArchiveFile(output) as archive:
        sha256 = archive.archive_sha256
    return {
        "run": str(output),
        "generation": latest.generation,
        "classes": len(journal.champions),
        "median_confidence": latest.median,
        "share_99": latest.share_99,
        "share_9999": latest.share_9999,
        "evaluations": latest.evaluations,
        "seconds": latest.seconds,
        "evaluations_per_second": round(latest.evaluations / latest.seconds, 1) if latest.seconds else 0.0,
        "archive_sha256": sha256,
    }


@contextmanager
def _stops_held_back() -> Iterator[Callable[[], bool]]:
    """Hold a first Ctrl-C or SIGTERM back until the yielded function is asked; a second one is not held back.

    Raised on the way into compiled code, a KeyboardInterrupt may end the process instead of the run.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for other in before:
            signal.signal(other, signal.default_int_handler)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
