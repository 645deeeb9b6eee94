"""The virtual environment in `.venv/`: made once, brought up to date when a requirements file changes.

A stamp beside the packages records what was installed. A note that says `unfinished` lies there while
set-up works; whoever finds it knows that the last one was cut short, and starts from a clean folder.
"""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.shell import refuse_full_disk, run_quietly, say, succeeds

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = PROJECT / "requirements.txt"
DEVELOPMENT_REQUIREMENTS = PROJECT / "requirements-dev.txt"
FIRST_INSTALL_BYTES = 3_000_000_000  # torch alone takes 0.8 GB on a CPU, and pip unpacks beside its downloads


def fingerprint(*files: Path) -> str:
    """Return a hash of what the files say."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second set-up of this clone wait for the first."""
    folder = os.open(PROJECT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work; waiting for it ...")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def prepare_packages(*, development: bool) -> None:
    """Bring `.venv` up to what the requirements say; do nothing if it is."""
    wanted = _wanted_stamps(development)
    if (VENV / "unfinished").exists():
        say("The last set-up was cut short; starting from a clean .venv ...")
        shutil.rmtree(VENV)
    if PYTHON.exists() and all(_reads(stamp) == content for stamp, content in wanted.items()):
        return
    _make_environment()
    _install(DEVELOPMENT_REQUIREMENTS if development else REQUIREMENTS)
    for stamp, content in wanted.items():
        stamp.write_text(content)
    (VENV / "unfinished").unlink()


def runs_inside() -> bool:
    """Say whether this very process runs in the virtual environment."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def install_one(requirement: str, why: str) -> None:
    """Install a single package that only some machines need."""
    say(f"Installing {requirement} ({why}) ...")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", requirement]
    run_quietly(command, VENV / "pip.log", f"{requirement} could not be installed")


def _wanted_stamps(development: bool) -> dict[Path, str]:
    stamps = {VENV / "requirements.stamp": fingerprint(REQUIREMENTS)}
    if development:
        stamps[VENV / "requirements-dev.stamp"] = fingerprint(REQUIREMENTS, DEVELOPMENT_REQUIREMENTS)
    return stamps


def _reads(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""


def _make_environment() -> None:
    if PYTHON.exists() and succeeds([str(PYTHON), "-m", "pip", "--version"]):
        (VENV / "unfinished").touch()
        return
    refuse_full_disk(PROJECT, FIRST_INSTALL_BYTES, "A first install")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    (VENV / "unfinished").touch()
    say("Making the virtual environment ...")
    run_quietly(
        [sys.executable, "-m", "venv", str(VENV)],
        VENV / "venv.log",
        f"{sys.executable} cannot make a virtual environment; on Debian and Ubuntu install its package "
        f"python3.{sys.version_info.minor}-venv, or name another: make run PYTHON=/path/to/python3",
    )


def _install(requirements: Path) -> None:
    say(f"Installing the Python packages of {requirements.name} (some minutes the first time) ...")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(requirements)]
    try:
        run_quietly(command, VENV / "pip.log", f"The packages of {requirements.name} could not be installed")
    except BootstrapError:
        (
            VENV / "unfinished"
        ).unlink()  # pip ended by itself and left whole packages: the next try goes on from here
        raise
