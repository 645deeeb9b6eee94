"""An export notes how far it is while others write to the same database."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fooling_web.exports import exporting
from fooling_web.exports.packing import Choices, pack
from fooling_web.runs.models import Run
from tests.factories import executed, launched


@pytest.mark.django_db(transaction=True)
def test_notes_its_progress_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)  # rows: of a small run there are more to come at every step
    monkeypatch.setattr("fooling_web.exports.packing.ROWS", 1)
    monkeypatch.setattr("fooling_web.exports.packing.EVERY", 0.0)
    run, told = executed(launched()), []

    def note(done: int, total: int) -> None:
        somebody = threading.Thread(target=_sign_up, args=(django_user_model, f"visitor {done}"))
        somebody.start()
        somebody.join()
        told.append(Run.objects.filter(pk=run.pk).update(name=f"{done} of {total}"))

    pack(run, tmp_path / "run.zip", Choices(pictures=64), note)

    assert len(told) > run.individuals.count()
    assert set(told) == {1}


def _sign_up(people: Any, name: str) -> None:
    people.objects.get_or_create(username=name)
    connection.close()  # that of the thread
