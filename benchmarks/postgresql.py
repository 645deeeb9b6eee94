"""A PostgreSQL of our own for a benchmark, where its programs are installed; it is gone at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote


def postgresql_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, of the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3].zfill(4))
    named = shutil.which("initdb")
    newest = found[-1] if found else Path(named).resolve() if named else None
    return newest.parent if newest else None


@contextmanager
def postgresql_server(programs: Path) -> Iterator[str]:
    """Start a server of our own, with no door but a socket; yield its address."""
    with tempfile.TemporaryDirectory(prefix="bench-pg-", dir="/tmp") as folder:  # short, for a socket
        as_whom: dict[str, Any] = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses
            other = next(
                one for name in ("postgres", "nobody") for one in pwd.getpwall() if one.pw_name == name
            )
            os.chown(folder, other.pw_uid, other.pw_gid)
            as_whom = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}

        def call(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **as_whom)  # noqa: S603

        call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        call("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''", "start")
        try:
            yield f"postgres://postgres@{quote(folder, safe='')}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
