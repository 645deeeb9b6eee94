"""Pixels as genomes: noise, variation, and storage as PNG."""

import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from evolution.direct import DirectEncoding, DirectPopulation
from evolution.errors import GenomeError
from evolution.parameters import DirectParameters, Parameters


def encoding_with(**settings):
    return DirectEncoding(Parameters(encoding="direct", direct=DirectParameters(**settings)))


def png(levels, **options):
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format="PNG", **options)
    return file.getvalue()


def test_begins_with_uniform_noise_over_all_grey_values(direct, rng):
    levels = direct.random(500, rng).levels

    counts = np.bincount(levels.ravel(), minlength=256)
    assert levels.shape == (500, 1, 28, 28)
    assert len(counts) == 256
    assert np.abs(counts / (levels.size / 256) - 1).max() < 0.15


def test_develops_grey_values_into_shares_of_white(direct):
    levels = np.arange(28 * 28).reshape(1, 1, 28, 28) % 256

    images = direct.develop(DirectPopulation(levels.astype(np.uint8)))

    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, levels.astype(np.float32) / np.float32(255))


def test_changes_nothing_at_rate_zero(direct, rng):
    parents = direct.random(20, rng)

    children, rows = encoding_with(mutation_rate=0).vary(parents, 1, rng)

    np.testing.assert_array_equal(children.levels, parents.levels)
    np.testing.assert_array_equal(rows, np.arange(20)[:, np.newaxis])


def test_changes_about_as_many_pixels_as_the_rate_says(direct, rng):
    """A few chosen pixels step by less than half a grey level, or out of the range, and stay as they are."""
    parents = DirectPopulation(np.full((200, 1, 28, 28), 128, np.uint8))

    children, _ = direct.vary(parents, 1, rng)

    assert (children.levels != parents.levels).mean() == pytest.approx(0.1, abs=0.01)


def test_steps_as_far_as_the_polynomial_says(direct, rng):
    """The quartiles of a step with eta 15 lie at 0.042397 of the range: 10.8 grey levels."""
    parents = DirectPopulation(np.full((400, 1, 28, 28), 128, np.uint8))

    children, _ = encoding_with(mutation_rate=1).vary(parents, 1, rng)

    steps = children.levels.astype(int) - 128
    assert (np.abs(steps) <= 10).mean() == pytest.approx(0.5, abs=0.02)
    assert steps.mean() == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(
    ("generation", "rate"),
    [(0, 0.1), (999, 0.1), (1000, 0.05), (1999, 0.05), (2000, 0.025), (5000, 0.003125)],
)
def test_halves_the_rate_every_thousand_generations(direct, generation, rate):
    assert direct.mutation_rate(generation) == pytest.approx(rate)


def test_keeps_the_rate_where_the_released_code_does():
    encoding = DirectEncoding(Parameters.for_fidelity("released-code", encoding="direct"))

    assert encoding.mutation_rate(5000) == 0.1


def test_mutates_at_the_rate_of_the_generation(direct, rng):
    parents = DirectPopulation(np.full((200, 1, 28, 28), 128, np.uint8))

    children, _ = direct.vary(parents, 1000, rng)

    assert (children.levels != parents.levels).mean() == pytest.approx(0.05, abs=0.005)


def test_crosses_neighbours_and_names_both_parents(rng):
    """Where neither is mutated, a pair's children keep its mean to the rounding of grey levels."""
    encoding = encoding_with(mutation_rate=0, crossover_rate=1)
    parents = DirectPopulation(rng.integers(100, 156, (40, 1, 28, 28)).astype(np.uint8))

    children, rows = encoding.vary(parents, 1, rng)

    pairs, offspring = (p.levels.astype(int).reshape(20, 2, -1).sum(axis=1) for p in (parents, children))
    assert np.abs(pairs - offspring).max() <= 1
    assert rows[:4].tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]
    assert (children.levels != parents.levels).any(axis=(1, 2, 3)).all()


