"""The classifiers that torchvision offers."""

import re
from pathlib import Path

import pytest
import torch

from models_zoo.architectures import build
from models_zoo.imported import entries
from models_zoo.registry import find
from models_zoo.torchvision_zoo import OFFERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-classifier.md"
each_offer = pytest.mark.parametrize("name", OFFERS)


@each_offer
def test_says_what_torchvision_publishes(name):
    from models_zoo import torchvision_ops  # noqa: F401 (must come before torchvision)
    from torchvision import models  # isort: skip

    offer = OFFERS[name]
    published = models.get_model_weights(offer.architecture)[offer.weights]
    transforms = published.transforms()
    accuracy = published.meta["_metrics"]["ImageNet-1K"]

    assert published.url.endswith(f"/{offer.file}")
    assert (offer.top_1, offer.top_5) == (accuracy["acc@1"], accuracy["acc@5"])
    assert (offer.parameters, offer.megabytes) == (published.meta["num_params"], published.meta["_file_size"])
    assert (transforms.crop_size, transforms.resize_size) == ([224], [offer.side])
    if name != "googlenet":  # which changes its numbers inside the network; see the test below
        assert (list(offer.mean), list(offer.std)) == (transforms.mean, transforms.std)


def test_gives_googlenet_the_numbers_that_torchvision_turns_its_own_into():
    pixel = torch.tensor(0.7)
    usual = (pixel - 0.485) / 0.229
    inside = usual * (0.229 / 0.5) + (0.485 - 0.5) / 0.5  # as torchvision's transform_input does for red

    offer = OFFERS["googlenet"]

    assert torch.isclose((pixel - offer.mean[0]) / offer.std[0], inside)


@each_offer
def test_builds_networks_of_the_published_size(name):
    with torch.device("meta"):  # shapes alone
        network = build(f"torchvision:{OFFERS[name].architecture}", 1000, 224)

    assert sum(parameter.numel() for parameter in network.parameters()) == OFFERS[name].parameters


def test_lists_them_by_name_in_order():
    assert list(OFFERS) == sorted(OFFERS)
    assert set(OFFERS) <= set(entries())


@each_offer
def test_knows_each_without_its_weights(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path))

    entry = find(name)

    assert (entry.dataset, entry.n_classes, entry.channels) == ("imagenet", 1000, 3)
    assert entry.card["test_error_percent"] == pytest.approx(100 - OFFERS[name].top_1)
    assert entry.preprocessing.side == entry.height == OFFERS[name].side


def test_says_the_same_in_the_documentation():
    rows = re.findall(
        r"^\| `(.+?)` \| .+? \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE
    )

    assert rows == [
        (name, f"{o.parameters:,}", f"{o.megabytes:.1f} MB", f"{o.top_1:.1f} %", f"{o.top_5:.1f} %")
        for name, o in OFFERS.items()
    ]
