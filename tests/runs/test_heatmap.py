"""The map of classes and generations, against a slow twin that plays the takeovers one by one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings

from fooling_web.runs.heatmap import MOST_ROWS, heatmap_of, levels_of
from fooling_web.runs.models import Run
from tests.imagined import imagined


def played(takeovers: list[tuple[int, int, float]], rows: list[int], n_classes: int) -> list[list[int]]:
    """Return the levels as somebody would note them down who watches the run."""
    levels = []
    for row in rows:
        held = {
            class_index: confidence for generation, class_index, confidence in takeovers if generation <= row
        }
        levels.append(
            [1 + int(held[index] * 200 + 1e-6) if index in held else 0 for index in range(n_classes)]
        )
    return levels


def columns(takeovers: list[tuple[int, int, float]]) -> tuple[Any, Any, Any]:
    generations, classes, confidences = zip(*takeovers, strict=True)
    return np.array(generations), np.array(classes), np.array(confidences)


def unpacked(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows' generations and the levels, (rows, classes)."""
    n_rows, n_classes = np.frombuffer(content, "<u4", 2)
    generations = np.frombuffer(content, "<u4", n_rows, offset=8)
    levels = np.frombuffer(content, np.uint8, offset=8 + 4 * n_rows)
    return generations, levels.reshape(n_rows, n_classes)


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5], [0, 2, 5], [0, 5]])
def test_agrees_with_the_slow_twin(rows: list[int]) -> None:
    takeovers = [
        (0, 0, 0.1),
        (0, 2, 0.3),
        (1, 0, 0.2),
        (2, 0, 0.25),
        (2, 1, 0.995),
        (4, 2, 0.29),
        (5, 0, 1.0),
    ]

    levels = levels_of(columns(takeovers), np.array(rows), 4)

    assert levels.tolist() == played(takeovers, rows, 4)


def test_cuts_confidences_and_never_rounds_them_up() -> None:
    levels = levels_of(columns([(0, 0, 0.98999), (0, 1, 0.99), (0, 2, 0.29)]), np.array([0]), 3)

    assert levels.tolist() == [[198, 199, 59]]  # 98.5, 99.0 and 29.0 per cent


@pytest.mark.django_db
class TestOfARun:
    @pytest.fixture(autouse=True)
    def _home(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.HOME = tmp_path

    def test_tells_a_whole_run(self, finished_run: Run) -> None:
        lines = finished_run.takeovers.order_by("generation")
        takeovers = list(lines.values_list("generation", "class_index", "confidence"))

        generations, levels = unpacked(heatmap_of(finished_run, 5))

        assert generations.tolist() == [0, 1, 2, 3, 4, 5]
        assert levels.tolist() == played(takeovers, [0, 1, 2, 3, 4, 5], 10)

    def test_ends_at_the_generation_asked_for(self, finished_run: Run) -> None:
        until, levels = unpacked(heatmap_of(finished_run, 2))
        _, whole = unpacked(heatmap_of(finished_run, 5))

        assert until.tolist() == [0, 1, 2]
        assert (levels == whole[:3]).all()

    def test_asks_the_database_once_and_then_never(
        self, finished_run: Run, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            heatmap_of(finished_run, 5)
        with django_assert_num_queries(0):
            heatmap_of(finished_run, 5)

    def test_thins_a_long_run_evenly(self) -> None:
        run = imagined(classes=50, generations=1200).run

        generations, levels = unpacked(heatmap_of(run, 1200))

        assert len(generations) == MOST_ROWS
        assert (generations[0], generations[-1]) == (0, 1200)
        assert set(np.diff(generations).tolist()) == {2, 3}
        assert levels.shape == (MOST_ROWS, 1000)
        assert (np.diff(levels[:, :50].astype(int), axis=0) >= 0).all()
