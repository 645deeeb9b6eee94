"""Crops, precision, batches, gradients: what a classifier does with images before and around its network."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

import models_zoo.classifier
from models_zoo.classifier import MOST_IMAGES, Classifier, load_classifier
from models_zoo.errors import BadImages, NoConfidences, OutOfMemory, UnsuitableViews
from models_zoo.preprocessing import Preprocessing
from models_zoo.registry import find, load

SIDE, SIZE = 12, 8
BGR = Preprocessing(
    input_size=SIZE, channel_order="bgr", scale=255, mean=(104, 117, 123), std=(1, 2, 4), resize="squash:12"
)
ENTRY = dataclasses.replace(
    find("efficientnet-lite0"), name="tiny", labels=("a", "b", "c", "d", "e"), preprocessing=BGR
)


class Tiny(nn.Module):
    """A network with every kind of layer that matters here; it remembers how many images it was shown."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3)
        self.classes = nn.Linear(6 * 6 * 6, 5)
        self.sizes = []

    def forward(self, images):
        self.sizes.append(len(images))
        return self.classes(torch.relu(self.convolution(images / 100)).flatten(1))


class Hungry(Tiny):
    """A network that lacks memory for more than so many images at once."""

    def __init__(self, most, error):
        super().__init__()
        self.most, self.error = most, error

    def forward(self, images):
        if len(images) > self.most:
            raise self.error
        return super().forward(images)


def tiny(network=None, entry=ENTRY):
    network = network or Tiny()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for layer in network.children():
            layer.reset_parameters()
    return Classifier(network.eval().requires_grad_(False), entry, "cpu")


def pictures(count, side=SIDE, seed=2):
    return np.random.default_rng(seed).random((count, 3, side, side), dtype=np.float32)


def shown(images, top, left):
    """Return what the network should see of images, worked out channel by channel."""
    cut = images[:, ::-1, top : top + SIZE, left : left + SIZE] * 255
    return (cut - np.array(BGR.mean)[:, None, None]) / np.array(BGR.std)[:, None, None]


def answers(classifier, seen):
    with torch.inference_mode():
        return classifier.network(torch.from_numpy(seen.astype(np.float32).copy())).softmax(1).numpy()


def test_shows_the_centre_in_the_channel_order_and_range_of_the_network():
    classifier, images = tiny(), pictures(4)

    np.testing.assert_allclose(classifier(images), answers(classifier, shown(images, 2, 2)), atol=1e-6)


def test_takes_images_that_are_the_input_already():
    classifier, images = tiny(), pictures(4)

    np.testing.assert_array_equal(classifier(images[..., 2:10, 2:10]), classifier(images))


@pytest.mark.parametrize("side", [7, 9, 11, 13])
def test_refuses_images_of_any_other_side(side):
    with pytest.raises(BadImages, match=r"takes \(B, 3, 12, 12\) or \(B, 3, 8, 8\)"):
        tiny()(pictures(1, side))


def test_averages_the_confidences_of_ten_crops():
    classifier, images = tiny(), pictures(3)
    crops = [shown(images, *place) for place in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))]
    mirrored = [crop[..., ::-1] for crop in crops]
    expected = np.mean([answers(classifier, seen) for seen in crops + mirrored], axis=0)

    confidences = classifier.with_views(crops=10)(images)

    np.testing.assert_allclose(confidences, expected, atol=1e-6)


def test_counts_ten_crops_as_ten_images():
    entry = dataclasses.replace(
        ENTRY, preprocessing=dataclasses.replace(BGR, input_size=224, resize="squash:256")
    )
    classifier = tiny(entry=entry)

    assert classifier.batch_size == 32
    assert classifier.with_views(crops=10).batch_size == 3


def test_keeps_one_variant_of_each_kind():
    classifier = tiny()
    ten = classifier.with_views(crops=10, precision="half")

    assert classifier.with_views() is classifier
    assert ten.with_views(crops=10, precision="half") is ten
    assert ten.with_views() is classifier
    assert ten.network is classifier.with_views(precision="half").network


@pytest.mark.parametrize("crops", [0, 2, 11])
def test_refuses_other_numbers_of_crops(crops):
    with pytest.raises(UnsuitableViews, match=f"{crops} crops asked for; choose 1 or 10"):
        tiny().with_views(crops=crops)


def test_refuses_ten_crops_of_a_picture_without_a_margin():
    with pytest.raises(UnsuitableViews, match="mnist-lenet sees the whole image"):
        load("mnist-lenet", "cpu").with_views(crops=10)


def stripes(count):
    """Return images on which a network for photographs is of several minds, where rounding shows most."""
    x = np.linspace(0, 1, 256, dtype=np.float32)
    waves = np.random.default_rng(3).uniform(1, 40, (count, 3, 1, 1)).astype(np.float32)
    return 0.5 + 0.5 * np.sin(waves * (x + x[:, None]))


