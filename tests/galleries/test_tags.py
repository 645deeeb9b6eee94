"""Tags: short words in any script, as many as an image has room for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit, Tagging
from fooling_web.runs.models import Individual, Run
from tests.galleries.kept import HUGE, address, closed, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
SUGGESTIONS = reverse("galleries:tag_suggestions")


def names(individual: Individual) -> list[str]:
    return sorted(Tagging.objects.filter(exhibit__individual=individual).values_list("tag__name", flat=True))


def remove(client: Client, individual: Individual) -> int:
    tagging = Tagging.objects.get(exhibit__individual=individual)
    return client.post(address("untag", individual, tagging.pk)).status_code


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Stripes", ["stripes"]),
        ("  Black   AND white ", ["black and white"]),
        ("a, b,, A ,b-c", ["a", "b", "b-c"]),
        ("полосы, 縞模様, धारियाँ, ПОЛОСЫ", ["धारियाँ", "полосы", "縞模様"]),
        ("x" * 40, ["x" * 40]),
        ("３d", ["3d"]),
    ],
)
def test_keeps_tags_in_small_letters(
    as_person: As, run: Run, bob: Any, written: str, kept: list[str]
) -> None:
    tagged = image(run)

    as_person(bob).post(address("tags", tagged), {"tags": written})

    assert names(tagged) == sorted(kept)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " , ,",
        "x" * 41,
        "<script>",
        "a_b",
        "a/b",
        "-",
        "\0",
        "a\u202eb, c!",
        "İ" * 40,
        "x" * 2000,
        ",".join(f"tag {number}" for number in range(21)),
        ",".join(map(str, range(10_000))),
    ],
)
def test_refuses_what_is_no_tag_or_too_many(as_person: As, run: Run, bob: Any, written: str) -> None:
    tagged = image(run)

    answer = as_person(bob).post(address("tags", tagged), {"tags": written})

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert names(tagged) == []


def test_has_room_for_twenty(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    tagged = image(run)
    keeping.give_tags(tagged, charlie, [f"tag {number}" for number in range(19)])

    answers = [
        as_person(bob).post(address("tags", tagged), {"tags": written}) for written in ("a, b", "a", "b")
    ]

    assert [answer.status_code for answer in answers] == [422, 302, 422]
    assert "This one has 19, and you gave 2 more." in answers[0].content.decode()
    assert len(names(tagged)) == 20


def test_gives_a_tag_once(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    tagged = image(run)
    for person in (bob, bob, charlie):
        assert as_person(person).post(address("tags", tagged), {"tags": "stripes"}).status_code == 302

    assert Tagging.objects.get().person == bob


def test_is_removed_by_who_gave_it_the_owner_and_staff(
    as_person: As, run: Run, alice: Any, bob: Any, charlie: Any, administrator: Any
) -> None:
    tagged, answers = image(run), []
    for person in (charlie, bob, alice, administrator):
        keeping.give_tags(tagged, bob, ["stripes"])
        answers.append(remove(as_person(person), tagged))

    assert answers == [404, 302, 302, 302]


def test_is_removed_by_nobody_from_elsewhere(as_person: As, run: Run, bob: Any) -> None:
    tagged, other = image(run, 0), image(run, 1)
    keeping.give_tags(tagged, bob, ["stripes"])

    for number in (Tagging.objects.get().pk, 99, HUGE):
        assert as_person(bob).post(address("untag", other, number)).status_code == 404


def test_leads_to_other_images(client: Client, run: Run, bob: Any) -> None:
    tagged = image(run)
    keeping.give_tags(tagged, bob, ["black & white"])

    assert "?tag=black%20%26%20white" in client.get(address("said", tagged)).content.decode()


def test_suggests_tags_of_public_images_alone(client: Client, run: Run, bob: Any) -> None:
    keeping.give_tags(image(run), bob, ["stripes", "stars"])

    for written, found in [("ST", 2), ("str", 1), ("x, str", 1), ("%", 0), ("_", 0), ("\0", 0), ("", 2)]:
        assert client.get(SUGGESTIONS, {"tags": written}).content.decode().count("<option") == found
    Exhibit.objects.update(hidden=True)
    assert "stripes" not in client.get(SUGGESTIONS).content.decode()
    Exhibit.objects.update(hidden=False)
    closed(run)
    assert "stripes" not in client.get(SUGGESTIONS).content.decode()


def test_shows_what_was_written_before_as_text(client: Client, run: Run, bob: Any) -> None:
    keeping.give_tags(image(run), bob, ["stripes"])

    answer = client.get(SUGGESTIONS, {"tags": '"><script>alert(1)</script>,str'}).content.decode()

    assert "<script>" not in answer
