"""Set-up of a clone that needs no packages, with a real virtual environment."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.environment import PROJECT, fingerprint


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Lay out a project that asks for nothing, its browser libraries already in place."""
    shutil.copytree(PROJECT / "bootstrap", tmp_path / "bootstrap")
    for name in ("requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json"):
        (tmp_path / name).touch()
    (tmp_path / "node_modules").mkdir()
    libraries = fingerprint(tmp_path / "package.json", tmp_path / "package-lock.json")
    (tmp_path / "node_modules" / ".fingerprint").write_text(libraries)
    return tmp_path


def set_up(clone: Path) -> str:
    command = [sys.executable, "-m", "bootstrap", "setup"]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout


def test_makes_an_environment_once(clone):
    first, second = set_up(clone), set_up(clone)

    assert "Making the virtual environment" in first
    assert "Installing the Python packages of requirements.txt" in first
    assert second == "Everything is set up; start the site with: make run\n"


def test_installs_again_when_the_requirements_change(clone):
    set_up(clone)
    (clone / "requirements.txt").write_text("# changed\n")

    output = set_up(clone)

    assert "Installing the Python packages" in output
    assert "Making the virtual environment" not in output


def test_starts_afresh_when_the_last_set_up_was_cut_short(clone):
    set_up(clone)
    (clone / ".venv" / "unfinished").touch()
    (clone / ".venv" / "half").touch()

    output = set_up(clone)

    assert "cut short" in output
    assert not (clone / ".venv" / "half").exists()
    assert not (clone / ".venv" / "unfinished").exists()


def test_says_which_packages_could_not_be_installed(clone):
    (clone / "requirements.txt").write_text("./no-such-folder\n")

    with pytest.raises(subprocess.CalledProcessError) as failure:
        set_up(clone)

    assert "The packages of requirements.txt could not be installed" in failure.value.stderr
    assert "Traceback" not in failure.value.stderr
