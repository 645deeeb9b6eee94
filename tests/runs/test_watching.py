"""What a page is told of a run: every point of a short chart, evenly thinned points of a long one."""

import json
from typing import Any

import pytest

from fooling_web.runs import watching
from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


def generations_told(run: Run, since: int = -1) -> list[int]:
    return [point["generation"] for point in json.loads(watching.changes_of(run, since)["statistics_json"])]


def test_tells_every_generation_of_a_short_run(finished_run: Run) -> None:
    assert generations_told(finished_run) == [0, 1, 2, 3, 4, 5]


def test_tells_only_what_came_after_the_generation_that_is_known(finished_run: Run) -> None:
    assert generations_told(finished_run, since=3) == [4, 5]


def test_thins_a_long_run_evenly_and_keeps_its_last(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_POINTS", 3)
    assert generations_told(finished_run) == [0, 2, 4, 5]


def test_renders_once_for_all_who_watch(
    finished_run: Run, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = watching.render_changes(finished_run, 2, controlled=False)
    with django_assert_num_queries(0):
        assert watching.render_changes(finished_run, 2, controlled=False) == first
