"""What one person may use: a launch that would be more says which limit it meets, and what helps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import Run, Storage
from fooling_web.runs.quotas import storage_of
from fooling_web.runs.storage import measure_all
from fooling_web.users.models import AuditLine, User
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]

SMALL = {
    "classifier": "mnist-lenet",
    "preset": "own",
    "encoding": "cppn",
    "generations": 10,
    "population": 20,
    "fidelity": "paper",
    "visibility": "public",
}


def allow(person: Any, **quotas: int) -> None:
    User.objects.filter(pk=person.pk).update(**quotas)


def launch(browser: Client, query: str = "", **changes: Any) -> str:
    answer = browser.post(f"{reverse('runs:launch')}{query}", {**SMALL, **changes})
    return answer.content.decode() if answer.status_code != 302 else "launched"


def fill(run: Run, megabytes: int) -> None:
    Storage.objects.create(run=run, genomes=megabytes * 10**6, history=0, generation=0, status=run.status)


def test_allows_more_active_runs_than_the_site_does(as_person: As, alice: Any, settings: Any) -> None:
    settings.ACTIVE_RUNS_PER_USER = 1
    launched(owner=alice)
    assert "You have 1 active run, the most one person may have here" in launch(as_person(alice))

    allow(alice, most_active_runs=2)

    assert launch(as_person(alice)) == "launched"


def test_allows_less(as_person: As, alice: Any) -> None:
    allow(alice, most_active_runs=1)
    launched(owner=alice)

    assert "You have 1 active run, the most you may have here" in launch(as_person(alice))


def test_allows_none(as_person: As, alice: Any) -> None:
    allow(alice, most_active_runs=0)

    assert "You may have no active runs. Ask an administrator for more." in launch(as_person(alice))


def test_resumes_nothing_beyond_it(as_person: As, alice: Any) -> None:
    run = launched(owner=alice)
    run.pause()
    allow(alice, most_active_runs=0)

    as_person(alice).post(reverse("runs:resume", args=[run.pk]))

    run.refresh_from_db()
    assert run.status == "paused"


@pytest.mark.parametrize("runs", ["", "3"])
def test_bounds_the_generations_of_runs_and_of_sweeps(as_person: As, alice: Any, runs: str) -> None:
    allow(alice, most_generations=9)
    browser = as_person(alice)

    page = launch(browser, runs=runs)

    assert "Such a run has 10 generations, and yours may have 9 at most." in page
    assert not Run.objects.exists()
    assert launch(browser, runs=runs, generations=9) == "launched"


def test_bounds_the_generations_of_presets_and_clones(as_person: As, alice: Any, bob: Any) -> None:
    allow(alice, most_generations=4)
    run = launched(owner=bob)

    assert "yours may have 4 at most" in launch(as_person(alice), preset="paper", generations="")
    assert "yours may have 4 at most" in launch(as_person(alice), query=f"?clone={run.pk}")


def test_lets_a_sweep_have_as_many_at_work_as_its_owner_may(alice: Any, as_person: As) -> None:
    allow(alice, most_active_runs=2)

    assert launch(as_person(alice), runs="4") == "launched"

    assert Run.objects.active().count() <= 2
    sweep = Run.objects.first().sweep  # type: ignore[union-attr]
    assert sweep
    sweep.admit()
    assert Run.objects.active().count() == 2


def test_bounds_the_storage(as_person: As, alice: Any, finished_run: Run) -> None:
    fill(finished_run, megabytes=3)
    allow(alice, most_storage=3)

    page = launch(as_person(alice))

    assert "Your runs take 3.0 MB, and may take 3 MB. Delete runs that you need no more" in page


def test_counts_no_removed_runs(as_person: As, alice: Any, finished_run: Run) -> None:
    fill(finished_run, megabytes=3)
    allow(alice, most_storage=3)
    finished_run.remove()

    assert launch(as_person(alice)) == "launched"


def test_measures_runs_once_they_have_grown(finished_run: Run, alice: Any) -> None:
    assert measure_all() == 1
    assert measure_all() == 0

    genomes = sum(len(bytes(one)) for one in finished_run.individuals.values_list("genome", flat=True))
    assert finished_run.storage.genomes == genomes
    assert storage_of(alice) == genomes + finished_run.storage.history


def test_measures_a_run_at_work_now_and_then(alice: Any, every_generation_kept: None) -> None:
    run = launched(owner=alice)
    Run.objects.filter(pk=run.pk).update(generation=0)
    assert measure_all() == 1
    Run.objects.filter(pk=run.pk).update(generation=1)
    assert measure_all() == 0

    Storage.objects.update(measured_at="2020-01-01T00:00Z")

    assert measure_all() == 1
    Run.objects.filter(pk=run.pk).update(generation=None)
    executed(run)
    assert measure_all() == 1


def test_shows_what_is_used_and_notes_what_is_changed(client: Client, administrator: Any, alice: Any) -> None:
    client.force_login(administrator)
    launched(owner=alice)
    address = reverse("admin:users_user_change", args=[alice.pk])
    form = client.get(address).context["adminform"].form
    typed = {name: "" if value is None else value for name, value in form.initial.items()}
    typed |= {
        "date_joined_0": "2026-01-01",
        "date_joined_1": "12:00:00",
        "groups": [],
        "user_permissions": [],
    }
    typed = {name: value for name, value in typed.items() if value is not False}

    answer = client.post(address, {**typed, "most_generations": "500"})

    assert answer.status_code == 302, answer.context["errors"]
    alice.refresh_from_db()
    assert alice.most_generations == 500
    assert AuditLine.objects.values_list("name", "deed", "what").get() == (
        "ada",
        "change quota",
        "alice: most generations 500",
    )
    page = client.get(reverse("admin:users_user_changelist")).content.decode()
    assert "1 of 5" in page
    assert ">500<" in page
