"""A network from elsewhere fits a run as it is, or as the same picture told otherwise, or it is refused."""

import numpy as np
import pytest

from evolution.encoding import encoding_for
from evolution.errors import GenomeError
from evolution.fitting import fitted, reading_of
from evolution.parameters import Parameters

GREY, COLOURED = Parameters(), Parameters(channels=3, height=32, width=32)
DIGITS_OF_THE_CODE = Parameters.for_fidelity("released-code")


def document_of(parameters, seed=3):
    """Return a random network of a kind."""
    encoding = encoding_for(parameters)
    return encoding.to_json(encoding.random(1, np.random.default_rng(seed)), 0)


def picture_of(document, parameters):
    encoding = encoding_for(parameters)
    return encoding.develop(encoding.from_json([document]))[0]


@pytest.mark.parametrize("parameters", [GREY, COLOURED, COLOURED.replaced(colour="hls")])
def test_leaves_a_network_of_the_same_kind_as_it_is(parameters):
    document = document_of(parameters)

    assert fitted(document, parameters) == document


@pytest.mark.parametrize(
    ("document", "parameters", "reason"),
    [
        (document_of(COLOURED), GREY, "the picture is in colour and the run's images are grey"),
        (document_of(GREY), COLOURED, "the picture is grey and the run's images are in colour"),
        (
            document_of(GREY),
            DIGITS_OF_THE_CODE,
            "from the middle, and those of the run places counted in pixels",
        ),
        (
            document_of(COLOURED.replaced(colour="hls")),
            COLOURED,
            "says colours as HLS, and those of the run as HSV",
        ),
    ],
)
def test_says_why_a_network_of_another_kind_does_not_fit(document, parameters, reason):
    with pytest.raises(GenomeError, match=reason):
        fitted(document, parameters)


def test_refuses_a_weight_beyond_the_bound_of_the_run():
    document = document_of(GREY)
    document["connections"][0][2] = -12.5

    with pytest.raises(GenomeError, match=r"is 12\.5, and those of the run lie within 10 of zero"):
        fitted(document, GREY)


@pytest.mark.parametrize("colour", ["hsv", "hls"])
def test_tells_a_picture_without_colour_as_one_without_saturation(colour):
    """Of HSV the value is the largest of red, green and blue; of HLS the lightness is midway to the smallest."""
    parameters = COLOURED.replaced(colour=colour)
    coloured = document_of(parameters)

    told = fitted({**coloured, "colour": f"{colour}-grey"}, parameters)

    grey, bright = picture_of(told, parameters), picture_of(coloured, parameters)
    assert told["colour"] == colour
    assert bright.max(axis=0).std() > 0.01 < (bright.max(axis=0) - bright.min(axis=0)).max()
    assert (grey == grey[0]).all()
    least = bright.max(axis=0) if colour == "hsv" else bright.min(axis=0)
    np.testing.assert_allclose(grey[0], (bright.max(axis=0) + least) / 2, atol=1.01 / 255)


def test_reads_as_the_first_of_the_founders_is_read():
    settings = COLOURED.replaced(colour="hls")
    heavy = document_of(settings)
    heavy["connections"][0][2] = 12.5

    read = reading_of([heavy, document_of(COLOURED)], Parameters.for_fidelity("released-code", channels=3))

    assert (read.colour, read.cppn.coordinates, read.cppn.weight_bound) == ("hls", "normalised", 13.0)
    assert fitted(heavy, read) == heavy


def test_leaves_everything_else_as_it_was():
    assert reading_of([document_of(GREY)], GREY) == GREY


def test_refuses_to_read_what_no_run_reads():
    with pytest.raises(GenomeError, match="no run can begin with this genome"):
        reading_of([{**document_of(GREY), "coordinates": "polar"}], GREY)
