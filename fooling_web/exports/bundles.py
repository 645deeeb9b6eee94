"""Several archive files in one ZIP, as a site packs them for many runs: taken in together, or none of them."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from evolution.errors import ArchiveFileError
from fooling_web.exports.importing import AlreadyImported, import_archive
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

    Raises ArchiveFileError and ZooError like `import_archive`, and AlreadyImported where nothing was new; then
    nothing is kept.
    """
    runs: list[Run] = []
    new: list[Run] = []
    earlier: AlreadyImported | None = None
    try:
        for file in _files_in(path):
            try:
                new.append(import_archive(file, owner=owner, visibility=visibility))
                runs.append(new[-1])
            except AlreadyImported as error:
                _refuse_anothers(error, owner, file)
                runs.append(error.run)
                earlier = error
    except BaseException:
        for run in new:
            run.delete()
        raise
    if earlier and not new:
        raise earlier
    return runs


def _refuse_anothers(error: AlreadyImported, owner: User | None, file: Path) -> None:
    """Let nobody learn of a run that they may not see."""
    if owner and not Run.objects.visible_to(owner).filter(pk=error.run.pk).exists():
        raise ArchiveFileError(
            f"{file.name} was imported here before, by somebody who keeps it private; leave it out"
        ) from error


def _files_in(path: Path) -> Iterator[Path]:
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
