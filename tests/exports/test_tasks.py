"""The gallery comes in through a worker."""

import json
import logging

import pytest
import redis
from celery.signals import worker_ready

from fooling_web.exports.exporting import export_archive
from fooling_web.exports.tasks import load_newcomers_gallery
from fooling_web.home import valkey_socket
from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


def test_loads_the_gallery_and_says_so_in_the_log(finished_run, tmp_path, monkeypatch, caplog):
    export_archive(finished_run, tmp_path / "run.zip")
    finished_run.delete()
    monkeypatch.setenv("FOOLING_GALLERY", str(tmp_path))

    with caplog.at_level(logging.INFO):
        load_newcomers_gallery()

    assert Run.objects.get().origin is not None
    assert "Imported: LeNet" in caplog.text


@pytest.mark.parametrize("is_wanted", [True, False])
def test_is_asked_for_once_workers_are_up_where_it_is_wanted(settings, is_wanted):
    settings.NEWCOMERS_GALLERY = is_wanted
    with redis.Redis(unix_socket_path=str(valkey_socket()), db=0) as queue:
        queue.flushdb()

        worker_ready.send(sender=None)

        messages = [json.loads(message) for message in queue.lrange("interactive", 0, -1)]
        queue.flushdb()
    assert [message["headers"]["task"] for message in messages] == [load_newcomers_gallery.name] * is_wanted
