"""Whatever is wrong with a file: it is refused whole, with the reason in one line, and nothing of it stays anywhere.

Where a changed byte is one that nobody reads, such as a date within the ZIP, the file comes in as the very same
archive; there is no third way.
"""

import json
import random
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from evolution.archive_file import ArchiveFile
from evolution.errors import EvolutionError
from fooling_web.exports.bundles import import_bundle, is_bundle
from fooling_web.exports.importing import import_archive
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Champion, Climb, GenerationStat, Individual, Run, Takeover
from models_zoo.errors import ZooError
from tests.exports.recorded import recorded
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db
PLAIN, WITH_PICTURES = Choices(plain=True), Choices(pictures=64)
TIMES = 60  # places at which each file is damaged
TABLES = (
    Run.everything,
    Individual.objects,
    Takeover.objects,
    Champion.objects,
    GenerationStat.objects,
    Climb.objects,
)


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpack in a folder that no test beside this one writes into."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def gradient(owner: Any) -> Run:
    parameters = parameters_for("mnist-lenet", "gradient", generations=8)
    return executed(launch("mnist-lenet", "gradient", parameters=parameters, seed=1, owner=owner))


def made(kind: str, owner: Any, folder: Path) -> tuple[Path, str]:
    """Return a file of one kind, and the hash of the archive in it; the runs themselves are gone then."""
    encodings = {"direct": "direct", "gradient": "gradient"}
    run = (
        gradient(owner)
        if kind == "gradient"
        else executed(launched(owner=owner, encoding=encodings.get(kind, "cppn")))
    )
    path = folder / f"{kind}.zip"
    choices = WITH_PICTURES if kind == "with pictures" else PLAIN
    if kind == "several":
        pack_many([run, executed(launched(owner=owner, seed=2))], path, choices)
        sha256 = ""
    else:
        sha256 = pack(run, path, choices).archive_sha256
    for one in Run.everything.all():
        one.delete()
    return path, sha256


def as_it_was(path: Path) -> list[dict[str, Any]]:
    """Return all that the site holds of the runs in a whole file."""
    runs = taken_in(path)
    held = [recorded(run) for run in runs]
    for run in runs:
        run.delete()
    return held


def taken_in(path: Path) -> list[Run]:
    return import_bundle(path) if is_bundle(path) else [import_archive(path)]


def files_around() -> set[Path]:
    """Files where imports keep and unpack what comes."""
    home = Path(settings.HOME)
    unpacked = Path(tempfile.gettempdir()).glob("tmp*/*.zip")
    return {*(home / "files").rglob("*.zip"), *(home / "work").rglob("*"), *unpacked}


def is_refused(path: Path, whole: list[dict[str, Any]] | None = None) -> bool:
    """Whether a file is refused with one line, leaving nothing; else it came in like `whole`, and goes again."""
    before = files_around()
    complaint, runs = "", list[Run]()
    try:
        runs = taken_in(path)
    except (EvolutionError, ZooError) as error:
        complaint = str(error)
    if complaint:
        assert "\n" not in complaint
        assert not any(rows.exists() for rows in TABLES)
        assert files_around() == before
    else:
        assert [recorded(run) for run in runs] == whole
    for run in runs:
        run.delete()
    return bool(complaint)


KINDS = pytest.mark.parametrize("kind", ["cppn", "direct", "gradient", "with pictures", "several"])


@KINDS
def test_a_file_that_was_cut_short_is_refused(kind: str, alice: Any, tmp_path: Path) -> None:
    path, _ = made(kind, alice, tmp_path)
    content, rng = path.read_bytes(), random.Random(1)
    lengths = {0, 1, 22, len(content) - 1, *(rng.randrange(len(content)) for _ in range(TIMES))}

    for length in sorted(lengths):
        path.write_bytes(content[:length])
        assert is_refused(path), length


