"""From a genome's three values of a pixel to red, green and blue, rounded to the 256 levels of an 8-bit picture.

The paper reads the three as hue, saturation, value; its released code as hue, lightness, saturation. Hue 0 and 1
are both red. What a classifier sees is then exactly what a PNG of it shows.

Picbreeder's three are hue, which goes round the circle in either direction, saturation, of which what is negative is
none, and brightness, of which the absolute value is read; it keeps whole levels, without rounding up.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from evolution.parameters import Colour

BLOCK = 1024  # pixels of a picture that are computed together, within a level-1 cache
GREY, RGB, HSV, HLS, HSV_GREY, HLS_GREY, PICBREEDER, PICBREEDER_GREY = range(8)
CODES: dict[Colour, int] = {
    "rgb": RGB,
    "hsv": HSV,
    "hls": HLS,
    "hsv-grey": HSV_GREY,
    "hls-grey": HLS_GREY,
    "picbreeder": PICBREEDER,
    "picbreeder-grey": PICBREEDER_GREY,
}

ROUND = np.float32(1.5 * 2**23)  # adding and taking it away again rounds to a whole number
ZERO, ONE, LEVELS = np.float32(0), np.float32(1), np.float32(255)
NEARLY = np.float32(2**-13)  # of a level: the last bits of a float32 do not decide whether it is reached
HALF, SIXTHS, TWELFTHS = np.float32(0.5), np.float32(6), np.float32(12)
THREE, FOUR, NINE = np.float32(3), np.float32(4), np.float32(9)
# Where on the circle of hues, in sixths (HSV) and in twelfths (HLS), red, green and blue begin to fade.
HSV_RED, HSV_GREEN, HSV_BLUE = np.float32(5), np.float32(3), np.float32(1)
HLS_RED, HLS_GREEN, HLS_BLUE = np.float32(0), np.float32(8), np.float32(4)


@njit(inline="always", error_model="numpy")
def as_level(value: Any) -> Any:
    """Return a value in [0, 1] rounded to the nearest of 256 levels."""
    return ((value * LEVELS + ROUND) - ROUND) / LEVELS


@njit(inline="always", error_model="numpy")
def _as_whole_level(value: Any) -> Any:
    """Return a value in [0, 1] as the highest of 256 levels that it reaches."""
    return np.floor(value * LEVELS + NEARLY) / LEVELS


@njit(inline="always", error_model="numpy")
def _between(low: Any, value: Any, high: Any) -> Any:
    value = value if value > low else low
    return value if value < high else high


@njit(inline="always", error_model="numpy")
def _hsv(begin: Any, hue: Any, saturation: Any, value: Any) -> Any:
    k = begin + hue * SIXTHS
    k = k - SIXTHS if k >= SIXTHS else k
    other = FOUR - k
    return value - value * saturation * _between(ZERO, k if k < other else other, ONE)


@njit(inline="always", error_model="numpy")
def _hls(begin: Any, hue: Any, lightness: Any, saturation: Any) -> Any:
    k = begin + hue * TWELFTHS
    k = k - TWELFTHS if k >= TWELFTHS else k
    rising, falling, dark = k - THREE, NINE - k, ONE - lightness
    reach = saturation * (lightness if lightness < dark else dark)
    return lightness - reach * _between(-ONE, rising if rising < falling else falling, ONE)


@njit(inline="always", error_model="numpy")
def at_most_one(value: Any) -> Any:
    """Return a value, or 1 where it is larger or no number at all."""
    return value if value < ONE else ONE


@njit(inline="always", error_model="numpy")
def write_colours(
    colour: Any, first: Any, second: Any, third: Any, image: Any, start: int, count: int
) -> None:
    """Write count pixels from start on into image, (3, H*W); the three values may exceed [0, 1] by a last bit.

    Picbreeder's may be any numbers.

    One of red, green and blue at a time: a loop that writes all three does not become vector instructions.
    """
    for channel in range(3):
        target = image[channel]
        if colour == HSV:
            begin = HSV_RED if channel == 0 else HSV_GREEN if channel == 1 else HSV_BLUE
            for x in range(count):
                a, b, c = at_most_one(first[x]), at_most_one(second[x]), at_most_one(third[x])
                target[start + x] = as_level(_hsv(begin, a, b, c))
        elif colour == HLS:
            begin = HLS_RED if channel == 0 else HLS_GREEN if channel == 1 else HLS_BLUE
            for x in range(count):
                a, b, c = at_most_one(first[x]), at_most_one(second[x]), at_most_one(third[x])
                target[start + x] = as_level(_hls(begin, a, b, c))
        elif colour == PICBREEDER:
            begin = HSV_RED if channel == 0 else HSV_GREEN if channel == 1 else HSV_BLUE
            for x in range(count):
                a, b, c = first[x] - np.floor(first[x]), _between(ZERO, second[x], ONE), abs(third[x])
                target[start + x] = _as_whole_level(_hsv(begin, a, b, at_most_one(c)))
        elif colour == PICBREEDER_GREY:
            for x in range(count):
                target[start + x] = _as_whole_level(at_most_one(abs(third[x])))
        else:
            own = first if channel == 0 else second if channel == 1 else third
            if colour == HSV_GREY:
                own = third
            elif colour == HLS_GREY:
                own = second
            for x in range(count):
                target[start + x] = as_level(at_most_one(own[x]))


@njit(nogil=True, cache=True, error_model="numpy")
def colour_levels(levels: npt.NDArray[np.uint8], colour: int, images: npt.NDArray[np.float32]) -> None:
    """Write pictures of genomes of pixels into images; both are (P, 3, H*W)."""
    pixels = levels.shape[2]
    values = np.empty((3, min(BLOCK, pixels)), np.float32)
    for row in range(len(levels)):
        for start in range(0, pixels, BLOCK):
            count = min(BLOCK, pixels - start)
            for channel in range(3):
                source, target = levels[row, channel], values[channel]
                for x in range(count):
                    target[x] = np.float32(source[start + x]) / LEVELS
            write_colours(colour, values[0], values[1], values[2], images[row], start, count)
