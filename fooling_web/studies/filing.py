"""A study as files: every trial, the images, the design and what all of it means, in one ZIP that opens anywhere.

What was answered before the design was frozen lies in a folder of its own. Who participants are elsewhere is never
in here (`outside_csv`).
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from fooling_web.studies import codebook
from fooling_web.studies.answers import answers_of
from fooling_web.studies.design import Task
from fooling_web.studies.exclusions import excluded
from fooling_web.studies.freezing import hashed
from fooling_web.studies.models import Participant, SessionEvent, Study, StudyImage, Trial

TOGETHER = 2000  # rows in memory
PHASES = (Participant.Phase.MAIN, Participant.Phase.PILOT)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet's formula begins
FIRST_TIME = (1980, 1, 1, 0, 0, 0)  # in a ZIP
Row = Sequence[Any]
Reasons = Mapping[int, Sequence[str]]


def write_study(study: Study, target: IO[bytes], phases: Sequence[str] = PHASES) -> dict[str, int]:
    """Write a study's files into a ZIP; return how many rows each table has."""
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        hashes: dict[str, str] = {}
        for name, content in _documents(study).items():
            _put(bundle, hashes, name, content.encode())
        images = {image.pk: image for image in study.images.select_related("individual")}
        for image in images.values():
            _put(bundle, hashes, f"images/{file_of(image)}", image.picture.open("rb").read())
        tables: dict[str, Iterable[Row]] = {
            "images.csv": images_rows(images.values()),
            "refusals.csv": refusals_rows(study),
        }
        for phase in phases:
            reasons = excluded(answers_of(study, phase), study.plan.exclusions)
            tables |= _of_phase(study, phase, images, reasons)
        for name, rows in tables.items():
            counts[name] = _put_table(bundle, hashes, name, rows)
        sums = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
        bundle.writestr(_member("SHA256SUMS"), sums)
    return counts


def _documents(study: Study) -> dict[str, str]:
    return {
        "README.txt": _readme(study),
        "codebook.txt": codebook.text(),
        "design.json": json.dumps(described(study), indent=2, ensure_ascii=False),
        **({"frozen.txt": hashed(study)} if study.is_frozen else {}),
    }


def described(study: Study) -> dict[str, Any]:
    """Return a study's design with what identifies it."""
    return {
        "study": str(study.pk),
        "title": study.title,
        "status": study.status,
        "frozen_at": _moment(study.frozen_at),
        "design_sha256": study.design_sha256,
        "design": study.design,
    }


def _readme(study: Study) -> str:
    frozen = (
        f"The design was frozen on {study.frozen_at:%d %B %Y}. Design and images stand in frozen.txt, of which\n"
        f"{study.design_sha256} is the SHA-256."
        if study.frozen_at
        else "The design was not frozen yet: everything in here is a trial of the study itself."
    )
    return (
        f"{study.title}\n{'=' * len(study.title)}\n\n"
        "People were asked about images, some of which were evolved so that a trained network is sure of them.\n"
        f"{frozen}\n\n"
        "main/     what was answered after freezing\n"
        "pilot/    what was answered before, simulated participants among them; never to be mixed with main/\n"
        "images/   the pictures as they were shown; images.csv tells of each\n"
        "design.json, codebook.txt, refusals.csv, SHA256SUMS\n\n"
        "trials.csv has a line for every trial. model-vs-human.csv has the main trials of those whom no rule of\n"
        "exclusion leaves out, in the columns of the model-vs-human toolbox. Participants are numbers; who they are\n"
        "elsewhere is not in here. Texts in UTF-8, times in UTC, decimal points.\n"
    )


def _of_phase(
    study: Study, phase: str, images: Mapping[int, StudyImage], reasons: Reasons
) -> dict[str, Iterable[Row]]:
    return {
        f"{phase}/trials.csv": trials_rows(study, phase, images, reasons),
        f"{phase}/model-vs-human.csv": model_vs_human_rows(study, phase, images, reasons),
        f"{phase}/participants.csv": participants_rows(study, phase, reasons),
        f"{phase}/events.csv": events_rows(study, phase),
    }


def file_of(image: StudyImage) -> str:
    """Return the name of an image's picture among the files."""
    return f"{image.number:04d}.png"


def _trials(study: Study, phase: str) -> Iterator[Trial]:
    trials = Trial.objects.filter(participant__study=study, participant__phase=phase)
    ordered = trials.select_related("participant", "response").order_by("participant__number", "number")
    return ordered.iterator(TOGETHER)


def trials_rows(
    study: Study, phase: str, images: Mapping[int, StudyImage], reasons: Reasons
) -> Iterator[Row]:
    """Yield a row for every trial that was laid down, in the columns of `codebook.TRIALS`."""
    for trial in _trials(study, phase):
        person = trial.participant
        yield (
            *(person.number, phase, person.entry, person.framing, trial.number + 1, trial.role),
            *(trial.condition, images[trial.image_id].number, images[trial.image_id].label),
            *(json.dumps(trial.options, ensure_ascii=False), trial.key),
            *_answered(trial),
            *_left_out(reasons, person.number),
        )


