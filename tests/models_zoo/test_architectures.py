"""The networks that weights may be brought for."""

import io

import pytest
import torch

from models_zoo.architecture_names import (
    ARCHITECTURES,
    LAST_LAYERS,
    MNIST_NAMES,
    TORCHVISION_NAMES,
    channels_of,
    classes_in,
    last_layer_of,
    require_architecture,
)
from models_zoo.architectures import MNIST, build, renamed
from models_zoo.errors import ImportRefused
from tests.models_zoo.own import DIGITS_FILE, colour_weights, written


@pytest.mark.parametrize(
    ("architecture", "n_classes", "size"),
    [
        ("torchvision:squeezenet1_1", 7, 63),
        ("torchvision:mobilenet_v3_small", 3, 64),
        ("mnist-lenet", 10, 28),
        ("mnist-cnn", 4, 28),
    ],
)
def test_builds_for_any_number_of_classes(architecture, n_classes, size):
    network = build(architecture, n_classes, size).eval()

    assert network(torch.zeros(2, channels_of(architecture), size, size)).shape == (2, n_classes)


@pytest.mark.parametrize("architecture", ["torchvision:googlenet", "torchvision:inception_v3"])
def test_leaves_out_what_serves_training_alone(architecture):
    with torch.device("meta"):
        names = set(build(architecture, 1000, 224).state_dict())

    assert renamed(dict.fromkeys(["aux1.fc.weight", "AuxLogits.fc.bias"])) == {}
    assert not any(name.startswith(("aux", "Aux")) for name in names)


def test_builds_transformers_for_the_input_they_are_given():
    with torch.device("meta"):
        network = build("torchvision:vit_b_16", 5, 64)

    assert network.state_dict()["encoder.pos_embedding"].shape == (1, 1 + 4 * 4, 768)


def test_understands_the_old_names_of_densenets_layers():
    old = "features.denseblock1.denselayer2.norm.1.weight"

    assert list(renamed({old: torch.zeros(1)})) == ["features.denseblock1.denselayer2.norm1.weight"]


@pytest.mark.parametrize(
    ("architecture", "size", "complaint"),
    [
        ("squeezenet1_1", 224, "unknown architecture 'squeezenet1_1'; choose torchvision:squeezenet1_1"),
        ("torchvision:squeezenet", 224, "choose torchvision:squeezenet1_"),
        ("torchvision:fasterrcnn_resnet50_fpn", 224, "unknown architecture"),
        ("os:system", 224, "unknown architecture"),
        ("", 224, "unknown architecture ''"),
        ("mnist-lenet", 32, "input size 32; mnist-lenet takes 28"),
    ],
)
def test_refuses_what_it_does_not_know(architecture, size, complaint):
    with pytest.raises(ImportRefused, match=complaint) as refusal:
        require_architecture(architecture, size)

    assert "\n" not in str(refusal.value)


def test_names_what_the_installed_torchvision_offers():
    from torchvision import models

    assert list(TORCHVISION_NAMES) == models.list_models(module=models)
    assert set(MNIST_NAMES) == set(MNIST)


@pytest.mark.parametrize("start", LAST_LAYERS)
def test_knows_the_last_layer_of_each_kind_of_network(start):
    architecture = next(name for name in ARCHITECTURES if name.removeprefix("torchvision:").startswith(start))
    if start == "regnet":  # which cannot be built without memory; this is its smallest
        architecture = "torchvision:regnet_x_400mf"
    with torch.device("cpu" if start == "regnet" else "meta"):
        weights = build(architecture, 7, 28 if architecture in MNIST else 224).state_dict()

    assert weights[f"{last_layer_of(architecture)}.weight"].shape[0] == 7


def test_knows_a_last_layer_for_every_name():
    assert all(last_layer_of(architecture) for architecture in ARCHITECTURES)


def test_counts_classes_in_the_header_of_a_file(tmp_path):
    path = written(colour_weights(5), tmp_path / "w.safetensors")

    with path.open("rb") as file, DIGITS_FILE.open("rb") as digits:
        assert classes_in(file, "torchvision:squeezenet1_1") == 5
        assert classes_in(digits, "mnist-mlp") == 10


@pytest.mark.parametrize(
    "content", [b"", b"short", b"\xff" * 50, b"\x02" + bytes(7) + b"[]", b"\x09" + bytes(7) + b"[" * 9]
)
def test_counts_no_classes_in_a_file_that_is_none(content):
    assert classes_in(io.BytesIO(content), "mnist-mlp") is None
