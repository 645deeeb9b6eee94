"""`manage.py evolve`."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from fooling_web.runs.management.commands.evolve import in_words, interrupts_held_back, pause
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import User
from tests.services import PROJECT, new_home

pytestmark = pytest.mark.django_db

SMALL = ("--generations", "5", "--population", "20", "--seed", "1")
KEYS = [
    "run",
    "generation",
    "classes",
    "median_confidence",
    "share_99",
    "share_9999",
    "evaluations",
    "seconds",
    "evaluations_per_second",
    "archive_sha256",
]


def answer(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("evolve", *arguments, stdout=out)
    return out.getvalue().splitlines()


def report(*arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer(*arguments, "--json")[-1])
    return document


def in_a_shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, in a home that holds nothing yet."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "manage.py", "evolve", *arguments],
        cwd=PROJECT,
        env={**inherited, "FOOLING_HOME": str(new_home()), **environment},
        capture_output=True,
        text=True,
    )


def test_ends_with_a_line_of_json() -> None:
    run = report(*SMALL)

    assert list(run) == KEYS
    assert (run["generation"], run["classes"], run["evaluations"]) == (5, 10, 120)
    assert 0 < run["median_confidence"] <= 1
    assert 0 <= run["share_9999"] <= run["share_99"] <= 1
    assert run["evaluations_per_second"] == pytest.approx(120 / run["seconds"], rel=0.05)
    assert len(run["archive_sha256"]) == 64


def test_stores_a_run_that_the_site_shows() -> None:
    stored = Run.objects.get(pk=report(*SMALL, "--name", "Stripes")["run"])

    assert (stored.name, stored.status, stored.seed) == ("Stripes", Run.Status.FINISHED, 1)
    assert stored.visibility == Run.Visibility.PUBLIC
    assert stored.champions.count() == 10


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
@pytest.mark.parametrize("fidelity", ["paper", "released-code"])
def test_comes_to_the_same_from_the_same_seed(encoding: str, fidelity: str) -> None:
    choices = (*SMALL, "--encoding", encoding, "--fidelity", fidelity)

    first, second = report(*choices), report(*choices)

    assert first["archive_sha256"] == second["archive_sha256"]
    assert first["run"] != second["run"]


def test_comes_to_something_else_from_another_seed() -> None:
    assert report(*SMALL)["archive_sha256"] != report(*SMALL[:-1], "2")["archive_sha256"]


def test_takes_its_numbers_from_a_preset() -> None:
    run = report("--preset", "quick-look", "--seed", "1")

    assert (run["generation"], run["evaluations"]) == (50, 51 * 100)


def test_prefers_own_numbers_to_a_presets() -> None:
    run = report("--preset", "quick-look", "--generations", "3", "--seed", "1")

    assert (run["generation"], run["evaluations"]) == (3, 4 * 100)


def test_takes_the_encoding_from_a_preset_unless_it_is_given() -> None:
    size = ("--generations", "1", "--population", "20", "--runs", "1", "--seed", "1", "--json")
    runs = [
        Run.objects.get(pk=report("--preset", "fig4-quick", *size, *further)["run"])
        for further in ((), ("--encoding", "cppn"))
    ]

    assert [run.encoding for run in runs] == ["direct", "cppn"]


def test_executes_runs_one_after_another_and_reports_their_medians() -> None:
    sweep = report("--preset", "fig5-quick", "--generations", "3", "--population", "20", "--seed", "4")

    stored = Sweep.objects.get(pk=sweep["sweep"])
    assert list(sweep)[:3] == ["sweep", "runs", "median_confidence"]
    assert [list(run) for run in sweep["runs"]] == [KEYS] * 3
    assert sweep["median_confidence"] == sorted(run["median_confidence"] for run in sweep["runs"])[1]
    assert sweep["evaluations"] == 3 * 80
    assert stored.preset == "fig5-quick"
    assert [run.seed for run in stored.runs.order_by("seed")] == [4, 5, 6]


def test_comes_to_the_same_in_a_sweep_as_alone() -> None:
    sweep = report(*SMALL, "--runs", "2")

    alone = [report(*SMALL[:-1], seed) for seed in ("1", "2")]

    assert [run["archive_sha256"] for run in sweep["runs"]] == [run["archive_sha256"] for run in alone]


def test_says_in_words_how_a_sweep_went() -> None:
    words = answer(*SMALL, "--runs", "2")

    assert sum(line.startswith("120 evaluations in ") for line in words) == 2
    assert words[-1].startswith("Sweep ")
    assert "the median of 2 runs is" in words[-1]


def test_says_in_words_how_it_went() -> None:
    words = " ".join(answer(*SMALL))

    assert words.startswith("120 evaluations in ")
    assert "of 10 classes at 99.99 % or more" in words


def test_never_rounds_a_confidence_up() -> None:
    words = in_words({**report(*SMALL), "median_confidence": 0.99999996, "share_9999": 0.9})

    assert "median confidence > 99.9999 %, 9 of 10 classes at 99.99 % or more" in words


def test_stores_the_run_as_its_owners(alice: User) -> None:
    stored = Run.objects.get(pk=report(*SMALL, "--owner", "Alice")["run"])

    assert stored.owner == alice


def test_stores_a_run_that_administrators_steer_where_nobody_owns_it(
    alice: User, administrator: User
) -> None:
    stored = Run.objects.get(pk=report(*SMALL)["run"])

    assert stored.owner is None
    assert stored.is_controlled_by(administrator)
    assert not stored.is_controlled_by(alice)


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        (("--classifier", "mnist-oracle"), "unknown classifier 'mnist-oracle'"),
        (("--encoding", "gradients"), "encoding 'gradients' is unknown"),
        (("--preset", "imagenet"), "preset 'imagenet' is unknown"),
        (
            ("--preset", "fig7", "--classifier", "mnist-lenet"),
            "preset 'fig7' is for classifiers of ImageNet and mnist-lenet knows MNIST",
        ),
        (("--crops", "5"), "crops 5 is out of range: 1 or 10"),
        (("--crops", "10"), "crops 10 do not apply: mnist-lenet sees a picture whole"),
        (("--runs", "0"), "runs 0 is out of range: it must lie between 1 and 100"),
        (("--runs", "101"), "runs 101 is out of range"),
        (("--runs", "two"), "runs 'two' must be a whole number"),
        (("--runs", "2", "--seed", str(2**63 - 1)), "the seeds of 2 runs follow one another"),
        (("--method", "luck"), "method 'luck' is unknown"),
        (("--precision", "double"), "precision 'double' is unknown"),
        (("--encoding", "gradient", "--setting", "E"), "setting 'E' is unknown"),
        (("--encoding", "gradient", "--classes", "lizard"), "classes 'lizard' are no class indices"),
        (("--encoding", "gradient", "--classes", "10"), "class 10 to climb is unknown"),
        (("--encoding", "gradient", "--starts", "none"), "starts 'none' must be a whole number"),
        (("--fidelity", "exact"), "fidelity 'exact' is unknown"),
        (("--generations", "0"), "generations 0 is out of range"),
        (("--generations", "1000000"), "generations 1000000 is out of range"),
        (("--generations", "many"), "generations 'many' must be a whole number"),
        (("--generations", "-1"), "generations '-1' must be a whole number"),
        (("--population", "0"), "is out of range"),
        (("--population", "31"), "31 must be even"),
        (("--population", "2.5"), "population '2.5' must be a whole number"),
        (("--population", "9" * 5000), "must be a whole number"),
        (("--seed", "lucky"), "seed 'lucky' must be a whole number"),
        (("--seed", "-1"), "seed '-1' must be a whole number"),
        (("--seed", "²"), "seed '²' must be a whole number"),
        (("--seed", str(2**63)), "is out of range"),
        (("--name", "n" * 101), "a name of 101 characters is too long"),
        (("--owner", "nobody"), "no account is called 'nobody'"),
        (("--owner", ""), "no account is called ''"),
    ],
)
def test_refuses_in_one_line_what_makes_no_run(choices: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint) as refusal:
        answer(*choices)

    assert "\n" not in str(refusal.value)
    assert not Run.objects.exists()


@pytest.mark.parametrize(("option", "value"), [("--seed", "lucky"), ("--generations", "0")])
def test_shows_a_person_one_line_and_fails(option: str, value: str) -> None:
    refused = in_a_shell(option, value)

    assert refused.returncode != 0
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1


def test_needs_nothing_prepared() -> None:
    done = in_a_shell(*SMALL, "--json", REDIS_URL="redis://127.0.0.1:1")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["generation"] == 5


def test_fails_with_the_runs_reason(settings: LazySettings) -> None:
    settings.RUN_ATTEMPTS = 0

    with pytest.raises(CommandError, match="without progress"):
        answer(*SMALL)


def stored(home: Path) -> tuple[str, int | None, str]:
    """Return status, generation and holder of a home's only run, as far as there is one."""
    query = "SELECT status, generation, lease_holder FROM runs_run"
    try:
        with closing(sqlite3.connect(home / "database.sqlite3", timeout=20)) as connection:
            return connection.execute(query).fetchone() or ("", None, "")
    except sqlite3.OperationalError:  # not migrated yet
        return "", None, ""


