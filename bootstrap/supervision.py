"""The supervisor's life: started, waited for, stopped.

It runs in a session of its own, so that no key pressed at the terminal reaches it: Ctrl-C, a closed terminal
and `kill` all come to us, and we ask it once to stop everything in order. Should we die ourselves, the kernel
asks it in our stead (on Linux).
"""

import http.client
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bootstrap.environment import PROJECT, PYTHON
from bootstrap.errors import BootstrapError
from bootstrap.shell import say, tail

START_SECONDS = 60
STOP_SECONDS = 40  # longer than the supervisor gives the slowest program
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_supervisor(
    configuration: Path, log: Path, environment: Mapping[str, str], lock: int
) -> "subprocess.Popen[bytes]":
    """Start supervisord; it holds the home's lock as long as it lives."""
    python = str(PYTHON)
    supervisord = [python, "-m", "supervisor.supervisord", "-c", str(configuration)]
    with log.open("w") as output:
        return subprocess.Popen(  # noqa: S603 - every word is ours
            [python, "-m", "bootstrap.tethered", "SIGTERM", *supervisord],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock,),
        )


def wait_for_page(supervisor: "subprocess.Popen[bytes]", port: int, logs: Path) -> None:
    """Wait until the site answers."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if supervisor.poll() is not None:
            raise BootstrapError(f"The supervisor did not start:\n{tail(logs / 'supervisord.out')}")
        if time.monotonic() > deadline:
            log = logs / "web.log"
            raise BootstrapError(
                f"The site does not answer after {START_SECONDS} s. The last lines of {log}:\n{tail(log)}"
            )
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Say whether a web server gives any answer at all."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_for_end(supervisor: "subprocess.Popen[bytes]", configuration: Path, logs: Path) -> None:
    """Wait until the supervisor ends; tell once of programs that have not come up in time."""
    try:
        supervisor.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        for name in programs_down(configuration):
            log = logs / f"{name}.log"
            say(f"{name} does not start. The last lines of {log}:\n{tail(log)}")
        supervisor.wait()


def programs_down(configuration: Path) -> list[str]:
    """Return the names of the programs that are not running."""
    command = [str(PYTHON), "-m", "supervisor.supervisorctl", "-c", str(configuration), "status"]
    report = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True).stdout  # noqa: S603 - ours
    lines = [line.split() for line in report.splitlines()]
    return [words[0].split(":")[-1] for words in lines if len(words) > 1 and words[1] != "RUNNING"]


def stop(supervisor: "subprocess.Popen[bytes]") -> None:
    """Ask the supervisor to stop everything in order, and wait; further requests change nothing."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if supervisor.poll() is not None:
        return
    supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def heed_stop_signals() -> None:
    """Make every request to stop a KeyboardInterrupt, even where a shell had Ctrl-C ignored."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in STOP_SIGNALS:
        signal.signal(number, interrupt)
