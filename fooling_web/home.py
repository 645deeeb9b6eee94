"""Where an instance of the site keeps everything it owns: `FOOLING_HOME`, by default `var/`.

Two homes are two sites that know nothing of each other. This module imports the standard library alone,
because the launcher reads it before anything is installed.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 100  # bytes; the kernel refuses 108 (Linux) and 104 (macOS)


def home() -> Path:
    """Return the folder that holds all state of this instance."""
    return Path(os.environ.get("FOOLING_HOME") or PROJECT / "var").expanduser().resolve()


def made_private(folder: Path) -> Path:
    """Make a home that only its owner may look into, or tighten one; a folder of the whole machine stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    is_shared = bool(status.st_mode & stat.S_ISVTX) or folder.parent == Path(folder.anchor)
    if status.st_uid == os.getuid() and not is_shared:
        with suppress(OSError):  # some file systems know no modes
            folder.chmod(0o700)
    return folder


def data_dir() -> Path:
    """Return the folder of data sets (`mnist/`, ...): `FOOLING_DATA_DIR`, by default inside the home."""
    return Path(os.environ.get("FOOLING_DATA_DIR") or home() / "data").expanduser().resolve()


def gallery() -> Path:
    """Return the folder of archive files that a new site takes in: `FOOLING_GALLERY`, by default the project's."""
    return Path(
        os.environ.get("FOOLING_GALLERY") or PROJECT / "fooling_web" / "exports" / "gallery"
    ).resolve()


def socket_dir() -> Path:
    """Return the folder of Unix sockets: the home's own, or a short private one where its path is too long."""
    wanted = home() / "sockets"
    if len(os.fsencode(wanted / "valkey.sock")) <= LONGEST_SOCKET_PATH:
        return wanted
    name = hashlib.sha256(os.fsencode(home())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"foolbreeder-{os.getuid()}-{name}"


def valkey_socket() -> Path:
    """Return the path of the embedded Valkey's socket."""
    return socket_dir() / "valkey.sock"
