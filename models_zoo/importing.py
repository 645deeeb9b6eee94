"""Takes weights in: looks at a file, tries the network, and only then stores it, whole or not at all.

Weights are safetensors. A pickle, which could run any program when it is read, is never opened.
"""

import datetime
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from models_zoo.architectures import build, renamed
from models_zoo.classifier import Classifier
from models_zoo.describing import require_importable
from models_zoo.errors import ImportRefused, NoConfidences
from models_zoo.imported import (
    CARD,
    WEIGHTS,
    Description,
    Measured,
    StoredCard,
    classifiers_folder,
    entry_of,
    require_free,
    require_own_title,
    require_same,
    stored_card,
)
from models_zoo.preprocessing import ChannelOrder
from models_zoo.registry import ClassifierEntry

UNFINISHED = ".unfinished-"
FORGOTTEN = 86_400  # seconds after which what somebody left unfinished is removed
NAMED = 3  # of what does not fit, how many a message names
COUNTERS = "num_batches_tracked"  # batch norm's, which matter to training alone and are often left out
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SIGNS: dict[bytes, str] = {  # what a file begins with that is no safetensors
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"RIFF": "a picture",
    b"PK\x03\x04": "a pickle (PyTorch's .pt or .pth)",
    b"\x80\x02": "a pickle (PyTorch's .pt or .pth)",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "a pointer to a file that was not fetched",
}


class Candidate:
    """A classifier that was looked at and tried, and is not stored yet."""

    def __init__(
        self, description: Description, network: nn.Module, measured: Measured | None = None
    ) -> None:
        self.network = network
        self.content = safetensors.torch.save(_contiguous(network.state_dict()))
        self.card = StoredCard(
            description=description,
            sha256=hashlib.sha256(self.content).hexdigest(),
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            measured=measured,
        )

    @property
    def entry(self) -> ClassifierEntry:
        """Return what the registry will say of it."""
        return entry_of(self.card, classifiers_folder() / self.card.description.name)

    def classifier(
        self, device: torch.device | str = "cpu", *, channel_order: ChannelOrder | None = None
    ) -> Classifier:
        """Return it ready to compute, in its own channel order or another."""
        entry = self.entry
        if channel_order:  # mean and std stay, since whoever mistakes the order copied those as they were
            entry = replace(entry, preprocessing=replace(entry.preprocessing, channel_order=channel_order))
        return Classifier(self.network, entry, device, self.card.sha256)

    def store(self, *, replacing: bool = False) -> ClassifierEntry:
        """Write card and weights, so that nobody ever sees half of them; raises ImportRefused."""
        folder = classifiers_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as unfinished:
                staged = Path(unfinished) / "whole"
                staged.mkdir()
                _write(staged / WEIGHTS, self.content)
                _write(staged / CARD, self.card.to_json().encode())
                self._move(staged, folder / self.card.description.name, replacing)
        except OSError as error:
            raise ImportRefused(
                f"{folder} cannot be written to ({error.strerror}); make room or mend it"
            ) from error
        return self.entry

    def _move(self, staged: Path, home: Path, replacing: bool) -> None:
        """Bring both files home in one step, or, where a card is there already, the weights first."""
        if (home / WEIGHTS).exists() and not replacing:
            require_free(home.name)
        if not home.exists():
            os.rename(staged, home)
            return
        for name in (WEIGHTS, CARD):
            os.replace(staged / name, home / name)


def prepare(description: Description, weights: Path) -> Candidate:
    """Return a candidate made of a weights file; raises ImportRefused, and stores nothing.

    Weights in half precision are taken as float32. Where the site knows the classifier by its card alone, the
    weights have to be the card's.
    """
    require_importable(description)
    known = known_by_card_alone(description.name)
    if not known:
        require_free(description.name)
        require_own_title(description)
    candidate = candidate_of(description, read_safetensors(weights))
    return complete(known, candidate) if known else candidate


def candidate_of(description: Description, weights: Mapping[str, Tensor]) -> Candidate:
    """Return a candidate made of weights by name; raises ImportRefused."""
    network = build(
        description.architecture, len(description.label_names), description.preprocessing.input_size
    )
    weights = renamed(weights)
    _require_fit(network, weights, description)
    _require_floats(weights)
    _require_finite(weights)
    network.load_state_dict({name: _as_float32(values) for name, values in weights.items()}, strict=False)
    candidate = Candidate(description, network.eval())
    _try_out(candidate)
    return candidate


def known_by_card_alone(name: str) -> StoredCard | None:
    """Return the card of a classifier whose weights are not here; None where there is none."""
    card = stored_card(name)
    return card if card and not (classifiers_folder() / name / WEIGHTS).exists() else None


