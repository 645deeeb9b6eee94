"""Fetches the weights that torchvision offers, checks them, and keeps them as safetensors.

The hash is compared before anything is parsed, and what is parsed may hold numbers alone. A download that is cut
in the middle leaves nothing behind.
"""

import hashlib
import http.client
import pickle
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models_zoo.errors import DownloadFailed, UnknownClassifier
from models_zoo.imported import classifiers_folder, offer_description, offered_card
from models_zoo.importing import candidate_of
from models_zoo.registry import ClassifierEntry
from models_zoo.torchvision_zoo import OFFERS, Offer

CHUNK = 1 << 18  # bytes
PATIENCE = 30  # seconds without a byte

Watch = Callable[[int, int], None]


def downloads_folder() -> Path:
    """Return where files are put by hand on a machine without internet."""
    return classifiers_folder().parent / "downloads"


def download(name: str, *, mirror: str = "", watch: Watch = lambda done, total: None) -> ClassifierEntry:
    """Fetch, check and store the weights of this name; raises UnknownClassifier, DownloadFailed or ImportRefused.

    A file that was put into the downloads folder is taken instead of fetching it. `mirror` is the address of a
    folder that holds the files, instead of torchvision's own; `watch` is told how many bytes of how many are here.
    """
    if name not in OFFERS:
        raise UnknownClassifier(f"torchvision offers no {name!r} here; choose one of: {', '.join(OFFERS)}")
    offer = OFFERS[name]
    by_hand = downloads_folder() / offer.file
    if by_hand.exists():
        return _take_in(name, by_hand)
    with tempfile.TemporaryDirectory(prefix="foolbreeder-") as folder:
        fetched = Path(folder) / offer.file
        _fetch(offer, _address(offer, mirror), fetched, watch)
        return _take_in(name, fetched)


def _address(offer: Offer, mirror: str) -> str:
    """Return where the file is; torchvision knows."""
    if mirror:
        return f"{mirror.rstrip('/')}/{offer.file}"
    from models_zoo import torchvision_ops  # noqa: F401 (must come before torchvision)
    from torchvision import models  # isort: skip

    address: str = models.get_model_weights(offer.architecture)[offer.weights].url
    return address


def _fetch(offer: Offer, address: str, path: Path, watch: Watch) -> None:
    if not address.startswith(("http://", "https://")):
        raise DownloadFailed(f"mirror {address!r} is no web address; give one that begins with https://")
    try:
        opener = urllib.request.build_opener()  # urlopen's would keep the proxies of its first use
        with opener.open(address, timeout=PATIENCE) as answer, path.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                watch(file.tell(), total)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadFailed(
            f"{offer.file} could not be fetched ({address}: {_reason(error)}); {_by_hand(offer)}"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answer {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(cause).splitlines()[0] if str(cause) else type(error).__name__


def _by_hand(offer: Offer) -> str:
    return f"try again, or fetch it elsewhere and put it into {downloads_folder()}"


def _take_in(name: str, path: Path) -> ClassifierEntry:
    """Check a file, try the network, and store it with what is published about it."""
    offer = OFFERS[name]
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not sha256.startswith(offer.hash_prefix):
        raise DownloadFailed(
            f"{offer.file} is damaged or cut short ({path.stat().st_size:,} bytes; its hash begins with "
            f"{sha256[:8]} instead of {offer.hash_prefix}); {_by_hand(offer)}"
        )
    candidate = candidate_of(offer_description(name), _parse(offer, path))
    candidate.card = replace(offered_card(name, candidate.card.sha256), date=candidate.card.date)
    return candidate.store(replacing=True)


def _parse(offer: Offer, path: Path) -> dict[str, torch.Tensor]:
    try:
        weights: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise DownloadFailed(f"{offer.file} holds no weights; {_by_hand(offer)}") from error
    if not isinstance(weights, dict) or not all(
        isinstance(values, torch.Tensor) for values in weights.values()
    ):
        raise DownloadFailed(f"{offer.file} holds no weights; {_by_hand(offer)}")
    return weights