def test_stays_near_single_precision_in_the_half_precision_of_a_processor():
    classifier = load("efficientnet-lite0", "cpu")
    images = stripes(8)

    half = classifier.with_views(precision="half")(images)

    assert half.dtype == np.float32
    np.testing.assert_allclose(half.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(half, classifier(images), atol=0.2)  # bfloat16 has eight bits
    assert np.abs(half - classifier(images)).mean() < 1e-3


def test_stays_close_to_single_precision_in_the_half_precision_of_a_gpu(monkeypatch):
    monkeypatch.setattr(models_zoo.classifier, "half_type", lambda device: torch.float16)
    classifier = load_classifier(find("efficientnet-lite0"), "cpu")
    images = stripes(3)

    half = classifier.with_views(precision="half")(images)

    np.testing.assert_allclose(half, classifier(images), atol=0.02)  # float16 has eleven bits


def test_shows_a_network_no_more_than_a_batch_at_once():
    classifier = tiny()

    confidences = classifier(pictures(MOST_IMAGES + 7))

    assert len(confidences) == MOST_IMAGES + 7
    assert classifier.network.sizes == [MOST_IMAGES, 7]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_meets_a_lack_of_memory_with_half_the_batch(error):
    images = pictures(50)
    classifier = tiny(Hungry(13, error))

    confidences = classifier(images)

    np.testing.assert_allclose(confidences, tiny()(images), atol=1e-6)
    assert classifier.batch_size == 12  # 50, 25, 12
    assert classifier.network.sizes == [12, 12, 12, 12, 2]


def test_says_so_where_not_even_one_image_fits():
    classifier = tiny(Hungry(0, MemoryError()))

    with pytest.raises(OutOfMemory, match="tiny lacks memory for a single image on cpu"):
        classifier(pictures(5))


def test_lets_other_errors_pass():
    classifier = tiny(Hungry(0, RuntimeError("a bug")))

    with pytest.raises(RuntimeError, match="a bug"):
        classifier(pictures(5))


def test_refuses_to_answer_with_nan():
    classifier = tiny()
    with torch.no_grad():
        classifier.network.classes.bias[2] = float("nan")

    with pytest.raises(NoConfidences, match="tiny answers with NaN"):
        classifier(pictures(2))
    with pytest.raises(NoConfidences, match="tiny answers with NaN"):
        classifier.differentiate(pictures(2), np.array([0, 1]))


@pytest.mark.parametrize("crops", [1, 10])
def test_differentiates_confidences_as_small_steps_do(crops):
    classifier = tiny().with_views(crops=crops)
    images, classes, step = 0.1 + 0.8 * pictures(3), np.array([4, 0, 2]), 1e-2
    direction = np.random.default_rng(4).standard_normal(images.shape).astype(np.float32)
    direction /= np.linalg.norm(direction.reshape(3, -1), axis=1)[:, None, None, None]

    confidences, gradients = classifier.differentiate(images, classes)

    ahead, behind = (classifier(images + way * step * direction)[range(3), classes] for way in (1, -1))
    slopes = (gradients.numpy() * direction).sum((1, 2, 3))
    np.testing.assert_allclose(slopes, (ahead - behind) / (2 * step), atol=2e-4)
    np.testing.assert_allclose(confidences.numpy(), classifier(images), atol=1e-6)


def test_differentiates_where_the_confidence_is_far_below_what_half_precision_holds():
    classifier = tiny()
    with torch.no_grad():
        classifier.network.classes.bias[1] = -40.0

    _, gradients = classifier.with_views(precision="half").differentiate(pictures(2), np.array([1, 1]))

    assert 0 < gradients.abs().max() < 1e-12


def test_differentiates_images_made_in_inference_mode():
    with torch.inference_mode():
        images = torch.from_numpy(pictures(2)).clone()

    confidences, gradients = tiny().differentiate(images, torch.tensor([0, 1]))

    assert (confidences.shape, gradients.shape) == ((2, 5), images.shape)


def test_differentiates_in_batches_that_fit():
    images, classes = pictures(9), np.arange(9) % 5
    _, expected = tiny().differentiate(images, classes)

    _, gradients = tiny(Hungry(4, MemoryError())).differentiate(images, classes)

    np.testing.assert_allclose(gradients.numpy(), expected.numpy(), atol=1e-6)


def test_differentiates_nothing():
    confidences, gradients = tiny().differentiate(pictures(0), np.array([], int))

    assert (confidences.shape, gradients.shape) == ((0, 5), (0, 3, SIDE, SIDE))


@pytest.mark.parametrize("classes", [[5, 0], [-1, 0]])
def test_refuses_classes_that_are_not_there(classes):
    with pytest.raises(BadImages, match=r"class index .* given; the classes of tiny are 0 to 4"):
        tiny().differentiate(pictures(2), np.array(classes))


def test_refuses_another_number_of_classes_than_images():
    with pytest.raises(BadImages, match="give one for each"):
        tiny().differentiate(pictures(2), np.array([1]))
