"""`python -m standalone evolve`: the site's runs without the site, however they are interrupted."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from evolution.archive_file import ArchiveFile
from standalone.__main__ import main
from standalone.journal import Journal
from tests.services import PROJECT

SMALL = ("--generations", "6", "--population", "20", "--seed", "1")
LONG = ("--generations", "120", "--population", "40", "--seed", "3")


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["evolve", *arguments, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["evolve", *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    return said


def checked(path: Path) -> ArchiveFile:
    with ArchiveFile(path) as archive:
        archive.check()
        return archive


def begun(output: Path) -> bool:
    """Whether a run has kept something that it could go on from."""
    try:
        checkpoint = json.loads((output.with_name(f"{output.name}.working") / "checkpoint.json").read_text())
    except (OSError, ValueError):
        return False
    return checkpoint["generation"] is not None


def wait_until_begun(output: Path) -> None:
    patient_until = time.monotonic() + 60
    while not begun(output) and time.monotonic() < patient_until:
        time.sleep(0.02)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "choices",
    [
        ("--encoding", "cppn"),
        ("--encoding", "direct", "--fidelity", "released-code"),
        ("--encoding", "cppn", "--method", "novelty"),
    ],
    ids=" ".join,
)
def test_comes_to_the_very_archive_that_the_site_comes_to(tmp_path, capsys, choices):
    out = io.StringIO()
    call_command("evolve", *SMALL, *choices, "--json", stdout=out)
    on_the_site = json.loads(out.getvalue().splitlines()[-1])

    alone = report(capsys, *SMALL, *choices, "--output", str(tmp_path / "run.zip"))

    exact = ("generation", "classes", "median_confidence", "share_99", "evaluations", "archive_sha256")
    assert list(alone) == list(on_the_site)
    assert {name: alone[name] for name in exact} == {name: on_the_site[name] for name in exact}


def test_leaves_an_archive_file_and_nothing_else(tmp_path, capsys):
    told = report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))

    archive = checked(tmp_path / "run.zip")
    assert list(tmp_path.iterdir()) == [tmp_path / "run.zip"]
    assert archive.archive_sha256 == told["archive_sha256"]
    assert archive.is_finished
    assert archive.holds_every_genome
    assert archive.run.classifier["name"] == "mnist-lenet"
    assert len(archive.run.classifier["labels"]) == 10
    assert "torch" in archive.run.versions


def test_goes_further_than_it_was_meant_to(tmp_path, capsys):
    straight = report(capsys, *SMALL[2:], "--generations", "12", "--output", str(tmp_path / "straight.zip"))
    report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))

    further = report(capsys, "--resume", str(tmp_path / "run.zip"), "--generations", "12")

    assert further["archive_sha256"] == straight["archive_sha256"]
    assert checked(tmp_path / "run.zip").counts == checked(tmp_path / "straight.zip").counts


@pytest.mark.parametrize("method", ["map-elites", "novelty"])
def test_stops_on_ctrl_c_with_a_file_that_can_be_continued(tmp_path, capsys, method):
    output = tmp_path / "run.zip"
    choices = (*LONG, "--method", method)
    straight = report(capsys, *choices, "--output", str(tmp_path / "straight.zip"))

    def interrupt() -> None:
        wait_until_begun(output)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    status = main(["evolve", *choices, "--output", str(output), "--checkpoint-every", "0.05"])
    said = capsys.readouterr().err

    assert status == 130
    assert said.splitlines()[-1].endswith(f"go on with: python -m standalone evolve --resume {output}")
    assert not checked(output).is_finished
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert report(capsys, "--resume", str(output))["archive_sha256"] == straight["archive_sha256"]


def test_survives_sudden_death_and_never_needs_django(tmp_path, capsys):
    output, note = tmp_path / "run.zip", tmp_path / "modules.txt"
    straight = report(capsys, *LONG, "--output", str(tmp_path / "straight.zip"))
    options = [*LONG, "--output", str(output), "--checkpoint-every", "0.2", "--json"]
    program = (
        "import sys; from pathlib import Path; from standalone import running; "
        f"from standalone.__main__ import main; Path({str(note)!r}).write_text(' '.join(sys.modules)); "
        f"main({['evolve', *options]!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT)
    wait_until_begun(output)
    process.kill()
    process.wait()
    assert not output.exists()

    resumed = report(capsys, "--resume", str(output))

    assert resumed["archive_sha256"] == straight["archive_sha256"]
    assert checked(output).counts == checked(tmp_path / "straight.zip").counts
    loaded = set(note.read_text().split())
    assert "torch" in loaded
    assert not loaded & {"django", "celery", "channels", "redis", "torchvision"}


def test_goes_on_from_the_last_checkpoint_whatever_lies_behind_it(tmp_path, capsys):
    output = tmp_path / "run.zip"
    report(capsys, *SMALL, "--output", str(output))
    with ArchiveFile(output) as archive:
        journal = Journal.unpacked(tmp_path / "run.zip.working", archive)
    before = list(journal.takeovers())
    journal.close()
    with (tmp_path / "run.zip.working" / "takeovers.txt").open("a") as table:
        table.write("7,3,1")  # torn off in the midst of a line

    assert list(Journal.reopened(tmp_path / "run.zip.working").takeovers()) == before


def test_keeps_the_champions_genomes_alone_where_that_is_wished(tmp_path, capsys):
    whole = report(capsys, *SMALL, "--output", str(tmp_path / "whole.zip"))
    thinned = report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"), "--champions-only")

    archive = checked(tmp_path / "run.zip")
    assert not archive.holds_every_genome
    assert thinned["archive_sha256"] == whole["archive_sha256"]
    further = report(capsys, "--resume", str(tmp_path / "run.zip"), "--generations", "8")
    assert further["generation"] == 8


def test_climbs_gradients_and_tells_their_milestones(tmp_path, capsys):
    choices = ("--encoding", "gradient", "--classes", "3,1", "--starts", "2", "--generations", "12")

    report(capsys, *choices, "--seed", "1", "--output", str(tmp_path / "run.zip"))

    with ArchiveFile(tmp_path / "run.zip") as archive:
        climbs = list(archive.climbs())
    assert [climb[:2] for climb in climbs] == [(1, 0), (1, 1), (3, 0), (3, 1)]
    assert any(climb.step_top for climb in climbs)


def test_refuses_to_overwrite_a_file(tmp_path, capsys):
    output = tmp_path / "run.zip"
    output.write_text("precious")

    assert "go on with --resume" in refusal(capsys, *SMALL, "--output", str(output))
    assert output.read_text() == "precious"


def test_refuses_to_continue_what_is_finished(tmp_path, capsys):
    report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))

    assert "is finished: generation 6 of 6" in refusal(capsys, "--resume", str(tmp_path / "run.zip"))
    assert list(tmp_path.iterdir()) == [tmp_path / "run.zip"]


def test_refuses_fewer_generations_than_a_run_has_come_to(tmp_path, capsys):
    report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))

    said = refusal(capsys, "--resume", str(tmp_path / "run.zip"), "--generations", "4")

    assert "has come to generation 6 already, past --generations 4; give more than 6" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "run.zip"]


def test_asks_for_a_file_where_a_folder_is_named(tmp_path, capsys):
    for option in ("--output", "--resume"):
        said = refusal(capsys, *(SMALL if option == "--output" else ()), option, str(tmp_path))
        assert f"{tmp_path} is a folder; name a file in it, such as {tmp_path}/run.zip" in said


def test_names_the_remedy_where_a_journal_was_cut_short(tmp_path, capsys):
    report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))
    with ArchiveFile(tmp_path / "run.zip") as archive:
        Journal.unpacked(tmp_path / "run.zip.working", archive).close()
    os.truncate(tmp_path / "run.zip.working" / "takeovers.txt", 100)

    said = refusal(capsys, "--resume", str(tmp_path / "run.zip"))

    assert "takeovers.txt was cut short" in said
    assert "remove it, and begin anew or from its archive file" in said


def test_refuses_to_go_further_where_the_state_was_dropped(tmp_path, capsys):
    report(capsys, *SMALL, "--method", "novelty", "--output", str(tmp_path / "run.zip"))

    said = refusal(capsys, "--resume", str(tmp_path / "run.zip"), "--generations", "8")

    assert "begin anew with --generations 8" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "run.zip"]


def test_refuses_two_processes_on_one_run(tmp_path, capsys):
    report(capsys, *SMALL, "--output", str(tmp_path / "run.zip"))
    with ArchiveFile(tmp_path / "run.zip") as archive:
        journal = Journal.unpacked(tmp_path / "run.zip.working", archive)

    assert "by another process" in refusal(capsys, "--resume", str(tmp_path / "run.zip"))
    journal.close()


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (("--classifier", "mnist-oracle"), "unknown classifier"),
        (("--population", "31"), "must be even"),
        (("--generations", "0"), "out of range"),
        (("--preset", "fig99"), "preset 'fig99' is unknown"),
        (("--seed", "-1"), "seed -1 is out of range"),
        (("--encoding", "words"), "encoding 'words' is unknown"),
        (("--crops", "10"), "crops"),
        (("--device", "abacus"), "device 'abacus'"),
    ],
)
def test_refuses_bad_choices_in_one_line_and_leaves_nothing(tmp_path, capsys, choices, words):
    assert words in refusal(capsys, *SMALL, *choices, "--output", str(tmp_path / "run.zip"))
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_that_is_not_there(tmp_path, capsys):
    assert "cannot be made" in refusal(capsys, *SMALL, "--output", "/proc/nowhere/run.zip")


def test_refuses_to_continue_a_damaged_file(tmp_path, capsys):
    (tmp_path / "run.zip").write_bytes(b"PK\x03\x04 and no more")

    assert "no ZIP" in refusal(capsys, "--resume", str(tmp_path / "run.zip"))


def test_lists_classifiers(capsys):
    assert main(["classifiers"]) == 0

    listed = capsys.readouterr().out
    assert "mnist-lenet" in listed
    assert "here" in listed


def test_refuses_to_change_the_settings_of_a_run_that_goes_on(tmp_path, capsys):
    assert "--population cannot be changed" in refusal(
        capsys, "--resume", str(tmp_path / "run.zip"), "--population", "20"
    )
