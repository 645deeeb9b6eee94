"""`manage.py classifiers`."""

import io
import json

from django.core.management import call_command

from models_zoo.registry import CLASSIFIERS


def answer(*arguments):
    out = io.StringIO()
    call_command("classifiers", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_lists_every_classifier_on_a_line():
    heading, *rows = answer()

    assert heading.split()[0] == "name"
    assert [row.split()[0] for row in rows] == list(CLASSIFIERS)


def test_tells_input_test_error_and_hash():
    entry = CLASSIFIERS["mnist-lenet"]

    row = next(line for line in answer() if line.startswith("mnist-lenet "))

    assert " 1x28x28 " in row
    assert f"{entry.card['test_error_percent']:.2f} %" in row
    assert row.endswith(entry.card["sha256"][:12])


def test_answers_in_json():
    facts = json.loads(answer("--json")[-1])

    assert [fact["name"] for fact in facts] == list(CLASSIFIERS)
    assert facts[1] == {
        "name": "mnist-lenet",
        "title": "LeNet",
        "summary": CLASSIFIERS["mnist-lenet"].summary,
        "labels": 10,
        "input": [1, 28, 28],
        "test_error_percent": CLASSIFIERS["mnist-lenet"].card["test_error_percent"],
        "weights_sha256": CLASSIFIERS["mnist-lenet"].card["sha256"],
    }
