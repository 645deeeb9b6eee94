"""Run an evolution in the foreground: the same execution as a worker's, without broker or worker."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from evolution.errors import ParameterError
from evolution.parameters import ENCODINGS, FIDELITIES, MAX_SEED, PRESETS, Parameters
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.management.numbers import whole
from fooling_web.runs.models import Run
from fooling_web.runs.percentages import finely
from fooling_web.users.models import User
from models_zoo.errors import ZooError

EXAMPLES = {"generations": 200, "population": 200, "seed": 1}
A_MOMENT = 0.1  # seconds


class Command(BaseCommand):
    """Evolve images against a classifier, with a progress bar; the site shows the run like any other."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer exactly what the engine's parameters accept."""
        preset = PRESETS["paper"]
        parser.add_argument("--classifier", default="mnist-lenet", help="see `manage.py classifiers`")
        parser.add_argument("--encoding", default="cppn", help=" or ".join(ENCODINGS))
        parser.add_argument("--preset", help=f"a size: {', '.join(PRESETS)}")
        parser.add_argument("--generations", help=f"after the first population ({preset.generations})")
        parser.add_argument("--population", help=f"images a generation ({preset.population})")
        parser.add_argument("--fidelity", default="paper", help=" or ".join(FIDELITIES))
        parser.add_argument("--seed", help="a whole number; drawn if not given")
        parser.add_argument("--name", default="", help="shown on the site")
        parser.add_argument("--owner", help="the account that steers it on the site; else administrators do")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Prepare, run, and report."""
        parameters, seed, name = _parameters(options), _seed(options), _name(options)
        call_command("migrate", verbosity=0, interactive=False)
        run = self._launch(options, parameters, seed, name)
        self._execute(run, quiet=options["json"])
        run.refresh_from_db()
        if run.status != Run.Status.FINISHED:
            raise CommandError(run.error or f"the run was {run.status} on the site: {run.get_absolute_url()}")
        report = report_of(run)
        self.stdout.write(json.dumps(report) if options["json"] else in_words(report))

    def _launch(self, options: dict[str, Any], parameters: Parameters, seed: int | None, name: str) -> Run:
        try:
            return launch(
                options["classifier"],
                options["encoding"],
                parameters=parameters,
                seed=seed,
                name=name,
                owner=_owner(options["owner"]),
            )
        except ZooError as error:
            raise CommandError(str(error)) from error

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


def in_words(report: dict[str, Any]) -> str:
    """Return the same for people."""
    fooled = round(report["share_9999"] * report["classes"])
    return (
        f"{report['evaluations']:,} evaluations in {report['seconds']:.1f} s "
        f"({report['evaluations_per_second']:,.0f} a second): "
        f"median confidence {finely(report['median_confidence'])}, "
        f"{fooled} of {report['classes']} classes at 99.99 % or more.\n"
        f"Run {report['run']}, archive {report['archive_sha256'][:16]}…"
    )


def _parameters(options: dict[str, Any]) -> Parameters:
    if options["preset"] and options["preset"] not in PRESETS:
        raise CommandError(f"preset {options['preset']!r} is unknown; choose one of {', '.join(PRESETS)}")
    preset = PRESETS[options["preset"] or "paper"]
    chosen = {"generations": preset.generations, "population": preset.population}
    chosen |= {name: number for name in chosen if (number := _number(options, name)) is not None}
    try:
        return parameters_for(
            options["classifier"], options["encoding"], fidelity=options["fidelity"], **chosen
        )
    except (ParameterError, ZooError) as error:
        raise CommandError(str(error)) from error


def _number(options: dict[str, Any], name: str) -> int | None:
    return whole(name, options[name], EXAMPLES[name])


def _seed(options: dict[str, Any]) -> int | None:
    seed = _number(options, "seed")
    if seed is not None and seed > MAX_SEED:
        raise CommandError(f"seed {seed} is out of range: it must lie between 0 and {MAX_SEED}")
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
