"""What the tests' own site stands on: a home of its own and a real Valkey, both gone when the tests end.

pytest loads this plugin before Django reads its settings (`addopts = -p tests.services`). A database server is used
if `DATABASE_URL` names one; otherwise the tests keep a SQLite file in their home.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 30  # seconds until Valkey answers
ELSEWHERE = ("REDIS_URL", "CELERY_BROKER_URL", "EMAIL_BACKEND", "ALLOWED_HOSTS", "DEBUG", "BEHIND_HTTPS")


def heed_ctrl_c() -> None:
    """Undo that a shell lets programs in the background ignore Ctrl-C: tests send it to what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def new_home() -> Path:
    """Make a home whose path is short enough for a Unix socket; it is removed at exit."""
    home = Path(tempfile.mkdtemp(prefix="foolbreeder-", dir="/tmp"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "static").mkdir()
    (home / "sockets").mkdir(mode=0o700)
    return home


def start_valkey(home: Path) -> subprocess.Popen[bytes]:
    """Start the embedded Valkey of a home and wait until it answers; it is stopped at exit."""
    socket = home / "sockets" / "valkey.sock"
    command = [sys.executable, "-m", "bootstrap.valkey", str(home / "valkey"), str(socket)]
    log = (home / "valkey.log").open("wb")
    server = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
    atexit.register(stop, server)
    _wait_for(socket, server, home)
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server and see it gone."""
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_for(socket: Path, server: subprocess.Popen[bytes], home: Path) -> None:
    patient_until = time.monotonic() + PATIENCE
    while True:
        try:
            with redis.Redis(unix_socket_path=str(socket)) as client:
                client.ping()
            return
        except redis.RedisError:
            if server.poll() is not None or time.monotonic() > patient_until:
                raise RuntimeError(f"Valkey does not answer: {(home / 'valkey.log').read_text()}") from None
            time.sleep(0.05)


def _prepare() -> None:
    heed_ctrl_c()
    home = new_home()
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ["FOOLING_HOME"] = str(home)
    os.environ["FOOLING_GALLERY"] = str(
        home / "no-gallery"
    )  # hundreds of pictures that tests do not count with
    start_valkey(home)


_prepare()
