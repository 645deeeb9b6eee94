"""Measure every speed in turn, print them beside their targets and write them down."""

import argparse
from pathlib import Path

from benchmarks.report import as_json, print_heading, print_row, write_down
from benchmarks.suite import SECTIONS, measure_everything

RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Run the benchmarks that the command line asks for."""
    options = _parser().parse_args()
    sections = tuple(
        section
        for section in SECTIONS
        if options.device in (section.device, "all") and section.name in (options.only or section.name)
    )
    if not options.json:
        print_heading()
    measurements = []
    for measured in measure_everything(options.rounds, sections):
        measurements.append(measured)
        if not options.json:
            print_row(measured)
    if options.json:
        print(as_json(measurements))
    if not options.only:
        print_written = write_down(measurements, options.output)
        if not options.json:
            print(f"\nWritten to {print_written}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the project's speeds.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=_count, default=5, help="rounds for each number (default: 5)")
    parser.add_argument(
        "--device", choices=("cpu", "cuda", "all"), default="all", help="measure only what runs there"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[section.name for section in SECTIONS],
        metavar="SECTION",
        help="measure only this section, and write nothing down; may be repeated",
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the results")
    return parser


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} must be a whole number, at least 1")
    return int(word)


if __name__ == "__main__":
    main()
