"""What an archive file claims of its champions, asked of the classifier again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from evolution.archive_file import ArchiveFile
from fooling_web.exports.exporting import export_archive
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.exports.verifying import ask_again
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Champion, Run, Takeover
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


def exported(run: Run, path: Path) -> Path:
    export_archive(run, path)
    return path


def test_the_classifier_says_again_what_the_file_claims(finished_run: Run, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with ArchiveFile(exported(finished_run, tmp_path / "run.zip")) as archive:
        archive.check()
        verdict = ask_again(archive, lambda done, total: heard.append((done, total)))

    assert [one.class_index for one in verdict.differences] == list(range(10))
    assert verdict.largest < 1e-5
    assert verdict.far == []
    assert heard[-1] == (10, 10)


def test_a_confidence_that_was_invented_is_found(finished_run: Run, tmp_path: Path) -> None:
    champion = finished_run.champions.get(class_index=3)
    Champion.objects.filter(pk=champion.pk).update(confidence=0.99999)
    Takeover.objects.filter(
        run=finished_run, class_index=3, individual=champion.individual, generation=champion.generation
    ).update(confidence=0.99999)
    out = io.StringIO()

    with pytest.raises(CommandError, match="claims what is not so: of 1 champion"):
        call_command(
            "verify_archive", str(exported(finished_run, tmp_path / "run.zip")), "--json", stdout=out
        )

    assert json.loads(out.getvalue())["champions_that_differ"] == [3]


def test_says_that_the_classifier_is_not_here(finished_run: Run, tmp_path: Path) -> None:
    Run.objects.update(classifier_sha256="0" * 64)
    finished_run.refresh_from_db()
    out = io.StringIO()

    call_command("verify_archive", str(exported(finished_run, tmp_path / "run.zip")), stdout=out)

    assert "were not asked about again: " in out.getvalue()
    assert "has other weights here than those that the file names" in out.getvalue()


def test_asks_nobody_where_that_is_wished(finished_run: Run, tmp_path: Path) -> None:
    out = io.StringIO()
    path = exported(finished_run, tmp_path / "run.zip")

    call_command("verify_archive", str(path), "--without-asking", "--json", stdout=out)

    assert json.loads(out.getvalue())["asked_again"] == 0


def repacked(path: Path, name: str, content: bytes) -> Path:
    """Replace a member of a file, and tell its manifest and sums so."""
    other = path.with_name("other.zip")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(other, "w") as after:
        manifest = json.loads(before.read("manifest.json"))
        manifest["members"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for member in before.infolist():
            changed = {name: content, "manifest.json": json.dumps(manifest).encode()}
            after.writestr(member, changed.get(member.filename, before.read(member)))
    return other


def png(side: int, level: int = 0, height: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, height or side), level).save(file, format="PNG")
    return file.getvalue()


def ascended(owner: Any) -> Run:
    chosen = parameters_for("mnist-lenet", "gradient", generations=8)
    return executed(launch("mnist-lenet", "gradient", parameters=chosen, seed=1, owner=owner))


def verified(path: Path, *words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("verify_archive", str(path), "--json", *words, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.mark.parametrize("encoding", ["cppn", "direct", "gradient"])
def test_every_genome_and_picture_is_drawn_again(encoding: str, alice: Any, tmp_path: Path) -> None:
    run = ascended(alice) if encoding == "gradient" else executed(launched(owner=alice, encoding=encoding))
    for pictures in (64, 128):
        pack(run, tmp_path / "run.zip", Choices(pictures=pictures))

        found = verified(tmp_path / "run.zip")

        assert found["developed_again"] == run.individuals.count()
        assert found["pictures_compared"] == run.champions.count()
        assert found["largest_difference_of_pictures"] == 0


@pytest.mark.parametrize(
    "picture", [png(64, 7), png(32), png(9000), png(64, height=65)], ids=["another", "small", "huge", "tall"]
)
def test_a_picture_of_something_else_is_found(finished_run: Run, tmp_path: Path, picture: bytes) -> None:
    pack(finished_run, tmp_path / "run.zip", Choices(pictures=64))
    altered = repacked(tmp_path / "run.zip", "pictures/4_4.png", picture)

    with pytest.raises(CommandError, match=r"of 10 pictures 1 show something else .*pictures/4_4.png"):
        verified(altered, "--without-asking")


def test_a_picture_that_is_none_is_refused(finished_run: Run, tmp_path: Path) -> None:
    pack(finished_run, tmp_path / "run.zip", Choices(pictures=64))

    with pytest.raises(CommandError, match=r"pictures/4_4.png is no picture"):
        verified(repacked(tmp_path / "run.zip", "pictures/4_4.png", b"GIF89a"), "--without-asking")


@pytest.fixture
def several(finished_run: Run, alice: Any, tmp_path: Path) -> Path:
    other = executed(launched(owner=alice, seed=2))
    pack_many([finished_run, other], tmp_path / "runs.zip", Choices(pictures=64, tables=False))
    return tmp_path / "runs.zip"


def in_several(path: Path, change: Callable[[list[str], dict[str, bytes]], None]) -> Path:
    """Return a ZIP of several with other content."""
    with zipfile.ZipFile(path) as outer:
        contents = {name: outer.read(name) for name in outer.namelist()}
    change(sorted(name for name in contents if name.endswith(".zip")), contents)
    with zipfile.ZipFile(path.with_name("others.zip"), "w") as outer:
        for name, content in contents.items():
            outer.writestr(name, content)
    return path.with_name("others.zip")


def test_each_file_of_a_zip_is_verified(several: Path) -> None:
    found = verified(several)["archives"]

    assert [one["seed"] for one in found] == [1, 2]
    assert all(one["asked_again"] == one["pictures_compared"] == 10 for one in found)
    assert all(not one["wrong"] and "/" not in one["file"] for one in found)


def damage(names: list[str], contents: dict[str, bytes]) -> None:
    contents[names[0]] = contents[names[0]][:-50]


def swap(names: list[str], contents: dict[str, bytes]) -> None:
    contents[names[0]] = contents[names[1]]


def drop(names: list[str], contents: dict[str, bytes]) -> None:
    del contents[names[0]]


@pytest.mark.parametrize(
    ("change", "said"),
    [(damage, "cut short or no ZIP"), (swap, "whose hash SHA256SUMS tells"), (drop, "is missing")],
)
def test_each_other_file_of_a_zip_is_verified_where_one_is_wrong(
    several: Path, change: Any, said: str
) -> None:
    path, out = in_several(several, change), io.StringIO()

    with pytest.raises(CommandError, match=rf"1 of 2 files are wrong; .*{said}"):
        call_command("verify_archive", str(path), "--json", "--without-asking", stdout=out)

    found = json.loads(out.getvalue())["archives"]
    assert sorted(bool(one["wrong"]) for one in found) == [False, True]
    assert "/" not in "".join(one["file"] + one["wrong"] for one in found)
