"""The whole site, started as `make run` starts it, in a home of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.environment import PROJECT, PYTHON
from bootstrap.supervision import answers

PATIENCE = 120  # seconds; a start takes a few, on a busy machine more
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")


class Site:
    """A site in a process group of its own, like one started at a terminal."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.output = home.parent / f"{home.name}.out"
        kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        self.environment = {**kept, "FOOLING_HOME": str(home), "PORT": str(port), "NEWCOMERS_GALLERY": "0"}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [PYTHON, "-m", "bootstrap", "run"],
                cwd=PROJECT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def says(self, pattern: str) -> bool:
        return re.search(pattern, self.output.read_text()) is not None

    def wait_until_up(self) -> None:
        wait_until(lambda: self.says("Ctrl-C stops everything") or self.process.poll() is not None)
        assert self.process.poll() is None, self.output.read_text()

    def again(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PYTHON, "-m", "bootstrap", "run"],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def processes(self) -> dict[int, str]:
        """Return what descends from our process, by number."""
        table = processes()
        found = {self.process.pid}
        while more := {number for number, (parent, _) in table.items() if parent in found} - found:
            found |= more
        return {number: table[number][1] for number in found if number in table}

    def process_of(self, words: str) -> int:
        return next(number for number, command in self.processes().items() if words in command)


def processes() -> dict[int, tuple[int, str]]:
    """Return parent and command of every living process, by number."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True
    )
    rows = [line.split(None, 3) for line in listing.stdout.splitlines()]
    return {
        int(row[0]): (int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")
    }


def wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


@pytest.fixture
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="fool-", dir="/tmp"))  # short, as sockets want it
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = Site(folder / "a home", port)
    try:
        site.wait_until_up()
        yield site
    finally:
        site.process.terminate()
        site.process.wait(PATIENCE)
        shutil.rmtree(folder)


def test_serves_until_ctrl_c_and_leaves_nothing_running(site):
    assert site.says(rf"http://127\.0\.0\.1:{site.port}\n")
    assert site.says(r"Administrator: admin / \S+ \(shown once\)")
    assert answers(site.port)
    started = site.processes()
    second = site.again()

    os.killpg(site.process.pid, signal.SIGINT)
    status = site.process.wait(PATIENCE)

    assert second.returncode != 0
    assert f"already running at http://127.0.0.1:{site.port}" in second.stderr
    assert status == 0
    assert site.says("Stopped")
    assert started.keys() & processes().keys() == set()
    assert not answers(site.port)
    assert list((site.home / "sockets").iterdir()) == []


def test_brings_back_a_program_that_was_killed(site):
    before = site.process_of("uvicorn")

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: any("uvicorn" in command for command in site.processes().values()))
    wait_until(lambda: answers(site.port))
    assert site.process_of("uvicorn") != before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_leaves_no_orphan_when_the_supervisor_is_killed(site):
    started = site.processes()

    os.kill(site.process_of("supervisord"), signal.SIGKILL)

    assert site.process.wait(PATIENCE) == 1
    wait_until(lambda: not started.keys() & processes().keys(), seconds=10)
