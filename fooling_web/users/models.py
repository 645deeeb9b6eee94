"""Accounts, and who did what. Signing up, in and out is django-allauth's work; the account itself is ours to grow."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person with an account: owns runs, and decides who may see them."""

    most_active_runs = models.PositiveIntegerField(
        "most active runs", null=True, blank=True, help_text="at a time; empty: as the site allows everybody"
    )
    most_generations = models.PositiveIntegerField(
        "most generations", null=True, blank=True, help_text="of one run; empty: as many as a run can have"
    )
    most_storage = models.PositiveBigIntegerField(
        "most storage", null=True, blank=True, help_text="of all runs, in megabytes; empty: no limit"
    )

    QUOTAS = ("most_active_runs", "most_generations", "most_storage")

    @property
    def runs_at_a_time(self) -> int:
        """How many runs the person may have at work or queued."""
        own = self.most_active_runs
        return settings.ACTIVE_RUNS_PER_USER if own is None else own


class AuditLine(models.Model):
    """One thing that somebody did and that must be known later: what left the site, came in, or went."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="audit_lines")
    name = models.CharField(max_length=150, help_text="of whoever did it, as it was then")
    deed = models.CharField(max_length=40)
    what = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField(null=True, help_text="in bytes, of what left or came in")
    outcome = models.CharField(max_length=300, default="done")

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["deed", "-at"], name="audit_by_deed")]

    def __str__(self) -> str:
        return f"{self.name}: {self.deed} {self.what}"
