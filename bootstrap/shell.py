"""Other programs, started quietly: their noise is shown only when they fail."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bootstrap.errors import BootstrapError

LINES_SHOWN = 8


def say(line: str) -> None:
    """Tell the person at the terminal, who may have closed it."""
    with suppress(OSError):
        print(line, flush=True)


def tail(log: Path, lines: int = LINES_SHOWN) -> str:
    """Return the last lines of a log, indented."""
    if not log.exists():
        return "    (nothing was logged)"
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])


def complaint(log: Path) -> str:
    """Return the line that says what went wrong: the last one that continues no other."""
    lines = log.read_text(errors="replace").splitlines()
    return next(
        (line for line in reversed(lines) if line.strip() and not line[0].isspace()), "no reason given"
    )


def run_quietly(command: list[str], log: Path, failure: str, directory: Path | None = None) -> None:
    """Run a command with its output in a log; say `failure` and the log's last lines if it fails."""
    with log.open("w") as output:
        status = subprocess.run(  # noqa: S603 - every command is spelt out by the caller
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=directory
        ).returncode
    if status == 0:
        return
    if "No space left on device" in log.read_text(errors="replace"):
        raise BootstrapError(
            f"{failure}: the disk is full. Free some space (TMPDIR counts too) and try again."
        )
    with suppress(OSError):
        print(tail(log), file=sys.stderr, flush=True)
    raise BootstrapError(f"{failure} (its last words are above, all of them in {log}).")


def succeeds(command: list[str], environment: Mapping[str, str] | None = None) -> bool:
    """Say whether a command exits with 0; its output is dropped."""
    return status_of(command, environment, quiet=True) == 0


def status_of(command: list[str], environment: Mapping[str, str] | None = None, quiet: bool = False) -> int:
    """Run a command on this terminal (or quietly) and return its exit status."""
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(  # noqa: S603 - every command is spelt out by the caller
        command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
    ).returncode


def refuse_full_disk(folder: Path, needed: int, deed: str) -> None:
    """Raise when the disk of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BootstrapError(
            f"{deed} needs {needed / 1e9:.1f} GB of free disk; {folder} has {free / 1e9:.1f} GB. "
            "Free some space and try again."
        )
