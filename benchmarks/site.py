"""What stands behind a site's pages, for a benchmark: a home of its own with a real database and broker.

Django reads its settings once, when it is first imported; so a process has one such home, and everything of
`fooling_web` is imported after it is made.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.environment import PROJECT

if TYPE_CHECKING:
    from evolution.parameters import Parameters
    from fooling_web.runs.models import Run

ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")  # a benchmark writes into its own home alone
PATIENCE = 30  # seconds until Valkey answers


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """Make a home, migrate its database and start its Valkey; all is gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (home / "static").mkdir()
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ.update(FOOLING_HOME=str(home), DJANGO_SETTINGS_MODULE="fooling_web.settings")
    server = _valkey(home)
    try:
        _wait_for(server)
        _set_up_django()
        yield home
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(home, ignore_errors=True)


def launched(classifier: str, parameters: "Parameters", seed: int = 1) -> "Run":
    """Store a run as the site does, of which no page exists."""
    from fooling_web.runs.launching import launch

    return launch(classifier, parameters.encoding, parameters=parameters, seed=seed)


def _valkey(home: Path) -> subprocess.Popen[bytes]:
    from fooling_web.home import socket_dir, valkey_socket

    socket_dir().mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "bootstrap.valkey", str(home / "valkey"), str(valkey_socket())]
    with (home / "valkey.log").open("wb") as log:
        return subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)  # noqa: S603 - ours


def _wait_for(server: subprocess.Popen[bytes]) -> None:
    import redis

    from fooling_web.home import valkey_socket

    patient_until = time.monotonic() + PATIENCE
    while True:
        try:
            with redis.Redis(unix_socket_path=str(valkey_socket())) as client:
                client.ping()
            return
        except redis.RedisError:
            if server.poll() is not None or time.monotonic() > patient_until:
                sys.exit("Valkey does not answer, so nothing was measured")
            time.sleep(0.05)


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
