"""When static files are collected anew."""

import os
from pathlib import Path

import pytest

from bootstrap.preparation import PINNED, static_fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "css" / "site.css").write_text("body {}")
    for name in PINNED:
        (tmp_path / name).touch()
    return tmp_path


def test_sees_no_change_where_there_is_none(project):
    assert static_fingerprint(project) == static_fingerprint(project)


def test_sees_a_changed_file(project):
    before = static_fingerprint(project)

    (project / "static" / "css" / "site.css").write_text("body { color: black }")

    assert static_fingerprint(project) != before


def test_sees_a_new_version_of_other_peoples_files(project):
    before = static_fingerprint(project)

    os.utime(project / "requirements.txt", (1, 1))

    assert static_fingerprint(project) != before


def test_ignores_what_is_not_served(project):
    before = static_fingerprint(project)

    (project / "manage.py").touch()

    assert static_fingerprint(project) == before
