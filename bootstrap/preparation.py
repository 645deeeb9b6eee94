"""`python -m bootstrap.preparation`: bring a home's database and static files up to date, in one process.

Every step may be repeated at will; the static files are collected only when one of them changed.
"""

import hashlib
import os
from pathlib import Path

import django
from django.core.management import call_command

from bootstrap.environment import PROJECT
from bootstrap.shell import say
from fooling_web.home import home

STATIC_FILES = ("static/**/*", "fooling_web/*/static/**/*", "node_modules/*/dist/**/*")
PINNED = ("requirements.txt", "package-lock.json")  # other people's static files change with their versions


def main() -> None:
    """Migrate, collect, and see to an administrator and a first run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    _collect_static_files()
    call_command("create_administrator")
    with open(os.devnull, "w") as silence:
        call_command("queue_demonstration", stdout=silence)


def _collect_static_files() -> None:
    stamp = home() / "static.stamp"
    wanted = static_fingerprint(PROJECT)
    collected = (home() / "static" / "staticfiles.json").exists()
    if collected and stamp.exists() and stamp.read_text() == wanted:
        return
    say("Collecting the static files ...")
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)


def static_fingerprint(project: Path) -> str:
    """Return a hash of the names, sizes and times of all files that could be static ones."""
    files = [project / name for name in PINNED]
    files += [path for pattern in STATIC_FILES for path in project.glob(pattern) if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        status = path.stat()
        digest.update(f"{path.relative_to(project)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
