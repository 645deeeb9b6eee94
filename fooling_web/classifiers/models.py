"""What waits for the interactive worker: pictures to look at, classifiers to take in, weights to fetch.

Classifiers themselves are no rows: they are folders, which the registry of `models_zoo` lists. Pictures and weights
that were sent are kept until the worker has dealt with them, and no longer; of pictures small copies stay beside the
answers for an hour.
"""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from fooling_web.classifiers.wording import sentence
from fooling_web.users.auditing import record
from fooling_web.users.models import User
from models_zoo.registry import find

FORGOTTEN = timedelta(hours=1)
PATIENCE = timedelta(minutes=5)  # until a page that waits stops asking
SILENCE = timedelta(minutes=1)  # of a worker that fetches, before another may take over


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
        return self.is_waiting and timezone.now() - self._last_sign > PATIENCE

    @property
    def _last_sign(self) -> datetime:
        """When something was last heard of it."""
        return self.created_at

    @property
    def complaint(self) -> str:
        """Why it failed, as a page says it; empty where it did not."""
        return sentence(self.error)


class Trial(Waiting):
    """Pictures that a person asks a classifier about. The pixels go as soon as there is an answer."""

    names = models.JSONField(help_text="of the files")
    pixels = models.BinaryField(null=True, help_text="(B, C, H, W), uint8; none once it is answered")
    thumbnails = models.JSONField(default=list, help_text="small copies, as data addresses")
    classes = models.JSONField(
        default=list,
        help_text="of each picture the class_index that it shows, where the sender told it, or null",
    )
    answers = models.JSONField(
        default=list, help_text="of each picture the five highest confidences, as [class_index, confidence]"
    )

    objects = WaitingQuerySet.as_manager()

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
        """Return of each picture its name, a small copy, what it shows, and the five likeliest classes."""
        labels = find(self.classifier).labels
        return [
            {
                "name": name,
                "thumbnail": thumbnail,
                "shown": labels[shown] if shown is not None and shown < len(labels) else "",
                "is_right": shown is not None and answers[0][0] == shown,
                "top": [
                    {"class_index": index, "label": labels[index], "confidence": confidence}
                    for index, confidence in answers
                    if index < len(labels)
                ],
            }
            for name, answers, thumbnail, shown in zip_longest(
                self.names[: len(self.answers)], self.answers, self.thumbnails, self.classes
            )
            if answers
        ]

    @property
    def known(self) -> int:
        """Of how many answered pictures the class is known."""
        return sum(shown is not None for shown in self.classes) if self.answers else 0

    @property
    def right(self) -> int:
        """How many of those got the right class."""
        pairs = zip(self.answers, self.classes, strict=False)
        return sum(shown is not None and answers[0][0] == shown for answers, shown in pairs)

    def _end(self, reason: str) -> None:
        self.error, self.pixels, self.done_at = reason, None, timezone.now()
        self.save(update_fields=["answers", "error", "pixels", "done_at"])


class Import(Waiting):
    """A classifier that an administrator sent. The file goes as soon as it was taken in or refused."""

    texts = models.JSONField(help_text="what the administrator wrote, as models_zoo.describing reads it")
    weights = models.FileField(upload_to="imports")
    verdict = models.JSONField(
        null=True,
        help_text="as models_zoo.trial judges it on pictures whose classes are known, where there are any",
    )
    trial = models.OneToOneField(Trial, on_delete=models.SET_NULL, null=True, blank=True)

    objects = WaitingQuerySet.as_manager()

    def get_absolute_url(self) -> str:
        """Return the address of the page that tells how it went."""
        return reverse("classifiers:importing", args=[self.id])

    def end(self, reason: str = "") -> None:
        """Keep the reason it was refused for, if it was, and forget the file; it stands in the audit log, too."""
        size = None
        with suppress(OSError, ValueError):  # it may be gone already
            size = self.weights.size
        self.weights.delete(save=False)
        self.error, self.done_at = reason, timezone.now()
        self.save(update_fields=["weights", "verdict", "error", "done_at"])
        record(self.owner, "import classifier", self.classifier, size, reason or "done")


class FetchQuerySet(WaitingQuerySet):
    """What is to be fetched, narrowed by adjectives."""

    def unheld(self) -> "FetchQuerySet":
        """What no worker is fetching at the moment; one that died left its last sign some time ago."""
        silent = Q(moved_at=None) | Q(moved_at__lt=timezone.now() - SILENCE)
        return self.filter(silent, done_at=None)

    def going_on(self) -> "FetchQuerySet":
        """What waits, or was heard of not long ago."""
        since = timezone.now() - PATIENCE
        return self.filter(Q(created_at__gt=since) | Q(moved_at__gt=since), done_at=None)


class Fetch(Waiting):
    """Weights that an administrator wants fetched, and how many bytes of them are here."""

    done_bytes = models.BigIntegerField(default=0)
    total_bytes = models.BigIntegerField(default=0, help_text="0 where the server does not say")
    moved_at = models.DateTimeField(null=True, blank=True, help_text="when bytes last came")

    objects = FetchQuerySet.as_manager()

    def get_absolute_url(self) -> str:
        """Return the address of the page that tells how it goes."""
        return reverse("classifiers:fetching", args=[self.id])

    @property
    def _last_sign(self) -> datetime:
        return self.moved_at or self.created_at

    def claim(self) -> bool:
        """Take it, unless it was dealt with or another worker is at it."""
        return bool(Fetch.objects.unheld().filter(pk=self.pk).update(moved_at=timezone.now()))

    def move(self, done: int, total: int) -> None:
        """Keep how many bytes are here, of how many."""
        self.done_bytes, self.total_bytes, self.moved_at = done, total, timezone.now()
        self.save(update_fields=["done_bytes", "total_bytes", "moved_at"])

    def end(self, reason: str = "") -> None:
        """Keep the reason it failed for, if it did; it stands in the audit log, too."""
        self.error, self.done_at = reason, timezone.now()
        self.save(update_fields=["error", "done_at"])
        record(self.owner, "fetch classifier", self.classifier, self.done_bytes or None, reason or "done")
