"""What an address asks a gallery for, and views that people keep."""

from typing import Any

import pytest
from django.http import QueryDict

from fooling_web.galleries import keeping
from fooling_web.galleries.describing import chips_of, in_words
from fooling_web.galleries.forms import VIEWS_OF_A_PERSON, GalleryForm, SavedViewForm
from fooling_web.galleries.models import ImageClass, SavedView
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from tests.galleries.kept import image

pytestmark = pytest.mark.django_db


def asked(query: str, **options: Any) -> GalleryForm:
    return GalleryForm(QueryDict(query), **options)


def test_reads_back_what_a_view_wrote(run: Run) -> None:
    starfish = ImageClass.objects.create(
        dataset="imagenet", class_index=327, label="starfish", slug="starfish"
    )
    keeping.give_tags(image(run), run.owner, ["star"])
    wanted = Wanted(
        text="five arms",
        image_class=starfish.slug,
        branch="other-invertebrates",
        classifier="mnist-lenet",
        encoding="direct",
        method="novelty",
        band=13,
        run=run.pk,
        recognised="no",
        tag="star",
        person="alice",
        sort="random",
        seed=77,
        page=3,
    )
    form = asked(wanted.query(page=3))
    assert form.wanted == wanted
    assert not form.ignored


def test_takes_nothing_for_what_is_usual() -> None:
    assert asked("").wanted == Wanted()
    assert asked("text=&band=&page=").wanted == Wanted()


def test_keeps_what_makes_sense_beside_what_does_not() -> None:
    form = asked("encoding=cppn&band=seven&page=2")
    assert form.wanted == Wanted(encoding="cppn", page=2)
    assert form.ignored == ["“seven” is no confidence band here, and was left out."]


def test_repeats_a_long_value_in_part() -> None:
    [line] = asked("branch=" + "x" * 500).ignored
    assert len(line) < 100


def test_knows_people_whatever_the_case_of_their_name(alice: Any) -> None:
    assert not asked("person=Alice").ignored


def test_finds_no_private_run(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(visibility=Run.Visibility.PRIVATE)
    assert asked(f"run={run.pk}").wanted.run is None


def test_names_a_view_in_words(run: Run) -> None:
    assert in_words(asked("")) == "all images, surest first"
    form = asked(f"encoding=cppn&band=13&run={run.pk}&sort=newest&text=lizard")
    assert in_words(form) == (f"“lizard”, CPPN, at least 99.99\N{NO-BREAK SPACE}%, {run.name}, newest first")


def test_takes_away_one_filter_at_a_time() -> None:
    chips = chips_of(asked("encoding=cppn&method=novelty&sort=newest&page=4"))
    assert [(chip.noun, chip.title, chip.without.query()) for chip in chips] == [
        ("encoding", "CPPN", "method=novelty&sort=newest"),
        ("method", "Novelty search", "encoding=cppn&sort=newest"),
    ]


def test_offers_no_way_out_of_the_class_whose_page_it_is() -> None:
    starfish = ImageClass.objects.create(
        dataset="imagenet", class_index=327, label="starfish", slug="starfish"
    )
    form = asked("image_class=other&encoding=cppn", image_class=starfish)
    assert form.wanted.image_class == "starfish"
    assert [chip.name for chip in chips_of(form)] == ["encoding"]


def test_keeps_of_a_view_what_makes_sense(alice: Any) -> None:
    form = SavedViewForm({"title": "Mine", "query": "encoding=cppn&page=9&band=x&next=//evil"}, owner=alice)
    assert form.is_valid()
    saved = form.save()
    assert saved.get_absolute_url() == "/gallery/?encoding=cppn"


def test_keeps_no_more_views_than_fit(alice: Any) -> None:
    SavedView.objects.bulk_create(
        SavedView(owner=alice, title=str(number)) for number in range(VIEWS_OF_A_PERSON)
    )
    form = SavedViewForm({"title": "One more", "query": ""}, owner=alice)
    assert not form.is_valid()
    assert "Delete one first" in str(form.errors)
