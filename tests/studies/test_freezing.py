"""Freezing: what stands in a study's way, the hash, and that nothing changes afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import Run
from fooling_web.studies import arranging, building
from fooling_web.studies.freezing import NotReady, complaints_about, freeze, hash_of
from fooling_web.studies.models import Frozen, Participant, Study
from tests.studies.asked import asked
from tests.studies.built import drafted, hung

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]


@pytest.fixture
def shown(alice: Any) -> Run:
    return hung(alice)


@pytest.fixture
def study(shown: Run, alice: Any) -> Study:
    return drafted(alice)


@pytest.fixture
def frozen(study: Study) -> Study:
    freeze(study)
    return study


def told(study: Study) -> str:
    return " ".join(str(complaint) for complaint in complaints_about(study))


class TestComplaining:
    def test_misses_the_words_that_people_agree_to(self, alice: Any) -> None:
        (complaint,) = complaints_about(asked(alice, is_open=False, consent=" "))
        assert "agree" in complaint.text

    def test_asks_what_the_machine_said_about_what_it_said(self, alice: Any) -> None:
        study = asked(alice, is_open=False)
        first = study.images.get(number=1)
        study.images.filter(number=1).update(machine_index=first.class_index + 1)

        (complaint,) = complaints_about(study)
        assert "says something else first about 1 image (no. 1)" in complaint.text
        study.design = {**study.design, "framing": "you"}
        assert complaints_about(study) == []

    def test_has_nothing_to_say_of_a_whole_study(self, study: Study) -> None:
        assert complaints_about(study) == []

    def test_misses_images(self, alice: Any) -> None:
        assert "no images" in told(building.begin(alice, "P1"))

    def test_misses_a_second_label(self, study: Study) -> None:
        study.images.filter(role="main").update(label="7", class_index=7)

        assert "one label, “7”" in told(study)

    @pytest.mark.parametrize(
        ("design", "reason"),
        [
            ({"n_options": 8}, "offers 8 labels, and the images have 6"),
            ({"task": "pick-image", "n_options": 8}, "there are 6 to choose from"),
            ({"foil": "branch"}, "no WordNet group"),
            ({"comparison": "encoding"}, "has these alone: cppn"),
            ({"comparison": "natural"}, "has these alone: evolved"),
            ({"images_per_participant": 9}, "9 images, and there are 6"),
            ({"foil": "second", "n_options": 4}, "give 2 options"),
        ],
    )
    def test_names_what_is_impossible(self, shown: Run, alice: Any, design: Any, reason: str) -> None:
        study = drafted(alice, **design)

        assert reason in told(study)
        with pytest.raises(NotReady):
            freeze(study)
        assert not Study.objects.get(pk=study.pk).is_frozen

    def test_names_images_without_a_second_choice(self, shown: Run, alice: Any) -> None:
        study = drafted(alice, foil="second")
        study.images.filter(number=1).update(second_label="")

        assert "1 image (no. 1)" in told(study)

    @pytest.mark.parametrize(
        ("role", "reason"), [("catch", "Catch trials as 5%"), ("practice", "Practice trials take 3 images")]
    )
    def test_misses_what_the_design_wants(self, study: Study, role: str, reason: str) -> None:
        study.images.filter(role=role).delete()

        assert reason in told(study)

    def test_waits_for_the_classifier(self, study: Study) -> None:
        study.images.filter(role="catch").update(classifier="mnist-lenet")
        assert "has not answered yet about 2 images" in told(study)

        arranging.do_without_answers(study)
        assert told(study) == ""


class TestFreezing:
    def test_keeps_hash_and_date(self, frozen: Study) -> None:
        assert frozen.frozen_at is not None
        assert frozen.design_sha256 == hash_of(frozen)
        assert len(frozen.design_sha256) == 64

    def test_hashes_every_image_and_label(self, study: Study) -> None:
        before = hash_of(study)
        study.images.filter(number=2).update(label="another")
        relabelled = hash_of(study)
        study.design = {**study.design, "raters_per_image": 31}

        assert len({before, relabelled, hash_of(study)}) == 3

    def test_happens_once(self, frozen: Study) -> None:
        when = frozen.frozen_at

        with pytest.raises(Frozen, match="Copy it"):
            freeze(frozen)
        assert Study.objects.get(pk=frozen.pk).frozen_at == when

    def test_lets_no_row_be_changed(self, frozen: Study) -> None:
        image = frozen.images.all()[0]
        image.label = "another"
        with pytest.raises(Frozen):
            image.save()
        with pytest.raises(Frozen):
            image.delete()
        frozen.design = {**frozen.design, "n_options": 3}
        with pytest.raises(Frozen):
            frozen.save()

    def test_lets_title_and_status_be_changed(self, frozen: Study) -> None:
        frozen.title = "Another title"
        frozen.save()

        assert building.open_up(frozen)
        assert building.close(frozen)
        assert hash_of(frozen) == frozen.design_sha256

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("design", {"title": "Another"}),
            ("add_evolved", {"count": 1, "source": "gallery"}),
            ("add_natural", {"kind": "digits", "role": "catch", "count": 1}),
            ("change_images", {"image": "1", "deed": "remove"}),
            ("change_images", {"image": "7", "deed": "label", "label": "3"}),
            ("fulfil", {}),
            ("ask", {"deed": "without"}),
            ("freeze", {}),
        ],
    )
    def test_refuses_every_form(
        self, as_person: As, alice: Any, frozen: Study, name: str, fields: Any
    ) -> None:
        before = frozen.design_sha256
        as_person(alice).post(reverse(f"studies:{name}", args=[frozen.pk]), fields)

        frozen.refresh_from_db()
        assert (hash_of(frozen), frozen.design_sha256) == (before, before)

    def test_copies_into_a_draft(self, frozen: Study, bob: Any) -> None:
        twin = building.copy(frozen, bob)

        assert not twin.is_frozen
        assert twin.images.count() == frozen.images.count()
        assert twin.code != frozen.code
        freeze(twin)
        assert twin.design_sha256 == frozen.design_sha256

    def test_separates_the_phases(self, study: Study) -> None:
        assert study.phase == Participant.Phase.PILOT
        freeze(study)
        assert study.phase == Participant.Phase.MAIN
