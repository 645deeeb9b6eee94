"""Take plain pictures with a table of classes into this site: as one run that nobody searched for, or not at all.

Its individuals are the pictures at the classifier's size, kept as a run with the direct encoding keeps its genomes.
The classifier is asked about each where its weights are here; else the table's confidences are kept as what somebody
claimed. Pictures of one class stand in the order of their confidence, as if each had taken the class from the one
before it: the surest is the champion, and the history of a class lists them all.
"""

import hashlib
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils import timezone

from evolution.archive_file import CONTROL, WHOLE, archive_sha256
from evolution.archive_lines import as_float32
from evolution.direct import DirectEncoding, DirectPopulation
from evolution.parameters import Parameters
from evolution.statistics import summarise
from fooling_web.exports.exporting import NAMED_VERSIONS
from fooling_web.exports.importing import AlreadyImported
from fooling_web.exports.picture_files import Pictures, PicturesRefused, Told, levels_of
from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Takeover
from fooling_web.users.models import User
from models_zoo.errors import WeightsMissing
from models_zoo.registry import ClassifierEntry, find

TOGETHER = 32  # pictures that the classifier sees at once
CHUNK = 200  # rows with genomes in memory
TOP = 5  # confidences that an individual keeps
MOST_TITLE = 100  # characters
NO_WEIGHTS = "0" * 64  # in the place of their hash: the site never had any
Judge = Callable[[list[bytes]], npt.NDArray[np.float32]]
Progress = Callable[[int, int], None]


@dataclass
class Picture:
    """A picture on its way in."""

    number: int
    told: Told
    place: int  # of its genome among those that were put aside
    size: int  # bytes
    genome_hash: str
    confidence: float = 0.0  # of the class that it is told to show
    top: Sequence[tuple[int, float]] = ()
    turn: int = 0  # the how-manieth of its class, the least sure first
    taken_from: int | None = None
    takes: bool = True


def import_pictures(
    path: Path,
    *,
    classifier: str,
    table: Path | None = None,
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
    name: str = "",
    anyway: bool = False,
    progress: Progress = lambda done, total: None,
) -> Run:
    """Return the run that holds the pictures of a folder or ZIP.

    Raises PicturesRefused, AlreadyImported where the owner knows of the same pictures here (or, `anyway`, owns them),
    and ZooError where the classifier is unknown or its weights are damaged.
    """
    entry = find(classifier)
    parameters = _parameters(entry)
    with closing(Pictures(path, entry, table)) as files, tempfile.TemporaryFile() as aside:
        pictures, digest = _read(files, parameters, aside, progress)
        judge = _judge(entry, parameters)
        if earlier := _same(entry, digest, _known_to(owner, anyway=anyway), is_measured=judge is not None):
            raise AlreadyImported(path, earlier)
        if judge is None:
            _claim(pictures, entry)
        else:
            _measure(pictures, judge, aside, progress)
        _take_turns(pictures)
        with transaction.atomic():
            run = _store_run(
                path, entry, parameters, pictures, digest,
                owner=owner, visibility=visibility, name=name, is_measured=judge is not None,
            )  # fmt: skip
            _store_pictures(run, pictures, aside)
    return run


def _parameters(entry: ClassifierEntry) -> Parameters:
    """Return what says how the genomes are read; nothing was searched for with them."""
    return Parameters(
        encoding="direct",
        colour="rgb",
        generations=1,
        first_population=2,
        offspring=2,
        channels=entry.channels,
        height=entry.height,
        width=entry.width,
    )


def _read(
    files: Pictures, parameters: Parameters, aside: IO[bytes], progress: Progress
) -> tuple[list[Picture], str]:
    """Put every picture aside as a genome; return the pictures and the hash of all that came."""
    encoding, digest = DirectEncoding(parameters), hashlib.sha256(files.table)
    pictures = []
    for number, told in enumerate(files.told):
        content = files.content_of(told)
        digest.update(hashlib.sha256(content).digest())
        population = DirectPopulation(levels_of(content, told.name, files.entry)[np.newaxis])
        genome, genome_hash = encoding.written(population, 0)
        pictures.append(Picture(number, told, aside.tell(), len(genome), genome_hash))
        aside.write(genome)
        if not number % TOGETHER:
            progress(number, 2 * len(files.told))
    return pictures, digest.hexdigest()


