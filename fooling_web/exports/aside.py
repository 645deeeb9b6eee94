"""Long work on files, done aside: by a process of low priority that a worker starts, one for each way.

The worker goes on answering others at once, and pages stay as quick as they are. The process works off what waits,
one job after the other, and ends; it does not outlive its worker for more than some seconds.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from fooling_web.home import PROJECT

OUT, IN = "out", "in"
WAYS = (OUT, IN)
NICENESS = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}  # the other cores are for runs and pages
LITTLE_MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
}  # pools of one's own hold more
EVERY = 2.0  # seconds between two looks whether the worker lives
BEAT = 10.0  # seconds between two signs of life
_processes: dict[str, subprocess.Popen[bytes]] = {}


def start(way: str) -> bool:
    """Let a process work off what waits, unless this worker's is at it; whether one was started."""
    if (process := _processes.get(way)) and process.poll() is None:
        return False
    command = [sys.executable, str(PROJECT / "manage.py"), "work_on_files", way, "--parent", str(os.getpid())]
    _processes[way] = subprocess.Popen(  # noqa: S603 - our own command, its words our own
        command, cwd=PROJECT, env={**os.environ, **ONE_THREAD, **LITTLE_MEMORY}, stdin=subprocess.DEVNULL
    )
    return True


def give_way() -> None:
    """Let all other processes go first."""
    with suppress(OSError):
        os.nice(NICENESS)


def do_without(*packages: str) -> None:
    """Let this process find packages missing that others would load if they can, and need not: 50 MB."""

    class Absent(MetaPathFinder):
        """Finds these packages nowhere."""

        def find_spec(self, fullname: str, *others: Any) -> None:
            """Refuse these, and leave all else to others."""
            if fullname in packages:
                raise ModuleNotFoundError(f"this process does without {fullname}", name=fullname)

    sys.meta_path.insert(0, Absent())


def own_folder(way: str) -> Path:
    """Return the folder where the work of one way lies while it is done."""
    folder = Path(settings.HOME) / "work" / way
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def tied_to(parent: int) -> Iterator[None]:
    """End this process, by SIGTERM, as soon as its parent is gone; 0: it has none that matters."""
    if not parent:
        yield
        return
    with _again_and_again(lambda: _end_if_orphan(parent), EVERY):
        yield


@contextmanager
def showing_life(touch: Callable[[], Any]) -> Iterator[None]:
    """Call again and again what tells that somebody is at work; while the database is locked, it tells nothing."""

    def beat() -> None:
        with suppress(DatabaseError):
            touch()
        connection.close()  # that of the thread

    with _again_and_again(beat, BEAT):
        yield


def _end_if_orphan(parent: int) -> None:
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(EVERY)


@contextmanager
def _again_and_again(deed: Callable[[], None], seconds: float) -> Iterator[None]:
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            deed()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=1)
