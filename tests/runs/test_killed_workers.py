"""Workers that die: a run goes on by itself and comes to what it would have come to undisturbed."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from bootstrap.programs import KEEP_BUFFERS, ONE_THREAD
from tests.services import PROJECT, new_home, start_valkey, stop

PATIENCE = 180  # seconds for any one thing to happen, on a busy machine
GENERATIONS, POPULATION, SEED = 400, 100, 7
DEEDS = ["child"] * 8 + ["parent", "whole worker"]  # what is killed
ADVANCES = [0, 0, 0, 0, 1, 3, 5, 10, 15, 20]  # generations to be kept before; 0: perhaps before any is
LAUNCH = f"""
from fooling_web.runs.launching import launch, parameters_for
size = dict(generations={GENERATIONS}, population={POPULATION})
launch("mnist-lenet", "cppn", parameters=parameters_for("mnist-lenet", "cppn", **size), seed={SEED}, name="killed")
"""
ARCHIVE = """
from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.models import Run
print(archive_sha256(Run.objects.get(name="killed")))
"""


class Site:
    """A home with its Valkey, a worker of two processes, and the scheduler."""

    def __init__(self) -> None:
        self.home = new_home()
        self.valkey = start_valkey(self.home)
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        short = {"RUN_LEASE_SECONDS": "1.5", "RUN_SLICE_SECONDS": "0.15"}
        self.environment = {
            **inherited,
            **KEEP_BUFFERS,
            **ONE_THREAD,
            **short,
            "DJANGO_SETTINGS_MODULE": "fooling_web.settings",
            "FOOLING_HOME": str(self.home),
        }
        self.log = (self.home / "log").open("w")
        self.groups: list[subprocess.Popen[Any]] = []

    def manage(self, *arguments: str) -> str:
        """Obey a command and return the last line that it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip().rpartition("\n")[2]

    def start(self, *arguments: str) -> subprocess.Popen[Any]:
        """Start a Celery program in a process group of its own."""
        command = [sys.executable, "-m", "celery", "-A", "fooling_web", *arguments]
        program = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.groups.append(program)
        return program

    def start_worker(self) -> subprocess.Popen[Any]:
        name = f"{len(self.groups)}@tests"
        pool = ("--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle")
        return self.start("worker", "-n", name, "-Q", "runs,interactive", "--loglevel", "INFO", *pool)

    def start_scheduler(self) -> subprocess.Popen[Any]:
        return self.start("beat", "--schedule", str(self.home / "schedule"), "--pidfile", "")

    def run(self) -> sqlite3.Row:
        connection = sqlite3.connect(self.home / "database.sqlite3", timeout=20)
        connection.row_factory = sqlite3.Row
        row: sqlite3.Row = connection.execute("SELECT * FROM runs_run WHERE name = 'killed'").fetchone()
        connection.close()
        return row

    def wait_for(self, is_so: Callable[[sqlite3.Row], Any]) -> sqlite3.Row:
        patient_until = time.monotonic() + PATIENCE
        while not is_so(row := self.run()):
            assert row["status"] != "failed", row["error"]
            assert time.monotonic() < patient_until, f"{dict(row)}\n{(self.home / 'log').read_text()[-5000:]}"
            time.sleep(0.02)
        return row

    def end(self) -> None:
        for program in self.groups:
            kill(program.pid, whole_group=True)  # those whom a killed parent left behind, too
            program.wait()
        stop(self.valkey)
        self.log.close()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def kill(process: int, *, whole_group: bool = False) -> None:
    with suppress(ProcessLookupError):
        (os.killpg if whole_group else os.kill)(process, signal.SIGKILL)


def process_in(row: sqlite3.Row) -> int:
    """Return the process that took the run's lease; there must be one."""
    return int(row["lease_holder"].rpartition(":")[2])


def is_held(row: sqlite3.Row) -> bool:
    return bool(row["lease_holder"]) and is_alive(process_in(row))


def has_advanced(row: sqlite3.Row, before: sqlite3.Row, generations: int) -> bool:
    """Whether a run was claimed again since, and has kept so many generations more."""
    assert row["status"] != "finished", "the run is too short to be killed ten times on so quick a machine"
    claimed: bool = row["lease_number"] > before["lease_number"]
    return claimed and (row["generation"] or 0) >= (before["generation"] or 0) + generations


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.end()


def test_finishes_a_run_whose_workers_are_killed_ten_times(site: Site) -> None:
    size = ("--generations", str(GENERATIONS), "--population", str(POPULATION), "--seed", str(SEED))
    undisturbed = json.loads(site.manage("evolve", *size, "--json"))
    seed = random.SystemRandom().randrange(10**6)
    print(f"the moments come from seed {seed}")  # pytest shows it if the test fails
    chance = random.Random(seed)
    deeds = zip(chance.sample(DEEDS, 10), chance.sample(ADVANCES, 10), strict=True)
    site.manage("shell", "-c", LAUNCH)
    site.start_scheduler()
    worker = site.start_worker()
    killed_at = []

    for deed, advance in deeds:
        before = site.run()
        site.wait_for(lambda row, before=before, advance=advance: has_advanced(row, before, advance))
        time.sleep(chance.uniform(0, 0.15))
        row = site.wait_for(is_held)
        print(f"{deed} killed after generation {row['generation']}")
        killed_at.append(row["generation"])
        if deed == "child":
            kill(process_in(row))
            continue
        kill(worker.pid, whole_group=deed == "whole worker")
        worker.wait()
        worker = site.start_worker()
    row = site.wait_for(lambda row: row["status"] == "finished")

    assert len(killed_at) == 10
    assert len(set(killed_at)) > 5  # spread over the run
    assert row["generation"] == GENERATIONS
    assert row["evaluations"] == undisturbed["evaluations"] == (GENERATIONS + 1) * POPULATION
    assert site.manage("shell", "-c", ARCHIVE) == undisturbed["archive_sha256"]
