"""Building a study: its pages, and who may see and change them."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.http import urlencode

from evolution.presets import PRESETS as PRESETS_OF_RUNS
from fooling_web.runs.models import Run
from fooling_web.studies import building
from fooling_web.studies.forms import initial_of
from fooling_web.studies.freezing import freeze
from fooling_web.studies.models import Participant, Study
from fooling_web.studies.presets import PRESETS
from fooling_web.studies.steps import way_of
from tests.studies.built import drafted, hung, sent

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]
LIST = reverse("studies:list")
PAGES = ("study", "design", "images", "waiting", "freeze", "invite", "qr", "delete")
DEEDS = ("fulfil", "add_evolved", "add_natural", "change_images", "undo", "ask", "open", "close", "copy")


@pytest.fixture
def shown(alice: Any) -> Run:
    return hung(alice)


@pytest.fixture
def study(shown: Run, alice: Any) -> Study:
    return drafted(alice, "P1")


def page(name: str, study: Study) -> str:
    return reverse(f"studies:{name}", args=[study.pk])


def filled(study: Study, **changes: Any) -> dict[str, Any]:
    """Return the design form as a browser sends it."""
    values = {**initial_of(study), **changes}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def took_part(study: Study, phase: str = "pilot") -> Participant:
    return Participant.objects.create(
        study=study,
        number=study.participants.count() + 1,
        phase=phase,
        entry="link",
        framing="machine",
        seed=1,
        consented_at=timezone.now(),
    )


class TestList:
    def test_says_what_is_missing_while_it_is_empty(self, client: Client, as_person: As, alice: Any) -> None:
        assert b"No study looks for participants" in client.get(LIST).content
        assert b"You have no study yet" in as_person(alice).get(LIST).content

    def test_offers_every_preset(self, as_person: As, alice: Any) -> None:
        text = as_person(alice).get(LIST).content.decode()

        for preset in PRESETS.values():
            assert preset.title in text

    def test_lists_open_studies_that_want_to_be_found(self, client: Client, study: Study) -> None:
        Study.objects.filter(pk=study.pk).update(status="open", title="Come in")
        assert b"Come in" not in client.get(LIST).content
        Study.objects.filter(pk=study.pk).update(is_listed=True)
        assert b"Come in" in client.get(LIST).content


class TestBeginning:
    @pytest.mark.parametrize("preset", ["", *PRESETS])
    def test_begins_a_draft_that_shows_what_comes_next(self, as_person: As, alice: Any, preset: str) -> None:
        browser = as_person(alice)

        answer = browser.post(reverse("studies:new"), {"preset": preset})

        study = Study.objects.get()
        assert answer["Location"] == study.get_absolute_url()
        text = browser.get(study.get_absolute_url()).content.decode()
        assert "This study has no images yet." in text
        for name in ("design", "images", "freeze", "invite"):
            assert browser.get(page(name, study)).status_code == 200

    def test_knows_no_other_preset(self, as_person: As, alice: Any) -> None:
        assert as_person(alice).post(reverse("studies:new"), {"preset": "P99"}).status_code == 404
        assert not Study.objects.exists()


class TestAccess:
    @pytest.mark.parametrize("name", PAGES)
    def test_shows_pages_to_their_owner_alone(
        self, client: Client, as_person: As, alice: Any, charlie: Any, study: Study, name: str
    ) -> None:
        assert as_person(alice).get(page(name, study)).status_code == 200
        assert as_person(charlie).get(page(name, study)).status_code == 404
        assert client.get(page(name, study)).status_code == 302

    @pytest.mark.parametrize("name", DEEDS)
    def test_lets_nobody_else_change_anything(
        self, client: Client, as_person: As, charlie: Any, study: Study, name: str
    ) -> None:
        before = list(Study.objects.values()), list(study.images.values())

        assert as_person(charlie).post(page(name, study)).status_code == 404
        assert client.post(page(name, study)).status_code == 302
        assert as_person(charlie).get(page(name, study)).status_code == 405
        assert (list(Study.objects.values()), list(study.images.values())) == before

    def test_lets_an_administrator_in(self, as_person: As, administrator: Any, study: Study) -> None:
        assert as_person(administrator).get(page("study", study)).status_code == 200

    def test_shows_a_picture_to_whoever_knows_its_hash(self, client: Client, study: Study) -> None:
        image = study.images.all()[0]

        answer = client.get(reverse("studies:picture", args=[image.sha256]))
        assert answer.content.startswith(b"\x89PNG")
        assert "immutable" in answer["Cache-Control"]
        assert client.get(reverse("studies:picture", args=["0" * 64])).status_code == 404


class TestDesign:
    def test_keeps_what_was_filled_in(self, as_person: As, alice: Any, study: Study) -> None:
        fields = filled(study, title="Seen?", catch_share=10, exposure_ms=200, mask_ms=100, catch_below=75)

        answer = as_person(alice).post(page("design", study), fields)

        assert answer.status_code == 302
        study.refresh_from_db()
        assert study.title == "Seen?"
        assert study.plan.catch_share == pytest.approx(0.1)
        assert study.plan.exclusions.catch_below == pytest.approx(0.75)
        assert (study.plan.timing.exposure_ms, study.plan.preset) == (200, "P1")

    @pytest.mark.parametrize("preset", PRESETS)
    def test_saves_every_preset_as_it_is(self, as_person: As, alice: Any, preset: str) -> None:
        study = building.begin(alice, preset)
        before = study.plan

        answer = as_person(alice).post(page("design", study), filled(study))
        assert answer.status_code == 302, answer.context["form"].errors
        study.refresh_from_db()
        assert study.plan == before

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("n_options", 1, "greater than or equal to 2"),
            ("n_options", "four", "whole number"),
            ("mask_ms", 200, "give the exposure a time"),
            ("comparison", "framing", "choose both, or neither"),
            ("catch_share", 80, "less than or equal to 50"),
            ("task", "guess", "guess"),
            ("consent", "x" * 10_001, "10000"),
            ("title", "", "Give it a title"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, as_person: As, alice: Any, study: Study, field: str, value: Any, said: str
    ) -> None:
        before = study.design

        answer = as_person(alice).post(page("design", study), {**filled(study), field: value})

        assert answer.status_code == 422
        place = {"mask_ms": "exposure_ms"}.get(field, field)
        assert said in " ".join(answer.context["form"].errors[place])
        assert Study.objects.get(pk=study.pk).design == before

    def test_forgets_the_pilot_of_another_design_alone(self, as_person: As, alice: Any, study: Study) -> None:
        took_part(study)

        as_person(alice).post(page("design", study), filled(study, raters_per_image=50, consent="Please."))
        assert study.participants.count() == 1
        as_person(alice).post(page("design", study), filled(study, n_options=4))
        assert study.participants.count() == 0


class TestImages:
    def test_adds_what_the_preset_wants_as_far_as_it_is_there(
        self, as_person: As, alice: Any, shown: Run
    ) -> None:
        study = building.begin(alice, "P10")

        answer = as_person(alice).post(page("fulfil", study), follow=True)

        assert study.images.filter(role="main").count() == 10
        assert "10 images added" in answer.content.decode()
        assert way_of(study).following.name != "images"  # type: ignore[union-attr]

    @pytest.mark.parametrize("preset", ["P4", "P5", "P8"])
    def test_leads_to_runs_that_give_what_too_few_hang_of(
        self, as_person: As, alice: Any, preset: str
    ) -> None:
        study, browser = building.begin(alice, preset), as_person(alice)

        wishes = building.lacking(study)
        shown = browser.get(page("images", study)).content.decode()

        for wish in wishes:
            address = f"{reverse('runs:launch')}?{urlencode(wish.recipe)}"
            assert escape(address) in shown
            initial = browser.get(address).context["form"].initial
            chosen = PRESETS_OF_RUNS[initial["preset"]]
            assert (chosen.encoding or initial["encoding"]) == (wish.encoding or "cppn")
            assert initial["classifier"] == wish.recipe["classifier"]

    @pytest.mark.parametrize(("n_options", "spared"), [(8, 2), (9, 0)])
    def test_spares_practice_images_where_no_others_are_left(
        self, shown: Run, alice: Any, n_options: int, spared: int
    ) -> None:
        study = building.begin(alice, "P4")
        study.design = {**study.design, "framing": "you", "n_options": n_options}
        study.save()
        hung(alice, encoding="direct", seed=2)

        added = building.fulfil(study, alice, random.Random(1))

        roles = [study.images.filter(role=role).count() for role in ("main", "practice")]
        assert roles == [10 - spared, spared]
        assert ("for practice" in " ".join(added.notes)) == bool(spared)

    def test_adds_what_the_preset_wants_once(self, as_person: As, alice: Any, shown: Run) -> None:
        study = building.begin(alice, "P9")
        as_person(alice).post(page("fulfil", study))
        before = study.images.filter(is_natural=True).count()

        as_person(alice).post(page("fulfil", study))

        assert study.images.filter(is_natural=True).count() == before == 27

    def test_adds_from_the_galleries_and_undoes_it(self, as_person: As, alice: Any, study: Study) -> None:
        before, browser = study.images.count(), as_person(alice)
        fields = {"count": 1, "source": "gallery", "spread": "random", "encoding": "cppn"}

        browser.post(page("add_evolved", study), fields)
        assert study.images.count() == before + 1
        browser.post(page("undo", study))
        assert study.images.count() == before

    @pytest.mark.parametrize(
        ("field", "value", "place"),
        [
            ("count", 0, "count"),
            ("run", "https://example.org/nothing", "run"),
            ("run", "00000000-0000-4000-8000-000000000000", "run"),
            ("classifier", "nobody", "classifier"),
            ("image_class", "no such class", "image_class"),
            ("tag", "untold", "tag"),
            ("source", "collection-99", "source"),
        ],
    )
    def test_says_which_filter_makes_no_sense(
        self, as_person: As, alice: Any, study: Study, field: str, value: Any, place: str
    ) -> None:
        fields = {"count": 2, "source": "gallery", "spread": "random", field: value}

        answer = as_person(alice).post(page("add_evolved", study), fields)

        assert answer.status_code == 422
        assert place in answer.context["evolved"].errors

    def test_takes_uploads(self, as_person: As, alice: Any, study: Study) -> None:
        fields = {
            "kind": "upload",
            "role": "main",
            "dataset": "imagenet",
            "label": "goldfish",
            "classifier": "none",
            "files": [sent("one.png"), sent("two.png", size=(50, 90)), sent("three.jpg", "JPEG", (64, 64))],
        }

        as_person(alice).post(page("add_natural", study), fields)

        uploaded = study.images.filter(is_natural=True, label="goldfish", role="main")
        assert uploaded.count() == 2  # two are one colour and so one picture, but for the JPEG's

    def test_forgets_the_pilot_when_images_change(self, as_person: As, alice: Any, study: Study) -> None:
        took_part(study)
        browser = as_person(alice)
        assert "Changing them deletes" in browser.get(page("images", study)).content.decode()

        browser.post(page("change_images", study), {"image": ["1", "2"], "deed": "remove"})

        assert not study.participants.exists()
        assert not study.images.filter(number__in=[1, 2]).exists()

    def test_picks_an_image_on_its_page(self, as_person: As, alice: Any, charlie: Any, shown: Run) -> None:
        study = building.begin(alice, "")
        champion = shown.champions.all()[2]
        address = reverse("studies:add_picked", args=[shown.pk, champion.individual.number])
        fields = {"study": study.pk, "class": champion.class_index}

        assert as_person(charlie).post(address, fields).status_code == 404
        as_person(alice).post(address, fields)

        assert study.images.get().class_index == champion.class_index


class TestInviting:
    def test_opens_and_closes(self, as_person: As, alice: Any, study: Study) -> None:
        freeze(study)
        browser = as_person(alice)

        browser.post(page("open", study))
        study.refresh_from_db()
        assert study.status == "open"
        browser.post(page("close", study))
        study.refresh_from_db()
        assert (study.status, study.closed_at is None) == ("closed", False)

    def test_opens_nothing_that_is_not_ready(self, as_person: As, alice: Any) -> None:
        study = building.begin(alice, "P1")

        answer = as_person(alice).post(page("open", study), follow=True)

        study.refresh_from_db()
        assert study.status == "draft"
        assert "no images yet" in answer.content.decode()

    def test_gives_the_links_of_recruiters(self, as_person: As, alice: Any, study: Study) -> None:
        fields = {
            "ways": ["link", "prolific", "mturk"],
            "title": "Seen by people",
            "completion_code": "DONE-12",
            "completion_url": "",
            "retention_days": 30,
        }
        browser = as_person(alice)
        assert browser.post(page("invite", study), fields).status_code == 302

        text = browser.get(page("invite", study)).content.decode()
        assert "PROLIFIC_PID={{%PROLIFIC_PID%}}" in text
        assert "submissions/complete?cc=DONE-12" in text
        study.refresh_from_db()
        assert study.ways_in == ["link", "prolific", "mturk"]
        assert study.title == "Seen by people"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("completion_url", "javascript:alert(1)"),
            ("completion_code", "a b"),
            ("ways", []),
            ("ways", ["door"]),
            ("retention_days", -1),
        ],
    )
    def test_refuses_settings_that_make_no_sense(
        self, as_person: As, alice: Any, study: Study, field: str, value: Any
    ) -> None:
        usual = {"ways": ["link"], "title": "Seen", "completion_code": "DONE12", "retention_days": 0}
        fields = {**usual, field: value}

        answer = as_person(alice).post(page("invite", study), fields)

        assert answer.status_code == 422
        assert field in answer.context["form"].errors

    def test_draws_the_link(self, as_person: As, alice: Any, study: Study) -> None:
        answer = as_person(alice).get(page("qr", study))

        assert answer["Content-Type"] == "image/svg+xml"
        assert b"<svg" in answer.content


class TestCopyingAndDeleting:
    def test_copies_without_data(self, as_person: As, alice: Any, study: Study) -> None:
        took_part(study)

        as_person(alice).post(page("copy", study))

        twin = Study.objects.exclude(pk=study.pk).get()
        assert twin.design == study.design
        assert twin.images.count() == study.images.count()
        assert not twin.participants.exists()

    def test_deletes_a_draft(self, as_person: As, alice: Any, study: Study) -> None:
        assert as_person(alice).post(page("delete", study))["Location"] == LIST
        assert not Study.objects.exists()

    def test_deletes_no_answers_given_in_earnest(self, as_person: As, alice: Any, study: Study) -> None:
        took_part(study, "main")

        as_person(alice).post(page("delete", study))

        assert Study.objects.filter(pk=study.pk).exists()


class TestSteps:
    def test_leads_from_images_to_the_invitation(self, study: Study) -> None:
        assert way_of(study).following.name in ("preview", "pilot")  # type: ignore[union-attr]
        took_part(study, "preview")
        took_part(study)
        assert way_of(study).following.name == "freeze"  # type: ignore[union-attr]
        freeze(study)
        assert way_of(study).following.name == "invite"  # type: ignore[union-attr]
        building.open_up(study)
        assert way_of(study).following.name == "results"  # type: ignore[union-attr]
