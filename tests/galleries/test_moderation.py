"""The moderators' desk: a queue of reports, what hiding does, and a log of it."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Collection, Comment, Exhibit, Report, Tag
from fooling_web.runs.models import Individual, Run
from tests.galleries.kept import address, exhibit, image

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:galleries_report_changelist")


@pytest.fixture
def desk(client: Client, administrator: Any) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def reported(run: Run, bob: Any, charlie: Any) -> Individual:
    """An image and a comment on it, both reported by Charlie."""
    seen = image(run)
    keeping.say(seen, bob, "<b>Rude</b>")
    keeping.report(seen, charlie, "A rude title.")
    keeping.report(seen, charlie, "A rude comment.", Comment.objects.get())
    return seen


def do(desk: Client, action: str, *reports: Report) -> Any:
    chosen = {"action": action, "_selected_action": [report.pk for report in reports]}
    return desk.post(QUEUE, chosen, follow=True)


def test_lists_what_is_open(desk: Client, reported: Individual) -> None:
    page = desk.get(QUEUE).content.decode()

    assert "A rude title." in page
    assert "bob: &lt;b&gt;Rude&lt;/b&gt;" in page
    assert address("image", reported) in page
    assert "A rude title." not in desk.get(QUEUE, {"state": "settled"}).content.decode()


def test_hides_a_comment_and_settles_all_reports_of_it(
    desk: Client, reported: Individual, alice: Any
) -> None:
    comment = Comment.objects.get()
    keeping.report(reported, alice, "I think so too.", comment)

    do(desk, "hide_the_comment", Report.objects.get(reason="A rude comment."))

    comment.refresh_from_db()
    assert (comment.hidden, exhibit(reported).hidden, exhibit(reported).n_comments) == (True, False, 0)
    assert list(Report.objects.filter(settled_at=None).values_list("reason", flat=True)) == ["A rude title."]
    assert LogEntry.objects.filter(change_message="Hid the comment").count() == 3  # two reports and it


def test_names_an_image_by_its_run_in_the_log(desk: Client, reported: Individual) -> None:
    do(desk, "hide_the_image", Report.objects.get(comment=None))

    names = LogEntry.objects.filter(change_message="Hid the image").values_list("object_repr", flat=True)
    assert f"image {reported.number} of {reported.run.name}" in names


def test_hides_an_image(desk: Client, reported: Individual) -> None:
    do(desk, "hide_the_image", Report.objects.get(comment=None))

    assert exhibit(reported).hidden
    assert list(Report.objects.filter(settled_at=None).values_list("reason", flat=True)) == [
        "A rude comment."
    ]


def test_takes_what_is_said_of_a_hidden_image_away(
    desk: Client, reported: Individual, django_user_model: Any, bob: Any
) -> None:
    keeping.name(reported, "A rude title")
    Exhibit.objects.update(hidden=True)
    others = Client()
    others.force_login(bob)

    assert "Rude" in desk.get(address("said", reported)).content.decode()
    page = others.get(address("said", reported)).content.decode()
    assert "What people said of it is shown no more." in page
    assert "Rude" not in page
    assert "A rude title" not in page
    for name in ("rating", "favourite", "tags", "comments", "collect"):
        assert others.post(address(name, reported), {"stars": "5"}).status_code == 404
    for name in ("comments", "report"):
        assert others.get(address(name, reported)).status_code == 404


def test_dismisses_reports_and_leaves_everything_as_it_is(desk: Client, reported: Individual) -> None:
    do(desk, "dismiss", *Report.objects.all())

    assert not Report.objects.filter(settled_at=None).exists()
    assert not Comment.objects.get().hidden
    assert not exhibit(reported).hidden
    assert LogEntry.objects.filter(change_message="Dismissed").count() == 2


def test_says_where_there_is_no_comment_to_hide(desk: Client, reported: Individual) -> None:
    answer = do(desk, "hide_the_comment", Report.objects.get(comment=None))

    assert "There is no comment to be hidden" in answer.content.decode()
    assert Report.objects.filter(settled_at=None).count() == 2


@pytest.mark.parametrize("name", ["report", "comment", "exhibit", "collection", "tag"])
def test_shows_everything_and_adds_nothing(desk: Client, reported: Individual, bob: Any, name: str) -> None:
    keeping.give_tags(reported, bob, ["stripes"])
    Collection.objects.create(owner=bob, title="Stripes")
    kind = {"report": Report, "comment": Comment, "exhibit": Exhibit, "collection": Collection, "tag": Tag}
    first = kind[name].objects.first()  # type: ignore[attr-defined]

    assert desk.get(reverse(f"admin:galleries_{name}_changelist"), {"q": "a"}).status_code == 200
    assert desk.get(reverse(f"admin:galleries_{name}_change", args=[first.pk])).status_code == 200
    assert desk.get(reverse(f"admin:galleries_{name}_add")).status_code == 403


@pytest.mark.parametrize("name", ["comment", "exhibit"])
def test_hides_and_shows_again(desk: Client, reported: Individual, name: str) -> None:
    kind = {"comment": Comment, "exhibit": Exhibit}[name]
    wanted, states = reverse(f"admin:galleries_{name}_changelist"), []
    for action, done in (("hide", "hidden"), ("show", "shown again")):
        chosen = {"action": action, "_selected_action": [kind.objects.get().pk]}  # type: ignore[attr-defined]
        answer = desk.post(wanted, chosen, follow=True).content.decode()
        assert f"1 {'image' if name == 'exhibit' else name} {done}." in answer
        states.append(kind.objects.get().hidden)  # type: ignore[attr-defined]

    assert states == [True, False]


def test_counts_comments_anew_that_are_deleted_at_the_desk(desk: Client, reported: Individual) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [Comment.objects.get().pk], "post": "yes"}

    desk.post(reverse("admin:galleries_comment_changelist"), chosen)

    assert exhibit(reported).n_comments == 0


def test_asks_the_database_no_more_for_more_reports(
    desk: Client, run: Run, bob: Any, charlie: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        seen = image(run, number)
        keeping.report(seen, charlie, "A rude title.")

    with django_assert_max_num_queries(6):  # session, person; how many, twice; which
        page = desk.get(QUEUE).content.decode()
    with django_assert_max_num_queries(6):
        exhibits = desk.get(reverse("admin:galleries_exhibit_changelist")).content.decode()
    assert page.count('class="field-reason"') == page.count('loading="lazy"') == 15
    assert exhibits.count("LeNet: 3") == exhibits.count('loading="lazy"') == 15


def test_keeps_others_from_the_desk(client: Client, reported: Individual, bob: Any) -> None:
    client.force_login(bob)

    assert client.get(QUEUE).status_code == 302
