"""Several archive files in one ZIP, as a site packs them for many runs: taken in together, or none of them."""

import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from evolution.archive_file import require_nothing_around
from evolution.errors import ArchiveFileError
from fooling_web.exports.importing import AlreadyImported, file_sha256, import_archive, put_aside
from fooling_web.runs.models import Run
from fooling_web.users.models import User

MOST = 500  # runs in one file
BLOCK = 2**20
OWN_NAMES = ("README.txt", "SHA256SUMS")
SILENCE = timedelta(hours=1)  # without a further run, after which nobody works on a ZIP any more


def is_bundle(path: Path) -> bool:
    """Whether a file is a ZIP of archive files rather than one archive file, or none at all."""
    try:
        with zipfile.ZipFile(path) as outer:
            names = outer.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return "manifest.json" not in names and any(name.endswith(".zip") for name in names)


def import_bundle(
    path: Path, *, owner: User | None = None, visibility: str = Run.Visibility.PUBLIC, anyway: bool = False
) -> list[Run]:
    """Return the runs of all files in a ZIP, in its order; those that are here already are not stored again.

    Until the last one is in, the new ones are put aside like runs that were removed; then one statement shows them
    all: a single transaction over all of them would keep everybody else from writing for as long. What a killed
    process left aside goes when the same person brings the same ZIP again, or after a while (`give_up_leftovers`).
    Raises ArchiveFileError and ZooError like `import_archive`, and AlreadyImported where nothing was new; then
    nothing is kept.
    """
    sha256 = file_sha256(path)
    _left_by(owner, sha256).delete()
    bundle = f"{sha256} {uuid.uuid4().hex}"  # two who bring the same ZIP at once are not in each other's way
    runs: list[Run] = []
    new: set[uuid.UUID] = set()
    earlier: AlreadyImported | None = None
    try:
        for file in files_in(path):
            try:
                run = import_archive(file, owner=owner, visibility=visibility, bundle=bundle, anyway=anyway)
                runs.append(run)
                new.add(run.pk)
            except AlreadyImported as error:
                runs.append(error.run)
                earlier = error
        _show(path, bundle, new)
    except BaseException:
        put_aside(bundle).delete()
        raise
    if earlier and not new:
        raise earlier
    for run in runs:
        run.removed_at = None
    return runs


def give_up_leftovers(now: datetime) -> int:
    """Let go what processes left aside that were killed over a ZIP, as removed runs go; return how many runs."""
    aside = Run.everything.filter(
        origin__bundle__isnull=False, removed_at__isnull=False, visibility_before=""
    )
    fresh = aside.filter(removed_at__gt=now - SILENCE).values_list("origin__bundle", flat=True)
    long_ago = now - timedelta(days=settings.REMOVED_RUNS_DAYS, seconds=1)
    stale = aside.filter(removed_at__gt=long_ago, removed_at__lte=now - SILENCE)
    left = [run.pk for run in stale.without_burdens() if (run.origin or {})["bundle"] not in {*fresh}]
    return Run.everything.filter(pk__in=left, removed_at__isnull=False).update(removed_at=long_ago)


def _left_by(owner: User | None, sha256: str) -> QuerySet[Run]:
    """Runs that somebody's earlier attempt at the same ZIP put aside."""
    aside = Run.everything.filter(owner=owner, removed_at__isnull=False, visibility_before="")
    return aside.filter(origin__bundle__startswith=sha256)


def _show(path: Path, bundle: str, new: set[uuid.UUID]) -> None:
    """Show all the runs of a ZIP at once; raises ArchiveFileError where one of them is gone again."""
    with transaction.atomic():
        if put_aside(bundle).update(removed_at=None) != len(new):
            raise ArchiveFileError(
                f"{path.name} was sent a second time while it came in; nothing was kept: send it once more"
            )


def files_in(path: Path) -> Iterator[Path]:
    """Yield each archive file of a ZIP, unpacked for as long as it is looked at; raises ArchiveFileError."""
    with zipfile.ZipFile(path) as outer, tempfile.TemporaryDirectory() as folder:
        for member in _members(path, outer):
            file = Path(folder) / member.filename
            try:
                with outer.open(member) as source, file.open("wb") as target:
                    shutil.copyfileobj(source, target, BLOCK)
            except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
                raise ArchiveFileError(
                    f"{path.name} is damaged at {member.filename}; fetch it once more"
                ) from error
            yield file
            file.unlink()


def sums_in(path: Path) -> dict[str, str]:
    """Return the hashes of archive files that a ZIP of them tells of; empty where it tells nothing that is one."""
    try:
        with zipfile.ZipFile(path) as outer, outer.open(OWN_NAMES[1]) as member:
            text = member.read(BLOCK).decode("ascii", "replace")
    except (KeyError, OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError):
        return {}
    lines = (line.partition("  ") for line in text.splitlines())
    return {name: sha256 for sha256, _, name in lines if name.endswith(".zip")}


def _members(path: Path, outer: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the archive files in a ZIP, which are stored as they are: what would grow is refused, and a path."""
    require_nothing_around(path, outer)
    members = [member for member in outer.infolist() if member.filename not in OWN_NAMES]
    if len(members) > MOST:
        raise ArchiveFileError(f"{path.name} holds {len(members):,} files; {MOST} runs at once are the most")
    size = path.stat().st_size
    seen: set[str] = set()
    for member in members:
        name = member.filename
        is_plain = name.endswith(".zip") and Path(name).name == name and "\\" not in name and len(name) < 200
        is_stored = member.compress_type == zipfile.ZIP_STORED and member.file_size <= size
        if not (is_plain and is_stored) or name in seen or member.flag_bits & 1:
            raise ArchiveFileError(
                f"{path.name} holds {name[:60]!r}, which is no stored archive file; give a file of export_archive"
            )
        seen.add(name)
    if sum(member.file_size for member in members) > size:
        raise ArchiveFileError(f"{path.name} holds more than its own size; give a file of export_archive")
    return members
