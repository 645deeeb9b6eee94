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
from typing import Any

import pytest

from bootstrap.programs import KEEP_BUFFERS, ONE_THREAD
from tests.services import PROJECT, new_home, start_valkey, stop

PATIENCE = 180  # seconds for any one thing to happen, on a busy machine
GENERATIONS, POPULATION, SEED = 600, 100, 7
DEEDS = ["child"] * 7 + ["parent", "parent", "whole worker"]  # what is killed; ten in all
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
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()[-1:][0]

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
            if is_alive(-program.pid):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        stop(self.valkey)
        self.log.close()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def holder_of(row: sqlite3.Row) -> int:
    """Return the process that holds the run, or 0."""
    process = int(row["lease_holder"].rpartition(":")[2] or 0)
    return process if process and is_alive(process) else 0


def has_advanced(row: sqlite3.Row, before: sqlite3.Row, generations: int) -> bool:
    """Whether a run was claimed again since and has gone so many generations further."""
    claimed = row["lease_number"] > before["lease_number"]
    return claimed and (
        generations < 0 or (row["generation"] or 0) >= (before["generation"] or 0) + generations
    )


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
    deeds = chance.sample(DEEDS, len(DEEDS))
    site.manage("shell", "-c", LAUNCH)
    site.start_scheduler()
    worker = site.start_worker()
    killed_at = []

    for deed in deeds:
        before, further = (
            site.run(),
            chance.randint(-12, 24),
        )  # generations; below 0: before anything new is kept
        site.wait_for(lambda row, before=before, further=further: has_advanced(row, before, further))
        time.sleep(chance.uniform(0, 0.3))
        row = site.wait_for(holder_of)
        print(f"{deed} killed after generation {row['generation']}")
        killed_at.append(row["generation"])
        if deed == "child":
            os.kill(holder_of(row), signal.SIGKILL)
            continue
        (os.killpg if deed == "whole worker" else os.kill)(worker.pid, signal.SIGKILL)
        worker.wait()
        worker = site.start_worker()
    row = site.wait_for(lambda row: row["status"] == "finished")

    assert len(killed_at) == 10
    assert len(set(killed_at)) > 3  # spread over the run
    assert row["generation"] == GENERATIONS
    assert row["evaluations"] == undisturbed["evaluations"] == (GENERATIONS + 1) * POPULATION
    assert site.manage("shell", "-c", ARCHIVE) == undisturbed["archive_sha256"]