def _judge(entry: ClassifierEntry, parameters: Parameters) -> Judge | None:
    """Return what asks the classifier; None where its weights are not here."""
    try:
        entry.require_weights()
    except WeightsMissing:
        return None
    from fooling_web.runs.execution import judge_for  # loads torch, which the web process does not need

    return judge_for(entry.name, parameters)


def _known_to(owner: User | None, *, anyway: bool) -> Any:
    if anyway:
        return Run.objects.filter(owner=owner)
    return Run.objects.all() if owner is None else Run.objects.listed_for(owner)


def _same(entry: ClassifierEntry, digest: str, known: Any, *, is_measured: bool) -> Run | None:
    """Return a run of the same pictures whose confidences came about in the same way."""
    found: Run | None = known.filter(
        kind=Run.Kind.PICTURES,
        classifier=entry.name,
        classifier_sha256=_weights_of(entry),
        origin__file_sha256=digest,
        origin__versions__confidences=_confidences(is_measured=is_measured),
    ).first()
    return found


def _weights_of(entry: ClassifierEntry) -> str:
    """Return the hash of the classifier's weights as far as the site knows it: an archive file must tell one."""
    return entry.card["sha256"] or NO_WEIGHTS


def _confidences(*, is_measured: bool) -> str:
    return "measured" if is_measured else Run.CLAIMED


def _claim(pictures: list[Picture], entry: ClassifierEntry) -> None:
    """Take the table's word for the confidences."""
    for picture in pictures:
        told = picture.told
        if told.confidence is None:
            raise PicturesRefused(
                f"line {told.line} of the table gives no confidence for {told.name[:100]}, and the weights of "
                f"{entry.name} are not here to measure it; give a number, or bring the weights"
            )
        picture.confidence = as_float32(told.confidence)
        picture.top = [(told.class_index, picture.confidence)]


def _measure(pictures: list[Picture], judge: Judge, aside: IO[bytes], progress: Progress) -> None:
    """Ask the classifier about every picture."""
    for start in range(0, len(pictures), TOGETHER):
        some = pictures[start : start + TOGETHER]
        for picture, row in zip(some, judge([_genome(one, aside) for one in some]), strict=True):
            picture.confidence = float(row[picture.told.class_index])
            picture.top = _top(row, picture.told.class_index)
        progress(len(pictures) + start + len(some), 2 * len(pictures))


def _top(row: npt.NDArray[np.float32], told: int) -> list[tuple[int, float]]:
    """Return the highest confidences, (n_classes,), that of the class told always among them."""
    best = np.argsort(-row, kind="stable")[:TOP].tolist()
    if told not in best:
        best[-1] = told
    return [(int(index), float(row[index])) for index in best]


def _genome(picture: Picture, aside: IO[bytes]) -> bytes:
    aside.seek(picture.place)
    return aside.read(picture.size)


def _take_turns(pictures: list[Picture]) -> None:
    """Let the pictures of each class come one after the other; of those equally sure the first takes the class."""
    of_class: dict[int, list[Picture]] = {}
    for picture in pictures:
        of_class.setdefault(picture.told.class_index, []).append(picture)
    for some in of_class.values():
        some.sort(key=lambda one: (one.confidence, one.number))
        some[0].takes = some[0].confidence > 0
        holder = some[0]
        for before, picture in pairwise(some):
            picture.takes = picture.confidence > before.confidence
            picture.turn = before.turn + (picture.takes and holder.takes)
            if picture.takes:
                picture.taken_from = holder.number if holder.takes else None
                holder = picture


