"""People and runs that many tests need. Alice owns, Bob may see, Charlie may not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.test import Client

from tests.factories import executed, launched


def pytest_configure() -> None:
    """Take what would only slow tests down out of the settings."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_USE_FINDERS = True


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Empty the caches, or one test would count towards another's limits."""
    for cache in caches.all(initialized_only=True):
        cache.clear()


@pytest.fixture
def alice(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("alice", password="seven stripes")


@pytest.fixture
def bob(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("bob", password="two circles")


@pytest.fixture
def charlie(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("charlie", password="one bar")


@pytest.fixture
def administrator(django_user_model: Any) -> Any:
    return django_user_model.objects.create_superuser("ada", password="nine crosses")


@pytest.fixture
def as_person() -> Callable[[Any], Client]:
    """Return a browser in which a person is signed in."""

    def browser(person: Any) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return browser


@pytest.fixture
def run(alice: Any) -> Any:
    """A public run of Alice's that waits for a worker: 5 generations of 20."""
    return launched(owner=alice)


@pytest.fixture
def finished_run(alice: Any) -> Any:
    """A public run of Alice's that was executed to its end."""
    return executed(launched(owner=alice))


@pytest.fixture
def every_generation_kept(settings: LazySettings) -> None:
    """Flush after each generation, however quick it was."""
    settings.RUN_FLUSH_SECONDS = 0
