"""Reports: a person's word to the moderators, once while it is open."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping, moderation
from fooling_web.galleries.models import Comment, Report
from fooling_web.runs.models import Run
from tests.galleries.kept import address, closed, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
REASON = {"reason": "It is rude."}


def of_comment() -> str:
    return reverse("galleries:comment_report", args=[Comment.objects.get().pk])


def test_brings_an_image_before_the_moderators(as_person: As, run: Run, bob: Any) -> None:
    seen = image(run)

    answer = as_person(bob).post(address("report", seen), REASON)

    assert answer["Location"] == address("image", seen)
    report = Report.objects.get()
    assert (report.exhibit.individual, report.comment, report.reason) == (seen, None, "It is rude.")


def test_brings_a_comment_before_the_moderators(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    keeping.say(image(run), charlie, "<b>Rude</b>")

    assert "&lt;b&gt;Rude&lt;/b&gt;" in as_person(bob).get(of_comment()).content.decode()
    as_person(bob).post(of_comment(), REASON)

    assert Report.objects.get().comment == Comment.objects.get()


def test_thanks_for_every_one_and_keeps_one_for_each_person(
    as_person: As, run: Run, bob: Any, charlie: Any
) -> None:
    seen = image(run)
    for person in (bob, bob, charlie):
        answer = as_person(person).post(address("report", seen), REASON, follow=False)
        assert answer.status_code == 302

    assert Report.objects.count() == 2


def test_says_that_one_has_reported_it_already(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    seen, browser = image(run), as_person(bob)
    told = "You have reported this already. A moderator will look at it."

    first = browser.post(address("report", seen), REASON, follow=True).content.decode()
    form = browser.get(address("report", seen)).content.decode()
    second = browser.post(address("report", seen), REASON, follow=True).content.decode()

    assert [told in page for page in (first, form, second)] == [False, True, True]
    assert "<textarea" not in form
    assert "<textarea" in as_person(charlie).get(address("report", seen)).content.decode()


def test_may_be_made_again_once_it_is_settled(as_person: As, run: Run, bob: Any, administrator: Any) -> None:
    seen = image(run)
    as_person(bob).post(address("report", seen), REASON)
    moderation.settle(Report.objects.all(), administrator, "Dismissed")

    as_person(bob).post(address("report", seen), REASON)

    assert Report.objects.filter(settled_at=None).count() == 1


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "\0"])
def test_needs_a_reason(as_person: As, run: Run, bob: Any, reason: str) -> None:
    assert as_person(bob).post(address("report", image(run)), {"reason": reason}).status_code == 422
    assert not Report.objects.exists()


def test_refuses_a_flood(as_person: As, run: Run, bob: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_OPEN_REPORTS", 1)
    keeping.report(image(run, 0), bob, "It is rude.")

    assert as_person(bob).post(address("report", image(run, 1)), REASON).status_code == 422


def test_needs_an_account_and_a_thing_that_one_may_see(
    client: Client, as_person: As, run: Run, bob: Any
) -> None:
    seen = image(run)
    assert client.get(address("report", seen))["Location"].startswith(reverse("account_login"))

    closed(run)

    assert as_person(bob).get(address("report", seen)).status_code == 404
    assert as_person(bob).post(address("report", seen), REASON).status_code == 404
