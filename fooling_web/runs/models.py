"""One evolutionary run and what it holds.

A run's history is append-only: individuals, takeovers and a line of statistics per generation. Champions are the
last takeover of each class, kept for fast queries, and with the generator's state they are the checkpoint too:
every flush writes all of them in one transaction, so a run can always be continued from its rows.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from evolution.parameters import ENCODINGS, Parameters
from fooling_web.users.models import User
from models_zoo.registry import CLASSIFIERS, ClassifierEntry, find

CHANGED_WITH_STATUS = ("attempts", "error", "finished_at")


class LeaseLost(Exception):
    """Another worker holds the run now, or it was deleted: what this one computed must not be kept."""


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, narrowed by adjectives."""

    def public(self) -> "RunQuerySet":
        """Runs that everybody may find."""
        return self.filter(visibility=Run.Visibility.PUBLIC)

    def owned_by(self, user: Any) -> "RunQuerySet":
        """Runs that this person launched."""
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def visible_to(self, user: Any) -> "RunQuerySet":
        """Runs that this person may open: their own, public ones, and unlisted ones by their address."""
        if user.is_staff:
            return self
        opened = ~Q(visibility=Run.Visibility.PRIVATE)
        return self.filter(opened | Q(owner=user)) if user.is_authenticated else self.filter(opened)

    def listed_for(self, user: Any) -> "RunQuerySet":
        """Runs that this person finds in lists: public ones and their own."""
        listed = Q(visibility=Run.Visibility.PUBLIC)
        return self.filter(listed | Q(owner=user)) if user.is_authenticated else self.filter(listed)

    def active(self) -> "RunQuerySet":
        """Runs that want a worker."""
        return self.filter(status__in=Run.ACTIVE)

    def have_room(self) -> bool:
        """Whether one more of these, a person's, may be active."""
        return self.active().count() < settings.ACTIVE_RUNS_PER_USER

    def waiting(self, now: datetime) -> "RunQuerySet":
        """Active runs that nobody holds: their worker died, or the bell was lost."""
        unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        unrung = Q(rung_at__isnull=True) | Q(
            rung_at__lt=now - timedelta(seconds=settings.RUN_LEASE_SECONDS / 2)
        )
        return self.active().filter(unheld & unrung)


