"""A ZIP of several runs comes in as a whole, also where a process dies over it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from evolution.errors import ArchiveFileError
from fooling_web.exports import bundles
from fooling_web.exports.bundles import import_bundle
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.runs.models import Run
from tests.factories import executed, launched

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
