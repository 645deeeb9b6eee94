"""Measurements as a table for people or as JSON for programs."""

import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from benchmarks.measurement import Measurement, Target

ROW = "{:<58} {:>10}  {:<22} {:>10}  {}"


def print_table(measurements: Iterable[Measurement], how: str = "One thread, processor seconds") -> None:
    """Print each measurement as soon as it is there."""
    print(f"\n{how}, on {machine()}\n")
    print(ROW.format("", "median", "least .. greatest", "target", ""))
    for measured in measurements:
        print(_row(measured), flush=True)


def print_json(measurements: Iterable[Measurement]) -> None:
    """Print all measurements as one JSON object."""
    rows = [
        {
            "name": measured.name,
            "median": measured.median,
            "rounds": list(measured.rounds),
            "target": measured.target.bound if measured.target else None,
            "holds": measured.holds,
        }
        for measured in measurements
    ]
    print(json.dumps({"machine": machine(), "measurements": rows}))


def machine() -> str:
    """Describe the machine and the libraries that decide about speed."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "numba", "numpy"))
    return f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {libraries}"


def _row(measured: Measurement) -> str:
    style = measured.style
    span = f"{style.format(min(measured.rounds))} .. {style.format(max(measured.rounds))}"
    verdict = {None: "", True: "holds", False: "MISSED"}[measured.holds]
    bound = _bound(measured.target, style) if measured.target else ""
    return ROW.format(measured.name, style.format(measured.median), span, bound, verdict).rstrip()


def _bound(target: Target, style: str) -> str:
    return f"{'>=' if target.at_least else '<'} {style.format(target.bound)}"


def _processor() -> str:
    """Return the processor's name; Linux alone tells it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
