"""The networks that weights may be brought for."""

import pytest
import torch

from models_zoo.architectures import build, channels_of, renamed, require_architecture
from models_zoo.errors import ImportRefused


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
