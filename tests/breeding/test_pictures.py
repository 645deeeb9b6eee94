"""Pictures of litters: a sheet from which pages cut tiles, and tiles alone."""

import io
import re

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from fooling_web.breeding.litters import pictures_of
from fooling_web.breeding.pictures import digest_of, sheet_of, tile_of
from tests.breeding.bred import begun, first_of, stepped

pytestmark = pytest.mark.django_db


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def coarse(picture: np.ndarray) -> np.ndarray:
    """Return the mean of each 16 x 16 pixels."""
    return picture.reshape(8, 16, 8, 16, 3).mean(axis=(1, 3))


def test_lays_all_tiles_out_five_in_a_row_each_with_a_rim(client):
    litter = first_of(begun(client))
    tiles = np.rint(pictures_of(litter, 128) * 255).transpose(0, 2, 3, 1)

    sheet = opened(sheet_of(litter))

    assert sheet.shape == (3 * 132, 5 * 132, 3)
    for place in (0, 4, 7, 14):
        row, column = divmod(place, 5)
        top, left = row * 132 + 2, column * 132 + 2
        cut = sheet[top : top + 128, left : left + 128]
        lost = np.abs(coarse(cut) - coarse(tiles[place]))  # WebP is lossy, most of all in fine colours
        assert lost.max() < 40


def test_draws_the_sheet_finer_for_large_screens(client):
    assert opened(sheet_of(first_of(begun(client)), fine=True)).shape == (3 * 264, 5 * 264, 3)


def test_sends_pictures_of_digits_size_pixel_by_pixel(client):
    litter = first_of(begun(client, picture="digits"))
    tiles = np.rint(pictures_of(litter, 28)[:, 0] * 255)

    sheet = opened(sheet_of(litter))

    assert sheet.shape == (3 * 28, 5 * 28, 3)
    np.testing.assert_array_equal(sheet[28:56, 28:56, 0], tiles[6])


def test_enlarges_small_pixels_one_by_one(client):
    litter = first_of(begun(client, picture="digits"))

    tile = opened(tile_of(litter, 3, 256, "png"))

    assert tile.shape == (256, 256, 3)
    assert set(np.unique(tile)) <= set(np.unique(np.rint(pictures_of(litter, 28, [3]) * 255).astype(int)))


def test_draws_a_tile_alone_as_it_is_in_the_litter(client):
    litter = first_of(begun(client))

    tile = opened(tile_of(litter, 3, 128, "png"))

    np.testing.assert_array_equal(tile, np.rint(pictures_of(litter, 128)[3] * 255).transpose(1, 2, 0))


def test_lets_browsers_keep_pictures_for_ever_but_nobody_else(client):
    litter = first_of(begun(client))
    page = client.get(litter.get_absolute_url()).content.decode()

    for address in re.findall(r'src="(/breed/[^"]+)"', page):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/webp"
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


def test_names_a_sheet_after_its_genomes(client):
    first = first_of(begun(client))
    second = stepped(client, first, "evolve", picked=[1])

    assert digest_of(first) != digest_of(second)
    wrong = reverse("breeding:sheet", args=[first.session_id, 0, digest_of(second)])
    assert client.get(wrong).status_code == 404


@pytest.mark.parametrize(
    "rest", ["0/15/picture-64.webp", "0/0/picture-65.webp", "0/0/picture-64.gif", "0/99/genome.json"]
)
def test_knows_no_other_pictures(client, rest):
    assert client.get(begun(client).get_absolute_url() + rest).status_code == 404


def test_bounds_how_many_large_pictures_an_address_may_ask_for(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.views.LARGE_A_MINUTE", 4)
    address = begun(client, picture="digits").get_absolute_url() + "0/0/picture-1024.webp"

    assert [client.get(address).status_code for _ in range(2)] == [200, 429]
