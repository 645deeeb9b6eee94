"""Several archive files in one ZIP, as a site packs them for many runs: taken in together, or none of them."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from evolution.archive_file import require_nothing_around
from evolution.errors import ArchiveFileError
from fooling_web.exports.importing import AlreadyImported, file_sha256, import_archive, put_aside
from fooling_web.runs.models import Run
from fooling_web.users.models import User

MOST = 500  # runs in one file
BLOCK = 2**20
OWN_NAMES = ("README.txt", "SHA256SUMS")


def is_bundle(path: Path) -> bool:
    """Whether a file is a ZIP of archive files rather than one archive file, or none at all."""
    try:
        with zipfile.ZipFile(path) as outer:
            names = outer.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return "manifest.json" not in names and any(name.endswith(".zip") for name in names)


def import_bundle(
    path: Path, *, owner: User | None = None, visibility: str = Run.Visibility.PUBLIC
) -> list[Run]:
    """Return the runs of all files in a ZIP, in its order; those that are here already are not stored again.

    Until the last one is in, the new ones are put aside like runs that were removed; then one statement shows them
    all. What a killed process left aside goes when the same ZIP comes again. Raises ArchiveFileError and ZooError
    like `import_archive`, and AlreadyImported where nothing was new; then nothing is kept.
    """
    bundle = file_sha256(path)
    put_aside(bundle).delete()
    runs: list[Run] = []
    earlier: AlreadyImported | None = None
    try:
        for file in files_in(path):
            try:
                runs.append(import_archive(file, owner=owner, visibility=visibility, bundle=bundle))
            except AlreadyImported as error:
                runs.append(error.run)
                earlier = error
    except BaseException:
        put_aside(bundle).delete()
        raise
    if not put_aside(bundle).update(removed_at=None) and earlier:
        raise earlier
    for run in runs:
        run.removed_at = None
    return runs


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
