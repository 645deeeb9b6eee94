"""`manage.py verify_archive`: check an archive file, draw it and ask its classifier again, without taking it in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from evolution.archive_file import ArchiveFile
from evolution.errors import EvolutionError
from fooling_web.exports.bundles import files_in, is_bundle, sums_in
from fooling_web.exports.importing import file_sha256
from fooling_web.exports.verifying import Redrawn, Verdict, ask_again, draw_again
from models_zoo.errors import ZooError


class Command(BaseCommand):
    """Check an archive file."""

    help = (
        "Check an archive file, or a ZIP of several: hashes, genomes, takeovers, pictures, and "
        "the confidences, about which the classifier is asked again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be chosen."""
        parser.add_argument("file", type=Path, metavar="F.zip", help="the archive file")
        parser.add_argument(
            "--without-asking",
            action="store_true",
            help="do not ask the classifier about the champions again",
        )
        parser.add_argument("--json", action="store_true", help="answer with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Check, draw and ask again, and say what the file holds; fail where it claims what is not so."""
        path: Path = options["file"]
        is_one = not is_bundle(path)
        looks: list[_Look] = []
        try:
            for look in iter([_look(path, options)]) if is_one else _looks_within(path, options):
                looks.append(look)
                if not options["json"]:
                    self.stdout.write(look.words)
        except (EvolutionError, ZooError) as error:
            raise CommandError(str(error)) from error
        reports = [look.report for look in looks]
        if options["json"]:
            self.stdout.write(json.dumps(reports[0] if is_one else {"archives": reports}))
        if wrong := [look.complaint for look in looks if look.complaint]:
            which = "" if is_one else f"{len(wrong):,} of {len(looks):,} files are wrong; "
            raise CommandError(f"{path} claims what is not so: {which}{wrong[0]}")


@dataclass(frozen=True)
class _Look:
    """What was found in one archive file."""

    report: dict[str, Any]
    words: str
    complaint: str


def _looks_within(path: Path, options: dict[str, Any]) -> Iterator[_Look]:
    """Go through every archive file of a ZIP, also where an earlier one is damaged, and those that it lacks."""
    told = sums_in(path)
    for file in files_in(path):
        try:
            look = _look(file, options)
            other = told.pop(file.name, None) not in (None, file_sha256(file))
            complaint = "it is not the file whose hash SHA256SUMS tells" if other else look.complaint
        except (EvolutionError, ZooError) as error:
            told.pop(file.name, None)
            complaint = str(error).removeprefix(str(file)).strip(" :")
            look = _Look({}, "", complaint)
        words = look.words.replace(str(file), file.name)
        yield _of_several(file.name, look.report, words, complaint)
    for name in told:
        yield _of_several(name, {}, "", "it is missing, and SHA256SUMS tells of it")


def _of_several(name: str, report: dict[str, Any], words: str, complaint: str) -> _Look:
    told = f"{name}: {complaint}" if complaint else ""
    return _Look({**report, "file": name, "wrong": complaint}, "\n".join(filter(None, (words, told))), told)


def _look(path: Path, options: dict[str, Any]) -> _Look:
    """Go through an archive file; a bar shows how far that is, where somebody sits before a terminal."""
    with ArchiveFile(path) as archive:
        archive.check()
        redrawn = draw_again(archive, _bar("drawing"))
        verdict = (
            Verdict(absent="not asked") if options["without_asking"] else ask_again(archive, _bar("asking"))
        )
        report = {**_report(archive), **_drawn(redrawn), **_found(verdict)}
    return _Look(report, _in_words(report, redrawn, verdict), _complaint(redrawn, verdict))


def _bar(deed: str) -> Callable[[int, int], None]:
    bar = tqdm(desc=deed, leave=False, disable=None)

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show


def _complaint(redrawn: Redrawn, verdict: Verdict) -> str:
    if redrawn.others:
        return (
            f"of {redrawn.pictures:,} pictures {len(redrawn.others):,} show something else than their genomes, "
            f"{redrawn.others[0]} for one, by {redrawn.largest} of 255"
        )
    if verdict.far:
        worst = verdict.far[0]
        return (
            f"of {len(verdict.far):,} champions the classifier is surer or less sure than it says, most of class "
            f"{worst.class_index}: {worst.found:.6f}, not {worst.claimed:.6f}"
        )
    return ""


def _report(archive: ArchiveFile) -> dict[str, Any]:
    return {
        "file": str(archive.path),
        "name": archive.run.name,
        "classifier": archive.run.classifier["name"],
        "seed": archive.run.seed,
        "generation": archive.generation,
        "evaluations": archive.evaluations,
        "classes": len(archive.champions),
        **archive.counts,
        "holds": archive.holds,
        "can_go_on": not archive.is_finished and archive.random_state is not None,
        "archive_sha256": archive.archive_sha256,
    }


def _drawn(redrawn: Redrawn) -> dict[str, Any]:
    return {
        "developed_again": redrawn.genomes,
        "pictures_compared": redrawn.pictures,
        "largest_difference_of_pictures": redrawn.largest,
        "pictures_that_differ": list(redrawn.others),
    }


def _found(verdict: Verdict) -> dict[str, Any]:
    return {
        "asked_again": len(verdict.differences),
        "not_asked_because": verdict.absent,
        "largest_difference": verdict.largest,
        "mean_difference": verdict.mean,
        "champions_that_differ": [one.class_index for one in verdict.far],
    }


def _asked(verdict: Verdict) -> str:
    if verdict.absent:
        return f"Its champions were not asked about again: {verdict.absent}."
    return (
        f"Asked again about {len(verdict.differences):,} champions, its classifier differs by "
        f"{verdict.largest:.1g} at most and {verdict.mean:.1g} in the mean."
    )


def _drawn_in_words(redrawn: Redrawn) -> str:
    if not redrawn.pictures:
        return f"All {redrawn.genomes:,} genomes that it holds were developed again. It carries no pictures."
    return (
        f"All {redrawn.genomes:,} genomes that it holds were developed again; its {redrawn.pictures:,} pictures "
        f"differ from them by {redrawn.largest} of 255 at most."
    )


def _in_words(report: dict[str, Any], redrawn: Redrawn, verdict: Verdict) -> str:
    return (
        f"{report['file']} is whole: {report['name']}, generation {report['generation']}, "
        f"{report['classes']:,} champions, {report['individuals']:,} individuals, {report['takeovers']:,} takeovers "
        f"({report['holds']}), archive {report['archive_sha256'][:16]}…\n"
        f"{_drawn_in_words(redrawn)}\n{_asked(verdict)}"
    )
