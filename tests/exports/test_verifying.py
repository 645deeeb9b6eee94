"""What an archive file claims of its champions, asked of the classifier again."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from evolution.archive_file import ArchiveFile
from fooling_web.exports.exporting import export_archive
from fooling_web.exports.verifying import ask_again
from fooling_web.runs.models import Champion, Run, Takeover

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
