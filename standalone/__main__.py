"""`python -m standalone evolve`, `report` and `classifiers`: read the command line and answer."""

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evolution.archive_writing import thinned
from evolution.errors import EvolutionError, ParameterError
from evolution.parameters import ENCODINGS, FIDELITIES, MAX_SEED, METHODS, Parameters
from evolution.presets import PRESETS, Choices, classes_from, parameters_of, preset_of, usual_classifier
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry, all_entries, find
from standalone.errors import StandaloneError
from standalone.reporting import in_words, report_on

LARGEST_DRAWN_SEED = 10**6  # short enough to read aloud
REFUSED, STOPPED = 1, 130
FIXED = (  # by the file of a run that goes on
    *("classifier", "encoding", "preset", "method", "population", "fidelity", "crops", "precision"),
    *("setting", "classes", "starts", "seed", "name"),
)
ROW = "{:<22} {:<26} {:>6}  {:<12} {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Obey a command line; what is refused is told in one line."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (StandaloneError, EvolutionError, ZooError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m standalone", description=sys.modules["standalone"].__doc__
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("classifiers", help="list the classifiers that are known here")
    listing.set_defaults(command=_list_classifiers)
    evolve = commands.add_parser("evolve", help="evolve images against a classifier, into an archive file")
    evolve.set_defaults(command=_evolve)
    report = commands.add_parser("report", help="say what an archive file comes to, as the paper does")
    report.set_defaults(command=_report)
    report.add_argument("files", type=Path, nargs="+", metavar="F.zip")
    report.add_argument("--json", action="store_true", help="answer with one line of JSON")
    _add_run(evolve)
    _add_surroundings(evolve)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Offer what `manage.py evolve` offers."""
    parser.add_argument("--classifier", help="see `python -m standalone classifiers`")
    parser.add_argument("--encoding", help=f"{' or '.join(ENCODINGS)} (cppn, or as the preset says)")
    parser.add_argument("--preset", default="", help=f"an experiment: {', '.join(PRESETS)}")
    parser.add_argument("--method", help=f"{' or '.join(METHODS)} (map-elites)")
    parser.add_argument(
        "--generations", type=int, help="after the first population; with --resume, go further"
    )
    parser.add_argument("--population", type=int, help="images a generation")
    parser.add_argument("--fidelity", help=f"{' or '.join(FIDELITIES)} (paper, or as the preset says)")
    parser.add_argument("--crops", type=int, help="views of an image: 1 or 10")
    parser.add_argument("--precision", help="float32 or half (float32)")
    parser.add_argument("--setting", help="of gradient ascent: A, B, C or D")
    parser.add_argument("--classes", help="that gradient ascent climbs: 200,207,..., published or all")
    parser.add_argument("--starts", type=int, help="images of each class that gradient ascent climbs with")
    parser.add_argument("--seed", type=int, help="a whole number; drawn if not given")
    parser.add_argument("--name", default="", help="shown on the site that imports the file")


def _add_surroundings(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--output", type=Path, metavar="F.zip", help="the archive file to write")
    where.add_argument("--resume", type=Path, metavar="F.zip", help="go on with the run of this file")
    thinner = parser.add_mutually_exclusive_group()
    thinner.add_argument("--champions-only", action="store_true", help="leave out genomes that hold no class")
    thinner.add_argument(
        "--lineages-only", action="store_true", help="leave out those that are not even ancestors of such"
    )
    parser.add_argument("--checkpoint-every", type=float, default=60, metavar="SECONDS", help="(60)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument(
        "--threads", type=int, default=1, help="of a CPU; the site uses 1, more may change last digits"
    )
    parser.add_argument(
        "--json", action="store_true", help="end with one line of JSON, without a progress bar"
    )


def _list_classifiers(options: argparse.Namespace) -> int:
    print(ROW.format("name", "title", "labels", "input", "weights"))
    for entry in all_entries():
        size = f"{entry.channels}x{entry.height}x{entry.width}"
        print(ROW.format(entry.name, entry.title, entry.n_classes, size, _whether_here(entry)))
    return 0


def _whether_here(entry: ClassifierEntry) -> str:
    try:
        entry.require_weights()
    except ZooError as error:
        return str(error)
    return "here"


def _evolve(options: argparse.Namespace) -> int:
    _refuse_changes(options)
    begun = None if options.resume else _begun(options)  # bad choices are told before torch is loaded
    import torch

    from standalone import running

    torch.set_num_threads(max(1, options.threads))
    output = options.resume or options.output
    journal = running.begin(output, *begun) if begun else running.continued(output, options.generations)
    try:
        report = running.run(
            journal,
            output,
            device=options.device,
            checkpoint_every=options.checkpoint_every,
            holds=thinned(champions_only=options.champions_only, lineages_only=options.lineages_only),
            quiet=options.json,
        )
    except running.Stopped:
        return _say_how_to_go_on(f"stopped after generation {journal.generation}", output)
    except KeyboardInterrupt:
        return _say_how_to_go_on("stopped at once; what the last checkpoint kept remains", output)
    finally:
        journal.close()
    print(json.dumps(report) if options.json else _in_words(report))
    return 0


def _refuse_changes(options: argparse.Namespace) -> None:
    """A run that goes on has its settings; one that was asked for otherwise must not pass unnoticed."""
    changed = [name for name in FIXED if getattr(options, name) not in (None, "")]
    if options.resume and changed:
        raise StandaloneError(
            f"--{changed[0]} cannot be changed: {options.resume} has its settings; leave it out, or begin a new run "
            "with --output"
        )


def _begun(options: argparse.Namespace) -> tuple[ClassifierEntry, Parameters, int, str]:
    entry = find(options.classifier or usual_classifier(options.preset))
    entry.require_weights()
    choices = Choices(
        encoding=options.encoding,
        method=options.method or "map-elites",
        generations=options.generations,
        population=options.population,
        crops=options.crops,
        precision=options.precision or "float32",
        fidelity=options.fidelity,
        setting=options.setting,
        classes=None if options.classes is None else classes_from(options.classes, entry),
        starts=options.starts,
    )
    parameters = parameters_of(preset_of(options.preset, entry), entry, choices)
    seed = secrets.randbelow(LARGEST_DRAWN_SEED) if options.seed is None else options.seed
    if not 0 <= seed <= MAX_SEED:
        raise ParameterError(f"seed {seed} is out of range: it must lie between 0 and {MAX_SEED}")
    return entry, parameters, seed, options.name[:100]


def _report(options: argparse.Namespace) -> int:
    reports = [report_on(path) for path in options.files]
    print(json.dumps(reports) if options.json else "\n\n".join(map(in_words, reports)))
    return 0


def _say_how_to_go_on(what: str, output: Path) -> int:
    print(f"Error: {what}; go on with: python -m standalone evolve --resume {output}", file=sys.stderr)
    return STOPPED


def _in_words(report: dict[str, Any]) -> str:
    fooled = round(report["share_9999"] * report["classes"])
    return (
        f"{report['evaluations']:,} evaluations in {report['seconds']:.1f} s "
        f"({report['evaluations_per_second']:,.0f} a second): median confidence "
        f"{report['median_confidence']:.4%}, {fooled} of {report['classes']} classes at 99.99 % or more.\n"
        f"{report['run']}, archive {report['archive_sha256'][:16]}…"
    )


if __name__ == "__main__":
    sys.exit(main())
