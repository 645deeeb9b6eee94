"""Measure every speed in turn and print them beside their targets."""

import argparse
import os

THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def main() -> None:
    """Run the benchmarks that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the project's speeds.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each number (default: 5)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} must be at least 1")
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))  # read when the libraries are first imported

    from benchmarks.report import print_json, print_table
    from benchmarks.suite import measure_everything

    measurements = measure_everything(options.rounds)
    (print_json if options.json else print_table)(measurements)


if __name__ == "__main__":
    main()
