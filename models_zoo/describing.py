"""Reads what a person writes about a classifier, on the command line or on the import page.

Both give texts; out comes a `Description`, or one line that says which text is wrong. Importable without torch.
"""

from pathlib import Path

from models_zoo.errors import ImportRefused
from models_zoo.imported import LABELS, MOST_CLASSES, Description, require_labels
from models_zoo.preprocessing import CHANNELS, Preprocessing

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
        raise ImportRefused(f"channel order {channel_order!r}; choose one of {', '.join(CHANNELS)}")
    preprocessing = Preprocessing(
        input_size=_whole("input size", input_size),
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
    try:
        lines = content.decode("utf-8-sig").rstrip("\r\n").split("\n", MOST_CLASSES + 1)
    except UnicodeDecodeError as error:
        raise ImportRefused(f"labels file {name} is no text in UTF-8; give one label a line") from error
    labels = tuple(line.rstrip("\r").strip() for line in lines)
    require_labels(labels)
    return labels


def _numbers(what: str, text: str, channel_order: str) -> tuple[float, ...]:
    """Return one number a channel; a single one stands for all."""
    parts = text.split(",")
    channels = CHANNELS[channel_order]
    if len(parts) not in (1, channels):
        raise ImportRefused(
            f"{len(parts)} numbers given as {what}; {channel_order} takes {channels}, separated by commas"
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
            f"{what} {text[:LONGEST_NUMBER]!r} is no number; give one like 1 or 0.485"
        ) from None
    if abs(number) == float("inf") or number != number:
        raise ImportRefused(f"{what} {text!r} is no finite number; give one like 1 or 0.485")
    return number


def _whole(what: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise ImportRefused(f"{what} {text[:LONGEST_NUMBER]!r}; give whole pixels, such as 224")
    return int(text)
