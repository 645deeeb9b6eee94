"""Coloured pictures: three values of a genome become red, green and blue, in networks and in pixels."""

import colorsys

import numpy as np
import pytest

from evolution.colour_kernel import CODES, colour_levels
from evolution.cppn import CppnEncoding
from evolution.cppn_twin import develop_slowly
from evolution.direct import DirectEncoding, DirectPopulation
from evolution.errors import GenomeError
from evolution.parameters import CppnParameters, Parameters

SLOWLY = {"hsv": colorsys.hsv_to_rgb, "hls": colorsys.hls_to_rgb, "rgb": lambda *values: values}


def coloured(kind, colour="hsv", side=32, **settings):
    return kind(
        Parameters(
            encoding="cppn" if kind is CppnEncoding else "direct",
            channels=3,
            height=side,
            width=side,
            colour=colour,
            **settings,
        )
    )


def levels_of(values, colour):
    """Convert (..., 3) values in [0, 1] to the levels that Python's own library gives."""
    flat = [SLOWLY[colour](*pixel) for pixel in np.asarray(values, float).reshape(-1, 3)]
    return np.rint(np.array(flat).reshape(np.shape(values)) * 255)


@pytest.mark.parametrize("colour", SLOWLY)
def test_reads_three_values_as_pythons_own_library_does(colour):
    """A level may differ by one where the exact value lies half-way between two."""
    axis = np.linspace(0, 255, 18).astype(np.uint8)
    levels = np.stack(np.meshgrid(axis, axis, axis)).reshape(1, 3, -1)
    images = np.empty(levels.shape, np.float32)

    colour_levels(levels, CODES[colour], images)

    found = np.rint(images[0].T * 255)
    errors = np.abs(found - levels_of(levels[0].T / 255, colour))
    np.testing.assert_allclose(images * 255, np.rint(images * 255), atol=1e-4)
    assert errors.max() <= 1
    assert (errors > 0).mean() < 0.001


@pytest.mark.parametrize("kind", ["normalised", "pixel-indices"])
@pytest.mark.parametrize("colour", SLOWLY)
def test_paints_networks_as_their_twin_does(grow, colour, kind):
    """Where hue or lightness turn a corner a last bit may decide a level: a few in 1,000 at most."""
    encoding = coloured(CppnEncoding, colour, cppn=CppnParameters(coordinates=kind))
    genomes = grow(encoding, 12, 30)
    values = np.stack(
        [develop_slowly(encoding.to_json(genomes, row), 32, 32).transpose(1, 2, 0) for row in range(12)]
    )

    images = encoding.develop(genomes)

    errors = np.abs(np.rint(images.transpose(0, 2, 3, 1) * 255) - levels_of(np.minimum(values, 1), colour))
    assert images.shape == (12, 3, 32, 32)
    assert (errors <= 1).mean() > 0.998


def test_paints_the_same_picture_coarser(grow):
    """Every second pixel of a side of 63 is a pixel of a side of 32."""
    for kind in ("normalised", "pixel-indices"):
        encoding = coloured(CppnEncoding, side=63, cppn=CppnParameters(coordinates=kind))
        genomes = grow(encoding, 5, 10)

        coarse = encoding.develop_at(genomes, 32, 32)

        alike = np.abs(coarse - encoding.develop(genomes)[:, :, ::2, ::2]) < 1.5 / 255
        assert alike.mean() > 0.995


@pytest.mark.parametrize("kind", [CppnEncoding, DirectEncoding])
def test_stores_coloured_genomes_exactly(grow, kind):
    encoding = coloured(kind)
    genomes = grow(encoding, 6, 5)

    read = encoding.from_bytes([encoding.to_bytes(genomes, row) for row in range(6)])

    np.testing.assert_array_equal(encoding.develop(read), encoding.develop(genomes))
    assert [encoding.fingerprint(read, row) for row in range(6)] == [
        encoding.fingerprint(genomes, row) for row in range(6)
    ]


def test_tells_genomes_apart_whose_values_mean_other_colours(grow):
    hsv, hls = coloured(CppnEncoding, "hsv"), coloured(CppnEncoding, "hls")
    genomes = grow(hsv, 1, 3)

    assert hsv.fingerprint(genomes, 0) != hls.fingerprint(genomes, 0)
    with pytest.raises(GenomeError, match="hls"):
        hls.from_bytes([hsv.to_bytes(genomes, 0)])


def test_shows_pixels_of_gradient_ascent_as_they_are(rng):
    levels = rng.integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)

    images = coloured(DirectEncoding, "rgb").develop(DirectPopulation(levels))

    np.testing.assert_array_equal(images, levels.astype(np.float32) / np.float32(255))


def test_refuses_a_grey_picture_for_a_coloured_genome(direct, rng):
    grey = direct.to_bytes(direct.random(1, rng), 0)

    with pytest.raises(GenomeError, match="RGB"):
        coloured(DirectEncoding, side=28).from_bytes([grey])
