"""Accounts: signing up, in and out, and changing a password."""

from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from fooling_web.users.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "seven stripes and a spiral"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", "alice@example.org", PASSWORD)


def sign_up(client: Client, **changes: str) -> str:
    fields = {"username": "bob", "email": "", "password1": PASSWORD, "password2": PASSWORD, **changes}
    return client.post(reverse("account_signup"), fields, follow=True).content.decode()


def sign_in(client: Client, login: str, password: str = PASSWORD) -> str:
    fields = {"login": login, "password": password}
    return client.post(reverse("account_login"), fields, follow=True).content.decode()


def is_signed_in(client: Client) -> bool:
    return get_user(client).is_authenticated  # type: ignore[arg-type]


def test_signs_up_with_a_name_and_a_password_alone(client: Client) -> None:
    page = sign_up(client)

    assert is_signed_in(client)
    assert User.objects.filter(username="bob", email="").exists()
    assert "bob" in page


def test_leads_home_after_signing_up(client: Client) -> None:
    response = client.post(
        reverse("account_signup"), {"username": "bob", "password1": PASSWORD, "password2": PASSWORD}
    )

    assert response.status_code == 302
    assert response["Location"] == reverse("home")


def test_leads_on_to_where_a_person_wanted_to_go(client: Client, alice: User) -> None:
    wanted = reverse("runs:launch")

    response = client.post(
        f"{reverse('account_login')}?next={wanted}", {"login": "alice", "password": PASSWORD, "next": wanted}
    )

    assert response["Location"] == wanted


@pytest.mark.parametrize("login", ["alice", "alice@example.org"])
def test_signs_in_by_name_and_by_address(client: Client, alice: User, login: str) -> None:
    sign_in(client, login)

    assert get_user(client) == alice  # type: ignore[arg-type]


def test_refuses_a_wrong_password(client: Client, alice: User) -> None:
    page = sign_in(client, "alice", "something else")

    assert not is_signed_in(client)
    assert "are not correct" in page


def test_says_the_same_of_an_unknown_name_as_of_a_wrong_password(client: Client, alice: User) -> None:
    page = sign_in(client, "nobody")

    assert not is_signed_in(client)
    assert "are not correct" in page


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_refuses_a_name_that_is_taken(client: Client, alice: User, name: str) -> None:
    page = sign_up(client, username=name)

    assert User.objects.count() == 1
    assert "already exists" in page


@pytest.mark.parametrize("name", ["admin", "Administrator", "foolbreeder", "root"])
def test_refuses_a_name_that_could_pass_for_the_sites_own(client: Client, name: str) -> None:
    page = sign_up(client, username=name)

    assert not User.objects.exists()
    assert "can not be used" in page


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"username": "al"}, "at least 3 characters"),
        ({"username": "with space"}, "valid username"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "password1234", "password2": "password1234"}, "too common"),
        ({"password2": "another phrase entirely"}, "same password"),
        ({"email": "no address"}, "valid email"),
    ],
)
def test_says_what_is_wrong_with_a_sign_up(client: Client, changes: dict[str, str], complaint: str) -> None:
    page = sign_up(client, **changes)

    assert not User.objects.exists()
    assert complaint in page


def test_marks_the_wrong_field_for_screen_readers(client: Client) -> None:
    page = sign_up(client, username="al")

    assert 'aria-invalid="true"' in page
    assert 'id="id_username_error"' in page


def test_signs_out(client: Client, alice: User) -> None:
    client.force_login(alice)

    client.post(reverse("account_logout"))

    assert not is_signed_in(client)


def test_stays_signed_in_when_a_link_merely_points_to_signing_out(client: Client, alice: User) -> None:
    client.force_login(alice)

    client.get(reverse("account_logout"))

    assert is_signed_in(client)


def test_changes_a_password(client: Client, alice: User) -> None:
    client.force_login(alice)
    new = "a circle within a bar"

    client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )

    alice.refresh_from_db()
    assert alice.check_password(new)


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]
)
def test_shows_account_pages_in_the_sites_own_frame(client: Client, name: str) -> None:
    page = client.get(reverse(name)).content.decode()

    assert 'class="wordmark"' in page
    assert 'class="account"' in page


