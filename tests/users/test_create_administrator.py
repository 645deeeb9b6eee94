"""`manage.py create_administrator`."""

import io
import re

import pytest
from django.core.management import call_command
from django.test import Client

from fooling_web.users.models import User

pytestmark = pytest.mark.django_db


def answer() -> str:
    out = io.StringIO()
    call_command("create_administrator", stdout=out)
    return out.getvalue()


def test_prints_a_password_that_opens_the_administration(client: Client) -> None:
    said = re.fullmatch(r"Administrator: (\S+) / (\S+) \(shown once\)\n", answer())

    assert said is not None
    assert client.login(username=said[1], password=said[2])
    assert client.get("/admin/").status_code == 200


def test_stores_no_password_that_could_be_read() -> None:
    password = answer().split()[3]

    assert password not in User.objects.get().password


def test_says_and_does_nothing_the_second_time() -> None:
    answer()

    assert answer() == ""
    assert User.objects.count() == 1


def test_leaves_a_site_alone_that_has_an_administrator(administrator: User) -> None:
    assert answer() == ""
    assert User.objects.get() == administrator


def test_finds_another_name_where_somebody_is_called_admin() -> None:
    User.objects.create_user("admin")

    name = answer().split()[1]

    assert name != "admin"
    assert User.objects.get(username=name).is_superuser
