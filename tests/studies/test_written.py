"""Catch trials in words: whoever reads them knows the label, and none of them stands out among the others."""

import random
from typing import Any

import numpy as np
import pytest
from django.urls import reverse

from fooling_web.studies import arranging, building, naturals
from fooling_web.studies.choosing import Refused
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.trials import plan_trials
from fooling_web.studies.written import MARGIN, add_written, drawn
from models_zoo.wordnet import IMAGENET_LABELS

pytestmark = pytest.mark.django_db
Role = StudyImage.Role


@pytest.fixture
def study(alice: Any, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study of 20 of ImageNet's classes with as many names to choose from, where no photographs are."""
    monkeypatch.setattr(building, "has_photographs", lambda: False)
    study = building.begin(alice, "P3")
    study.design = {**study.design, "n_options": 20}
    study.save()
    StudyImage.objects.bulk_create(
        StudyImage(
            study=study,
            number=n,
            class_index=37 * n,
            label=IMAGENET_LABELS[37 * n],
            dataset="imagenet",
            sha256=f"{n:064}",
            side=256,
            encoding="cppn",
        )
        for n in range(1, 21)
    )
    return study


def add_catch(study: Study, count: int = 3) -> list[StudyImage]:
    building.add_natural(study, count, Role.CATCH, random.Random(1))
    return list(study.images.filter(role=Role.CATCH))


def test_are_taken_where_a_digit_would_stand_out(study: Study) -> None:
    catch = add_catch(study)

    assert len({one.label for one in catch}) == 3
    assert all(one.is_written and one.is_natural and not one.classifier for one in catch)
    names = set(study.images.filter(role=Role.MAIN).values_list("label", flat=True))
    for trial in plan_trials(study.plan, list(study.images.all()), seed=1, number=1, framing="machine"):
        assert set(trial.options) <= names


@pytest.mark.parametrize("design", [{"n_options": 2}, {"task": "recognisable"}])
def test_leave_digits_where_these_do_not_stand_out(study: Study, design: dict[str, Any]) -> None:
    study.design = {**study.design, **design}
    study.save()

    assert {one.dataset for one in add_catch(study)} == {naturals.MNIST}


def test_come_in_labels_that_were_not_written_yet(study: Study) -> None:
    add_catch(study, 12)
    add_catch(study, 12)

    assert study.images.filter(role=Role.CATCH).count() == 20
    with pytest.raises(Refused, match="no label left"):
        add_written(study, 1, random.Random(1))


def test_are_refused_where_nobody_chooses_a_label(study: Study) -> None:
    study.design = {**study.design, "task": "recognisable"}
    study.save()

    with pytest.raises(Refused, match="people choose one"):
        add_written(study, 1, random.Random(1))


def test_serve_for_nothing_else(study: Study) -> None:
    (catch,) = add_catch(study, 1)

    for role in (Role.MAIN, Role.PRACTICE):
        with pytest.raises(Refused, match="a catch trial of that label, or nothing"):
            arranging.give_role(study, [catch.number], role)
    with pytest.raises(Refused, match="a catch trial of that label, or nothing"):
        arranging.relabel(study, [catch.number], "goldfish")
    catch.refresh_from_db()
    assert catch.role == Role.CATCH


def test_are_chosen_in_the_form_as_catch_trials_alone(study: Study, as_person: Any, alice: Any) -> None:
    browser, fields = as_person(alice), {"kind": "written", "count": 2}
    page = reverse("studies:add_natural", args=[study.pk])

    refused = browser.post(page, {**fields, "role": "main"}).content.decode()
    taken = browser.post(page, {**fields, "role": "catch"}, follow=True)

    assert "are catch trials." in refused
    assert "2 images added" in taken.content.decode()
    assert taken.content.decode().count("says which label to choose") == 2


def test_fit_their_picture_however_long_the_label() -> None:
    for label in sorted(IMAGENET_LABELS, key=len)[-30:]:
        ink = np.array(drawn(label)) < 255
        inside = ink[MARGIN // 2 : -MARGIN // 2, MARGIN // 2 : -MARGIN // 2]
        assert 0 < inside.sum() == ink.sum(), label


def test_differ_by_their_label() -> None:
    assert drawn("oven").tobytes() != drawn("bear").tobytes()
