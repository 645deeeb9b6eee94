"""What is measured, in order; each section in a process of its own, so that none disturbs the next.

`python -m benchmarks.suite NAME ROUNDS` is that process: it answers with a line of JSON for each measurement.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from benchmarks.measurement import Measurement, Target
from bootstrap.environment import PROJECT

Device = Literal["cpu", "cuda"]
THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Section:
    """Measurements that belong together; `function` takes the number of rounds and yields them."""

    name: str
    function: str
    device: Device = "cpu"


# To add one, write a function of the number of rounds that yields measurements, and name it here.
SECTIONS = (
    Section("rendering", "benchmarks.rendering:measure_rendering"),
    Section("breeding", "benchmarks.breeding:measure_breeding"),
    Section("pixels", "benchmarks.pixels:measure_pixels"),
    Section("loop on MNIST", "benchmarks.loop:measure_loops"),
    Section("throughput", "benchmarks.throughput:measure_two_processes"),
    Section("one crop", "benchmarks.whole_loop:measure_one_crop"),
    Section("ten crops", "benchmarks.whole_loop:measure_ten_crops"),
    Section("classes", "benchmarks.growth:measure_time_by_classes"),
    Section("long run", "benchmarks.growth:measure_a_long_run"),
    Section("rendering on a GPU", "benchmarks.rendering:measure_on_gpu", "cuda"),
    Section("one crop on a GPU", "benchmarks.whole_loop:measure_one_crop", "cuda"),
    Section("ten crops on a GPU", "benchmarks.whole_loop:measure_ten_crops", "cuda"),
    Section("gallery", "benchmarks.gallery:measure_gallery"),
    Section("steps", "benchmarks.stepping:measure_steps"),
    Section("opinions", "benchmarks.breeding_opinions:measure_opinions"),
    Section("family tree", "benchmarks.family_tree:measure_family_tree"),
    Section("export", "benchmarks.packing:measure_packing"),
    Section("export on a site", "benchmarks.exporting:measure_exporting"),
    Section("sessions", "benchmarks.sessions:measure_sessions"),
    Section("live", "benchmarks.live:measure_live"),
)


def measure_everything(rounds: int, sections: tuple[Section, ...] = SECTIONS) -> Iterator[Measurement]:
    """Yield one measurement after another, as soon as it is there; what cannot be measured says why."""
    for section in sections:
        if section.device == "cuda" and not has_gpu():
            yield Measurement(section.name, [], why_not="no GPU here")
            continue
        yield from _measured(section, rounds)


def has_gpu() -> bool:
    """Return whether torch can use a CUDA device."""
    import torch

    return torch.cuda.is_available()


def _measured(section: Section, rounds: int) -> Iterator[Measurement]:
    """Yield what a section's process tells, line by line."""
    environment = {
        **os.environ,
        **dict.fromkeys(THREAD_SETTINGS, "1"),
    }  # read when libraries are first imported
    if section.device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    command = [sys.executable, "-m", "benchmarks.suite", section.name, str(rounds)]
    with subprocess.Popen(  # noqa: S603 - ours
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield from map(read_line, process.stdout)
    if process.returncode:
        yield Measurement(section.name, [], why_not=f"it ended with status {process.returncode}")


def write_line(measured: Measurement) -> str:
    """Return a measurement as one line of JSON."""
    return json.dumps(asdict(measured))


def read_line(line: str) -> Measurement:
    """Return what `write_line` wrote."""
    document = json.loads(line)
    target = document.pop("target")
    return Measurement(**document, target=Target(**target) if target else None)


def answer(name: str, rounds: int) -> None:
    """Measure one section and print its lines; whatever else is printed goes where errors go."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    section = next(section for section in SECTIONS if section.name == name)
    module, _, function = section.function.partition(":")
    for measured in getattr(importlib.import_module(module), function)(rounds):
        print(write_line(measured), file=lines, flush=True)


if __name__ == "__main__":
    answer(sys.argv[1], int(sys.argv[2]))