def _answered(trial: Trial) -> Row:
    response = getattr(trial, "response", None)
    if response is None:
        return (0, *[""] * 12)
    chosen = "" if response.answer is None else trial.options[response.answer]
    return (
        *(1, response.answer, chosen, _yes_no(response.is_right), response.sureness, harmless(response.name)),
        *(response.rt_ms, response.by, response.shown_ms, response.n_blurs, response.width, response.height),
        _moment(response.stored_at),
    )


def model_vs_human_rows(
    study: Study, phase: str, images: Mapping[int, StudyImage], reasons: Reasons
) -> Iterator[Row]:
    """Yield the main trials of those who are not left out, in the columns of `codebook.MODEL_VS_HUMAN`."""
    labels = {image.number: image.label for image in images.values()}
    picks_image = study.plan.task == Task.PICK_IMAGE
    for trial in _trials(study, phase):
        response = getattr(trial, "response", None)
        if trial.role != Trial.Role.MAIN or response is None or reasons.get(trial.participant.number):
            continue
        options = [labels.get(option, "na") for option in trial.options] if picks_image else trial.options
        answer = response.answer
        yield (
            *(trial.participant.number, 1, trial.number + 1),
            "na" if answer is None or response.rt_ms is None else round(response.rt_ms / 1000, 4),
            "na" if answer is None else options[answer],
            "na" if trial.key is None else options[trial.key],
            trial.condition or "0",
            file_of(images[trial.image_id]),
        )


def participants_rows(study: Study, phase: str, reasons: Reasons) -> Iterator[Row]:
    """Yield a row for every participant, in the columns of `codebook.PARTICIPANTS`."""
    people = study.participants.of_phase(phase).select_related("classroom").order_by("number")
    for person in people.iterator(TOGETHER):
        yield (
            *(person.number, phase, person.entry, person.framing),
            harmless(str(person.classroom or "")),
            *(person.n_trials, person.n_answered, person.n_reloads),
            *(_moment(person.consented_at), _moment(person.completed_at)),
            json.dumps(person.browser, ensure_ascii=False),
            *_left_out(reasons, person.number),
        )


def events_rows(study: Study, phase: str) -> Iterator[Row]:
    """Yield what happened to sessions, in the columns of `codebook.EVENTS`."""
    events = SessionEvent.objects.filter(participant__study=study, participant__phase=phase)
    for event in (
        events.select_related("participant").order_by("participant__number", "at").iterator(TOGETHER)
    ):
        trial = None if event.trial_number is None else event.trial_number + 1
        yield (event.participant.number, phase, _moment(event.at), trial, event.kind, harmless(event.detail))


def images_rows(images: Iterable[StudyImage]) -> Iterator[Row]:
    """Yield a row for every image, in the columns of `codebook.IMAGES`."""
    for image in images:
        found = image.individual
        yield (
            *(image.number, file_of(image), image.sha256, image.role, int(image.is_natural)),
            harmless(image.source),
            *((found.run_id, found.number) if found else ("", "")),
            *(image.class_index, image.label, image.confidence, image.second_label),
            *(image.machine_index, image.machine_label, image.machine_confidence),
            *(image.classifier, image.dataset, image.encoding, image.branch),
        )


def refusals_rows(study: Study) -> Iterator[Row]:
    """Yield what was refused, in the columns of `codebook.REFUSALS`."""
    for refusal in study.refusals.order_by("reason"):
        yield (refusal.reason, refusal.times, _moment(refusal.last_at))


def outside_csv(study: Study) -> str:
    """Return who participants are where they were recruited, for the owner alone."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(codebook.OUTSIDE)
    for known in study.outside_identities.select_related("participant").order_by("participant__number"):
        outside = map(harmless, (known.service, known.person, known.task, known.visit))
        writer.writerow((known.participant.number, *outside, _moment(known.participant.completed_at)))
    return target.getvalue()


def harmless(text: str) -> str:
    """Return a text that somebody typed, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _left_out(reasons: Reasons, number: int) -> tuple[int, str]:
    of_person = reasons.get(number, ())
    return int(bool(of_person)), "; ".join(of_person)


def _yes_no(claim: bool | None) -> int | str:
    return "" if claim is None else int(claim)


def _moment(when: datetime | None) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds") if when else ""


def _columns(name: str) -> Iterable[str]:
    return codebook.TABLES[name.rpartition("/")[2]]


def _put_table(bundle: zipfile.ZipFile, hashes: dict[str, str], name: str, rows: Iterable[Row]) -> int:
    """Write a table row by row, so that no table need fit into memory; return how many rows it has."""
    digest, count = hashlib.sha256(), 0
    with bundle.open(_member(name), "w") as member:
        for number, line in enumerate(_lines(name, rows)):
            content = line.encode()
            digest.update(content)
            member.write(content)
            count = number
    hashes[name] = digest.hexdigest()
    return count


def _lines(name: str, rows: Iterable[Row]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_columns(name))
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(row)
        yield buffer.getvalue()


def _put(bundle: zipfile.ZipFile, hashes: dict[str, str], name: str, content: bytes) -> None:
    hashes[name] = hashlib.sha256(content).hexdigest()
    bundle.writestr(_member(name), content)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, FIRST_TIME)
    member.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member
