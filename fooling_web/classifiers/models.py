"""What waits for the interactive worker: pictures to be looked at, and classifiers to be taken in.

Classifiers themselves are no rows: they are folders, which the registry of `models_zoo` lists. Pictures and weights
that were sent are kept until the worker has dealt with them, and no longer.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils import timezone

from fooling_web.users.models import User
from models_zoo.registry import find

FORGOTTEN = timedelta(hours=1)
PATIENCE = timedelta(minutes=5)  # until a page that waits stops asking


class WaitingQuerySet(models.QuerySet[Any]):
    """What waits for the worker, narrowed by adjectives."""

    def waiting(self) -> "WaitingQuerySet":
        """What the worker has still to deal with."""
        return self.filter(done_at=None, created_at__gt=timezone.now() - PATIENCE)

    def forgotten(self) -> "WaitingQuerySet":
        """What nobody will look at again."""
        return self.filter(created_at__lt=timezone.now() - FORGOTTEN)


class Waiting(models.Model):
    """Something that the interactive worker does for a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
    classifier = models.CharField(max_length=64)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = WaitingQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.classifier}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_waiting(self) -> bool:
        """Whether the worker has still to deal with it."""
        return self.done_at is None

    @property
    def is_overdue(self) -> bool:
        """Whether a page should stop asking."""
        return self.is_waiting and timezone.now() - self.created_at > PATIENCE


class Trial(Waiting):
    """Pictures that a person asks a classifier about. The pixels go as soon as there is an answer."""

    names = models.JSONField(help_text="of the files")
    pixels = models.BinaryField(null=True, help_text="(B, C, H, W), uint8; none once it is answered")
    answers = models.JSONField(
        default=list, help_text="of each picture the five highest confidences, as [class_index, confidence]"
    )

    def get_absolute_url(self) -> str:
        """Return the address of the answers."""
        return reverse("classifiers:trial", args=[self.id])

    def answer(self, answers: list[list[tuple[int, float]]]) -> None:
        """Keep the answers and forget the pictures."""
        self.answers = answers
        self._end("")

    def fail(self, reason: str) -> None:
        """Keep a reason that a person can act on, and forget the pictures."""
        self._end(reason)

    def guesses(self) -> list[dict[str, Any]]:
        """Return of each picture its name and the five likeliest classes."""
        labels = find(self.classifier).labels
        return [
            {
                "name": name,
                "top": [
                    {"class_index": index, "label": labels[index], "confidence": confidence}
                    for index, confidence in answers
                    if index < len(labels)
                ],
            }
            for name, answers in zip(self.names, self.answers, strict=False)
        ]

    def _end(self, reason: str) -> None:
        self.error, self.pixels, self.done_at = reason, None, timezone.now()
        self.save(update_fields=["answers", "error", "pixels", "done_at"])


class Import(Waiting):
    """A classifier that an administrator sent. The file goes as soon as it was taken in or refused."""

    texts = models.JSONField(help_text="what the administrator wrote, as models_zoo.describing reads it")
    weights = models.FileField(upload_to="imports")
    trial = models.OneToOneField(Trial, on_delete=models.SET_NULL, null=True, blank=True)

    def get_absolute_url(self) -> str:
        """Return the address of the page that tells how it went."""
        return reverse("classifiers:importing", args=[self.id])

    def end(self, reason: str = "") -> None:
        """Keep the reason it was refused for, if it was, and forget the file."""
        self.weights.delete(save=False)
        self.error, self.done_at = reason, timezone.now()
        self.save(update_fields=["weights", "error", "done_at"])
