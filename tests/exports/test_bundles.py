"""A ZIP of several runs comes in as a whole, also where a process dies over it."""

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from evolution.errors import ArchiveFileError
from fooling_web.exports import bundles
from fooling_web.exports.bundles import give_up_leftovers, import_bundle
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.runs.models import Run
from tests.factories import executed, launched
from tests.services import PROJECT

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(alice: Any, tmp_path: Path) -> Path:
    runs = [executed(launched(owner=alice, seed=seed)) for seed in (1, 2)]
    pack_many(runs, tmp_path / "runs.zip", Choices(plain=True))
    for run in runs:
        run.delete()
    return tmp_path / "runs.zip"


def test_comes_in_whole(bundle: Path, bob: Any) -> None:
    runs = import_bundle(bundle, owner=bob, visibility=Run.Visibility.PRIVATE)

    assert {run.pk for run in runs} == set(Run.objects.values_list("pk", flat=True))
    assert {(run.owner, run.visibility, run.removed_at) for run in Run.objects.all()} == {
        (bob, "private", None)
    }


class Killed(BaseException):
    """What no code hears of: the process is gone."""


def test_leaves_nothing_to_be_seen_where_its_process_dies(
    bundle: Path, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = iter([True, False])

    def die(path: Path, **options: Any) -> Run:
        if not next(done):
            monkeypatch.setattr(bundles, "put_aside", lambda name: Run.everything.none())  # no clearing up
            raise Killed
        return import_archive(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(bundles, "import_archive", die)
        with pytest.raises(Killed):
            import_bundle(bundle, owner=bob)
    monkeypatch.undo()

    assert Run.everything.count() == 1
    assert not Run.objects.exists()
    assert not Run.everything.get().restore()
    assert len(import_bundle(bundle, owner=bob)) == 2
    assert Run.everything.count() == Run.objects.count() == 2


def left_aside(owner: Any, bundle: Path, name: str) -> Run:
    """Return a run as a process leaves it that was killed over a ZIP."""
    with zipfile.ZipFile(bundle) as outer:
        file = Path(outer.extract(outer.namelist()[0], bundle.parent))
    return import_archive(file, owner=owner, bundle=name)


def test_lets_what_was_left_aside_go_after_a_while(bundle: Path, bob: Any) -> None:
    now = timezone.now()
    run = left_aside(bob, bundle, f"{'0' * 64} abc")
    assert not give_up_leftovers(now)
    assert not Run.everything.due_to_go(now).exists()

    assert give_up_leftovers(now + timedelta(hours=2)) == 1

    assert list(Run.everything.due_to_go(now + timedelta(hours=2))) == [run]
    assert not give_up_leftovers(now + timedelta(hours=3))


def test_leaves_alone_what_is_coming_in_still_and_what_people_removed(bundle: Path, bob: Any) -> None:
    first, _ = import_bundle(bundle, owner=bob)
    first.remove()
    later = timezone.now() + timedelta(hours=2)
    fresh = left_aside(None, bundle, "f" * 64)
    Run.everything.filter(pk=fresh.pk).update(removed_at=later - timedelta(minutes=1))

    assert not give_up_leftovers(later)

    assert not Run.everything.due_to_go(later).exists()


def test_does_not_touch_what_somebody_else_brings_at_the_same_time(
    bundle: Path, bob: Any, charlie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: list[Run] = []

    def meanwhile(path: Path, **options: Any) -> Run:
        monkeypatch.undo()
        theirs.extend(import_bundle(bundle, owner=charlie, visibility=Run.Visibility.PRIVATE))
        return import_archive(path, **options)

    monkeypatch.setattr(bundles, "import_archive", meanwhile)
    own = import_bundle(bundle, owner=bob)

    assert {run.owner for run in own} == {bob}
    assert {run.owner for run in theirs} == {charlie}
    assert Run.objects.count() == Run.everything.count() == 4


def test_is_refused_whole_where_the_same_person_sends_it_twice_at_once(
    bundle: Path, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10))

    def second(path: Path, **options: Any) -> Run:
        if next(calls) == 1:
            monkeypatch.undo()
            import_bundle(bundle, owner=bob)
        return import_archive(path, **{**options, "anyway": False})

    monkeypatch.setattr(bundles, "import_archive", second)
    with pytest.raises(ArchiveFileError, match="a second time while it came in"):
        import_bundle(bundle, owner=bob)

    assert Run.objects.count() == Run.everything.count() == 2


def test_comes_in_whole_after_a_process_was_killed_over_it(bundle: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**kept, "FOOLING_HOME": str(tmp_path / "home")}
    (tmp_path / "home" / "static").mkdir(parents=True)

    command = [sys.executable, "-m", "tests.exports.killed_import", str(bundle)]
    told = subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )

    assert told.stdout.split() == ["0", "1", "2", "2"]  # to be seen, and in all: before, and after


def test_leaves_runs_alone_that_were_removed_since(bundle: Path, bob: Any) -> None:
    first, _ = import_bundle(bundle, owner=bob)
    first.remove()

    import_bundle(bundle, owner=bob)

    first = Run.everything.get(pk=first.pk)
    assert first.removed_at is not None
    assert first.restore()


def test_is_refused_whole_where_one_file_is_damaged(bundle: Path, bob: Any) -> None:
    content = bytearray(bundle.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    bundle.write_bytes(bytes(content))

    with pytest.raises(ArchiveFileError):
        import_bundle(bundle, owner=bob)

    assert not Run.everything.exists()


def test_comes_in_by_the_command(bundle: Path) -> None:
    out = io.StringIO()
    call_command("import_archive", str(bundle), "--json", stdout=out)

    assert len(json.loads(out.getvalue())["runs"]) == Run.objects.count() == 2
    with pytest.raises(CommandError, match="--name is for a single run"):
        call_command("import_archive", str(bundle), "--name", "mine")
    with pytest.raises(CommandError, match="was imported before"):
        call_command("import_archive", str(bundle))


def test_a_private_run_of_somebody_else_is_not_told_of(
    finished_run: Run, bob: Any, charlie: Any, tmp_path: Path
) -> None:
    path = tmp_path / "run.zip"
    pack(finished_run, path, Choices(plain=True))
    finished_run.delete()
    first = import_archive(path, owner=bob, visibility=Run.Visibility.PRIVATE)

    second = import_archive(path, owner=charlie, visibility=Run.Visibility.PUBLIC)

    assert second.pk != first.pk
    with pytest.raises(AlreadyImported) as told:
        import_archive(path, owner=bob)
    assert told.value.run in (first, second)
