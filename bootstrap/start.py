"""`make run`: prepare a home, start its programs, say where the site is, stop everything at the end."""

import fcntl
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from bootstrap.environment import PROJECT, PYTHON
from bootstrap.errors import BootstrapError
from bootstrap.programs import Program, configuration, site_programs, this_machine, valkey
from bootstrap.shell import complaint, refuse_full_disk, say
from bootstrap.supervision import start_supervisor, stop, wait_for_end, wait_for_page
from fooling_web.home import home as chosen_home
from fooling_web.home import made_private, socket_dir, valkey_socket

RUNNING_BYTES = 200_000_000
UNREADABLE = "%;#"  # what these mean to supervisor's configuration cannot be escaped in every place


def run_site() -> int:
    """Serve the site until somebody stops it."""
    port = port_from(os.environ.get("PORT") or "8000")
    home = made_home(chosen_home())
    with claimed(home, port) as lock:
        refuse_full_disk(home, RUNNING_BYTES, "The site")
        refuse_busy_port(port)
        environment = {
            **os.environ,
            "FOOLING_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "fooling_web.settings",
            "PYTHONUNBUFFERED": "1",
        }
        prepare_database(home, environment)
        return serve(home, port, environment, lock)


def port_from(text: str) -> int:
    """Read a port number a person gave."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BootstrapError(
            f"PORT={text} is no port number; choose one from 1024 to 65535: make run PORT=8001"
        )
    return int(text)


def made_home(home: Path) -> Path:
    """Make the home's folders, for the owner's eyes alone."""
    for folder in (home, PROJECT):
        if any(character in str(folder) for character in UNREADABLE):
            raise BootstrapError(
                f"{folder} contains one of {UNREADABLE}; choose a folder with a plainer name"
            )
    try:
        made_private(home)
        (home / "logs").mkdir(exist_ok=True)
        socket_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BootstrapError(
            f"{home} cannot hold the site ({error.strerror}); choose another: make run FOOLING_HOME=DIR"
        ) from error
    if socket_dir().stat().st_uid != os.getuid():
        raise BootstrapError(f"{socket_dir()} belongs to somebody else; choose a shorter FOOLING_HOME")
    return home


def claimed(home: Path, port: int) -> TextIO:
    """Take the home's lock and sign it, or say who holds it."""
    file = (home / "run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        url, _, number = file.read().partition(" ")
        raise BootstrapError(f"already running at {url} (process {number})") from None
    sign(file, port, os.getpid())
    return file


def sign(lock: TextIO, port: int, process: int) -> None:
    """Write into the lock where the site is and whom to stop."""
    lock.truncate(0)
    lock.write(f"{url_of(port)} {process}")
    lock.flush()


def url_of(port: int) -> str:
    """Return the site's address."""
    return f"http://127.0.0.1:{port}"


def refuse_busy_port(port: int) -> None:
    """Raise when another program listens there, or when we may not."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except PermissionError:
            raise BootstrapError(f"port {port} needs root; choose another with: make run PORT=8000") from None
        except OSError:
            other = port + 1 if port < 65535 else 8000
            raise BootstrapError(
                f"port {port} is taken by another program; choose another with: make run PORT={other}"
            ) from None


def prepare_database(home: Path, environment: Mapping[str, str]) -> None:
    """Bring database and static files up to date; what is meant for a person goes to the terminal."""
    log = home / "logs" / "preparation.log"
    with log.open("w") as errors:
        status = subprocess.run(  # noqa: S603 - every word is ours
            [str(PYTHON), "-m", "bootstrap.preparation"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=errors,
        ).returncode
    if status != 0:
        raise BootstrapError(f"The database could not be prepared: {complaint(log)} (all of it in {log})")


def serve(home: Path, port: int, environment: Mapping[str, str], lock: TextIO) -> int:
    """Start the programs and stay until they are stopped."""
    path = home / "supervisord.conf"
    path.write_text(
        configuration(home, socket_dir(), broker(home), site_programs(home, port, this_machine()))
    )
    logs = home / "logs"
    supervisor = start_supervisor(path, logs / "supervisord.out", environment, lock.fileno())
    try:
        sign(lock, port, supervisor.pid)
        wait_for_page(supervisor, port, logs)
        say(f"Foolbreeder is at {url_of(port)}\nLogs: {logs}\nCtrl-C stops everything.")
        wait_for_end(supervisor, path, logs)
    except KeyboardInterrupt:
        say("\nStopping ...")
    finally:
        stop(supervisor)
    if supervisor.returncode != 0:
        raise BootstrapError(f"The supervisor ended with status {supervisor.returncode}; see {logs}")
    say("Stopped.")
    return 0


def broker(home: Path) -> list[Program]:
    """Return the embedded Valkey, or nothing where REDIS_URL names another."""
    return [] if os.environ.get("REDIS_URL") else [valkey(home, valkey_socket())]
