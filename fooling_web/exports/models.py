"""Files that leave the site and files that come in, each as a job that a worker does, and the newcomers' gallery."""

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.models import Run


class Job(models.Model):
    """Work on a file that takes longer than a person waits for an answer."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting for a worker"
        RUNNING = "running", "Under way"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"
        REMOVED = "removed", "File removed"

    UNFINISHED = (Status.WAITING, Status.RUNNING)
    PATIENCE = timedelta(minutes=2)  # without a sign of life, after which another worker begins anew

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="%(class)ss")
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="steps")
    total = models.PositiveIntegerField(default=0, help_text="steps; 0: not known yet")
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    file = models.FileField(upload_to="jobs", blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="of the file, in bytes")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now, help_text="when it last came on")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["-created_at"]

    @property
    def is_unfinished(self) -> bool:
        """Whether a worker has still to do something."""
        return self.status in self.UNFINISHED


class ExportJob(Job):
    """A file for somebody: archives of runs, or what a gallery shows."""

    class Kind(models.TextChoices):
        """What is in the file."""

        ARCHIVES = "archives", "Archive files"
        GALLERY = "gallery", "Pictures of a gallery"
        SHEET = "sheet", "Contact sheet"

    KEPT_FOR = timedelta(days=7)

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ARCHIVES)
    title = models.CharField(max_length=200)
    runs = models.ManyToManyField(Run, related_name="exports", blank=True)
    choices: Any = models.JSONField(default=dict, help_text="what was asked for")
    sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, help_text="when the file goes")

    class Meta(Job.Meta):
        indexes = [models.Index(fields=["status", "touched_at"], name="export_by_status")]

    def __str__(self) -> str:
        return f"export of {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the job's page."""
        return reverse("exports:job", args=[self.pk])


class ImportJob(Job):
    """A file that somebody sent, to be taken in as runs."""

    class Kind(models.TextChoices):
        """What the file is taken for."""

        ARCHIVE = "archive", "Archive file"
        PICTURES = "pictures", "Plain pictures with a table of classes"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ARCHIVE)
    name = models.CharField(max_length=255, help_text="of the file, as it was sent")
    choices: Any = models.JSONField(default=dict, help_text="what was asked for")
    runs = models.ManyToManyField(Run, related_name="imports", blank=True)

    class Meta(Job.Meta):
        indexes = [models.Index(fields=["status", "touched_at"], name="import_by_status")]

    def __str__(self) -> str:
        return f"import of {self.name}"

    def get_absolute_url(self) -> str:
        """Return the address of the job's page."""
        return reverse("exports:arrival", args=[self.pk])

    @property
    def query(self) -> str:
        """What was chosen, for the address of a page on which to try again."""
        told = {name: self.choices.get(name) for name in ("classifier", "visibility")}
        return urlencode({"kind": self.kind, **{name: value for name, value in told.items() if value}})


class GalleryFile(models.Model):
    """A file of the gallery that was imported once, so that a run that was deleted stays away."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["imported_at"]

    def __str__(self) -> str:
        return self.name