@KINDS
def test_a_changed_byte_is_found_or_is_none_that_anybody_reads(kind: str, alice: Any, tmp_path: Path) -> None:
    path, sha256 = made(kind, alice, tmp_path)
    content, rng = path.read_bytes(), random.Random(2)
    whole = as_it_was(path)

    refused = 0
    for _ in range(TIMES):
        place, bit = rng.randrange(len(content)), 1 << rng.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        if is_refused(path, whole):
            refused += 1
        elif sha256:
            with ArchiveFile(path) as archive:
                assert archive.archive_sha256 == sha256, (place, bit)

    assert refused > TIMES / 2


def rewritten(path: Path, change: Callable[[zipfile.ZipFile], None]) -> Path:
    """Return a copy of a file to which something was added."""
    other = path.with_name("other.zip")
    other.write_bytes(path.read_bytes())
    with zipfile.ZipFile(other, "a") as archive:
        change(archive)
    return other


def a_link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("genomes/99.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "add",
    [
        lambda archive: archive.writestr("../outside.csv", "x"),
        lambda archive: archive.writestr("/etc/outside.csv", "x"),
        lambda archive: archive.writestr("genomes\\..\\outside.png", "x"),
        lambda archive: archive.writestr("pictures/../../outside.png", "x"),
        lambda archive: archive.writestr(a_link(), "/etc/passwd"),
        lambda archive: archive.writestr("run.json", "{}"),
        lambda archive: archive.writestr("unknown.bin", "x"),
        lambda archive: archive.writestr("README.txt", b"0" * 50_000_000, zipfile.ZIP_DEFLATED),
        lambda archive: archive.writestr("genomes.jsonl", b"\n" * 60_000_000, zipfile.ZIP_DEFLATED),
    ],
    ids=["parent", "root", "backslash", "deep", "link", "twice", "unknown", "bomb", "bomb of genomes"],
)
@pytest.mark.parametrize("kind", ["direct", "with pictures"])
def test_what_has_no_place_in_a_file_is_refused(kind: str, add: Any, alice: Any, tmp_path: Path) -> None:
    path, _ = made(kind, alice, tmp_path)

    assert is_refused(rewritten(path, add))
    assert not (tmp_path.parent / "outside.csv").exists()


@pytest.mark.parametrize(
    "add",
    [
        lambda outer: outer.writestr("../outside.zip", "x"),
        lambda outer: outer.writestr("folder/inside.zip", "x"),
        lambda outer: outer.writestr("bomb.zip", b"0" * 30_000_000, zipfile.ZIP_DEFLATED),
        lambda outer: outer.writestr("no.zip", b"no archive"),
        lambda outer: outer.writestr("notes.txt", b"x"),
    ],
    ids=["parent", "folder", "bomb", "no archive", "notes"],
)
def test_what_has_no_place_among_several_files_is_refused(add: Any, alice: Any, tmp_path: Path) -> None:
    path, _ = made("several", alice, tmp_path)

    assert is_refused(rewritten(path, add))


def test_what_claims_to_be_endless_is_refused(alice: Any, tmp_path: Path) -> None:
    """The size that the directory tells is 4 GB for a member of some hundred bytes."""
    path, _ = made("cppn", alice, tmp_path)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = b"\xfe\xff\xff\xff"
    path.write_bytes(bytes(content))

    assert is_refused(path)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(content)

    assert is_refused(tmp_path / "file.zip")


def test_another_version_and_another_format_are_refused(alice: Any, tmp_path: Path) -> None:
    path, _ = made("cppn", alice, tmp_path)
    for changes in ({"version": 99}, {"version": "1"}, {"version": True}, {"format": "something"}):
        other = tmp_path / "other.zip"
        with zipfile.ZipFile(path) as before, zipfile.ZipFile(other, "w") as after:
            for name in before.namelist():
                content = before.read(name)
                if name == "manifest.json":
                    content = json.dumps({**json.loads(content), **changes}).encode()
                after.writestr(name, content)
        assert is_refused(other), changes
