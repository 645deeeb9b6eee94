"""A study's files: complete, explained, without anybody's name, and only for those who may."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from PIL import Image

from fooling_web.studies import codebook
from fooling_web.studies.design import Design, Exclusions, Task
from fooling_web.studies.filing import harmless, write_study
from fooling_web.studies.freezing import freeze
from fooling_web.studies.keeping import delete_expired, ends_at
from fooling_web.studies.models import (
    OutsideIdentity,
    Participant,
    Response,
    SessionEvent,
    Study,
    StudyImage,
    Trial,
)
from fooling_web.studies.pictures import keep
from fooling_web.users.models import AuditLine

pytestmark = pytest.mark.django_db
RULES = Exclusions(catch_below=None, median_below_ms=None, one_key_over=None)
LABELS = ("starfish", "=HYPERLINK(1)", "school bus")


@pytest.fixture
def study(alice: Any) -> Study:
    study = Study.objects.create(
        owner=alice, title="What is it?", design=Design(exclusions=RULES).to_json(), code="ABCD2345"
    )
    for number, label in enumerate(LABELS, 1):
        kept = keep(Image.new("L", (28, 28), number * 40))
        StudyImage.objects.create(
            study=study,
            number=number,
            picture=kept.name,
            sha256=kept.sha256,
            side=kept.side,
            class_index=number,
            label=label,
            confidence=0.9,
            dataset="imagenet",
            encoding="cppn",
        )
    return study


def took_part(
    study: Study, phase: str = "main", answers: tuple[int, ...] = (0, 1, 0), **values: Any
) -> Participant:
    """Store a participant who saw every image once and answered some, the right option first each time."""
    person = Participant.objects.create(
        study=study,
        number=study.participants.count() + 1,
        phase=phase,
        framing="machine",
        seed=1,
        token_hash="x" * 64,
        consented_at=timezone.now(),
        n_trials=len(LABELS),
        n_answered=len(answers),
        completed_at=timezone.now() if len(answers) == len(LABELS) else None,
        **{"entry": "link", **values},
    )
    for place, image in enumerate(study.images.all()):
        trial = Trial.objects.create(
            participant=person,
            number=place,
            role="main",
            image=image,
            condition="cppn",
            options=[image.label, "foil"],
            key=0,
        )
        if place < len(answers):
            Response.objects.create(
                trial=trial,
                answer=answers[place],
                is_right=answers[place] == 0,
                rt_ms=812.5,
                by="key",
                name="-1+1",
            )
    return person


def unpacked(study: Study) -> dict[str, str]:
    target = io.BytesIO()
    write_study(study, target)
    with zipfile.ZipFile(target) as bundle:
        return {name: bundle.read(name).decode("latin-1") for name in bundle.namelist()}


def table(files: dict[str, str], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name])))


def test_have_a_line_for_every_trial(study: Study) -> None:
    took_part(study)
    took_part(study, answers=(1,))

    rows = table(unpacked(study), "main/trials.csv")

    assert [(row["subj"], row["trial"], row["answered"]) for row in rows] == [
        *(("1", "1", "1"), ("1", "2", "1"), ("1", "3", "1")),
        *(("2", "1", "1"), ("2", "2", "0"), ("2", "3", "0")),
    ]
    assert [row["chosen"] for row in rows] == ["starfish", "foil", "school bus", "foil", "", ""]
    assert [row["is_right"] for row in rows] == ["1", "0", "1", "0", "", ""]
    assert {row["excluded_because"] for row in rows[3:]} == {"incomplete"}


def test_explain_every_column(study: Study) -> None:
    took_part(study)
    files = unpacked(study)

    for name, columns in codebook.TABLES.items():
        for path in [path for path in files if path.endswith(name)]:
            assert next(csv.reader(io.StringIO(files[path]))) == list(columns)
        for column in columns:
            assert f"\n{column}: " in files["codebook.txt"]


def test_keep_the_phases_apart(study: Study) -> None:
    took_part(study, phase="pilot", entry="simulated")
    took_part(study, phase="preview")
    took_part(study)
    files = unpacked(study)

    assert {row["subj"] for row in table(files, "pilot/trials.csv")} == {"1"}
    assert {row["subj"] for row in table(files, "main/trials.csv")} == {"3"}


def test_speak_the_language_of_model_vs_human(study: Study) -> None:
    took_part(study)
    took_part(study, answers=(1,))  # left out, since incomplete
    late = took_part(study)
    Response.objects.filter(trial__participant=late, trial__number=0).update(answer=None, rt_ms=None)

    rows = table(unpacked(study), "main/model-vs-human.csv")

    assert list(rows[0]) == [
        "subj",
        "session",
        "trial",
        "rt",
        "object_response",
        "category",
        "condition",
        "imagename",
    ]
    assert list(rows[0].values()) == ["1", "1", "1", "0.8125", "starfish", "starfish", "cppn", "0001.png"]
    assert {row["subj"] for row in rows} == {"1", "3"}
    assert (rows[3]["rt"], rows[3]["object_response"]) == ("na", "na")


def test_name_the_label_of_a_picked_image(study: Study) -> None:
    study.design = Design(task=Task.PICK_IMAGE, n_options=3, exclusions=RULES).to_json()
    study.save()
    person = took_part(study, answers=(1, 1, 1))
    Trial.objects.filter(participant=person).update(options=[3, 1, 2], key=1)

    rows = table(unpacked(study), "main/model-vs-human.csv")

    assert {(row["object_response"], row["category"]) for row in rows} == {("starfish", "starfish")}


def test_hold_pictures_and_true_sums(study: Study, tmp_path: Path) -> None:
    took_part(study)
    with (tmp_path / "study.zip").open("wb") as target:
        write_study(study, target)
    subprocess.run(["unzip", "-q", "study.zip"], cwd=tmp_path, check=True)

    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    listed = {line.split("  ")[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert listed == there - {"study.zip", "SHA256SUMS"}
    for row in csv.DictReader((tmp_path / "images.csv").open()):
        picture = (tmp_path / "images" / row["file"]).read_bytes()
        assert hashlib.sha256(picture).hexdigest() == row["sha256"]
    assert json.loads((tmp_path / "design.json").read_text())["design"]["task"] == Task.CHOOSE_LABEL


def test_carry_nobodys_name(study: Study, alice: Any) -> None:
    person = took_part(study, entry="prolific", user=alice, nickname="Allie")
    OutsideIdentity.objects.create(
        participant=person, study=study, service="prolific", person="5f0c1e9d7b3a42", visit="77ab90c2d14e66"
    )

    everything = "".join(unpacked(study).values())

    for secret in ("5f0c1e9d7b3a42", "77ab90c2d14e66", "alice", "Allie", str(person.pk), person.token_hash):
        assert secret not in everything


def test_hold_what_happened_and_what_was_refused(study: Study) -> None:
    SessionEvent.objects.create(participant=took_part(study), kind="blur", trial_number=1)
    study.refusals.create(reason="closed", times=3)
    files = unpacked(study)

    assert [(row["kind"], row["trial"]) for row in table(files, "main/events.csv")] == [("blur", "2")]
    assert [(row["reason"], row["times"]) for row in table(files, "refusals.csv")] == [("closed", "3")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_hold_no_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("a-1") == "a-1"


def test_are_for_those_who_manage_the_study(
    study: Study, alice: Any, charlie: Any, administrator: Any, as_person: Any
) -> None:
    for address in ("files/", "files/study.zip"):
        for person, status in ((alice, 200), (administrator, 200), (charlie, 404)):
            assert as_person(person).get(f"/studies/{study.pk}/{address}").status_code == status
        assert Client().get(f"/studies/{study.pk}/{address}").status_code == 302
    assert as_person(alice).get(f"/studies/{uuid4()}/files/").status_code == 404


def test_tell_who_participants_are_to_the_owner_alone(
    study: Study, alice: Any, administrator: Any, charlie: Any, as_person: Any
) -> None:
    person = took_part(study, entry="prolific")
    OutsideIdentity.objects.create(
        participant=person, study=study, service="prolific", person="=5f0c", task="st", visit="77ab"
    )
    address = f"/studies/{study.pk}/files/outside.csv"

    answer = as_person(alice).get(address)

    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content.decode().splitlines()[1].startswith("1,prolific,'=5f0c,st,77ab,")
    assert {as_person(other).get(address).status_code for other in (administrator, charlie)} == {404}
    assert AuditLine.objects.filter(deed="export outside identities", by=alice).count() == 1


def test_leave_an_audit_line(study: Study, alice: Any, as_person: Any) -> None:
    answer = as_person(alice).get(f"/studies/{study.pk}/files/study.zip?phase=main")

    content = b"".join(answer.streaming_content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert answer["Content-Disposition"] == 'attachment; filename="what-is-it-main.zip"'
    assert AuditLine.objects.get(deed="export study").size == len(content)


@pytest.mark.parametrize("number", [1, 5])
def test_cost_the_same_queries_however_many_took_part(
    study: Study, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        took_part(study)
    with django_assert_num_queries(16):
        write_study(study, io.BytesIO())


def test_are_written_by_a_command(study: Study, tmp_path: Path) -> None:
    took_part(study)
    out = io.StringIO()
    call_command("export_study", "abcd2345", "--output", str(tmp_path / "s.zip"), "--json", stdout=out)

    report = json.loads(out.getvalue())

    assert report["rows"]["main/trials.csv"] == 3
    assert zipfile.ZipFile(tmp_path / "s.zip").testzip() is None


@pytest.mark.parametrize("told", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_are_refused_in_one_line(told: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"no study is {told}") as caught:
        call_command("export_study", told, "--output", str(tmp_path / "s.zip"))
    assert "\n" not in str(caught.value)


def test_leave_nothing_behind_where_they_cannot_be_written(study: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_study", str(study.pk), "--output", str(tmp_path / "no" / "s.zip"))
    assert not list(tmp_path.iterdir())


def test_go_when_their_time_is_over(study: Study, alice: Any) -> None:
    person = took_part(study)
    OutsideIdentity.objects.create(participant=person, study=study, service="prolific", person="5f0c")
    closed = timezone.now() - timedelta(days=30)
    Study.objects.filter(pk=study.pk).update(status="closed", closed_at=closed, retention_days=31)
    study.refresh_from_db()
    assert ends_at(study) == closed + timedelta(days=31)

    assert delete_expired() == 0
    Study.objects.filter(pk=study.pk).update(retention_days=30)
    assert delete_expired() == 1

    for rows in (study.participants, Response.objects, OutsideIdentity.objects):
        assert not rows.exists()
    assert study.images.count() == len(LABELS)
    assert "1 participants deleted" in AuditLine.objects.get(deed="delete study data").outcome


def test_go_at_the_owners_word_once_the_study_is_closed(study: Study, alice: Any, as_person: Any) -> None:
    took_part(study)
    page, address = as_person(alice), f"/studies/{study.pk}/files/delete/"
    Study.objects.filter(pk=study.pk).update(status="open")
    page.post(address, {"title": study.title})
    Study.objects.filter(pk=study.pk).update(status="closed")
    page.post(address, {"title": "something else"})
    assert study.participants.count() == 1

    page.post(address, {"title": study.title})

    assert study.participants.count() == 0


def test_hold_the_very_text_that_was_hashed(study: Study) -> None:
    assert "frozen.txt" not in unpacked(study)
    StudyImage.objects.filter(study=study).update(role=StudyImage.Role.MAIN)
    study.design = Design(catch_share=0, repeat_share=0, n_practice=0, consent="I agree.").to_json()
    study.save()
    freeze(study)

    files = unpacked(study)

    text = files["frozen.txt"].encode("latin-1")
    design, images = text.decode().splitlines()
    assert hashlib.sha256(text).hexdigest() == study.design_sha256
    assert json.loads(design) == json.loads(files["design.json"])["design"]
    assert [row[4] for row in json.loads(images)] == [row["sha256"] for row in table(files, "images.csv")]
