"""Trying a classifier on labelled pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

from models_zoo import registry
from models_zoo.classifier import Classifier
from models_zoo.datasets import load_mnist_sample
from models_zoo.errors import ImportRefused
from models_zoo.imported import Measured, StoredCard, classifiers_folder, entry_of
from models_zoo.trial import (
    Verdict,
    a_few,
    judge,
    judge_on,
    labelled_pictures,
    measure,
    other_order,
    suggestion,
)
from tests.models_zoo.own import colours


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fifty digits of MNIST as a person would keep them."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "images").mkdir()
    sample = load_mnist_sample("test")
    lines = ["file,class_index,note"]
    for number in range(0, 1000, 20):
        name = f"{number}.png"
        Image.fromarray(sample.images[number]).save(folder / "images" / name)
        lines.append(f"{name},{sample.labels[number]},a digit")
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


def test_measures_what_the_classifier_gets_right(folder):
    classifier = registry.load("mnist-mlp", "cpu")
    sample = load_mnist_sample("test")
    images = sample.images[::20, None].astype(np.float32) / 255
    right = (classifier(images).argmax(1) == sample.labels[::20]).mean()

    *_, measured = measure(classifier, labelled_pictures(folder, 10))

    assert measured.images == 50
    assert measured.top_1 == pytest.approx(right)
    assert measured.top_5 >= measured.top_1 > 0.9
    assert measured.median_confidence == pytest.approx(float(np.median(classifier(images).max(1))), abs=1e-6)


def test_tells_how_it_goes(folder):
    counts = [
        step.images for step in measure(registry.load("mnist-mlp", "cpu"), labelled_pictures(folder, 10))
    ]

    assert counts == [20, 40, 50]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no columns file and class_index"),
        ("picture,class\na.png,1", "no columns file and class_index"),
        ("file,class_index\na.png,10", "class_index '10' for a.png; classes are 0 to 9"),
        ("file,class_index\na.png,-1", "class_index '-1'"),
        ("file,class_index\na.png", "class_index ''"),
        ("file,class_index\nb.png,1", "'b.png' of labels.csv is neither in"),
    ],
)
def test_refuses_a_list_that_it_cannot_use(tmp_path, text, complaint):
    (tmp_path / "labels.csv").write_text(text)
    Image.new("L", (28, 28)).save(tmp_path / "a.png")

    with pytest.raises(ImportRefused, match=complaint):
        labelled_pictures(tmp_path, 10)


def test_refuses_a_folder_without_a_list(tmp_path):
    with pytest.raises(ImportRefused, match=r"labels.csv cannot be read; give a folder with"):
        labelled_pictures(tmp_path, 10)


def test_suggests_the_other_channel_order_only_where_it_is_clearly_better():
    own = Measured(images=200, top_1=0.43, top_5=0.6, median_confidence=0.3)
    better = Measured(images=200, top_1=0.64, top_5=0.8, median_confidence=0.6)

    assert suggestion(own, better, "bgr").startswith(
        "On 200 of these pictures BGR order gets 0.640 right instead of 0.430"
    )
    assert suggestion(better, own, "rgb") == ""
    assert suggestion(own, own, "bgr") == ""
    assert (other_order("rgb"), other_order("bgr"), other_order("grey")) == ("bgr", "rgb", None)


def test_compares_orders_on_a_few_pictures_evenly_spread():
    few = a_few(list(range(1000)))

    assert len(few) == 200
    assert few[:3] == [0, 5, 10]
    assert list(a_few([1, 2, 3])) == [1, 2, 3]


class TestVerdict:
    """A network for colours that knows them by its first layer alone, so that exchanged channels mislead it."""

    @pytest.fixture
    def told(self):
        return seeing_colours("rgb")

    @pytest.fixture
    def images(self):
        images = np.zeros((3, 3, 40, 40), np.float32)  # red, green and blue
        for number in range(3):
            images[number, number] = 1
        return images

    def test_counts_what_is_right(self, told, images):
        verdict = judge(told, images, [0, 1, 1])

        assert (verdict.right, verdict.of) == (2, 3)
        assert not verdict.is_other_better

    def test_leaves_pictures_out_whose_class_nobody_knows(self, told, images):
        assert (judge(told, images, [None, 1, None]).of, judge(told, images, [None] * 3)) == (1, None)

    def test_finds_the_other_order_better_where_channels_were_exchanged(self, images):
        verdict = judge(seeing_colours("bgr"), images, [0, 1, 2])

        assert (verdict.right, verdict.other_right, verdict.other_order) == (1, 3, "rgb")
        assert verdict.is_other_better

    def test_tries_no_other_order_where_it_does_well_or_sees_grey(self, told, images):
        digits = registry.load("mnist-mlp", "cpu")

        assert judge(told, images, [0, 1, 2]).other_order == ""
        assert judge(digits, np.zeros((1, 1, 28, 28), np.float32), [9]).other_order == ""

    def test_takes_a_single_picture_more_for_chance(self):
        def verdict(right, other, of):
            return Verdict(right=right, of=of, other_right=other, other_order="bgr")

        assert [verdict(2, 3, 8).is_open, verdict(2, 4, 8).is_other_better] == [True, True]
        assert [verdict(4, 2, 8).is_other_worse, verdict(3, 2, 8).is_open] == [True, True]
        assert verdict(40, 43, 60).is_open
        assert not Verdict(right=1, of=8).is_open

    def test_judges_files_as_it_judges_images(self, folder):
        classifier = registry.load("mnist-mlp", "cpu")
        *_, measured = measure(classifier, labelled_pictures(folder, 10))

        assert judge_on(classifier, labelled_pictures(folder, 10)).right == round(50 * measured.top_1)


class Colours(torch.nn.Module):
    """Answers with the mean of each channel."""

    def forward(self, images):
        return 10 * images.mean((2, 3))


def seeing_colours(order):
    """Return a classifier that is right when told RGB."""
    described = colours(channel_order=order, scale="1", mean="0", std="1", input_size="40")
    entry = entry_of(StoredCard(description=described, sha256="", parameters=0), classifiers_folder())
    return Classifier(Colours().eval(), entry, "cpu")
