"""The Python that starts set-up."""

from bootstrap.__main__ import refusal_of_python


def test_accepts_the_oldest_python_that_serves():
    assert refusal_of_python((3, 11, 0), "python3") == ""


def test_accepts_a_newer_python():
    assert refusal_of_python((3, 13, 1), "python3") == ""


def test_refuses_an_older_python_in_one_line_with_the_remedy():
    line = refusal_of_python((3, 9, 18), "/usr/bin/python3")

    assert "/usr/bin/python3 is Python 3.9.18" in line
    assert "make run PYTHON=" in line
    assert "\n" not in line