def _store_run(
    path: Path,
    entry: ClassifierEntry,
    parameters: Parameters,
    pictures: list[Picture],
    digest: str,
    *,
    owner: User | None,
    visibility: str,
    name: str,
    is_measured: bool,
) -> Run:
    last, now = max(picture.turn for picture in pictures), timezone.now()
    parameters = parameters.replaced(generations=max(1, last))
    champions = _champions(pictures)
    held = {index: (one.genome_hash, one.confidence) for index, one in champions.items()}
    return Run.objects.create(
        name=_line(name or path.stem)[: Run._meta.get_field("name").max_length],
        kind=Run.Kind.PICTURES,
        owner=owner,
        visibility=visibility,
        classifier=entry.name,
        classifier_sha256=_weights_of(entry),
        encoding="direct",
        parameters=parameters.to_json(),
        seed=0,
        status=Run.Status.FINISHED,
        generation=last,
        generations=parameters.generations,
        evaluations=len(pictures) if is_measured else 0,
        finished_at=now,
        origin={
            "file": path.name,
            "file_sha256": digest,
            "archive_sha256": archive_sha256(entry.n_classes, held),
            "holds": WHOLE,
            "generation": last,
            "created": now.isoformat(timespec="seconds"),
            "versions": _versions(is_measured=is_measured),
            "pictures": len(pictures),
        },
    )


def _versions(*, is_measured: bool) -> dict[str, str]:
    """Return what measured the confidences, and that it did: an archive file of the run tells this elsewhere, too."""
    told = {"confidences": _confidences(is_measured=is_measured)}
    if not is_measured:
        return told
    return {"python": platform.python_version(), **{one: version(one) for one in NAMED_VERSIONS}, **told}


def _line(text: str) -> str:
    return " ".join(CONTROL.sub(" ", text).split())


def _champions(pictures: list[Picture]) -> dict[int, Picture]:
    """Return the picture that holds each class in the end."""
    in_turn = sorted((one for one in pictures if one.takes), key=lambda one: one.turn)
    return {one.told.class_index: one for one in in_turn}


def _store_pictures(run: Run, pictures: list[Picture], aside: IO[bytes]) -> None:
    for start in range(0, len(pictures), CHUNK):
        Individual.objects.bulk_create(
            Individual(
                run=run,
                number=one.number,
                generation=one.turn,
                top=[list(pair) for pair in one.top],
                genome=_genome(one, aside),
                genome_hash=one.genome_hash,
            )
            for one in pictures[start : start + CHUNK]
        )
    rows_of = dict(run.individuals.values_list("number", "pk"))
    Takeover.objects.bulk_create(
        (
            Takeover(run=run, **_holding(one, rows_of), taken_from=one.taken_from)
            for one in pictures
            if one.takes
        ),
        batch_size=CHUNK,
    )
    champions = _champions(pictures).values()
    Champion.objects.bulk_create(
        (Champion(run=run, **_holding(one, rows_of)) for one in champions), batch_size=CHUNK
    )
    Exhibit.objects.bulk_create(
        (
            Exhibit(individual_id=rows_of[one.number], title=_line(Path(one.told.name).stem)[:MOST_TITLE])
            for one in pictures
        ),
        batch_size=CHUNK,
    )
    GenerationStat.objects.bulk_create(_statistics(run, pictures), batch_size=CHUNK)
    latest = run.statistics.latest("generation")
    run.median_confidence, run.max_confidence = latest.median, latest.max
    run.save(update_fields=["median_confidence", "max_confidence"])


def _holding(picture: Picture, rows_of: dict[int, int]) -> dict[str, Any]:
    return {
        "class_index": picture.told.class_index,
        "individual_id": rows_of[picture.number],
        "confidence": picture.confidence,
        "generation": picture.turn,
    }


def _statistics(run: Run, pictures: list[Picture]) -> Iterator[GenerationStat]:
    """Yield a line for each turn."""
    confidences = np.zeros(run.n_classes, np.float32)
    turns: dict[int, list[Picture]] = {turn: [] for turn in range((run.generation or 0) + 1)}
    for picture in pictures:
        if picture.takes:
            turns[picture.turn].append(picture)
    for turn, some in turns.items():
        for picture in some:
            confidences[picture.told.class_index] = picture.confidence
        yield GenerationStat(
            run=run,
            generation=turn,
            takeovers=len(some),
            evaluations=run.evaluations,
            seconds=0,
            **asdict(summarise(confidences)),
        )
