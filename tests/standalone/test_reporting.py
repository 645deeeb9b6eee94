"""`python -m standalone report`: an archive file in the paper's numbers."""

import json
import statistics

import pytest

from evolution.archive_file import ArchiveFile
from standalone.__main__ import main


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    file = tmp_path_factory.mktemp("archives") / "digits.zip"
    settings = ("--classifier", "mnist-mlp", "--generations", "210", "--population", "50", "--seed", "5")
    assert main(["evolve", "--output", str(file), *settings, "--json"]) == 0
    return file


def test_says_what_the_champions_come_to(digits, capsys):
    with ArchiveFile(digits) as archive:
        archive.check()
        confidences = [takeover.confidence for takeover in archive.champions.values()]

    main(["report", str(digits), "--json"])

    (report,) = json.loads(capsys.readouterr().out)
    assert report["classes"] == len(confidences) == 10
    assert report["median"] == pytest.approx(statistics.median(confidences))
    assert report["classes_at"]["0.99"] == sum(confidence >= 0.99 for confidence in confidences)


def test_looks_back_at_round_counts_of_evaluations(digits, capsys):
    """10,550 evaluations: 50, and 210 times 50; 10,000 were shown after generation 199."""
    main(["report", str(digits), "--json"])

    (report,) = json.loads(capsys.readouterr().out)
    assert report["evaluations"] == 10_550
    assert {count: at["generation"] for count, at in report["at_evaluations"].items()} == {"10000": 199}


def test_speaks_of_cats_and_dogs_only_where_there_are_some(digits, capsys):
    main(["report", str(digits)])

    assert "cats and dogs" not in capsys.readouterr().out


def test_refuses_what_is_no_archive_in_one_line(tmp_path, capsys):
    file = tmp_path / "picture.zip"
    file.write_bytes(b"\x89PNG")

    assert main(["report", str(file)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