@pytest.mark.parametrize("name", ["account_logout", "account_change_password", "account_email"])
def test_shows_pages_of_ones_own_account_in_the_sites_own_frame(
    client: Client, alice: User, name: str
) -> None:
    client.force_login(alice)

    page = client.get(reverse(name)).content.decode()

    assert 'class="wordmark"' in page
    assert 'class="account"' in page


@pytest.mark.parametrize("path", ["/runs/", "/runs/?status=paused&page=2", "/about/"])
def test_remembers_where_a_person_was_on_either_way_in(client: Client, path: str) -> None:
    page = client.get(path).content.decode()

    onward = f"?next={quote(path)}"
    assert f'href="{reverse("account_login")}{onward}"' in page
    assert f'href="{reverse("account_signup")}{onward}"' in page


@pytest.mark.parametrize(
    ("here", "other"), [("account_login", "account_signup"), ("account_signup", "account_login")]
)
def test_remembers_it_between_signing_in_and_signing_up(client: Client, here: str, other: str) -> None:
    page = client.get(reverse(here), {"next": "/runs/launch/"}).content.decode()

    link = f'href="{reverse(other)}?next='
    assert page.count(link) == 2  # in the header and on the page


def test_remembers_it_after_a_mistake(client: Client) -> None:
    page = client.post(
        reverse("account_login"), {"login": "nobody", "password": "?", "next": "/runs/launch/"}
    )

    assert f'href="{reverse("account_signup")}?next=/runs/launch/"' in page.content.decode()


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/password/reset/"])
def test_leads_nowhere_in_particular_from_pages_that_are_no_goal(client: Client, path: str) -> None:
    assert "?next=" not in client.get(path).content.decode()


def test_leads_on_after_signing_up_too(client: Client) -> None:
    fields = {"username": "bob", "password1": PASSWORD, "password2": PASSWORD, "next": "/runs/launch/"}

    response = client.post(reverse("account_signup"), fields)

    assert response["Location"] == "/runs/launch/"


@pytest.mark.parametrize("name", ["account_reset_password", "account_reset_password_done"])
def test_promises_no_mail_that_the_site_may_not_send(client: Client, name: str) -> None:
    page = client.get(reverse(name)).content.decode()

    assert "If this site sends mail" in page
    assert "manage.py changepassword NAME" in page
    assert "sent you" not in page


def test_takes_a_request_for_a_new_password(client: Client, alice: User, mailoutbox: list[object]) -> None:
    response = client.post(reverse("account_reset_password"), {"email": "alice@example.org"})

    assert response["Location"] == reverse("account_reset_password_done")
    assert len(mailoutbox) == 1


def test_offers_what_belongs_to_an_account_in_its_menu(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.get("/about/").content.decode()

    assert f'<a href="{reverse("account_email")}">Email addresses</a>' in page
    assert f'<a href="{reverse("account_change_password")}">Change password</a>' in page


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("account_login", "Sign in"),
        ("account_signup", "Sign up"),
        ("account_reset_password", "Reset your password"),
    ],
)
def test_heads_account_pages_like_all_others(client: Client, name: str, title: str) -> None:
    assert f"<h1>{title}</h1>" in client.get(reverse(name)).content.decode()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("account_logout", "Sign out"),
        ("account_change_password", "Change password"),
        ("account_email", "Email addresses"),
    ],
)
def test_heads_pages_of_ones_own_account_like_all_others(
    client: Client, alice: User, name: str, title: str
) -> None:
    client.force_login(alice)

    assert f"<h1>{title}</h1>" in client.get(reverse(name)).content.decode()


def test_asks_for_patience_after_too_many_tries(client: Client, settings: LazySettings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sign_in(client, "nobody")

    response = client.post(reverse("account_login"), {"login": "nobody", "password": "?"})

    assert response.status_code == 429
    assert "Wait a minute" in response.content.decode()
    assert 'class="wordmark"' in response.content.decode()
