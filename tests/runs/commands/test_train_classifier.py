"""`manage.py train_classifier`."""

import dataclasses
import io
import json

import pytest
from django.core.management import CommandError, call_command

from models_zoo.cards import WEIGHTS
from models_zoo.classifier import load_classifier
from models_zoo.registry import find


def answer(*arguments):
    out = io.StringIO()
    call_command("train_classifier", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def test_trains_on_the_sample_and_writes_weights_that_load(tmp_path):
    card = json.loads(
        answer("mnist-mlp", "--data", "sample", "--epochs", 2, "--seed", 5, "--output", tmp_path, "--json")[
            -1
        ]
    )

    classifier = load_classifier(dataclasses.replace(find("mnist-mlp"), folder=tmp_path), "cpu")
    assert classifier.weights_sha256 == card["sha256"]
    assert card["settings"]["seed"] == 5
    assert card["settings"]["epochs"] == 2
    assert card["training_images"] == 4000
    assert card["test_error_percent"] < 20
    assert card["seconds"] > 0


def test_says_in_a_line_how_it_went(tmp_path):
    (line,) = answer("mnist-mlp", "--data", "sample", "--epochs", 1, "--output", tmp_path)

    assert line.startswith("mnist-mlp: ")
    assert "of 1000 test images wrong" in line


def test_refuses_an_unknown_classifier():
    with pytest.raises(CommandError, match="unknown classifier 'mnist'; choose one of"):
        answer("mnist")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--epochs", 0), "--epochs 0 is too few"),
        (("--seed", -1), "seed '-1' must be a whole number"),
        (("--seed", 2**63), "is out of range"),
        (("--seed", "seven"), "seed 'seven' must be a whole number"),
        (("--epochs", "9" * 5000), "must be a whole number"),
        (("--data", "some"), "data 'some' is unknown; choose one of full, sample"),
    ],
)
def test_refuses_bad_numbers(tmp_path, arguments, complaint):
    with pytest.raises(CommandError, match=complaint) as refusal:
        answer("mnist-mlp", "--output", tmp_path, *arguments)

    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_replace_the_zoos_weights_by_a_trial():
    before = (WEIGHTS / "mnist-mlp.safetensors").read_bytes()

    with pytest.raises(CommandError, match="name another folder by --output"):
        answer("mnist-mlp", "--data", "sample", "--epochs", 1)

    assert (WEIGHTS / "mnist-mlp.safetensors").read_bytes() == before


def test_refuses_an_output_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(CommandError, match=r"cannot write to .*file .*; name another folder"):
        answer("mnist-mlp", "--data", "sample", "--output", path)


def test_says_what_to_do_where_the_data_set_is_damaged(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (tmp_path / "mnist" / name).write_bytes(b"damaged")
    monkeypatch.setenv("FOOLING_DATA_DIR", str(tmp_path))

    with pytest.raises(CommandError, match="is damaged; delete it"):
        answer("mnist-mlp", "--output", tmp_path / "out")
