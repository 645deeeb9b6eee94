"""`manage.py classifiers`."""

import dataclasses
import io
import json

import pytest
from django.core.management import call_command

from models_zoo.cards import WEIGHTS
from models_zoo.registry import CLASSIFIERS, all_entries

NAMES = [entry.name for entry in all_entries()]


@pytest.fixture
def damaged_perceptron(monkeypatch):
    """Put a perceptron among the classifiers whose weights file is another's."""
    entry = CLASSIFIERS["mnist-mlp"]
    weights = WEIGHTS / "mnist-lenet.safetensors"
    monkeypatch.setitem(CLASSIFIERS, "mnist-mlp", dataclasses.replace(entry, weights=weights.name))


def answer(*arguments):
    out = io.StringIO()
    call_command("classifiers", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_lists_every_classifier_on_a_line():
    heading, *rows = answer()

    assert heading.split()[0] == "name"
    assert [row.split()[0] for row in rows] == NAMES


def test_tells_input_test_error_and_hash():
    entry = CLASSIFIERS["mnist-lenet"]

    row = next(line for line in answer() if line.startswith("mnist-lenet "))

    assert " 1x28x28 " in row
    assert f"{entry.card['test_error_percent']:.2f} %" in row
    assert row.endswith(entry.card["sha256"][:12])


def test_answers_in_json():
    facts = json.loads(answer("--json")[-1])

    assert [fact["name"] for fact in facts] == NAMES
    assert facts[NAMES.index("mnist-lenet")] == {
        "name": "mnist-lenet",
        "title": "LeNet",
        "summary": CLASSIFIERS["mnist-lenet"].summary,
        "dataset": "mnist",
        "labels": 10,
        "input": [1, 28, 28],
        "test_error_percent": CLASSIFIERS["mnist-lenet"].card["test_error_percent"],
        "weights": "here",
        "weights_sha256": CLASSIFIERS["mnist-lenet"].card["sha256"],
    }


def test_lists_the_others_beside_a_damaged_one(damaged_perceptron, capsys):
    call_command("classifiers")

    said = capsys.readouterr()
    rows = {row.split()[0]: row for row in said.out.splitlines()[1:]}
    assert list(rows) == NAMES
    assert rows["mnist-mlp"].endswith("damaged")
    assert "damaged" not in rows["mnist-lenet"]
    assert len(said.err.splitlines()) == 1
    assert "train it again with manage.py train_classifier mnist-mlp" in said.err


def test_leaves_the_facts_of_a_damaged_one_out_of_its_json(damaged_perceptron):
    facts = {fact["name"]: fact for fact in json.loads(answer("--json")[-1])}

    assert facts["mnist-mlp"]["test_error_percent"] is None
    assert facts["mnist-mlp"]["weights_sha256"] is None
    assert facts["mnist-lenet"]["weights_sha256"] == CLASSIFIERS["mnist-lenet"].card["sha256"]