def test_names_the_one_parent_twice_where_a_pair_did_not_cross(rng):
    encoding = encoding_with(mutation_rate=0, crossover_rate=0.5)
    parents = encoding.random(400, rng)

    children, rows = encoding.vary(parents, 1, rng)

    alone = rows[:, 0] == rows[:, 1]
    assert alone.mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(children.levels[alone], parents.levels[alone])
    np.testing.assert_array_equal(alone[::2], alone[1::2])


def test_reads_back_what_it_stored(direct, rng):
    population = direct.random(6, rng)

    read = direct.from_bytes([direct.to_bytes(population, row) for row in range(6)])

    np.testing.assert_array_equal(read.levels, population.levels)


def test_stores_a_picture_that_shows_what_it_develops_into(direct, rng):
    population = direct.random(1, rng)

    with Image.open(io.BytesIO(direct.to_bytes(population, 0))) as picture:
        shown = np.asarray(picture, np.float32) / 255

    np.testing.assert_array_equal(direct.develop(population)[0, 0], shown)


def test_has_one_fingerprint_however_a_picture_was_packed(direct, rng):
    population = direct.random(1, rng)
    packed = [png(population.levels[0, 0], compress_level=level) for level in (0, 9)]

    read = direct.from_bytes(packed)

    assert packed[0] != packed[1]
    assert {direct.fingerprint(read, row) for row in (0, 1)} == {direct.fingerprint(population, 0)}


def test_has_another_fingerprint_for_every_other_picture(direct):
    levels = np.zeros((785, 1, 28, 28), np.uint8)
    levels.reshape(785, -1)[np.arange(784), np.arange(784)] = 1

    fingerprints = {direct.fingerprint(DirectPopulation(levels), row) for row in range(785)}

    assert len(fingerprints) == 785


def test_takes_and_joins_rows(direct, rng):
    mine, theirs = direct.random(3, rng), direct.random(2, rng)

    both = mine.joined_with(theirs).take(np.array([4, 0, 0]))

    assert len(both) == 3
    np.testing.assert_array_equal(both.levels, np.stack([theirs.levels[1], mine.levels[0], mine.levels[0]]))


def claims_to_be_huge():
    content = bytearray(png(np.zeros((28, 28), np.uint8)))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


GREY = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
DAMAGED = {
    "nothing": b"",
    "text": b"a picture of a 7",
    "json": json.dumps({"format": "foolbreeder-cppn"}).encode(),
    "cut short": png(GREY)[:-40],
    "cut in the header": png(GREY)[:20],
    "an altered byte": png(GREY)[:60] + bytes([png(GREY)[60] ^ 255]) + png(GREY)[61:],
    "another size": png(np.zeros((28, 27), np.uint8)),
    "a taller picture": png(np.zeros((64, 28), np.uint8)),
    "colour": png(np.zeros((28, 28, 3), np.uint8)),
    "transparency": png(np.zeros((28, 28, 4), np.uint8)),
    "sixteen bits": png(np.zeros((28, 28), np.uint16)),
    "a size beyond memory": claims_to_be_huge(),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_refuses_a_damaged_or_foreign_picture(direct, kind):
    with pytest.raises(GenomeError) as refusal:
        direct.from_bytes([png(GREY), DAMAGED[kind]])

    assert "\n" not in str(refusal.value)


def test_refuses_a_picture_of_another_format(direct):
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, format="BMP")

    with pytest.raises(GenomeError):
        direct.from_bytes([file.getvalue()])


def test_refuses_to_read_no_genome_at_all(direct):
    with pytest.raises(GenomeError, match="no genome"):
        direct.from_bytes([])


def test_ignores_notes_in_a_picture(direct):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "seven")

    read = direct.from_bytes([png(GREY, pnginfo=notes)])

    np.testing.assert_array_equal(read.levels[0, 0], GREY)
