"""Comments: plain text, one's own to delete, and the staff's to hide."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Comment, Exhibit
from fooling_web.runs.models import Individual, Run
from tests.galleries.kept import HUGE, address, closed, exhibit, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
HTMX = {"HX-Request": "true"}


def said(client: Client, individual: Individual) -> str:
    return client.get(address("said", individual)).content.decode()


def deed(name: str, number: int | None = None) -> str:
    return reverse(f"galleries:comment_{name}", args=[number or Comment.objects.get().pk])


def test_keeps_lines_and_shows_markup_as_text(as_person: As, run: Run, bob: Any) -> None:
    spoken = image(run)
    words = "Looks like\r\n<script>alert(1)</script>\r\n\r\n\r\n\r\n& a starfish\u202e"

    as_person(bob).post(address("comments", spoken), {"text": words})

    assert Comment.objects.get().text == "Looks like\n<script>alert(1)</script>\n\n& a starfish\u202e"
    page = said(as_person(bob), spoken)
    assert "Looks like\n&lt;script&gt;alert(1)&lt;/script&gt;\n\n&amp; a starfish" in page
    assert "<script>alert" not in page
    assert exhibit(spoken).n_comments == 1


@pytest.mark.parametrize("words", ["", "  \n ", "\u200b", "x" * 2001, "nul\0nul"])
def test_refuses_what_is_no_comment(as_person: As, run: Run, bob: Any, words: str) -> None:
    answer = as_person(bob).post(address("comments", image(run)), {"text": words})

    assert answer.status_code == 422
    assert not Comment.objects.exists()


def test_takes_as_many_signs_as_a_browser_counts(as_person: As, run: Run, bob: Any) -> None:
    words = "x\r\n" * 1000  # two signs a line

    assert as_person(bob).post(address("comments", image(run)), {"text": words}).status_code == 302


def test_keeps_what_was_written_where_it_is_refused(as_person: As, run: Run, bob: Any) -> None:
    answer = as_person(bob).post(address("comments", image(run)), {"text": "y" * 2001}, headers=HTMX)

    page = answer.content.decode()
    assert ("y" * 2001 in page, "<html" in page) == (True, False)


def test_counts_the_same_words_sent_twice_once(as_person: As, run: Run, bob: Any) -> None:
    spoken = image(run)
    for _ in range(2):
        as_person(bob).post(address("comments", spoken), {"text": "Stripes!"})

    assert Comment.objects.count() == 1


def test_asks_for_patience(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    spoken = image(run)
    post = as_person(bob).post
    answers = [post(address("comments", spoken), {"text": f"No. {number}"}) for number in range(6)]

    assert [answer.status_code for answer in answers] == [302] * 5 + [422]
    assert "Wait a little" in answers[-1].content.decode()
    assert as_person(charlie).post(address("comments", spoken), {"text": "Mine."}).status_code == 302
    Comment.objects.update(said_at=timezone.now() - timedelta(minutes=2))
    assert post(address("comments", spoken), {"text": "No. 7"}).status_code == 302


def test_is_deleted_by_its_author_alone(
    as_person: As, run: Run, alice: Any, bob: Any, administrator: Any
) -> None:
    spoken = image(run)
    keeping.say(spoken, bob, "Stripes!")

    assert [as_person(person).post(deed("delete")).status_code for person in (alice, administrator)] == [
        404,
        404,
    ]
    assert "Stripes!" in as_person(bob).get(deed("delete")).content.decode()
    assert Comment.objects.exists()
    assert as_person(bob).post(deed("delete"))["Location"] == address("image", spoken)
    assert not Comment.objects.exists()
    assert exhibit(spoken).n_comments == 0


def test_answers_a_deletion_with_the_comments_that_are_left(as_person: As, run: Run, bob: Any) -> None:
    spoken = image(run)
    keeping.say(spoken, bob, "Stripes!")
    keeping.say(spoken, bob, "Stars!")

    answer = as_person(bob).post(deed("delete", Comment.objects.first().pk), headers=HTMX)  # type: ignore[union-attr]

    page = answer.content.decode()
    assert ("Stripes!" in page, "Stars!" in page, "<html" in page) == (False, True, False)


def test_is_hidden_by_staff_from_all_but_staff(
    client: Client, as_person: As, run: Run, bob: Any, administrator: Any
) -> None:
    spoken = image(run)
    keeping.say(spoken, bob, "Stripes!")
    assert as_person(bob).post(deed("hide")).status_code == 404

    as_person(administrator).post(deed("hide"), {"hidden": "1"})

    pages = [said(browser, spoken) for browser in (client, as_person(bob), as_person(administrator))]
    assert ["Removed by a moderator" in page for page in pages] == [True, True, True]
    assert ["Stripes!" in page for page in pages] == [False, False, True]
    assert exhibit(spoken).n_comments == 0
    assert LogEntry.objects.get().change_message == "Hid the comment"
    as_person(administrator).post(deed("hide"), {"hidden": "0"})
    assert "Stripes!" in said(client, spoken)
    assert exhibit(spoken).n_comments == 1


def test_says_nothing_of_what_one_may_not_see(
    client: Client, as_person: As, run: Run, alice: Any, bob: Any, charlie: Any
) -> None:
    spoken = image(run)
    keeping.say(spoken, bob, "Stripes!")
    closed(run)

    assert client.get(address("said", spoken)).status_code == 404
    assert client.get(address("comments", spoken)).status_code == 404
    for name in ("delete", "report"):
        assert [as_person(person).get(deed(name)).status_code for person in (bob, charlie)] == [404, 404]
    assert as_person(alice).get(deed("report")).status_code == 200


def test_knows_no_comment_of_a_number_too_large(as_person: As, administrator: Any) -> None:
    browser = as_person(administrator)

    assert [browser.post(deed(name, HUGE)).status_code for name in ("delete", "hide", "report")] == [404] * 3


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_shows_a_page_whatever_is_asked_for(client: Client, run: Run, bob: Any, page: str) -> None:
    spoken = image(run)
    keeping.say(spoken, bob, "Stripes!")

    assert client.get(address("said", spoken), {"page": page}).status_code == 200
    assert (
        "Stripes!" in client.get(address("comments", spoken), {"page": page}, headers=HTMX).content.decode()
    )


def test_asks_the_database_no_more_for_more_comments(
    client: Client, as_person: As, run: Run, bob: Any, django_assert_max_num_queries: Any
) -> None:
    spoken = image(run)
    kept = Exhibit.objects.create(individual=spoken)
    Comment.objects.bulk_create(Comment(exhibit=kept, author=bob, text=str(n)) for n in range(50))
    keeping.give_tags(spoken, bob, [f"tag {number}" for number in range(20)])
    browser = as_person(bob)

    with django_assert_max_num_queries(6):  # run, image, exhibit; tags; how many comments, which
        assert client.get(address("said", spoken)).content.decode().count('class="comment"') == 20
    with django_assert_max_num_queries(12):  # with session, person, stars, favourite, collections twice
        browser.get(address("said", spoken))