def complete(card: StoredCard, candidate: Candidate) -> Candidate:
    """Return the candidate under a card that was here without weights; raises ImportRefused for other weights."""
    if card.sha256 and candidate.card.sha256 != card.sha256:
        raise ImportRefused(
            f"these are other weights than the card of {card.description.name!r} names; "
            "import them under another name"
        )
    require_same(card, candidate.card.description)
    candidate.card = card
    return candidate


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the weights in a file; raises ImportRefused for anything but whole safetensors."""
    try:
        with path.open("rb") as file:
            start = file.read(32)
        if kind := _kind(start):
            raise ImportRefused(
                f"the file {path.name} is {kind}, never taken here; give weights as safetensors"
            )
        weights: dict[str, Tensor] = safetensors.torch.load_file(path)
    except FileNotFoundError as error:
        raise ImportRefused(f"the file {path} does not exist; give the path of a safetensors file") from error
    except OSError as error:
        raise ImportRefused(
            f"the file {path} cannot be read ({error.strerror}); give a safetensors file"
        ) from error
    except SafetensorError as error:
        raise ImportRefused(
            f"the file {path.name} is no whole safetensors file ({error}); give it again"
        ) from error
    if not weights:
        raise ImportRefused(
            f"the file {path.name} holds no weights; give the safetensors file of a trained network"
        )
    return weights


def _kind(start: bytes) -> str:
    """Return what a file is that begins like this; empty for safetensors and what nobody knows."""
    if start[8:9] == b"{":  # after the length of its header, which may begin as anything does
        return ""
    return next((kind for sign, kind in SIGNS.items() if start.startswith(sign)), "")


def _require_fit(network: nn.Module, weights: Mapping[str, Tensor], description: Description) -> None:
    """Compare names and shapes with those of the network."""
    wanted = {name: tuple(values.shape) for name, values in network.state_dict().items()}
    given = {name: tuple(values.shape) for name, values in weights.items()}
    absent = [name for name in wanted if name not in given and not name.endswith(COUNTERS)]
    strange = [name for name in given if name not in wanted]
    if absent or strange:
        parts = [f"missing {_first(absent)}"] * bool(absent) + [f"unknown {_first(strange)}"] * bool(strange)
        raise ImportRefused(f"the weights do not fit {description.architecture}: {'; '.join(parts)}")
    wrong = [
        f"{name} is {list(given[name])} instead of {list(wanted[name])}"
        for name in given
        if given[name] != wanted[name]
    ]
    if wrong:
        n_classes = len(description.label_names)
        raise ImportRefused(
            f"the weights do not fit {description.architecture} with {n_classes} labels: {_first(wrong)}"
        )


def _require_floats(weights: Mapping[str, Tensor]) -> None:
    whole = [
        name for name, values in weights.items() if values.dtype not in FLOATS and not name.endswith(COUNTERS)
    ]
    if whole:
        raise ImportRefused(
            f"the weights are no floating-point numbers in {_first(whole)}; export them again"
        )


def _require_finite(weights: Mapping[str, Tensor]) -> None:
    broken = [name for name, values in weights.items() if not bool(values.isfinite().all())]
    if broken:
        raise ImportRefused(f"the weights hold NaN or infinity in {_first(broken)}; export them again")


def _first(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _as_float32(values: Tensor) -> Tensor:
    return values.float() if values.dtype in FLOATS else values


def _try_out(candidate: Candidate) -> None:
    """Ask it about noise, black and white, as a search will."""
    entry = candidate.entry
    images = torch.rand(
        4, entry.channels, entry.height, entry.width, generator=torch.Generator().manual_seed(1)
    )
    images[2], images[3] = 0, 1
    try:
        finite = bool(torch.from_numpy(candidate.classifier()(images)).isfinite().all())
    except NoConfidences:
        finite = False
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ImportRefused(
            f"input size {entry.preprocessing.input_size} does not suit {entry.architecture} "
            f"({str(error).splitlines()[0]}); give the size it was trained with"
        ) from error
    if not finite:
        raise ImportRefused(
            f"the classifier {entry.name!r} answers a trial with NaN; check scale, mean and std, or the weights"
        )


def _contiguous(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: values.detach().clone().contiguous() for name, values in weights.items()}


def _sweep(folder: Path) -> None:
    """Remove what was left by a process that was killed while it wrote."""
    for left in folder.glob(UNFINISHED + "*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(left)


def _write(path: Path, content: bytes) -> None:
    """Write a file down to the disk, or a power cut would leave its name and no content."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
