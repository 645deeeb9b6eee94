"""What each target of the Makefile does, after the same set-up."""

import os
import sys
from collections.abc import Callable, Mapping

from bootstrap.chromium import prepare_chromium
from bootstrap.environment import PROJECT, PYTHON, one_at_a_time, prepare_packages, runs_inside
from bootstrap.errors import BootstrapError
from bootstrap.libraries import prepare_libraries
from bootstrap.shell import say, status_of
from bootstrap.supervision import heed_stop_signals

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "arrows": ["pytest", "-q", "tests/test_arrows.py"],
}
MOST_TESTING = 4  # workers: each holds networks in a GB and more of memory
MIGRATIONS = ["manage.py", "makemigrations", "--check", "--dry-run"]


def obey(words: list[str]) -> int:
    """Carry out one command and return the exit status; say in one line what went wrong."""
    if len(words) != 1 or words[0] not in COMMANDS:
        print(f"usage: python3 -m bootstrap {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    heed_stop_signals()
    os.chdir(PROJECT)
    try:
        return COMMANDS[words[0]]()
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


def set_up(*, development: bool = False) -> None:
    """Bring packages and browser libraries up to date."""
    with one_at_a_time():
        prepare_packages(development=development)
        prepare_libraries()


def setup() -> int:
    """Do all set-up that `make run` needs."""
    set_up()
    say("Everything is set up; start the site with: make run")
    return 0


def run() -> int:
    """Serve the site, from the virtual environment's Python."""
    set_up()
    if not runs_inside():
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), "-m", "bootstrap", "run"])  # noqa: S606 - no shell is the point
    from bootstrap.start import run_site

    return run_site()


def test() -> int:
    """Run every test: the browser's in processes of their own, as its event loop disturbs the others."""
    set_up(development=True)
    browser = {**os.environ, "CHROMIUM": prepare_chromium()}
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    cores = os.cpu_count() or 1  # a browser and its site want one; of the other tests some wait
    return worst(
        [
            _pytest("not browser", one_thread, *_spread(cores + 1), "--no-loadscope-reorder"),
            _pytest("browser", browser, *_spread(cores)),
        ]
    )


def check() -> int:
    """Run every check, also after one has failed."""
    set_up(development=True)
    python = str(PYTHON)
    commands = {name: [python, "-m", *words] for name, words in CHECKS.items()}
    commands["migrations"] = [python, *MIGRATIONS]
    failed = [name for name, command in commands.items() if status_of(command) != 0]
    say(f"Checks failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def bench() -> int:
    """Measure the speeds: of the engine, of whole runs, and of what a person sees of a site."""
    set_up(development=True)
    prepare_chromium()
    return status_of([str(PYTHON), "-m", "benchmarks"])


def worst(statuses: list[int]) -> int:
    """Return 0 only if all are 0."""
    return next((status for status in statuses if status != 0), 0)


def _spread(workers: int) -> list[str]:
    return ["-n", str(min(workers, MOST_TESTING)), "--dist", "loadfile"]


def _pytest(marker: str, environment: Mapping[str, str], *options: str) -> int:
    return status_of([str(PYTHON), "-m", "pytest", "-m", marker, *options], environment)


COMMANDS: dict[str, Callable[[], int]] = {
    "setup": setup,
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
}
