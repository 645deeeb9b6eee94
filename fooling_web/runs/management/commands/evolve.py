"""Run an evolution in the foreground, or several one after another: the same execution as a worker's.

Neither broker nor worker is needed.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from evolution.errors import ParameterError
from evolution.parameters import (
    CROPS,
    ENCODINGS,
    FIDELITIES,
    GRADIENT_SETTINGS,
    MAX_SEED,
    METHODS,
    Parameters,
)
from evolution.presets import (
    MAX_RUNS,
    PRESETS,
    Choices,
    Preset,
    classes_from,
    parameters_of,
    preset_of,
    usual_classifier,
)
from fooling_web.runs.launching import begin_sweep, drawn_seed, launch, name_in_sweep, require_seeds
from fooling_web.runs.management.numbers import whole
from fooling_web.runs.models import Run, Sweep
from fooling_web.runs.percentages import finely
from fooling_web.users.models import User
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry, find

EXAMPLES = {"generations": 200, "population": 200, "seed": 1, "runs": 5, "crops": 10, "starts": 5}
A_MOMENT = 0.1  # seconds


class Command(BaseCommand):
    """Evolve images against a classifier, with a progress bar; the site shows the run like any other."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer exactly what the engine's parameters accept."""
        parser.add_argument(
            "--classifier", help="see `manage.py classifiers` (mnist-lenet, or efficientnet-lite0)"
        )
        parser.add_argument("--preset", default="", help=f"an experiment: {', '.join(PRESETS)}")
        parser.add_argument("--encoding", help=f"{' or '.join(ENCODINGS)} (the preset's, or cppn)")
        parser.add_argument("--generations", help="after the first population (the preset's, or 200)")
        parser.add_argument("--population", help="images a generation (the preset's, or 200)")
        parser.add_argument("--crops", help="views of an image: 1 or 10 (the preset's, or 1)")
        parser.add_argument("--runs", help="one after another, with seeds that follow (the preset's, or 1)")
        parser.add_argument("--method", default="map-elites", help=" or ".join(METHODS))
        parser.add_argument("--precision", default="float32", help="float32 or half")
        parser.add_argument("--fidelity", help=f"{' or '.join(FIDELITIES)} (the preset's, or paper)")
        parser.add_argument("--setting", help=f"of gradient ascent: {' or '.join(GRADIENT_SETTINGS)} (A)")
        parser.add_argument("--classes", help="of gradient ascent: published, all, or indices like 200,207")
        parser.add_argument("--starts", help="of gradient ascent, for each class (5)")
        parser.add_argument("--seed", help="a whole number, the first run's; drawn if not given")
        parser.add_argument("--name", default="", help="shown on the site")
        parser.add_argument("--owner", help="the account that steers it on the site; else administrators do")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Prepare, run, and report."""
        options["classifier"] = options["classifier"] or usual_classifier(options["preset"])
        entry, preset = _experiment(options)
        parameters, runs = _parameters(options, entry, preset), _runs(options, preset)
        seed, name = _seed(options, runs), _name(options)
        call_command("migrate", verbosity=0, interactive=False)
        if runs > 1:
            report = self._sweep(options, parameters, runs, seed, name)
        else:
            report = self._run(options, parameters, seed=seed, name=name)
        self.stdout.write(json.dumps(report) if options["json"] else in_words(report))

    def _sweep(
        self, options: dict[str, Any], parameters: Parameters, runs: int, seed: int | None, name: str
    ) -> dict[str, Any]:
        """Execute runs one after another; each is stored when its turn comes, or a worker would take it."""
        first = drawn_seed() if seed is None else seed
        with _plainly():
            sweep = begin_sweep(
                options["classifier"],
                parameters.encoding,
                runs=runs,
                name=name,
                preset=options["preset"],
                owner=_owner(options["owner"]),
            )
        reports = [
            self._run(options, parameters, seed=number, name=name_in_sweep(sweep, number), sweep=sweep)
            for number in range(first, first + runs)
        ]
        return report_together(sweep, reports)

    def _run(
        self,
        options: dict[str, Any],
        parameters: Parameters,
        *,
        seed: int | None,
        name: str,
        sweep: Sweep | None = None,
    ) -> dict[str, Any]:
        with _plainly():
            run = launch(
                options["classifier"],
                parameters.encoding,
                parameters=parameters,
                seed=seed,
                name=name,
                preset=options["preset"],
                owner=_owner(options["owner"]),
                sweep=sweep,
            )
        self._execute(run, quiet=options["json"])
        run.refresh_from_db()
        if run.status != Run.Status.FINISHED:
            raise CommandError(run.error or f"the run was {run.status} on the site: {run.get_absolute_url()}")
        return report_of(run)

    def _execute(self, run: Run, *, quiet: bool) -> None:
        holder = f"{socket.gethostname()}:{os.getpid()} (command)"
        try:
            with tqdm(total=run.generations, unit="generation", disable=None, leave=not quiet) as bar:
                _drive(run, holder, bar)
        except Run.DoesNotExist:
            raise CommandError("the run was deleted on the site") from None
        except KeyboardInterrupt:
            if pause(run, holder):
                raise CommandError(_where_it_goes_on(run)) from None


def _drive(run: Run, holder: str, bar: Any) -> None:
    """Advance the run to its end, or watch while a worker of the site does."""
    from fooling_web.runs.execution import execute

    with interrupts_held_back() as interrupt_if_asked:

        def watch(run: Run) -> None:
            interrupt_if_asked()
            bar.update((run.generation or 0) - bar.n)
            bar.set_postfix_str(f"median {finely(run.median_confidence)}")

        while run.is_active:
            if not execute(run, holder=holder, lease_number=run.lease_number, watch=watch):
                time.sleep(settings.RUN_FLUSH_SECONDS)
                watch(run)


@contextmanager
def interrupts_held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the yielded function is called; a second one is not held back.

    Raised on the way into compiled code, a KeyboardInterrupt may end the process instead of the run.
    """
    asked: list[int] = []

    def note(number: int, frame: Any) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    def interrupt_if_asked() -> None:
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupt_if_asked
    finally:
        signal.signal(signal.SIGINT, before)


