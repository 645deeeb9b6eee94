"""The audit log: written by what is done, read by administrators, changed by nobody."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from fooling_web.classifiers.models import Import
from fooling_web.galleries.models import Exhibit, Report
from fooling_web.galleries.moderation import hide_image, show_image
from fooling_web.runs.models import Run
from fooling_web.users.auditing import COMMAND, record
from fooling_web.users.models import AuditLine

pytestmark = pytest.mark.django_db

LOG = "admin:users_auditline_changelist"


@pytest.fixture
def desk(client: Client, administrator: Any) -> Client:
    client.force_login(administrator)
    return client


def test_keeps_the_name_of_whoever_is_gone(alice: Any) -> None:
    line = record(alice, "remove run", "Stripes")
    alice.delete()

    line.refresh_from_db()
    assert (line.by, line.name, line.outcome) == (None, "alice", "done")


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_says_that_a_command_did_it(nobody: Any) -> None:
    assert record(nobody, "thin history", "Stripes").name == COMMAND


def test_cuts_what_is_too_long(alice: Any) -> None:
    line = record(alice, "remove run", "x" * 1000, outcome="y" * 1000)

    line.refresh_from_db()
    assert (len(line.what), len(line.outcome)) == (300, 300)


def test_is_searched_and_filtered(desk: Client, alice: Any) -> None:
    record(alice, "remove run", "Stripes")
    record(alice, "export", "Circles", size=1024)

    def page(query: str) -> str:
        shown = desk.get(f"{reverse(LOG)}{query}").context["cl"].result_list
        return " ".join(line.what for line in shown)

    assert page("") == "Circles Stripes"
    assert page("?q=circ") == "Circles"
    assert page("?deed=remove+run") == "Stripes"


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_is_changed_by_nobody(desk: Client, alice: Any, page: str) -> None:
    line = record(alice, "remove run", "Stripes")
    address = reverse(f"admin:users_auditline_{page}", args=[] if page == "add" else [line.pk])

    assert desk.post(address, {"what": "Circles", "post": "yes"}).status_code == 403
    assert AuditLine.objects.get().what == "Stripes"


def test_notes_what_moderators_do(finished_run: Run, administrator: Any, bob: Any) -> None:
    individual = finished_run.individuals.earliest("number")
    exhibit = Exhibit.objects.create(individual=individual, title="Stripes")
    Report.objects.create(exhibit=exhibit, reporter=bob, reason="rude")

    hide_image(exhibit, administrator)
    show_image(exhibit, administrator)

    lines = AuditLine.objects.order_by("pk").values_list("name", "deed", "what", "outcome")
    report = Report.objects.get()
    assert list(lines) == [
        ("ada", "settle report", f"report {report.pk}: rude", "Hid the image"),
        ("ada", "hide image", f"exhibit {exhibit.pk}: Stripes", "Hid the image"),
        ("ada", "show image", f"exhibit {exhibit.pk}: Stripes", "Showed the image again"),
    ]


@pytest.mark.parametrize("reason", ["", "the labels are 9, the classes 10"])
def test_notes_classifiers_that_come_in(administrator: Any, reason: str) -> None:
    weights = ContentFile(b"weights", "own.safetensors")
    wanted = Import.objects.create(owner=administrator, classifier="own", texts={}, weights=weights)

    wanted.end(reason)

    assert AuditLine.objects.values_list("name", "deed", "what", "size", "outcome").get() == (
        *("ada", "import classifier", "own", 7),
        reason or "done",
    )


def test_notes_deleted_accounts(desk: Client, alice: Any) -> None:
    desk.post(reverse("admin:users_user_delete", args=[alice.pk]), {"post": "yes"})

    assert AuditLine.objects.values_list("name", "deed", "what").get() == ("ada", "delete account", "alice")


@pytest.mark.parametrize(
    "route",
    [
        *("classifiers_import", "classifiers_fetch", "exports_exportjob", "exports_importjob"),
        *("galleries_report", "galleries_exhibit", "runs_champion", "auth_group"),
    ],
)
def test_leads_to_every_list(desk: Client, route: str) -> None:
    address = reverse(f"admin:{route}_changelist")

    assert desk.get(address).status_code == 200
    assert address in desk.get(reverse("admin:index")).content.decode()