class Run(models.Model):
    """One search with its parameters and seed."""

    class Status(models.TextChoices):
        """Where a run stands."""

        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        FINISHED = "finished"
        CANCELLED = "cancelled"
        FAILED = "failed"

    class Visibility(models.TextChoices):
        """Who may see a run."""

        PRIVATE = "private", "Private: only you"
        UNLISTED = "unlisted", "Unlisted: whoever has the address"
        PUBLIC = "public", "Public: everybody"

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.PAUSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PUBLIC)
    cloned_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="clones"
    )

    classifier = models.CharField(max_length=64)
    classifier_sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16)
    parameters = models.JSONField()
    seed = models.BigIntegerField()

    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    error = models.TextField(blank=True)
    generation = models.PositiveIntegerField(null=True, blank=True, help_text="the last one kept")
    generations = models.PositiveIntegerField(help_text="the last one wanted")
    evaluations = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="spent computing")
    median_confidence = models.FloatField(default=0)
    max_confidence = models.FloatField(default=0)
    random_state = models.JSONField(null=True, blank=True)

    lease_number = models.PositiveIntegerField(default=0, help_text="fences off whoever held the run before")
    lease_holder = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="claims since something was last kept")

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "lease_until"]),
            models.Index(fields=["visibility", "-created_at"]),
            models.Index(fields=["owner", "-created_at"]),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the run's page."""
        return reverse("runs:detail", args=[self.id])

    @property
    def settings(self) -> Parameters:
        """The frozen parameters."""
        return Parameters.from_json(self.parameters)

    @property
    def classifier_entry(self) -> ClassifierEntry:
        """What the registry says of the classifier."""
        return find(self.classifier)

    @property
    def classifier_title(self) -> str:
        """The classifier's name for people."""
        return CLASSIFIERS[self.classifier].title if self.classifier in CLASSIFIERS else self.classifier

    def label_of(self, class_index: int) -> str:
        """The name of a class of the run's classifier."""
        known = CLASSIFIERS.get(self.classifier)
        return known.labels[class_index] if known else str(class_index)

    @property
    def n_classes(self) -> int:
        """How many classes the run's classifier tells apart; 0 where it is known no more."""
        return CLASSIFIERS[self.classifier].n_classes if self.classifier in CLASSIFIERS else 0

    @property
    def encoding_title(self) -> str:
        """The encoding's name for people."""
        return ENCODINGS.get(self.encoding, self.encoding)

    @property
    def is_active(self) -> bool:
        """Whether the run wants a worker."""
        return self.status in self.ACTIVE

    @property
    def is_unfinished(self) -> bool:
        """Whether the run can still go on."""
        return self.status in self.UNFINISHED

    @property
    def progress(self) -> float:
        """The share of the generations that are kept, 0 to 1."""
        return 0.0 if self.generation is None else self.generation / self.generations

    @property
    def evaluations_per_second(self) -> float:
        """Evaluations for each second of computing."""
        return self.evaluations / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Computing time still needed at the pace so far."""
        if not self.evaluations_per_second:
            return None
        return (self.settings.evaluations - self.evaluations) / self.evaluations_per_second

    @property
    def command(self) -> str:
        """The command that runs it again."""
        settings_ = self.settings
        return (
            f".venv/bin/python manage.py evolve --classifier {self.classifier} --encoding {self.encoding} "
            f"--generations {self.generations} --population {settings_.offspring} "
            f"--fidelity {settings_.fidelity} --seed {self.seed}"
        )

    def is_controlled_by(self, user: Any) -> bool:
        """Whether this person may pause, resume and cancel the run."""
        return bool(user.is_authenticated and (user.is_staff or self.owner_id == user.pk))

    def pause(self) -> bool:
        """Stop after the flush under way; whether that changed anything."""
        return self._move(self.ACTIVE, self.Status.PAUSED)

    def resume(self) -> bool:
        """Queue a paused run again; whether that changed anything."""
        return self._move((self.Status.PAUSED,), self.Status.QUEUED, attempts=0)

    def cancel(self) -> bool:
        """Stop for good and keep what was found; whether that changed anything."""
        return self._move(self.UNFINISHED, self.Status.CANCELLED, finished_at=timezone.now())

    def fail(self, reason: str) -> bool:
        """Give the run up with a reason that its owner can act on."""
        return self._move(self.UNFINISHED, self.Status.FAILED, error=reason, finished_at=timezone.now())

    def claim(self, holder: str, lease_number: int) -> bool:
        """Take the lease that follows lease_number if nobody holds the run; whether it is ours now.

        Of two bells for the same lease one claims it and the other finds the number gone by.
        """
        now = timezone.now()
        unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        taken = (
            Run.objects.active()
            .filter(unheld, pk=self.pk, lease_number=lease_number)
            .update(
                lease_number=lease_number + 1,
                lease_holder=holder[:100],
                lease_until=now + timedelta(seconds=settings.RUN_LEASE_SECONDS),
                attempts=models.F("attempts") + 1,
                status=self.Status.RUNNING,
                started_at=Coalesce("started_at", now),
            )
        )
        self.refresh_from_db()
        return bool(taken)

    def go_on(self) -> bool:
        """Whether the run's worker may go on, be it that it was paused and resumed before the worker noticed."""
        return self.status == self.Status.RUNNING or self._move((self.Status.QUEUED,), self.Status.RUNNING)

    def finish(self) -> bool:
        """End a run that has kept its last generation; whether that changed anything."""
        return self._move(self.ACTIVE, self.Status.FINISHED, finished_at=timezone.now())

    def keep(self, **progress: Any) -> None:
        """Save progress and extend the lease; raises LeaseLost where the lease is no longer ours."""
        until = timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)
        held = Run.objects.filter(pk=self.pk, lease_number=self.lease_number)
        if not held.update(lease_until=until, attempts=0, **progress):
            raise LeaseLost(f"run {self.pk} is held by another worker")
        self.refresh_from_db()

    def extend_lease(self) -> None:
        """Hold on to the run through a long generation; raises LeaseLost where the lease is no longer ours."""
        until = timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)
        if not Run.objects.filter(pk=self.pk, lease_number=self.lease_number).update(lease_until=until):
            raise LeaseLost(f"run {self.pk} is held by another worker")
        self.refresh_from_db()

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        held = Run.objects.filter(pk=self.pk, lease_number=self.lease_number)
        held.update(lease_holder="", lease_until=None)
        self.refresh_from_db()

    def _move(self, leaving: tuple[str, ...], status: str, **changes: Any) -> bool:
        """Change the status if it is still one of those left; two who try cannot both succeed.

        Of the lease nothing is read: a worker that lost it must not take its follower's number for its own.
        """
        moved = Run.objects.filter(pk=self.pk, status__in=leaving).update(status=status, **changes)
        self.refresh_from_db(fields=["status", *CHANGED_WITH_STATUS])
        return bool(moved)


