"""Loading weights: whole ones load, damaged ones are named with the remedy."""

import dataclasses
import hashlib
import json
import shutil

import pytest
import safetensors.torch
import torch

from models_zoo.cards import WEIGHTS
from models_zoo.classifier import load_classifier
from models_zoo.errors import WeightsCorrupted
from models_zoo.mnist import Perceptron
from models_zoo.registry import find

ENTRY = find("mnist-lenet")
REMEDY = "restore it from the repository or train it again with manage.py train_classifier mnist-lenet$"


@pytest.fixture
def folder(tmp_path):
    for suffix in (".safetensors", ".json"):
        shutil.copy((WEIGHTS / ENTRY.weights).with_suffix(suffix), tmp_path)
    return tmp_path


@pytest.fixture
def weights(folder):
    return folder / ENTRY.weights


@pytest.fixture
def card(folder):
    return (folder / ENTRY.weights).with_suffix(".json")


def vouch_for(content, weights, card):
    weights.write_bytes(content)
    facts = json.loads(card.read_text())
    card.write_text(json.dumps({**facts, "sha256": hashlib.sha256(content).hexdigest()}))


def assert_refused(folder, complaint):
    with pytest.raises(WeightsCorrupted, match=f"{complaint}.*{REMEDY}"):
        load_classifier(dataclasses.replace(ENTRY, folder=folder), "cpu")


def test_loads_whole_files(folder):
    classifier = load_classifier(dataclasses.replace(ENTRY, folder=folder), "cpu")

    assert classifier.weights_sha256 == ENTRY.card["sha256"]
    assert not classifier.network.training


@pytest.mark.parametrize("place", [0, 100, 1_000_000, -1])
def test_refuses_one_altered_byte(folder, weights, place):
    content = bytearray(weights.read_bytes())
    content[place] ^= 1
    weights.write_bytes(content)

    assert_refused(folder, "mnist-lenet.safetensors does not match the hash")


def test_refuses_a_truncated_file(folder, weights):
    weights.write_bytes(weights.read_bytes()[:-1])

    assert_refused(folder, "mnist-lenet.safetensors does not match the hash")


def test_refuses_a_missing_file(folder, weights):
    weights.unlink()

    assert_refused(folder, "mnist-lenet.safetensors is not here")


def test_refuses_a_file_that_is_not_safetensors(folder, weights, card):
    vouch_for(b"nothing of the kind", weights, card)

    assert_refused(folder, "does not fit the network")


def test_refuses_weights_of_another_network(folder, weights, card):
    vouch_for(safetensors.torch.save(Perceptron().state_dict()), weights, card)

    assert_refused(folder, "does not fit the network")


def test_refuses_weights_of_other_shapes(folder, weights, card):
    state = safetensors.torch.load(weights.read_bytes())
    vouch_for(safetensors.torch.save({**state, "fc2.bias": torch.zeros(9)}), weights, card)

    assert_refused(folder, "does not fit the network")


def test_refuses_a_missing_card(folder, card):
    card.unlink()

    assert_refused(folder, "the card mnist-lenet.json cannot be read")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_refuses_a_card_that_is_no_json(folder, card, content):
    card.write_bytes(content)

    assert_refused(folder, "the card mnist-lenet.json cannot be read")


@pytest.mark.parametrize("content", ["[]", "{}", "null"])
def test_refuses_a_card_without_its_facts(folder, card, content):
    card.write_text(content)

    assert_refused(folder, "the card mnist-lenet.json is damaged")


def test_refuses_the_card_of_another_classifier(folder, card):
    shutil.copy(WEIGHTS / "mnist-lenet-b.json", card)

    assert_refused(folder, "the card mnist-lenet.json is damaged")
