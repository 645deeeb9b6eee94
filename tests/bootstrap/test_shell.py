"""Other programs, started quietly."""

import sys

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.shell import complaint, refuse_full_disk, run_quietly, tail


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_keeps_quiet_when_a_command_succeeds(tmp_path, capfd):
    run_quietly(python("print('noise')"), tmp_path / "log", "it failed")

    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "log").read_text() == "noise\n"


def test_shows_the_last_words_of_a_command_that_fails(tmp_path, capfd):
    with pytest.raises(BootstrapError, match="it failed"):
        run_quietly(python("import sys; sys.exit('no such luck')"), tmp_path / "log", "it failed")

    assert "no such luck" in capfd.readouterr().err


def test_says_in_one_line_that_a_command_filled_the_disk(tmp_path, capfd):
    code = "import sys; sys.exit('OSError: [Errno 28] No space left on device')"

    with pytest.raises(BootstrapError, match="the disk is full"):
        run_quietly(python(code), tmp_path / "log", "it failed")

    assert capfd.readouterr().err == ""


def test_refuses_a_disk_with_too_little_space(tmp_path):
    with pytest.raises(BootstrapError, match=r"A first install needs 1000000000\.0 GB of free disk"):
        refuse_full_disk(tmp_path, 10**18, "A first install")


def test_accepts_a_disk_with_enough_space(tmp_path):
    refuse_full_disk(tmp_path, 1, "A first install")


def test_shows_only_the_end_of_a_log(tmp_path):
    (tmp_path / "log").write_text("one\ntwo\nthree\n")

    assert tail(tmp_path / "log", 2) == "    two\n    three"


def test_says_so_when_there_is_no_log(tmp_path):
    assert "nothing was logged" in tail(tmp_path / "log")


def test_finds_the_line_that_says_what_went_wrong(tmp_path):
    (tmp_path / "log").write_text("Traceback:\n  File\nOperationalError: refused\n\tIs it running?\n")

    assert complaint(tmp_path / "log") == "OperationalError: refused"