class HeldQuerySet(models.QuerySet[Any]):
    """Lines that name an individual: takeovers and champions."""

    def without_genomes(self) -> "HeldQuerySet":
        """With their individuals in the same query, but not the genomes, which pages never need."""
        return self.select_related("individual").defer("individual__genome")


class Individual(models.Model):
    """An image that held at least one class for at least one generation."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="individuals")
    number = models.PositiveBigIntegerField(help_text="the how-manieth image of its run, from 0")
    generation = models.PositiveIntegerField()
    parents = models.JSONField(default=list, help_text="numbers of its parents")
    top = models.JSONField(
        default=list, help_text="the five highest confidences, as [class_index, confidence]"
    )
    genome = models.BinaryField()
    genome_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="individual_number_in_run")]
        indexes = [models.Index(fields=["run", "genome_hash"])]

    def __str__(self) -> str:
        return f"individual {self.number} of {self.run_id}"


class Takeover(models.Model):
    """A class changing hands; the lines of a run's history."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="takeovers")
    generation = models.PositiveIntegerField()
    class_index = models.PositiveIntegerField()
    individual = models.ForeignKey(Individual, on_delete=models.CASCADE, related_name="takeovers")
    confidence = models.FloatField()
    taken_from = models.PositiveBigIntegerField(
        null=True, help_text="number of the individual that held the class"
    )

    objects = HeldQuerySet.as_manager()

    class Meta:
        ordering = ["generation", "class_index"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "generation", "class_index"], name="takeover_once_a_generation"
            )
        ]
        indexes = [models.Index(fields=["run", "class_index", "generation"])]

    def __str__(self) -> str:
        return f"class {self.class_index} of {self.run_id} in generation {self.generation}"

    @property
    def label(self) -> str:
        """The name of the class."""
        return self.run.label_of(self.class_index)


class Champion(models.Model):
    """Who holds a class: its last takeover, kept for fast queries."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="champions")
    class_index = models.PositiveIntegerField()
    individual = models.ForeignKey(Individual, on_delete=models.CASCADE, related_name="championships")
    confidence = models.FloatField()
    generation = models.PositiveIntegerField(help_text="in which it took the class")

    objects = HeldQuerySet.as_manager()

    class Meta:
        ordering = ["class_index"]
        constraints = [models.UniqueConstraint(fields=["run", "class_index"], name="champion_of_class")]

    def __str__(self) -> str:
        return f"champion of class {self.class_index} of {self.run_id}"

    @property
    def label(self) -> str:
        """The name of the class."""
        return self.run.label_of(self.class_index)


class GenerationStat(models.Model):
    """One generation in numbers; confidences are those of the champions, over all classes."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="statistics")
    generation = models.PositiveIntegerField()
    median = models.FloatField()
    mean = models.FloatField()
    max = models.FloatField()
    share_99 = models.FloatField(help_text="of classes at 99 % or more")
    share_9999 = models.FloatField(help_text="of classes at 99.99 % or more")
    takeovers = models.PositiveIntegerField()
    evaluations = models.PositiveBigIntegerField(help_text="since the run began")
    seconds = models.FloatField(help_text="of computing, since the run began")

    class Meta:
        ordering = ["generation"]
        constraints = [models.UniqueConstraint(fields=["run", "generation"], name="statistics_of_generation")]

    def __str__(self) -> str:
        return f"generation {self.generation} of {self.run_id}"