def test_pauses_at_ctrl_c_and_says_where_the_run_is() -> None:
    home = new_home()
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "evolve", "--generations", "100000"],
        cwd=PROJECT,
        env={**inherited, "FOOLING_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    patient_until = time.monotonic() + 60
    while stored(home)[1] is None and time.monotonic() < patient_until:
        time.sleep(0.1)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 1, said
    status, generation, holder = stored(home)
    assert (
        f"CommandError: paused at generation {generation}; an administrator can resume it on the site: /runs/"
        in said
    )
    assert "Traceback" not in said
    assert (status, holder) == ("paused", "")


def test_gives_its_own_lease_back_on_pausing(run: Run) -> None:
    run.claim("command", run.lease_number)

    assert pause(run, "command")

    assert (run.status, run.lease_holder, run.lease_until) == ("paused", "", None)


def test_leaves_a_workers_lease_to_the_worker_on_pausing(run: Run, settings: LazySettings) -> None:
    settings.RUN_LEASE_SECONDS = 0.3
    Run.objects.get(pk=run.pk).claim("worker", run.lease_number)
    run.claim("command", run.lease_number)  # too late, and tells it of the worker's lease

    assert pause(run, "command")

    assert (run.status, run.lease_holder) == ("paused", "worker")


def test_reads_what_a_worker_kept_last_before_it_let_go(run: Run, settings: LazySettings) -> None:
    settings.RUN_LEASE_SECONDS = 0.3
    worker = Run.objects.get(pk=run.pk)
    worker.claim("worker", run.lease_number)
    worker.keep(generation=3)

    pause(run, "command")

    assert run.generation == 3


def test_does_not_call_a_run_paused_that_had_ended(finished_run: Run) -> None:
    assert not pause(finished_run, "command")


def test_holds_ctrl_c_back_until_it_may_be_raised_and_never_a_second_one() -> None:
    with interrupts_held_back() as interrupt_if_asked:
        interrupt_if_asked()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupt_if_asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
