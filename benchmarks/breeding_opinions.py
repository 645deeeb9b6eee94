"""How soon a bundled network of ImageNet says what it sees in a litter, through web process, broker and worker.

A page is stood in for by what it does: it asks, then looks every twentieth of a second whether the answer is there.
The litters are new each time, so that nothing is remembered; the worker has loaded the network, as it has a moment
after the first person opened the breeding page.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measurement import Measurement, Target
from benchmarks.site import home_of_its_own
from benchmarks.stepping import Person, web_process
from bootstrap.environment import PROJECT
from bootstrap.programs import site_programs, this_machine

LITTERS = 8  # in a round, after one that is not counted
PROMISED = 2.0  # seconds, for fifteen pictures
LOOK_EVERY = 0.05  # seconds
PATIENCE = 120.0  # seconds until the worker has loaded the network
TILES = 15


def measure_opinions(rounds: int) -> Iterator[Measurement]:
    """Yield the seconds from asking to the answer about all pictures of a litter, and what a step takes meanwhile."""
    with home_of_its_own() as home, web_process(home) as port, _interactive_worker(home):
        person = Person(port)
        address = person.begin()
        _heard(person, address)
        waited, steps = [], []
        for _ in range(rounds):
            mean, step = _round(person, address)
            waited.append(mean)
            steps.append(step)
    bound = Target(PROMISED, at_least=False)
    yield Measurement("opinions of EfficientNet-Lite0 on 15 pictures, s", waited, "{:.2f}", target=bound)
    yield Measurement("a step while a network looks, ms", steps)


def _round(person: Person, address: str) -> tuple[float, float]:
    """Return the mean seconds until a litter was looked at, and the milliseconds of a step during that."""
    waited = stepped = 0.0
    for _ in range(LITTERS):
        address = person.step(address, [0])
        waited += _heard(person, address)
        person.ask("POST", f"{address}opinions/", {})
        further = person.step(address, [1])
        person.ask("POST", f"{further}opinions/", {})  # the worker is at it
        begin = time.perf_counter()
        person.step(further, [2])
        stepped += time.perf_counter() - begin
        _wait(person, further)
    return waited / LITTERS, stepped / LITTERS * 1000


def _heard(person: Person, address: str) -> float:
    """Ask about a litter; return the seconds until all of it was answered."""
    begin = time.perf_counter()
    person.ask("POST", f"{address}opinions/", {})
    _wait(person, address)
    return time.perf_counter() - begin


def _wait(person: Person, address: str) -> None:
    patient_until = time.monotonic() + PATIENCE
    while True:
        _, page = person.ask("POST", f"{address}opinions/", {})
        if page.count(b'class="guess"') == TILES:
            return
        assert time.monotonic() < patient_until, "the worker does not answer"
        time.sleep(LOOK_EVERY)


@contextmanager
def _interactive_worker(home: Path) -> Iterator[None]:
    """Answer as `make run` does, beside the web process."""
    [worker] = [one for one in site_programs(home, 0, this_machine()) if one.name == "worker-interactive"]
    environment = {**os.environ, **worker.environment}
    with (home / "worker.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            worker.command, cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
