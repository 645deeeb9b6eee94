"""Make the first administrator of a new site."""

import secrets
from typing import Any

from django.core.management.base import BaseCommand

from fooling_web.users.models import User


class Command(BaseCommand):
    """Create the account `admin` unless some administrator exists, and show its password this once."""

    help = __doc__ or ""

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Create and print, or say nothing."""
        if User.objects.filter(is_superuser=True).exists():
            return
        name = (
            "admin" if not User.objects.filter(username="admin").exists() else f"admin-{secrets.token_hex(2)}"
        )
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(name, password=password)
        self.stdout.write(f"Administrator: {name} / {password} (shown once)")
