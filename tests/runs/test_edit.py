"""Editing a run: its name and who may see it, nothing else, and by its owner alone."""

from typing import Any

import pytest
from django.urls import reverse

from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


def address(run: Run) -> str:
    return reverse("runs:edit", args=[run.pk])


def test_the_owner_renames_and_hides_a_run(run: Run, alice: Any, as_person: Any) -> None:
    as_person(alice).post(address(run), {"name": "Snow", "visibility": "private", "seed": "99"})
    run.refresh_from_db()
    assert (run.name, run.visibility, run.seed) == ("Snow", "private", 1)


def test_a_worker_that_writes_meanwhile_loses_nothing(run: Run, alice: Any, as_person: Any) -> None:
    page = as_person(alice)
    page.get(address(run))
    assert run.claim("a worker", run.lease_number)
    page.post(address(run), {"name": "Snow", "visibility": "public"})
    run.refresh_from_db()
    assert (run.name, run.lease_holder, run.status) == ("Snow", "a worker", "running")


@pytest.mark.parametrize(
    "choices", [{"name": "", "visibility": "public"}, {"name": "Snow", "visibility": "secret"}]
)
def test_refuses_nonsense(run: Run, alice: Any, as_person: Any, choices: dict[str, str]) -> None:
    before = run.name
    assert as_person(alice).post(address(run), choices).status_code == 422
    run.refresh_from_db()
    assert (run.name, run.visibility) == (before, "public")


def test_nobody_else_may_edit_it(run: Run, bob: Any, as_person: Any) -> None:
    assert as_person(bob).get(address(run)).status_code == 404
    assert as_person(bob).post(address(run), {"name": "Mine", "visibility": "public"}).status_code == 404
