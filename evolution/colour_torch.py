"""From a genome's three values of a pixel to red, green and blue, on the device where the values lie.

The formulas are those of `evolution.colour_kernel`, in the same order of operations. Divisions are by numbers that
lie on the device: by a plain number torch would multiply with its rounded inverse there, and a picture's values
would no longer be the multiples of 1/255 that its PNG holds.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evolution.parameters import Colour

HSV_BEGINNINGS = (5.0, 3.0, 1.0)  # where red, green and blue begin to fade, in sixths of the circle of hues
HLS_BEGINNINGS = (0.0, 8.0, 4.0)  # the same in twelfths
PICBREEDER: tuple[Colour, ...] = ("picbreeder", "picbreeder-grey")
NEARLY = 2**-13  # of a level, as in the kernel
BRIGHTNESS = {"hsv-grey": 2, "hls-grey": 1, "picbreeder-grey": 2}  # which of the three values is shown alone


def as_levels(values: Tensor, levels: int = 256, colour: Colour = "rgb") -> Tensor:
    """Round values in [0, 1] to the nearest of so many levels, in place; Picbreeder's are never rounded up."""
    highest = torch.full((), levels - 1, dtype=values.dtype, device=values.device)
    values.mul_(highest)
    return (values.add_(NEARLY).floor_() if colour in PICBREEDER else values.round_()).div_(highest)


def to_rgb(values: Tensor, colour: Colour) -> Tensor:
    """Return red, green and blue, (B, 3, ...), of three values in [0, 1] each, read as the colour says.

    Picbreeder's three may be any numbers.
    """
    if colour in PICBREEDER:
        values = _on_picbreeders_scales(values)
    if colour == "rgb":
        return values
    if colour in BRIGHTNESS:
        return values[:, [BRIGHTNESS[colour]] * 3]
    convert, beginnings = (_hls, HLS_BEGINNINGS) if colour == "hls" else (_hsv, HSV_BEGINNINGS)
    picture = torch.empty_like(values)
    for channel, begin in enumerate(beginnings):
        picture[:, channel] = convert(begin, values[:, 0], values[:, 1], values[:, 2])
    return picture


def develop_levels_on(levels: npt.NDArray[np.uint8], colour: Colour, device: str) -> Tensor:
    """Return pictures, (B, C, H, W) float32 in [0, 1], of genomes of pixels; only their bytes travel."""
    values = torch.from_numpy(levels).to(device).float()
    values.div_(torch.full((), 255.0, device=device))
    return (
        values
        if values.shape[1] == 1 or colour == "rgb"
        else as_levels(to_rgb(values, colour), colour=colour)
    )


def _on_picbreeders_scales(values: Tensor) -> Tensor:
    hue, saturation, brightness = values.unbind(1)
    return torch.stack([hue - hue.floor(), saturation.clamp(0, 1), brightness.abs().clamp_(max=1)], dim=1)


def _hsv(begin: float, hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    k = _on_the_circle(hue * 6 + begin, 6)
    share = torch.minimum(k, 4 - k).clamp_(0, 1)
    return value - (value * saturation).mul_(share)


def _hls(begin: float, hue: Tensor, lightness: Tensor, saturation: Tensor) -> Tensor:
    k = _on_the_circle(hue * 12 + begin, 12)
    share = torch.minimum(k - 3, 9 - k).clamp_(-1, 1)
    reach = torch.minimum(lightness, 1 - lightness).mul_(saturation)
    return lightness - reach.mul_(share)


def _on_the_circle(k: Tensor, round_trip: int) -> Tensor:
    return torch.where(k >= round_trip, k - round_trip, k)
