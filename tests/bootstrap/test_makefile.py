"""The Makefile: few lines, all of them explained."""

import re
import subprocess

from bootstrap.commands import COMMANDS
from bootstrap.environment import PROJECT


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=PROJECT, capture_output=True, text=True)


def test_lists_every_target():
    listed = re.findall(r"^make (\w+)", make("help").stdout, re.MULTILINE)

    assert listed == ["help", *COMMANDS, "clean"]


def test_lists_the_targets_when_asked_for_nothing():
    assert make().stdout == make("help").stdout


def test_names_the_remedy_where_there_is_no_python():
    answer = make("setup", "PYTHON=/nowhere/python3")

    assert answer.returncode != 0
    assert "needs Python 3.11 or newer and finds none at /nowhere/python3" in answer.stderr
    assert "make setup PYTHON=" in answer.stderr
