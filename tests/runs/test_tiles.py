"""Small pictures drawn together: as those drawn one by one, with and without key frames."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings
from PIL import Image

from fooling_web.runs import keyframes
from fooling_web.runs.cabinet import found
from fooling_web.runs.history import holdings_at, milestones_of
from fooling_web.runs.keyframes import SPACING, lend, prepare, sheet_at
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import png_of
from fooling_web.runs.tiles import (
    COLUMNS,
    GREY,
    SLIDING,
    Shelf,
    laid_out,
    sheet_of,
    shelf,
    sides_of,
    tiles_of,
)
from tests.factories import executed, launched
from tests.imagined import imagined

pytestmark = pytest.mark.django_db
LOSSY = 14  # of 255, by which JPEG may be off on average


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    shelf.clear()


@pytest.fixture
def run() -> Run:
    return imagined(classes=450, generations=30).run


def in_full(run: Run, individual: int) -> np.ndarray:
    with Image.open(io.BytesIO(png_of(run, Individual.objects.get(pk=individual)))) as picture:
        return np.asarray(picture.convert("RGB"), float)


def holders(run: Run, generation: int) -> list[int]:
    return [holding.individual for holding in holdings_at(run, generation)]


class TestTiles:
    def test_show_the_very_pixels_of_small_pictures(self) -> None:
        run = executed(launched())
        individuals = holders(run, 5)

        tiles = tiles_of(run, individuals, 28)

        for individual in individuals:
            np.testing.assert_array_equal(tiles[individual], in_full(run, individual))

    @pytest.mark.parametrize("encoding", ["direct", "cppn"])
    def test_show_large_pictures_small(self, encoding: str) -> None:
        run = executed(launched(encoding=encoding))
        [individual] = holders(run, 5)[:1]

        tile = tiles_of(run, [individual], 14)[individual]

        assert tile.shape == (14, 14, 3)
        if encoding == "direct":
            expected = in_full(run, individual).reshape(14, 2, 14, 2, 3).mean((1, 3))
            assert np.abs(tile - expected).max() <= 1

    @pytest.mark.parametrize("genome", [b"", b"damaged"])
    def test_are_grey_for_genomes_that_are_gone_or_damaged(self, run: Run, genome: bytes) -> None:
        first, second = holders(run, 30)[:2]
        expected = tiles_of(run, [second], SLIDING)[second]
        shelf.clear()
        Individual.objects.filter(pk=first).update(genome=genome)

        tiles = tiles_of(run, [first, second], SLIDING)

        assert (tiles[first] == GREY).all()
        np.testing.assert_array_equal(tiles[second], expected)

    def test_come_in_few_sizes(self, run: Run) -> None:
        assert sides_of(run) == (32, 64)
        assert sides_of(launched()) == (28,)


class TestSheet:
    def test_holds_tiles_row_by_row(self, run: Run) -> None:
        individuals = holders(run, 30)[:40]

        file, kind = sheet_of(run, individuals, SLIDING)

        with Image.open(io.BytesIO(file)) as picture:
            assert (picture.format, kind) == ("JPEG", "image/jpeg")
            pixels = np.asarray(picture, float)
        assert pixels.shape == (2 * SLIDING, COLUMNS * SLIDING, 3)
        tile = tiles_of(run, individuals, SLIDING)[individuals[33]]
        assert np.abs(pixels[SLIDING:, SLIDING : 2 * SLIDING] - tile).mean() < LOSSY

    def test_of_small_pictures_loses_nothing(self) -> None:
        run = executed(launched())
        individuals = holders(run, 5)

        file, kind = sheet_of(run, individuals, 28)

        assert kind == "image/png"
        with Image.open(io.BytesIO(file)) as picture:
            np.testing.assert_array_equal(np.asarray(picture)[:, 28:56], in_full(run, individuals[1]))

    def test_of_few_is_no_wider_than_they_are(self) -> None:
        tiles = [np.zeros((4, 4, 3), np.uint8)] * 3

        assert laid_out(tiles, 4).shape == (4, 12, 3)


class TestShelf:
    def test_forgets_the_longest_unused(self) -> None:
        small = Shelf(most=2 * 48)
        for individual in (1, 2):
            small.put(individual, 4, np.zeros((4, 4, 3), np.uint8))
        small.get(1, 4)

        small.put(3, 4, np.zeros((4, 4, 3), np.uint8))

        assert [small.has(individual, 4) for individual in (1, 2, 3)] == [True, False, True]


class TestKeyFrames:
    def test_are_drawn_until_none_is_missing(self, run: Run) -> None:
        assert prepare(run, seconds=-1)  # none in no time

        assert not prepare(run, seconds=60)

        milestones = milestones_of(run, SPACING)
        assert milestones[0] == 0
        assert all(found(f"{run.pk}-{each}-key-32x32.jpg") for each in milestones)

    def test_lend_what_is_between_them(self, run: Run) -> None:
        prepare(run, seconds=60)
        shelf.clear()
        individuals = holders(run, 10)

        lend(run, 10, individuals)

        lent = [individual for individual in individuals if shelf.has(individual, SLIDING)]
        assert len(lent) > 200
        [drawn] = tiles_of(run, lent[:1], SLIDING).values()
        shelf.clear()
        assert np.abs(drawn.astype(float) - tiles_of(run, lent[:1], SLIDING)[lent[0]]).mean() < LOSSY

    def test_leave_no_class_out(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        individuals = holders(run, 10)
        without, _ = sheet_at(run, 10, individuals, SLIDING)
        prepare(run, seconds=60)
        shelf.clear()

        with_them, _ = sheet_at(run, 10, individuals, SLIDING)

        pictures = [np.asarray(Image.open(io.BytesIO(file)), float) for file in (without, with_them)]
        assert np.abs(pictures[0] - pictures[1]).mean() < LOSSY

    def test_are_for_runs_of_many_classes(self, run: Run) -> None:
        assert keyframes.has_key_frames(run)
        assert not keyframes.has_key_frames(launched())
