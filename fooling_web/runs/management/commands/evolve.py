"""Run an evolution in the foreground: the same execution as a worker's, without broker or worker."""

import json
import os
import socket
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from evolution.errors import ParameterError
from evolution.parameters import ENCODINGS, FIDELITIES, MAX_SEED, PRESETS, Parameters
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run
from models_zoo.errors import ZooError

EXAMPLES = {"generations": 200, "population": 200, "seed": 1}


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
        self.stdout.write(json.dumps(report) if options["json"] else _in_words(report))

    def _launch(self, options: dict[str, Any], parameters: Parameters, seed: int | None, name: str) -> Run:
        try:
            return launch(
                options["classifier"],
                options["encoding"],
                parameters=parameters,
                seed=seed,
                name=name,
            )
        except ZooError as error:
            raise CommandError(str(error)) from error

    def _execute(self, run: Run, *, quiet: bool) -> None:
        from fooling_web.runs.execution import execute

        holder = f"{socket.gethostname()}:{os.getpid()} (command)"
        with tqdm(total=run.generations, unit="generation", disable=None, leave=not quiet) as bar:

            def watch(run: Run) -> None:
                bar.update((run.generation or 0) - bar.n)
                bar.set_postfix_str(f"median {run.median_confidence:.2%}")

            try:
                while run.is_active:
                    if not execute(run, holder=holder, lease_number=run.lease_number, watch=watch):
                        time.sleep(
                            settings.RUN_FLUSH_SECONDS
                        )  # a worker of the site was quicker: watch it work
                        watch(run)
            except KeyboardInterrupt:
                run.release()
                run.pause()
                raise CommandError(
                    f"paused at generation {run.generation}; the site resumes it: {run.get_absolute_url()}"
                ) from None


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


def _in_words(report: dict[str, Any]) -> str:
    return (
        f"{report['evaluations']:,} evaluations in {report['seconds']:.1f} s "
        f"({report['evaluations_per_second']:,.0f} a second): median confidence {report['median_confidence']:.4%}, "
        f"{report['share_9999']:.0%} of {report['classes']} classes at 99.99 % or more.\n"
        f"Run {report['run']}, archive {report['archive_sha256'][:16]}…"
    )


def _parameters(options: dict[str, Any]) -> Parameters:
    if options["preset"] and options["preset"] not in PRESETS:
        raise CommandError(f"preset {options['preset']!r} is unknown; choose one of {', '.join(PRESETS)}")
    preset = PRESETS[options["preset"] or "paper"]
    chosen = {"generations": preset.generations, "population": preset.population}
    chosen |= {name: number for name in chosen if (number := _whole(options, name)) is not None}
    try:
        return parameters_for(
            options["classifier"], options["encoding"], fidelity=options["fidelity"], **chosen
        )
    except (ParameterError, ZooError) as error:
        raise CommandError(str(error)) from error


def _whole(options: dict[str, Any], name: str) -> int | None:
    """Read a number here and not in the parser, which would explain all its options before the one mistake."""
    text = str(options[name])
    if options[name] is not None and not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise CommandError(f"{name} {text!r} must be a whole number, such as {EXAMPLES[name]}")
    return None if options[name] is None else int(text)


def _seed(options: dict[str, Any]) -> int | None:
    seed = _whole(options, "seed")
    if seed is not None and seed > MAX_SEED:
        raise CommandError(f"seed {seed} is out of range: it must lie between 0 and {MAX_SEED}")
    return seed


def _name(options: dict[str, Any]) -> str:
    name, longest = str(options["name"]), Run._meta.get_field("name").max_length or 0
    if len(name) > longest:
        raise CommandError(f"a name of {len(name)} characters is too long: it may have {longest}")
    return name
