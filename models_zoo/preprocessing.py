"""What is done to a picture before a network sees it. Importable without torch: pages and forms read it.

An image here is what a search breeds: values in [0, 1], square, of the picture's side. The network's input is
`(image * scale - mean) / std`, channel by channel in the network's order, and of it the centre crop of
`input_size` (or ten crops, averaged). `resize` and `interpolation` say how a picture file becomes an image.
"""

from dataclasses import dataclass
from typing import Literal

from models_zoo.errors import BadPreprocessing

ChannelOrder = Literal["rgb", "bgr", "grey"]
Interpolation = Literal["nearest", "bilinear", "bicubic"]
CHANNELS: dict[str, int] = {"rgb": 3, "bgr": 3, "grey": 1}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
RESIZES = ("squash", "short")
LARGEST_NUMBER = 1_000_000
LARGEST_SIDE = 1024  # pixels; an image of this size and three channels takes 12 MiB


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How images are brought into the form that a network was trained on.

    `mean` and `std` have one number a channel, in `channel_order`. `resize` is "squash:256" (both sides made
    256 pixels), "short:256" (the shorter side; then the middle square) or "none" (the middle square of
    `input_size`, no pixel made anew). Raises BadPreprocessing for numbers that cannot be meant.
    """

    input_size: int
    channel_order: ChannelOrder
    scale: float = 1.0
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str
    interpolation: Interpolation = "bicubic"

    def __post_init__(self) -> None:
        """Refuse what could not be computed with; the border is here because users import classifiers."""
        self._refuse_bad_words()
        self._refuse_bad_sizes()
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) != self.channels:
                raise BadPreprocessing(
                    f"{len(numbers)} numbers given as {name}; {self.channel_order} takes {self.channels}",
                    about=name,
                )
        for name, numbers in (("scale", (self.scale,)), ("mean", self.mean), ("std", self.std)):
            for number in numbers:
                _refuse_bad_number(name, number)

    def _refuse_bad_sizes(self) -> None:
        if not 1 <= self.input_size <= LARGEST_SIDE:
            raise BadPreprocessing(
                f"input size {self.input_size}; give from 1 to {LARGEST_SIDE} pixels", about="input_size"
            )
        if not self.input_size <= self.side <= LARGEST_SIDE:
            raise BadPreprocessing(
                f"resize {self.resize!r} with input size {self.input_size}; "
                f"give {self.input_size} <= resized side <= {LARGEST_SIDE}",
                about="resize",
            )

    def _refuse_bad_words(self) -> None:
        if self.channel_order not in CHANNELS:
            raise BadPreprocessing(
                f"channel order {self.channel_order!r}; choose one of: {', '.join(CHANNELS)}",
                about="channel_order",
            )
        if self.interpolation not in INTERPOLATIONS:
            raise BadPreprocessing(
                f"interpolation {self.interpolation!r}; choose one of: {', '.join(INTERPOLATIONS)}",
                about="interpolation",
            )
        rule, _, side = self.resize.partition(":")
        if self.resize != "none" and not (rule in RESIZES and side.isascii() and side.isdigit()):
            raise BadPreprocessing(
                f"resize {self.resize!r}; give squash:SIDE, short:SIDE or none, e.g. squash:256",
                about="resize",
            )

    @property
    def rule(self) -> str:
        """Return "squash", "short" or "none"."""
        return self.resize.partition(":")[0]

    @property
    def side(self) -> int:
        """Return the side of the picture in pixels, of which the input is the centre crop."""
        return self.input_size if self.resize == "none" else int(self.resize.partition(":")[2])

    @property
    def channels(self) -> int:
        """Return how many channels an image has."""
        return CHANNELS[self.channel_order]

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """Return the colour that is taken off, red first, 0 to 1 for each channel; mid-grey where none is."""
        shares = tuple(mean / self.scale for mean in self.mean)
        if not any(shares) or not all(0 <= share <= 1 for share in shares):
            return (0.5,) * self.channels
        return shares[::-1] if self.channel_order == "bgr" else shares

    @property
    def factors(self) -> tuple[float, ...]:
        """Return what each channel of an image is multiplied by: scale / std."""
        return tuple(self.scale / std for std in self.std)

    @property
    def offsets(self) -> tuple[float, ...]:
        """Return what is then added to each channel: -mean / std."""
        return tuple(-mean / std if mean else 0.0 for mean, std in zip(self.mean, self.std, strict=True))

    def in_words(self) -> str:
        """Return the whole of it as one sentence for people."""
        how = {
            "squash": f"squashed to {self.side} x {self.side} pixels",
            "short": f"resized so that the shorter side has {self.side} pixels and cut to the middle square",
            "none": "not resized",
        }[self.rule]
        crop = f", centre crop of {self.input_size}" if self.input_size != self.side else ""
        by = f" ({self.interpolation})" if self.rule != "none" else ""
        colour = {"rgb": "RGB", "bgr": "BGR", "grey": "grey"}[self.channel_order]
        mean, std = (", ".join(f"{number:g}" for number in numbers) for numbers in (self.mean, self.std))
        return f"{how}{by}{crop}; {colour}, values 0 to {self.scale:g}, minus {mean}, divided by {std}"


def _refuse_bad_number(name: str, number: float) -> None:
    if not abs(number) < LARGEST_NUMBER:  # which NaN is not either
        raise BadPreprocessing(f"{name} {number:g}; give finite numbers below {LARGEST_NUMBER:,}", about=name)
    if name != "mean" and number <= 0:
        raise BadPreprocessing(f"{name} {number:g}; give numbers above 0", about=name)
