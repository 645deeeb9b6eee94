"""What a person who watches a run is told."""

import json
from typing import Any

import pytest

from fooling_web.runs.models import Champion, GenerationStat, Run
from fooling_web.runs.watching import (
    MOST_POINTS,
    TICKER,
    cells_of,
    changes_of,
    generation_from,
    page_of,
    render_changes,
)

pytestmark = pytest.mark.django_db


def points(told: dict[str, Any]) -> list[int]:
    generations: list[int] = json.loads(told["statistics_json"])["generation"]
    return generations


@pytest.fixture
def long_run(run: Run) -> Run:
    """A run of 10,001 generations, of which only the statistics are there."""
    numbers = {"median": 0.5, "mean": 0.5, "max": 0.5, "share_99": 0, "share_9999": 0, "takeovers": 0}
    GenerationStat.objects.bulk_create(
        GenerationStat(run=run, generation=generation, evaluations=0, seconds=0, **numbers)
        for generation in range(10_001)
    )
    run.generation = 10_000
    run.save()
    return run


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("0", 0),
        ("7", 7),
        ("-1", -1),
        ("-9", -1),
        ("", -1),
        ("x", -1),
        ("1.5", -1),
        ("--5", -1),
        ("9" * 5000, -1),
    ],
)
def test_reads_the_generation_that_a_page_knows(text: str, generation: int) -> None:
    assert generation_from(text) == generation


def test_shows_vacant_classes_too(run: Run) -> None:
    cells = cells_of(run)

    assert [cell.class_index for cell in cells] == list(range(10))
    assert [cell.label for cell in cells] == [str(digit) for digit in range(10)]
    assert all(cell.champion is None for cell in cells)


def test_marks_only_what_is_new(finished_run: Run) -> None:
    assert not any(cell.is_new for cell in page_of(finished_run)["champions"])
    assert all(cell.is_new for cell in changes_of(finished_run, -1)["cells"])


def test_tells_a_page_and_its_changes_the_same(finished_run: Run) -> None:
    page, changes = page_of(finished_run), changes_of(finished_run, -1)

    assert [cell.champion for cell in page["champions"]] == [cell.champion for cell in changes["cells"]]
    assert page["takeovers"] == changes["takeovers"]
    assert page["statistics_json"] == changes["statistics_json"]


def test_has_the_latest_takeovers_first(finished_run: Run) -> None:
    told = page_of(finished_run)["takeovers"]

    assert len(told) == min(TICKER, finished_run.takeovers.count())
    assert [t.generation for t in told] == sorted((t.generation for t in told), reverse=True)


def test_draws_every_generation_of_a_short_run(finished_run: Run) -> None:
    assert points(page_of(finished_run)) == [0, 1, 2, 3, 4, 5]


def test_thins_the_chart_of_a_long_run_evenly(long_run: Run) -> None:
    drawn = points(page_of(long_run))

    assert drawn == list(range(0, 10_001, 5))
    assert len(drawn) <= MOST_POINTS + 1


def test_always_draws_the_last_generation(long_run: Run) -> None:
    GenerationStat.objects.filter(generation__gt=9_998).delete()
    long_run.generation = 9_998

    assert points(page_of(long_run))[-1] == 9_998


def test_draws_every_generation_that_a_page_does_not_know(long_run: Run) -> None:
    assert points(changes_of(long_run, 9_990)) == list(range(9_991, 10_001))


def test_never_shows_an_owners_controls_to_others(run: Run) -> None:
    hers = render_changes(run, -1, controlled=True)
    theirs = render_changes(run, -1, controlled=False)

    assert "control-pause" in hers
    assert "control-pause" not in theirs


def test_shows_a_change_of_status_at_once(run: Run) -> None:
    before = render_changes(run, -1, controlled=True)
    run.pause()

    after = render_changes(run, -1, controlled=True)

    assert 'data-status="queued"' in before
    assert 'data-status="paused"' in after


def test_shows_what_champions_hold_when_their_classifier_is_gone(finished_run: Run) -> None:
    finished_run.classifier = "mnist-oracle"

    cells = cells_of(finished_run)

    assert [cell.label for cell in cells] == [str(digit) for digit in range(10)]
    assert all(isinstance(cell.champion, Champion) for cell in cells)


def test_renders_a_change_once_for_all_who_watch(finished_run: Run, django_assert_num_queries: Any) -> None:
    first = render_changes(finished_run, 2, controlled=False)

    with django_assert_num_queries(0):
        assert render_changes(finished_run, 2, controlled=False) == first
