"""The page on which administrators remove a classifier."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from fooling_web.runs.models import Run
from models_zoo import registry
from models_zoo.errors import UnknownClassifier, WeightsMissing
from models_zoo.importing import prepare
from tests.factories import executed, launched
from tests.models_zoo.own import DIGITS_FILE, digits

pytestmark = pytest.mark.django_db
PAGE = "/classifiers/my-digits/"
REMOVE = f"{PAGE}remove/"


@pytest.fixture
def administrators(as_person: Callable[[Any], Client], administrator: Any) -> Client:
    return as_person(administrator)


@pytest.fixture(autouse=True)
def mine() -> None:
    prepare(digits(title="My digits"), DIGITS_FILE).store()


def test_asks_first(administrators: Client) -> None:
    assert f'href="{REMOVE}"' in administrators.get(PAGE).content.decode()

    text = administrators.get(REMOVE).content.decode()

    assert "Remove My digits?" in text
    assert "No run names it" in text
    registry.find("my-digits").require_weights()


def test_leaves_nothing_of_a_classifier_that_no_run_names(administrators: Client) -> None:
    assert administrators.post(REMOVE)["Location"] == "/classifiers/"

    with pytest.raises(UnknownClassifier):
        registry.find("my-digits")


def test_leaves_runs_as_they_are(administrators: Client, alice: Any) -> None:
    run = executed(launched("my-digits", owner=alice))
    assert "1 run against it stays as it is" in administrators.get(REMOVE).content.decode()

    administrators.post(REMOVE)

    with pytest.raises(WeightsMissing):
        registry.find("my-digits").require_weights()
    text = administrators.get(run.get_absolute_url()).content.decode()
    assert "My digits" in text
    assert administrators.get(PAGE).status_code == 200
    assert administrators.get(REMOVE).status_code == 404


@pytest.mark.parametrize(
    "status", [Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.PENDING, Run.Status.PAUSED]
)
def test_is_refused_while_a_run_wants_it(administrators: Client, alice: Any, status: Run.Status) -> None:
    run = launched("my-digits", owner=alice)
    Run.objects.update(status=status)

    answer = administrators.post(REMOVE)

    assert answer.status_code == 409
    text = answer.content.decode()
    assert f"The run {run.name} ({status.label.lower()}) still wants" in text
    assert "cancel it or let it finish first" in text
    registry.find("my-digits").require_weights()


@pytest.mark.parametrize("name", ["mnist-lenet", "alexnet", "nothing"])
def test_touches_nothing_that_came_with_the_project_or_is_not_here(administrators: Client, name: str) -> None:
    assert administrators.post(f"/classifiers/{name}/remove/").status_code == 404


def test_is_for_administrators_alone(client: Client, as_person: Callable[[Any], Client], bob: Any) -> None:
    bobs = as_person(bob)

    assert REMOVE not in bobs.get(PAGE).content.decode()
    assert (bobs.get(REMOVE).status_code, bobs.post(REMOVE).status_code) == (403, 403)
    assert client.post(REMOVE)["Location"].startswith("/accounts/login/")
    registry.find("my-digits").require_weights()