def pause(run: Run, holder: str) -> bool:
    """Pause a run that this holder or a worker has, and wait until nobody adds to it; whether it is paused.

    The lease is read anew, for it may be a worker's by now, and a worker's is not ours to give back.
    """
    run.pause()
    run.refresh_from_db()
    if run.lease_holder == holder:
        run.release()
    while run.lease_until and run.lease_until > timezone.now():
        time.sleep(A_MOMENT)
        run.refresh_from_db()
    return run.status == Run.Status.PAUSED


def _where_it_goes_on(run: Run) -> str:
    reached = "before its first generation" if run.generation is None else f"at generation {run.generation}"
    steersman = run.owner.username if run.owner else "an administrator"
    return f"paused {reached}; {steersman} can resume it on the site: {run.get_absolute_url()}"


def report_of(run: Run) -> dict[str, Any]:
    """Return what a finished run comes to."""
    from fooling_web.runs.execution import archive_sha256

    latest = run.statistics.latest("generation")
    return {
        "run": str(run.pk),
        "generation": run.generation,
        "classes": run.champions.count(),
        "median_confidence": run.median_confidence,
        "share_99": latest.share_99,
        "share_9999": latest.share_9999,
        "evaluations": run.evaluations,
        "seconds": round(run.seconds, 3),
        "evaluations_per_second": round(run.evaluations_per_second, 1),
        "archive_sha256": archive_sha256(run),
    }


def report_together(sweep: Sweep, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the runs of a sweep come to: each, and the medians over them."""
    medians = {
        name: median(report[name] for report in reports)
        for name in ("median_confidence", "share_99", "share_9999")
    }
    return {
        "sweep": str(sweep.pk),
        "runs": reports,
        **medians,
        "evaluations": sum(report["evaluations"] for report in reports),
        "seconds": round(sum(report["seconds"] for report in reports), 3),
    }


def in_words(report: dict[str, Any]) -> str:
    """Return the same for people."""
    if "sweep" in report:
        together = f"the median of {len(report['runs'])} runs is {finely(report['median_confidence'])}"
        return "\n".join([*map(in_words, report["runs"]), f"Sweep {report['sweep']}: {together}."])
    fooled = round(report["share_9999"] * report["classes"])
    return (
        f"{report['evaluations']:,} evaluations in {report['seconds']:.1f} s "
        f"({report['evaluations_per_second']:,.0f} a second): "
        f"median confidence {finely(report['median_confidence'])}, "
        f"{fooled} of {report['classes']} classes at 99.99 % or more.\n"
        f"Run {report['run']}, archive {report['archive_sha256'][:16]}…"
    )


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what a person may get wrong into one line."""
    try:
        yield
    except (ParameterError, ZooError) as error:
        raise CommandError(str(error)) from error


def _experiment(options: dict[str, Any]) -> tuple[ClassifierEntry, Preset]:
    with _plainly():
        entry = find(options["classifier"])
        return entry, preset_of(options["preset"], entry)


def _parameters(options: dict[str, Any], entry: ClassifierEntry, preset: Preset) -> Parameters:
    numbers: dict[str, Any] = {
        name: _number(options, name) for name in ("generations", "population", "starts")
    }
    words = {name: options[name] for name in ("encoding", "method", "precision", "fidelity", "setting")}
    classes = options["classes"]
    with _plainly():
        chosen = classes_from(str(classes), entry) if classes is not None else None
        return parameters_of(
            preset, entry, Choices(**words, **numbers, crops=_crops(options), classes=chosen)
        )


def _crops(options: dict[str, Any]) -> int | None:
    crops = _number(options, "crops")
    if crops is not None and crops not in CROPS:
        raise CommandError(f"crops {crops} is out of range: 1 or 10")
    return crops


def _runs(options: dict[str, Any], preset: Preset) -> int:
    runs = _number(options, "runs")
    if runs is not None and not 1 <= runs <= MAX_RUNS:
        raise CommandError(f"runs {runs} is out of range: it must lie between 1 and {MAX_RUNS}")
    return preset.runs if runs is None else runs


def _number(options: dict[str, Any], name: str) -> int | None:
    return whole(name, options[name], EXAMPLES[name])


def _seed(options: dict[str, Any], runs: int) -> int | None:
    seed = _number(options, "seed")
    if seed is not None and seed > MAX_SEED:
        raise CommandError(f"seed {seed} is out of range: it must lie between 0 and {MAX_SEED}")
    with _plainly():
        require_seeds(seed, runs)
    return seed


def _name(options: dict[str, Any]) -> str:
    name, longest = str(options["name"]), Run._meta.get_field("name").max_length or 0
    if len(name) > longest:
        raise CommandError(f"a name of {len(name)} characters is too long: it may have {longest}")
    return name


def _owner(name: str | None) -> User | None:
    if name is None:
        return None
    owner = User.objects.filter(username__iexact=name).first()
    if owner is None:
        raise CommandError(f"no account is called {name!r}; sign up on the site first, or leave --owner out")
    return owner
