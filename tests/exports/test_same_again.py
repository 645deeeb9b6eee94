"""The same run in a second time: who has it is led to it, and nobody learns of a run that they may not see."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from fooling_web.exports import aside
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.exports.models import ImportJob
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.exports.working import work_off
from fooling_web.runs.models import Run
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db

HIDDEN = [Run.Visibility.PRIVATE, Run.Visibility.UNLISTED]


@pytest.fixture
def file(finished_run: Run, tmp_path: Path) -> Path:
    """The archive file of a run that is gone by now."""
    pack(finished_run, tmp_path / "run.zip", Choices(plain=True))
    finished_run.delete()
    return tmp_path / "run.zip"


def send(client: Client, file: Path, **wishes: str) -> tuple[ImportJob, str]:
    """Send a file, let it be taken in, and return the job and its page."""
    sent = {"visibility": "private", **wishes, "file": SimpleUploadedFile(file.name, file.read_bytes())}
    answer = client.post(reverse("exports:import"), sent)
    assert answer.status_code == 302, answer.content.decode()
    work_off(aside.IN)
    job = ImportJob.objects.get(pk=answer.url.split("/")[-2])
    assert (job.status, job.error) == ("finished", "")
    return job, client.get(answer.url).content.decode()


@pytest.mark.parametrize("visibility", Run.Visibility.values)
def test_leads_whoever_sent_it_to_their_own(file: Path, bob: Any, as_person: Any, visibility: str) -> None:
    run = import_archive(file, owner=bob, visibility=visibility)

    _, page = send(as_person(bob), file)

    assert "here already" in page
    assert run.get_absolute_url() in page
    assert "Send the file once more" not in page
    assert Run.objects.count() == 1


@pytest.mark.parametrize("visibility", HIDDEN)
def test_tells_nobody_of_a_hidden_run_and_stores_a_copy(
    file: Path, alice: Any, bob: Any, as_person: Any, visibility: str
) -> None:
    hidden = import_archive(file, owner=alice, visibility=visibility)

    job, page = send(as_person(bob), file)

    assert "It is here" in page
    assert str(hidden.pk) not in page
    assert "alice" not in page
    assert [run.owner for run in job.runs.all()] == [bob]


def test_leads_to_a_public_run_of_somebody_else_and_offers_a_copy(
    file: Path, alice: Any, bob: Any, as_person: Any
) -> None:
    public, client = import_archive(file, owner=alice), as_person(bob)

    _, page = send(client, file)
    assert public.get_absolute_url() in page
    assert "It is not yours, but alice’s" in page
    assert not Run.objects.owned_by(bob).exists()
    again = f"{reverse('exports:import')}?anyway=1"
    assert again in page
    assert " checked" in client.get(again).content.decode().split('name="anyway"')[1].split(">")[0]

    job, page = send(client, file, anyway="on")
    assert "It is here" in page
    assert [run.owner for run in job.runs.all()] == [bob]


def test_leads_to_ones_own_run_rather_than_to_another(file: Path, alice: Any, bob: Any) -> None:
    own = import_archive(file, owner=bob)
    import_archive(file, owner=alice, anyway=True)

    for anyway in (False, True):
        with pytest.raises(AlreadyImported) as told:
            import_archive(file, owner=bob, anyway=anyway)
        assert told.value.run == own


def test_tells_of_no_run_any_more_that_was_made_private(
    file: Path, alice: Any, bob: Any, as_person: Any
) -> None:
    public, client = import_archive(file, owner=alice), as_person(bob)
    job, _ = send(client, file)
    Run.objects.filter(pk=public.pk).update(visibility=Run.Visibility.PRIVATE)

    page = client.get(job.get_absolute_url()).content.decode()

    assert str(public.pk) not in page
    assert "alice" not in page
    assert "made private" in page


def test_does_so_for_each_run_of_a_zip(alice: Any, bob: Any, as_person: Any, tmp_path: Path) -> None:
    runs = [executed(launched(owner=alice, seed=seed, generations=2)) for seed in (1, 2)]
    pack_many(runs, tmp_path / "runs.zip", Choices(plain=True))
    pack(runs[0], tmp_path / "one.zip", Choices(plain=True))
    pack(runs[1], tmp_path / "other.zip", Choices(plain=True))
    Run.objects.all().delete()
    public = import_archive(tmp_path / "one.zip", owner=alice)
    hidden = import_archive(tmp_path / "other.zip", owner=alice, visibility="private")

    job, page = send(as_person(bob), tmp_path / "runs.zip")

    assert public in job.runs.all()
    assert hidden not in job.runs.all()
    assert Run.objects.owned_by(bob).count() == 1
    assert "Of these 1 is not yours, but alice’s" in page


def test_is_told_by_the_command_with_a_way_to_a_copy(file: Path, alice: Any, bob: Any) -> None:
    own = import_archive(file, owner=alice)

    def come_in(*words: str) -> str:
        out = io.StringIO()
        call_command("import_archive", str(file), *words, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match=f"{own.get_absolute_url()}$"):
        come_in("--owner", "alice")
    with pytest.raises(CommandError, match=rf"{own.get_absolute_url()}; --anyway takes in another copy"):
        come_in("--owner", "bob")
    assert come_in("--owner", "bob", "--anyway").startswith("Imported")
    Run.objects.all().delete()
    import_archive(file, owner=alice, visibility="private")
    assert come_in("--owner", "bob").startswith("Imported")
    assert [run.owner for run in Run.objects.order_by("created_at")] == [alice, bob]
