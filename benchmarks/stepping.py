"""How long ten people who breed at once wait for a step: from the press until all fifteen pictures are there.

The site's own web process answers over HTTP, with its database, cookies and forms; each person has a connection of
their own. A step is the form and the sheet of 15 pictures of 128 x 128 pixels. Nobody steps at the moment at which
the pictures come: people look at them for a second first, which is quick for somebody who chooses. A second number
lets them step without looking.
"""

import http.client
import random
import re
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.measurement import Measurement, Target
from benchmarks.site import home_of_its_own
from bootstrap.environment import PROJECT
from bootstrap.programs import site_programs, this_machine

PEOPLE = 10
STEPS = 20  # of each person in a round
FIRST = 3  # of them are not counted: kernels, connections and caches are new
LOOKING = 1.0  # seconds, of looking at a litter
PROMISED = 150  # milliseconds, for 95 of 100 steps
PATIENCE = 60.0  # seconds until the web process answers
TILES = range(15)
FORM = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}


def measure_steps(rounds: int) -> Iterator[Measurement]:
    """Yield what 95 of 100 steps take at most in each round, and half of them."""
    with home_of_its_own() as home, web_process(home) as port:
        _breed(port, looking=0, seed=0)  # the process has warmed up
        paced = [_breed(port, LOOKING, seed) for seed in range(1, rounds + 1)]
        pressed = [_breed(port, 0, seed) for seed in range(1, rounds + 1)]
    yield Measurement("ten people breeding, a step, 95 of 100, ms", _told(paced, 19), target=_below(PROMISED))
    yield Measurement("ten people breeding, a step, half of them, ms", _told(paced, 10))
    yield Measurement("ten people who do not look, a step, 95 of 100, ms", _told(pressed, 19))


def _told(rounds: list[list[float]], twentieth: int) -> list[float]:
    """Return for each round what so many twentieths of its steps took at most, in milliseconds."""
    return [statistics.quantiles(steps, n=20)[twentieth - 1] * 1000 for steps in rounds]


def _below(bound: float) -> Target:
    return Target(bound, at_least=False)


@dataclass
class Person:
    """Somebody with a browser of their own."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def begin(self) -> str:
        """Begin with nothing; return the address of the litter."""
        self.ask("GET", "/breed/begin/")
        answer, _ = self.ask("POST", "/breed/begin/", {"picture": "colour"})
        address = answer.getheader("Location") or ""
        _, page = self.ask("GET", address)
        self.look(page)
        return address

    def step(self, address: str, picked: list[int]) -> str:
        """Evolve, and wait for the pictures; return the address of the new litter."""
        answer, page = self.ask("POST", f"{address}evolve/", {"picked": picked})
        self.look(page)
        return answer.getheader("HX-Push-Url") or ""

    def look(self, page: bytes) -> None:
        """Fetch the sheet that a page shows."""
        found = re.search(rb'src="([^"]+/sheet-[^"]+)"', page)
        assert found, page[:200]
        self.ask("GET", found[1].decode())

    def ask(
        self, method: str, address: str, fields: dict[str, object] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask as a browser does; return the answer, and what it brought."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields is not None:
            headers |= FORM | {"X-CSRFToken": self.cookies["csrftoken"]}
        body = urlencode(fields or {}, doseq=True) if fields is not None else None
        self.connection.request(method, address, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 302), (address, answer.status, content[:200])
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, content


def _breed(port: int, looking: float, seed: int) -> list[float]:
    """Let ten people breed at once; return the seconds of their steps."""
    taken: list[float] = []
    people = [
        threading.Thread(target=_breed_alone, args=(port, looking, _rng(seed, one), taken))
        for one in range(PEOPLE)
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert len(taken) == PEOPLE * (STEPS - FIRST), "somebody's steps failed; the lines above say why"
    return taken


def _rng(seed: int, one: int) -> random.Random:
    return random.Random(seed * PEOPLE + one)  # noqa: S311 - nothing is kept secret


def _breed_alone(port: int, looking: float, rng: random.Random, taken: list[float]) -> None:
    person = Person(port)
    time.sleep(rng.uniform(0, looking))
    address = person.begin()
    for number in range(STEPS):
        time.sleep(rng.uniform(0.5, 1.5) * looking)
        picked = rng.sample(TILES, rng.choice((1, 2)))
        start = time.perf_counter()
        address = person.step(address, picked)
        if number >= FIRST:
            taken.append(time.perf_counter() - start)
    person.connection.close()


@contextmanager
def web_process(home: Path) -> Iterator[int]:
    """Serve pages as `make run` does."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    [web] = [one for one in site_programs(home, port, this_machine()) if one.name == "web"]
    with (home / "web.log").open("wb") as log:
        process = subprocess.Popen(web.command, cwd=PROJECT, stdout=log, stderr=log)  # noqa: S603 - ours
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    patient_until = time.monotonic() + PATIENCE
    while True:
        try:
            Person(port).ask("GET", "/about/")
            return
        except OSError:
            assert process.poll() is None, "the web process ended"
            assert time.monotonic() < patient_until, "the web process does not answer"
            time.sleep(0.2)
