"""How images are brought into the form that a network was trained on."""

import dataclasses

import pytest

from models_zoo.errors import BadPreprocessing
from models_zoo.preprocessing import Preprocessing

CAFFE = Preprocessing(
    input_size=227,
    channel_order="bgr",
    scale=255,
    mean=(104, 117, 123),
    std=(1, 1, 1),
    resize="squash:256",
)


def test_gives_the_side_of_the_picture():
    assert (CAFFE.rule, CAFFE.side, CAFFE.channels) == ("squash", 256, 3)


def test_takes_the_input_for_the_picture_where_nothing_is_resized():
    assert dataclasses.replace(CAFFE, resize="none").side == 227


def test_folds_scale_mean_and_std_into_a_factor_and_an_offset():
    halved = dataclasses.replace(CAFFE, std=(2, 2, 2))

    assert halved.factors == (127.5,) * 3
    assert halved.offsets == (-52, -58.5, -61.5)


def test_gives_the_colour_that_is_taken_off_red_first():
    assert CAFFE.mean_colour == pytest.approx((123 / 255, 117 / 255, 104 / 255))


@pytest.mark.parametrize("mean", [(0.0, 0.0, 0.0), (0.0, 300.0, 0.0), (-1.0, 0.0, 0.0)])
def test_takes_grey_for_the_mean_where_what_is_taken_off_is_no_colour(mean):
    assert dataclasses.replace(CAFFE, mean=mean).mean_colour == (0.5, 0.5, 0.5)


def test_says_in_words_what_it_does():
    assert CAFFE.in_words() == (
        "squashed to 256 x 256 pixels (bicubic), centre crop of 227; "
        "BGR, values 0 to 255, minus 104, 117, 123, divided by 1, 1, 1"
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"input_size": 0}, "input size 0"),
        ({"input_size": 257}, "with input size 257; give 257 <= resized side"),
        ({"resize": "squash:5000"}, "resized side <= 1024"),
        ({"resize": "squash:"}, "give squash:SIDE"),
        ({"resize": "stretch:256"}, "'stretch:256'"),
        ({"resize": "short:²"}, "give squash:SIDE"),
        ({"channel_order": "cmyk"}, "'cmyk'; choose one of: rgb, bgr, grey"),
        ({"interpolation": "magic"}, "'magic'"),
        ({"mean": (1.0,)}, "1 numbers given as mean; bgr takes 3"),
        ({"std": (1.0, 0.0, 2.0)}, "^std 0; give numbers above 0$"),
        ({"scale": 0.0}, "^scale 0; give numbers above 0$"),
        ({"scale": float("nan")}, "finite"),
        ({"mean": (float("inf"), 0.0, 0.0)}, "finite"),
    ],
)
def test_refuses_what_cannot_be_meant(change, complaint):
    with pytest.raises(BadPreprocessing, match=complaint):
        dataclasses.replace(CAFFE, **change)
