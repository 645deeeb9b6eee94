"""Hundreds of champions in one picture, as they stood in a generation."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from PIL import Image

from fooling_web.runs.atlas import COLUMNS, PER_ATLAS, TILE, atlas_of, milestone_of
from fooling_web.runs.models import Run
from fooling_web.runs.pictures import small_picture
from tests.imagined import Imagined, imagined

pytestmark = pytest.mark.django_db
LOSSY = 25  # of 255, by which WebP may be off on average


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def history() -> Imagined:
    """A run of 450 classes, in which classes 0 to 29 change hands in generation 3."""
    history = imagined(classes=450, generations=2, status="running")
    history.imagine(range(30))
    history.keep("finished")
    return history


def pixels(content: bytes | None) -> np.ndarray:
    assert content is not None
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "WEBP"
        return np.asarray(picture.convert("RGB"), float)


def tile(atlas: np.ndarray, place: int) -> np.ndarray:
    row, column = divmod(place, COLUMNS)
    return atlas[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]


def expected(run: Run, class_index: int, generation: int) -> np.ndarray:
    """Return the picture of who held a class, as the takeovers tell."""
    held = run.takeovers.filter(class_index=class_index, generation__lte=generation).latest("generation")
    picture = small_picture(run.settings, bytes(held.individual.genome), TILE)
    return np.asarray(picture.convert("RGB"), float)


@pytest.mark.parametrize("generation", [0, 2, 3])
def test_shows_who_held_each_class(history: Imagined, generation: int) -> None:
    atlas = pixels(atlas_of(history.run, generation, 0))

    assert atlas.shape == (COLUMNS * TILE, COLUMNS * TILE, 3)
    for class_index in (0, 7, 29, 30, 399):
        off = np.abs(tile(atlas, class_index) - expected(history.run, class_index, generation)).mean()
        assert off < LOSSY, class_index


def test_goes_on_in_the_next_atlas(history: Imagined) -> None:
    atlas = pixels(atlas_of(history.run, 3, 1))

    assert np.abs(tile(atlas, 0) - expected(history.run, PER_ATLAS, 3)).mean() < LOSSY
    assert tile(atlas, 50)[8:-8, 8:-8].max() < LOSSY


def test_is_dark_where_no_class_has_a_champion(history: Imagined) -> None:
    assert pixels(atlas_of(history.run, 3, 2)).max() < LOSSY


def test_ends_where_no_class_is(history: Imagined) -> None:
    assert atlas_of(history.run, 3, 3) is None


@pytest.mark.parametrize("genome", [b"", b"damaged"])
def test_shows_grey_for_genomes_that_are_gone_or_damaged(history: Imagined, genome: bytes) -> None:
    champion = history.run.champions.get(class_index=0)
    history.run.individuals.filter(pk=champion.individual_id).update(genome=genome)

    atlas = pixels(atlas_of(history.run, 3, 0))

    assert np.abs(tile(atlas, 0)[8:-8, 8:-8] - 128).max() < LOSSY


def test_is_drawn_once(history: Imagined, django_assert_max_num_queries: Any) -> None:
    first = atlas_of(history.run, 3, 0)
    history.run.individuals.update(genome=b"damaged")

    with django_assert_max_num_queries(2):  # who held which class, now and earlier
        assert atlas_of(history.run, 3, 0) == first


def milestone(generation: int | None, status: str = "running") -> int:
    return milestone_of(Run(generation=generation, status=status))


@pytest.mark.parametrize("status", ["finished", "cancelled", "paused", "failed"])
def test_names_the_last_generation_of_a_run_that_rests(status: str) -> None:
    assert milestone(301, status) == 301


def test_names_no_generation_before_there_is_one() -> None:
    assert milestone(None) == -1


def test_lags_behind_a_run_that_goes_on_by_less_than_an_eighth() -> None:
    for generation in range(5000):
        assert 0 <= generation - milestone(generation) <= generation / 8


def test_changes_milestones_seldom() -> None:
    assert len({milestone(generation) for generation in range(2500, 5001)}) <= 11
