"""Pictures of genomes: in full what the classifier saw, and in small the same function."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evolution.encoding import encoding_for
from evolution.errors import GenomeError
from evolution.parameters import Parameters
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import (
    NotKept,
    genome_file_of,
    picture_of_size,
    png_of,
    small_picture,
    webp_of,
)


def parameters(**changes: Any) -> Parameters:
    colours = {"channels": 3, "height": 256, "width": 256}
    return Parameters.for_fidelity("paper", **{**colours, **changes})


def genome_of(settings: Parameters, seed: int = 3) -> bytes:
    encoding = encoding_for(settings)
    rng = np.random.default_rng(seed)
    population = encoding.random(2, rng)
    for generation in range(10):
        population, _ = encoding.vary(population, generation, rng)
    return encoding.to_bytes(population, 0)


def seen(settings: Parameters, genome: bytes) -> np.ndarray:
    """Return what the classifier sees, (H, W, C) from 0 to 255."""
    encoding = encoding_for(settings)
    images = encoding.develop(encoding.from_bytes([genome]))
    return np.rint(images[0].transpose(1, 2, 0) * 255).astype(np.uint8)


def a_run(settings: Parameters) -> Run:
    return Run(parameters=settings.to_json(), encoding=settings.encoding)


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 256)])
def test_draws_what_the_classifier_saw(encoding: str, channels: int, side: int) -> None:
    settings = parameters(encoding=encoding, channels=channels, height=side, width=side)
    genome = genome_of(settings)

    png = png_of(a_run(settings), Individual(genome=genome))

    with Image.open(io.BytesIO(png)) as picture:
        drawn = np.asarray(picture).reshape(side, side, channels)
    assert (drawn == seen(settings, genome)).all()


@pytest.mark.parametrize("size", [64, 128])
def test_draws_a_network_small_as_it_looks_large(size: int) -> None:
    settings = parameters()
    genome = genome_of(settings)

    small = np.asarray(small_picture(settings, genome, size), int)
    large = Image.fromarray(seen(settings, genome)).resize((size, size), Image.Resampling.BOX)

    assert small.shape == (size, size, 3)
    assert np.abs(small - np.asarray(large, int)).mean() < 12  # of 255


@pytest.mark.parametrize("settings", [parameters(encoding="direct")], ids=["pixels"])
def test_shrinks_pictures_that_cannot_be_drawn_small(settings: Parameters) -> None:
    genome = genome_of(settings)

    small = small_picture(settings, genome, 64)

    large = Image.fromarray(seen(settings, genome))
    assert (np.asarray(small) == np.asarray(large.resize((64, 64), Image.Resampling.BOX))).all()


def test_shrinks_networks_that_count_pixels() -> None:
    settings = Parameters.for_fidelity("released-code", channels=3, height=256, width=256)
    genome = genome_of(settings)

    small = small_picture(settings, genome, 64)

    large = Image.fromarray(seen(settings, genome))
    assert (np.asarray(small) == np.asarray(large.resize((64, 64), Image.Resampling.BOX))).all()


def test_never_enlarges() -> None:
    settings = parameters(channels=1, height=28, width=28)

    assert small_picture(settings, genome_of(settings), 128).size == (28, 28)


def test_sends_small_pictures_as_webp() -> None:
    settings = parameters()

    content = webp_of(a_run(settings), Individual(genome=genome_of(settings)), 64)

    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (64, 64))


@pytest.mark.parametrize("ask", [png_of, genome_file_of], ids=["png", "genome"])
def test_says_when_a_genome_was_not_kept(ask: Any) -> None:
    with pytest.raises(NotKept, match="dropped"):
        ask(a_run(parameters()), Individual(genome=b""))


def test_says_when_a_genome_is_damaged() -> None:
    with pytest.raises(GenomeError):
        webp_of(a_run(parameters()), Individual(genome=b"x"), 64)


@pytest.mark.parametrize(("encoding", "ending"), [("cppn", "json"), ("direct", "png")])
def test_hands_out_genomes_that_can_be_read(encoding: str, ending: str) -> None:
    settings = parameters(encoding=encoding)

    content, found = genome_file_of(a_run(settings), Individual(genome=genome_of(settings)))

    assert found == ending
    assert content.startswith(b"{" if ending == "json" else b"\x89PNG")


@pytest.mark.parametrize("fidelity", ["paper", "released-code"])
def test_draws_large_pictures_in_parts_as_in_one(fidelity: str) -> None:
    settings = Parameters.for_fidelity(fidelity, channels=3, height=256, width=256)
    genome = genome_of(settings)
    encoding: Any = encoding_for(settings)

    whole = encoding.develop_at(encoding.from_bytes([genome]), 512, 512)[0]

    assert (
        np.asarray(picture_of_size(settings, genome, 512)) == np.rint(whole * 255).transpose(1, 2, 0)
    ).all()


@pytest.mark.parametrize("side", [28, 64])
def test_enlarges_small_pictures_pixel_by_pixel(side: int) -> None:
    settings = parameters(encoding="direct", channels=1, height=side, width=side)
    genome = genome_of(settings)

    large = np.asarray(picture_of_size(settings, genome, 512))

    centres = ((np.arange(side) + 0.5) * 512 / side).astype(int)
    assert (large[np.ix_(centres, centres)] == seen(settings, genome)[..., 0]).all()
    assert set(np.unique(large)) == set(np.unique(seen(settings, genome)))


def test_enlarges_large_pictures_smoothly() -> None:
    settings = parameters(encoding="direct")
    genome = genome_of(settings)

    large = picture_of_size(settings, genome, 512)

    assert large.size == (512, 512)
    assert len(np.unique(np.asarray(large))) > 200
