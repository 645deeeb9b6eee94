"""Between SQLite and PostgreSQL, both ways: a run is the same on either side, and its file the same to the byte.

The other site is one on PostgreSQL where this one keeps a SQLite file, and the other way round. PostgreSQL's own
programs start a server for the time of the test; where they are not installed, the test says so.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fooling_web.exports.exporting import export_archive
from fooling_web.exports.importing import import_archive
from tests.exports.recorded import SMALL, recorded
from tests.services import PROJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]

SERVER = "PostgreSQL's programs are not installed (apt-get install postgresql), so the two cannot be compared"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def postgresql(folder: Path, binaries: Path) -> Iterator[str]:
    """Run a server of one's own, and yield its address."""
    person = "postgres" if os.getuid() == 0 else None  # it refuses to be run by root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if person:
        shutil.chown(folder, person)
    data = folder / "data"

    def call(program: str, *words: str) -> None:
        command = [str(binaries / program), "-D", str(data), *words]
        with (folder.parent / "postgresql.log").open("ab") as log:
            subprocess.run(command, check=True, user=person, cwd="/", stdout=log, stderr=log)

    call("initdb", "-U", "site", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call("pg_ctl", "-w", "-o", options, "start")
    try:
        yield f"postgres://site@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a site on the other database."""
    home = tmp_path / "home"
    (home / "static").mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**kept, "FOOLING_HOME": str(home)}
    if connection.vendor == "postgresql":
        yield environment
        return
    binaries = programs()
    if binaries is None:
        pytest.skip(SERVER)
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:  # short, for the socket's sake
        Path(folder).chmod(0o755)
        server = Path(folder, "server")
        server.mkdir()
        with postgresql(server, binaries) as address:
            yield {**environment, "DATABASE_URL": address}


def test_are_the_same_on_either_side(elsewhere: dict[str, str], tmp_path: Path, bob: Any) -> None:
    here = {str(number): made() for number, made in enumerate(SMALL.values())}
    (tmp_path / "sent").mkdir()
    for name, run in here.items():
        export_archive(run, tmp_path / "sent" / f"{name}.zip")

    command = [sys.executable, "-m", "tests.exports.another_site", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, env=elsewhere, check=True)

    for name, run in here.items():
        assert told(tmp_path / "came" / name) == on_paper(recorded(run)), name
        assert content(tmp_path / "came" / name) == content(tmp_path / "sent" / name)
        born = tmp_path / "born" / name
        again = import_archive(born.with_suffix(".zip"), owner=bob)
        assert told(born) == on_paper(recorded(again)), name
        assert export_archive(again, tmp_path / "again.zip") == told(born)["archive_sha256"]
        assert content(tmp_path / "again") == content(born)


def told(path: Path) -> dict[str, Any]:
    """Return what the other site holds of a run."""
    record: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return record


def content(path: Path) -> bytes:
    return path.with_suffix(".zip").read_bytes()


def on_paper(record: dict[str, Any]) -> Any:
    """Return a record as JSON brings it back."""
    return json.loads(json.dumps(record))
