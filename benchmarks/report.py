"""Measurements as one table for people and as JSON for programs, with the machine that they were made on."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measurement import Measurement, Target
from bootstrap.environment import PROJECT

ROW = "{:<78} {:>10}  {:<22} {:>11}  {}"
HEADINGS = ("", "median", "least .. greatest", "target", "")
LIBRARIES = ("torch", "numba", "numpy", "django", "neat-python")


def print_heading() -> None:
    """Print what stands above the rows."""
    print(f"\n{_machine_in_words()}\n")
    print(ROW.format(*HEADINGS).rstrip(), flush=True)


def print_row(measured: Measurement) -> None:
    """Print one measurement."""
    print(ROW.format(*_cells(measured)).rstrip(), flush=True)


def as_json(measurements: Iterable[Measurement]) -> str:
    """Return all measurements as one JSON object."""
    rows = [
        {
            "name": measured.name,
            "median": measured.median,
            "rounds": list(measured.rounds),
            "target": measured.target.bound if measured.target else None,
            "holds": measured.holds,
            "why_not": measured.why_not,
        }
        for measured in measurements
    ]
    return json.dumps({"machine": machine(), "measurements": rows}, indent=1)


def write_down(measurements: Sequence[Measurement], folder: Path) -> Path:
    """Write a table and its JSON into a folder, named by the day; return the table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{datetime.now(UTC):%Y-%m-%d}.md"
    lines = ["| what | median | least .. greatest | target | |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(_cells(measured))} |" for measured in measurements]
    table.write_text("\n".join(["# Measured by `make bench`", "", _machine_in_words(), "", *lines, ""]))
    table.with_suffix(".json").write_text(as_json(measurements) + "\n")
    return table


def machine() -> dict[str, Any]:
    """Describe the machine, the libraries that decide about speed, and what else was going on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": _gpu(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def _machine_in_words() -> str:
    facts = machine()
    libraries = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['gpu'] or 'no GPU'}; {facts['system']}; "
        f"Python {facts['python']}, {libraries}; commit {facts['commit']}, {facts['date']}. "
        f"Processes that wanted a core, over 1, 5 and 15 minutes: {', '.join(map(str, facts['load']))}. "
        "Seconds are the processor's on a CPU and the clock's on a GPU and in a browser."
    )


def _cells(measured: Measurement) -> tuple[str, str, str, str, str]:
    style = measured.style
    bound = _bound(measured.target, style) if measured.target else ""
    if measured.median is None:
        return measured.name, "", f"not measured: {measured.why_not}", bound, ""
    span = f"{style.format(min(measured.rounds))} .. {style.format(max(measured.rounds))}"
    verdict = {None: "", True: "holds", False: "MISSED"}[measured.holds]
    return measured.name, style.format(measured.median), span, bound, verdict


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


def _gpu() -> str:
    """Return the name of the first CUDA device and its driver's version of CUDA; empty where there is none."""
    import torch

    if not torch.cuda.is_available():
        return ""
    return f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"


def _commit() -> str:
    """Return the commit that was measured, and whether files differed from it; unknown outside a clone."""
    try:
        commit, changes = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changes else commit


def _git(*words: str) -> str:
    answer = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return answer.stdout.strip()
