"""Reads what a person writes about a classifier, on the command line or on the import page.

Both give texts; out comes a `Description`, or one line that says which text is wrong. Importable without torch.
"""

from pathlib import Path

from models_zoo.architecture_names import require_architecture, require_channels
from models_zoo.errors import ImportRefused
from models_zoo.imported import LABELS, MOST_CLASSES, Description, require_labels
from models_zoo.preprocessing import CHANNELS, LARGEST_SIDE, Preprocessing

LONGEST_NUMBER = 24  # characters
LARGEST_LABELS_FILE = 20_000_000  # bytes


def describe(
    *,
    name: str,
    architecture: str,
    input_size: str,
    channel_order: str,
    scale: str,
    mean: str,
    std: str,
    resize: str,
    labels: str | tuple[str, ...],
    interpolation: str = "bilinear",
    title: str = "",
    licence: str = "",
) -> Description:
    """Return the description that these texts give; raises ImportRefused or BadPreprocessing."""
    if channel_order not in CHANNELS:
        raise ImportRefused(
            f"channel order {channel_order!r}; choose one of {', '.join(CHANNELS)}", about="channel_order"
        )
    preprocessing = Preprocessing(
        input_size=_pixels(input_size),
        channel_order=channel_order,  # type: ignore[arg-type]  # checked just above
        scale=_number("scale", scale),
        mean=_numbers("mean", mean, channel_order),
        std=_numbers("std", std, channel_order),
        resize=resize if len(resize) <= LONGEST_NUMBER else resize[:LONGEST_NUMBER] + "…",
        interpolation=interpolation,  # type: ignore[arg-type]  # Preprocessing checks it
    )
    return Description(
        name=name,
        architecture=architecture,
        preprocessing=preprocessing,
        labels=labels,
        title=title.strip(),
        licence=licence.strip(),
    )


def require_importable(description: Description) -> None:
    """Raise ImportRefused for what can be told before any weights are looked at."""
    preprocessing = description.preprocessing
    require_architecture(description.architecture, preprocessing.input_size)
    require_channels(description.architecture, preprocessing.channel_order, preprocessing.channels)


def read_labels(given: str) -> str | tuple[str, ...]:
    """Return "imagenet" or "mnist", or the lines of the file of this name; raises ImportRefused."""
    if given in LABELS:
        return given
    path = Path(given)
    try:
        if path.stat().st_size > LARGEST_LABELS_FILE:
            raise ImportRefused(f"labels file {path.name} is too large; give one line for each class")
        return labels_from(path.read_bytes(), path.name)
    except OSError as error:
        raise ImportRefused(
            f"labels {given!r} cannot be read ({error.strerror}); give {', '.join(LABELS)} or a file with one "
            "label a line, in class order"
        ) from error


def labels_from(content: bytes, name: str) -> tuple[str, ...]:
    """Return the lines of a file of labels; raises ImportRefused."""
    if not content.strip():
        raise ImportRefused(f"labels file {name} is empty; give one label a line", about="labels")
    try:
        lines = content.decode("utf-8-sig").rstrip("\r\n").split("\n", MOST_CLASSES + 1)
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"labels file {name} is no text in UTF-8; give one label a line", about="labels"
        ) from error
    labels = tuple(line.rstrip("\r").strip() for line in lines)
    require_labels(labels)
    return labels


def _numbers(what: str, text: str, channel_order: str) -> tuple[float, ...]:
    """Return one number a channel; a single one stands for all."""
    parts = text.split(",")
    channels = CHANNELS[channel_order]
    if len(parts) not in (1, channels):
        raise ImportRefused(
            f"{len(parts)} numbers given as {what}; {channel_order} takes {channels}, separated by commas",
            about=what,
        )
    numbers = tuple(_number(what, part) for part in parts)
    return numbers if len(numbers) == channels else numbers * channels


def _number(what: str, text: str) -> float:
    try:
        if len(text) > LONGEST_NUMBER:
            raise ValueError
        number = float(text)
    except ValueError:
        raise ImportRefused(
            f"{what} {text[:LONGEST_NUMBER]!r} is no number; give one like 1 or 0.485", about=what
        ) from None
    if abs(number) == float("inf") or number != number:
        raise ImportRefused(f"{what} {text!r} is no finite number; give one like 1 or 0.485", about=what)
    return number


def _pixels(text: str) -> int:
    """Return the input's side; what has more digits than any size is not turned into a number."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        raise ImportRefused(
            f"input size {text[:LONGEST_NUMBER]!r}; give whole pixels up to {LARGEST_SIDE}, such as 224",
            about="input_size",
        )
    return int(text)
