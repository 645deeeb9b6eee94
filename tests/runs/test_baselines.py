"""Runs by the baselines: stored, interrupted and resumed as any other, with whatever else their search knows."""

from typing import Any

import pytest

from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run
from tests.factories import execute_once, executed

pytestmark = pytest.mark.django_db

KINDS = [
    ("single-class", "cppn", "paper"),
    ("novelty", "cppn", "paper"),
    ("novelty", "direct", "released-code"),
]


def launched(method: str, encoding: str = "cppn", fidelity: str = "paper") -> Run:
    parameters = parameters_for(
        "mnist-lenet", encoding, method=method, fidelity=fidelity, generations=5, population=20
    )
    return launch("mnist-lenet", encoding, parameters=parameters, seed=1)


def history(run: Run) -> list[Any]:
    return [
        list(run.takeovers.order_by("pk").values_list("generation", "class_index", "confidence")),
        list(run.individuals.order_by("number").values_list("number", "genome_hash", "parents")),
    ]


@pytest.mark.parametrize(("method", "encoding", "fidelity"), KINDS)
def test_comes_to_the_same_in_many_slices(method: str, encoding: str, fidelity: str) -> None:
    whole = executed(launched(method, encoding, fidelity))

    sliced = launched(method, encoding, fidelity)
    while sliced.is_active:
        assert execute_once(sliced, seconds=0)

    assert archive_sha256(sliced) == archive_sha256(whole)
    assert history(sliced) == history(whole)


def test_comes_to_other_archives_than_map_elites() -> None:
    archives = {archive_sha256(executed(launched(m))) for m in ("map-elites", "single-class", "novelty")}

    assert len(archives) == 3


def test_never_takes_two_classes_with_one_offspring() -> None:
    run = executed(launched("single-class"))

    winners = list(run.takeovers.filter(generation__gt=0).values_list("individual", flat=True))

    assert winners
    assert len(winners) == len(set(winners))


def test_fails_with_a_reason_where_the_population_is_lost() -> None:
    run = launched("novelty")
    assert execute_once(run, seconds=0)
    run.search_states.all().delete()

    assert execute_once(run, seconds=0)

    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "the population is damaged" in run.error
