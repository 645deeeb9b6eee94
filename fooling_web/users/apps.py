"""Who people are."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Accounts."""

    name = "fooling_web.users"
