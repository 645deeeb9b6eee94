"""`manage.py download_classifier`; the fetching itself is tested in tests/models_zoo/test_downloading.py."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from models_zoo import registry
from tests.models_zoo.test_downloading import NAME, content, offered, serve  # noqa: F401 (fixtures)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))


def answer(*arguments):
    out = io.StringIO()
    call_command("download_classifier", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_fetches_a_classifier(content, serve, monkeypatch):  # noqa: F811
    address = serve({offered(content, monkeypatch): content})

    facts = json.loads(answer(NAME, "--mirror", address, "--json")[-1])

    assert facts == {
        "name": NAME,
        "parameters": 1_235_496,
        "sha256": registry.find(NAME).card["sha256"],
    }
    assert answer(NAME, "--mirror", address)[-1].endswith("ready for runs")


def test_says_in_a_line_that_there_is_no_internet():
    with pytest.raises(CommandError) as refusal:
        answer("alexnet", "--mirror", "http://127.0.0.1:9/")

    line = str(refusal.value)
    assert line.startswith("alexnet-owt-7be5be79.pth could not be fetched (")
    assert "put it into" in line
    assert "\n" not in line


def test_refuses_an_unknown_name():
    with pytest.raises(CommandError, match="offers no 'lenet' here; choose one of: alexnet, "):
        answer("lenet")
