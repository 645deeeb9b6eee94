"""One evolutionary run and what it holds.

A run's history is append-only: individuals, takeovers and a line of statistics per generation. Champions are the
last takeover of each class, kept for fast queries, and with the generator's state they are the checkpoint too:
every flush writes all of them in one transaction, so a run can always be continued from its rows.
"""

import functools
import json
import uuid
import zlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from evolution.parameters import ENCODINGS, Parameters
from evolution.presets import classes_in_words, setting_of
from fooling_web.users.models import User
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import ClassifierEntry, find

CHANGED_WITH_STATUS = ("attempts", "error", "finished_at")


class LeaseLost(Exception):
    """Another worker holds the run now, or it was deleted: what this one computed must not be kept."""


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, narrowed by adjectives."""

    def public(self) -> "RunQuerySet":
        """Runs that everybody may find."""
        return self.filter(visibility=Run.Visibility.PUBLIC)

    def listable(self) -> "RunQuerySet":
        """Runs that lists show as such: searches, and pictures from elsewhere; not those of one bred picture each."""
        return self.exclude(kind=Run.Kind.BREEDING)

    def searches(self) -> "RunQuerySet":
        """Runs that evolve by themselves; what people bred and published are runs, too."""
        return self.filter(kind=Run.Kind.SEARCH)

    def without_burdens(self) -> "RunQuerySet":
        """Without what is large and serves the search alone."""
        return self.defer("random_state", "founders")

    def open_to_bred(self) -> "RunQuerySet":
        """Runs whose owner lets bred pictures compete."""
        return self.searches().filter(accepts_bred=True)

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

    def shown_as(self, status: str) -> "RunQuerySet":
        """Runs that pages show under a status; that of imported ones may be `Run.STOPPED`."""
        if status == Run.STOPPED[0]:
            return self.filter(status=Run.Status.CANCELLED, origin__isnull=False)
        shown = self.filter(status=status)
        return shown.filter(origin__isnull=True) if status == Run.Status.CANCELLED else shown

    def active(self) -> "RunQuerySet":
        """Runs that want a worker."""
        return self.filter(status__in=Run.ACTIVE)

    def have_room(self, most: int) -> bool:
        """Whether one more of these, a person's, may be active beside at most so many; a sweep's count as one."""
        wanted = self.filter(status__in=(*Run.ACTIVE, Run.Status.PENDING))
        counts = wanted.aggregate(
            alone=Count("pk", filter=Q(sweep=None)), sweeps=Count("sweep", distinct=True)
        )
        return int(counts["alone"] + counts["sweeps"]) < most

    def leading(self) -> "RunQuerySet":
        """Of these, those that belong to no sweep, and the first of each sweep."""
        first = self.filter(sweep=models.OuterRef("sweep")).order_by("seed").values("seed")[:1]
        return self.filter(Q(sweep=None) | Q(seed=models.Subquery(first)))

    def waiting(self, now: datetime) -> "RunQuerySet":
        """Active runs that nobody holds: their worker died, or the bell was lost."""
        unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        unrung = Q(rung_at__isnull=True) | Q(
            rung_at__lt=now - timedelta(seconds=settings.RUN_LEASE_SECONDS / 2)
        )
        return self.active().filter(unheld & unrung)

    def due_to_go(self, now: datetime) -> "RunQuerySet":
        """Removed runs that can be restored no more: all that they hold goes for good."""
        return self.filter(removed_at__lt=now - timedelta(days=settings.REMOVED_RUNS_DAYS))

    def unmeasured(self, now: datetime) -> "RunQuerySet":
        """Runs that have grown since it was measured how much room they take; one at work, now and then."""
        resting = ~Q(status__in=Run.ACTIVE) | Q(storage__measured_at__lt=now - Storage.PAUSE)
        grown = ~Q(generation=F("storage__generation")) | ~Q(status=F("storage__status"))
        return self.filter(Q(generation__isnull=False) & (Q(storage=None) | (grown & resting)))


_Every = models.Manager.from_queryset(RunQuerySet)


class RunManager(_Every["Run"]):
    """Every run that was not removed; `Run.everything` has those, too."""

    def get_queryset(self) -> RunQuerySet:
        """Return the runs that pages and workers know of."""
        runs: RunQuerySet = super().get_queryset().filter(removed_at=None)  # type: ignore[assignment]
        return runs


class Run(models.Model):
    """One search with its parameters and seed."""

    class Status(models.TextChoices):
        """Where a run stands."""

        PENDING = "pending", "Waiting its turn"
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

    class Kind(models.TextChoices):
        """Who evolves: the computer, or a person by hand; or nobody, of pictures that came as they are."""

        SEARCH = "search"
        BREEDING = "breeding", "Bred by hand"
        PICTURES = "pictures", "Pictures from elsewhere"

    CLAIMED = "claimed"  # by the origin of pictures whose confidences were not measured
    STOPPED = ("stopped", "Stopped")  # what cancelled runs are called that came so from elsewhere
    ACTIVE = (Status.QUEUED, Status.RUNNING)
    UNFINISHED = (Status.PENDING, Status.QUEUED, Status.RUNNING, Status.PAUSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PUBLIC)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SEARCH)
    accepts_bred = models.BooleanField(
        default=False, help_text="whether pictures that people bred may take classes of its archive"
    )
    founders = models.BinaryField(
        null=True,
        blank=True,
        help_text="genomes of its first population, as a compressed JSON list; else random",
    )
    n_founders = models.PositiveIntegerField(default=0, help_text="how many these are")
    cloned_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="clones"
    )
    sweep = models.ForeignKey("Sweep", on_delete=models.CASCADE, null=True, blank=True, related_name="runs")

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
    origin = models.JSONField(
        null=True, blank=True, help_text="of a run computed elsewhere: its archive file"
    )
    removed_at = models.DateTimeField(null=True, blank=True, help_text="by its owner or an administrator")
    visibility_before = models.CharField(max_length=8, blank=True, help_text="its removal")

    objects = RunManager()
    everything = RunQuerySet.as_manager()

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

    @functools.cached_property
    def known_classifier(self) -> ClassifierEntry | None:
        """What the registry says of the classifier, if it still knows it; asked once, for a page of labels."""
        with suppress(UnknownClassifier):
            return find(self.classifier)
        return None

    @property
    def classifier_title(self) -> str:
        """The classifier's name for people."""
        return self.known_classifier.title if self.known_classifier else self.classifier

    def label_of(self, class_index: int) -> str:
        """The name of a class of the run's classifier."""
        return self.known_classifier.labels[class_index] if self.known_classifier else str(class_index)

    @property
    def n_classes(self) -> int:
        """How many classes the run's classifier tells apart; 0 where it is known no more."""
        return self.known_classifier.n_classes if self.known_classifier else 0

    @property
    def encoding_title(self) -> str:
        """The encoding's name for people."""
        return ENCODINGS.get(self.encoding, self.encoding)

    @property
    def status_title(self) -> str:
        """Where the run stands, for people; nobody cancelled one that came unfinished and cannot go on."""
        return self.STOPPED[1] if self._came_unfinished else self.get_status_display()

    @property
    def origin_title(self) -> str:
        """Whether the run was imported and how far it had come, for people; empty for a run of this site."""
        if not self._came_unfinished:
            return "imported" if self.origin else ""
        if self.generation is None:
            return "imported, not begun"
        return f"imported at generation {self.generation:,} of {self.generations:,}"

    @property
    def _came_unfinished(self) -> bool:
        return bool(self.origin) and self.status == self.Status.CANCELLED

    @property
    def climbed_classes(self) -> list[int]:
        """The classes that a gradient ascent was asked to climb; empty where it climbs all, and for other runs."""
        return list(self.settings.gradient.class_indices) if self.encoding == "gradient" else []

    @property
    def is_search(self) -> bool:
        """Whether it evolved by itself, from a seed: only then can it be run again."""
        return self.kind == self.Kind.SEARCH

    @property
    def are_pictures(self) -> bool:
        """Whether these are plain pictures, which nobody searched for here."""
        return self.kind == self.Kind.PICTURES

    @property
    def is_claimed(self) -> bool:
        """Whether its confidences are what somebody claimed: the classifier was not here to be asked."""
        versions = (self.origin or {}).get("versions") or {}
        return self.are_pictures and versions.get("confidences") == self.CLAIMED

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
        return (self.settings.evaluations + self.guests - self.evaluations) / self.evaluations_per_second

    @property
    def can_accept_bred(self) -> bool:
        """Whether its owner may open it to bred pictures: networks do not compete among pixels."""
        return self.kind == self.Kind.SEARCH and self.encoding == "cppn"

    @property
    def guests(self) -> int:
        """How many generations were pictures that people bred and that took classes, each one by itself."""
        if self.kind != self.Kind.SEARCH:
            return 0
        return self.generations - self.settings.generations

    @property
    def guest_individuals(self) -> models.QuerySet["Individual"]:
        """Those pictures: all that have no parents though they came after the first population."""
        return (
            self.individuals.filter(generation__gt=0, parents=[]) if self.guests else self.individuals.none()
        )

    @property
    def founding_genomes(self) -> list[dict[str, Any]]:
        """The genomes that its first population began with, as documents; none where all of it was random."""
        documents: list[dict[str, Any]] = json.loads(zlib.decompress(self.founders)) if self.founders else []
        return documents

    @staticmethod
    def packed_founders(documents: list[dict[str, Any]]) -> bytes:
        """Return genomes as a run keeps its founders."""
        return zlib.compress(json.dumps(documents, separators=(",", ":")).encode())

    @property
    def command(self) -> str:
        """The command that runs it again."""
        return self.command_until(self.generations - self.guests)

    def command_until(self, generation: int) -> str:
        """Return the command that runs it again as far as a generation."""
        return (
            f".venv/bin/python manage.py evolve --classifier {self.classifier} --encoding {self.encoding} "
            f"--generations {generation} {self._further_options()} "
            f"--fidelity {self.settings.fidelity} --seed {self.seed}"
        )

    def _further_options(self) -> str:
        """Return the options that say how large a run is and, where it is not as usual, of what kind."""
        settings_ = self.settings
        if self.encoding == "gradient":
            climb = settings_.gradient
            size = (
                f"--setting {setting_of(climb)} --classes {classes_in_words(climb)} --starts {climb.starts}"
            )
        else:
            size = f"--population {settings_.offspring}"
        usual = Parameters()
        unusual = [
            f" --{name} {getattr(settings_, name)}"
            for name in ("method", "crops", "precision")
            if getattr(settings_, name) != getattr(usual, name)
        ]
        return size + "".join(unusual)

    def is_controlled_by(self, user: Any) -> bool:
        """Whether this person may pause, resume and cancel the run."""
        return bool(user.is_authenticated and (user.is_staff or self.owner_id == user.pk))

    def pause(self) -> bool:
        """Stop after the flush under way; whether that changed anything."""
        return self._move((self.Status.PENDING, *self.ACTIVE), self.Status.PAUSED)

    def queue(self) -> bool:
        """Let a run whose turn has come ask for a worker; whether that changed anything."""
        return self._move((self.Status.PENDING,), self.Status.QUEUED)

    def resume(self) -> bool:
        """Queue a paused run again, or let it wait its turn in its sweep; whether that changed anything."""
        status = self.Status.PENDING if self.sweep_id else self.Status.QUEUED
        return self._move((self.Status.PAUSED,), status, attempts=0)

    def cancel(self) -> bool:
        """Stop for good and keep what was found; whether that changed anything."""
        return self._move(self.UNFINISHED, self.Status.CANCELLED, finished_at=timezone.now())

    def fail(self, reason: str) -> bool:
        """Give the run up with a reason that its owner can act on."""
        return self._move(self.UNFINISHED, self.Status.FAILED, error=reason, finished_at=timezone.now())

    @property
    def can_go_on(self) -> bool:
        """Whether a run that failed or was cancelled may be queued again: what it needs to go on is still here.

        Searches that hold more than their champions lose the rest when they end.
        """
        if self.status not in (self.Status.FAILED, self.Status.CANCELLED):
            return False
        holds_more = self.encoding == "gradient" or self.settings.method == "novelty"
        return self.generation is None or (self.random_state is not None and not holds_more)

    def requeue(self) -> bool:
        """Let a run that failed or was cancelled go on from its last flush; whether that changed anything."""
        if not self.can_go_on:
            return False
        status = self.Status.PENDING if self.sweep_id else self.Status.QUEUED
        fresh = {"attempts": 0, "error": "", "finished_at": None}
        return self._move((self.Status.FAILED, self.Status.CANCELLED), status, **fresh)

    def remove(self) -> bool:
        """Take the run out of sight, stopped if it was under way; `restore` brings it back. Whether this did it."""
        self.cancel()
        removed = Run.objects.filter(pk=self.pk).update(
            removed_at=timezone.now(), visibility_before=F("visibility"), visibility=self.Visibility.PRIVATE
        )
        self._refresh_removal()
        return bool(removed)

    def restore(self) -> bool:
        """Bring a removed run back as it was; whether it was away, and not so long that it is going for good."""
        going = Run.everything.due_to_go(timezone.now()).values("pk")
        away = Run.everything.filter(pk=self.pk, removed_at__isnull=False).exclude(pk__in=going)
        away = away.exclude(visibility_before="")  # put aside while the rest of its file comes in
        restored = away.update(removed_at=None, visibility=F("visibility_before"), visibility_before="")
        self._refresh_removal()
        return bool(restored)

    def _refresh_removal(self) -> None:
        names = ["removed_at", "visibility", "visibility_before"]
        self.refresh_from_db(fields=names, from_queryset=Run.everything.all())

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

    def borrow(self, holder: str) -> bool:
        """Take the lease for a moment, whatever the status, if nobody holds the run; whether it is ours now.

        A bell that was rung for an active run finds the number gone by: whoever borrowed it rings again.
        """
        now = timezone.now()
        unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        taken = Run.objects.filter(unheld, pk=self.pk, lease_number=self.lease_number).update(
            lease_number=self.lease_number + 1,
            lease_holder=holder[:100],
            lease_until=now + timedelta(seconds=settings.RUN_LEASE_SECONDS),
        )
        if taken:
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

    def keep_state(self, state: bytes) -> None:
        """Put what a search holds beside its champions in the place of what it held at the last flush."""
        self.search_states.all().delete()
        for part, start in enumerate(range(0, len(state), SearchState.LARGEST)):
            content = state[start : start + SearchState.LARGEST]
            SearchState.objects.create(run=self, part=part, content=content)

    def kept_state(self) -> bytes:
        """Return what `keep_state` was given last; empty where a search holds its champions alone."""
        return b"".join(bytes(content) for content in self.search_states.values_list("content", flat=True))

    def _move(self, leaving: tuple[str, ...], status: str, **changes: Any) -> bool:
        """Change the status if it is still one of those left; two who try cannot both succeed.

        Of the lease nothing is read: a worker that lost it must not take its follower's number for its own.
        """
        moved = Run.objects.filter(pk=self.pk, status__in=leaving).update(status=status, **changes)
        self.refresh_from_db(fields=["status", *CHANGED_WITH_STATUS])
        if moved and status not in self.UNFINISHED:
            self.search_states.all().delete()
        return bool(moved)


class SweepQuerySet(models.QuerySet["Sweep"]):
    """Sweeps, narrowed by adjectives."""

    def visible_to(self, user: Any) -> "SweepQuerySet":
        """Sweeps that this person may open: their own, public ones, and unlisted ones by their address."""
        if user.is_staff:
            return self
        opened = ~Q(visibility=Run.Visibility.PRIVATE)
        return self.filter(opened | Q(owner=user)) if user.is_authenticated else self.filter(opened)

    def pending(self) -> "SweepQuerySet":
        """Sweeps of which a run waits its turn."""
        return self.filter(runs__status=Run.Status.PENDING).distinct()


class Sweep(models.Model):
    """Runs that belong together: the same settings from one seed after another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="sweeps")
    visibility = models.CharField(max_length=8, choices=Run.Visibility, default=Run.Visibility.PUBLIC)
    preset = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the sweep's page."""
        return reverse("sweeps:detail", args=[self.id])

    def is_controlled_by(self, user: Any) -> bool:
        """Whether this person may pause, resume, cancel and delete the sweep."""
        return bool(user.is_authenticated and (user.is_staff or self.owner_id == user.pk))

    @property
    def is_unfinished(self) -> bool:
        """Whether any of its runs can still go on."""
        return self.runs.filter(status__in=Run.UNFINISHED).exists()

    @property
    def is_at_work(self) -> bool:
        """Whether any of its runs is active or waits its turn."""
        return self.runs.filter(status__in=(Run.Status.PENDING, *Run.ACTIVE)).exists()

    def admit(self) -> list[Run]:
        """Queue runs that wait as far as their owner has room, one at least if none is at work; return them."""
        owned = Run.objects.active().filter(owner=self.owner).count()
        most = self.owner.runs_at_a_time if self.owner else settings.ACTIVE_RUNS_PER_USER
        room = max(most - owned, 0 if self.runs.active().exists() else 1)
        waiting = self.runs.filter(status=Run.Status.PENDING).order_by("seed")
        return [run for run in waiting[:room] if run.queue()]

    def pause(self) -> list[Run]:
        """Stop every run after the flush under way; return those that this changed."""
        return self._move((Run.Status.PENDING, *Run.ACTIVE), Run.Status.PAUSED)

    def resume(self) -> list[Run]:
        """Let every paused run wait its turn again; return those that this changed."""
        return self._move((Run.Status.PAUSED,), Run.Status.PENDING, attempts=0)

    def cancel(self) -> list[Run]:
        """Stop every run for good and keep what was found; return those that this changed."""
        return self._move(Run.UNFINISHED, Run.Status.CANCELLED, finished_at=timezone.now())

    def _move(self, leaving: tuple[str, ...], status: str, **changes: Any) -> list[Run]:
        """Change the status of the runs that still have one of those left."""
        moved = list(self.runs.filter(status__in=leaving))
        self.runs.filter(pk__in=[run.pk for run in moved], status__in=leaving).update(
            status=status, **changes
        )
        if status not in Run.UNFINISHED:
            SearchState.objects.filter(run__in=moved).delete()
        return moved


class HeldQuerySet(models.QuerySet[Any]):
    """Lines that name an individual: takeovers and champions."""

    def without_genomes(self) -> "HeldQuerySet":
        """With their individuals in the same query, but not the genomes, which pages never need."""
        return self.select_related("individual").defer("individual__genome")

    def with_breeders(self) -> "HeldQuerySet":
        """With what says who bred those individuals by hand that came in from outside; a few queries for all."""
        offered = "individual__offer__publication"
        return self.prefetch_related(f"{offered}__author", f"{offered}__individual__run")


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

    @property
    def came_from_outside(self) -> bool:
        """Whether it is a guest, in a run that has any: of the others only the first population lacks parents."""
        return self.generation > 0 and not self.parents


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


class SearchState(models.Model):
    """What a search holds beside its champions at the last flush, such as images in the midst of an ascent.

    It goes when the run ends: by then all that is worth keeping stands in the history.
    """

    LARGEST = 16 * 2**20  # bytes: no database takes a whole one of a large search in one piece

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="search_states")
    part = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["part"]
        constraints = [models.UniqueConstraint(fields=["run", "part"], name="part_of_search_state")]

    def __str__(self) -> str:
        return f"part {self.part} of the search of {self.run_id}"


class Climb(models.Model):
    """An image that follows the gradient of one class, and the first steps at which it came past a milestone."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="climbs")
    class_index = models.PositiveIntegerField()
    start = models.PositiveIntegerField(help_text="which of the class's images, from 0")
    step_top = models.PositiveIntegerField(null=True, help_text="at which the class was the likeliest of all")
    step_99 = models.PositiveIntegerField(null=True, help_text="at which its confidence passed 99 %")
    step_999 = models.PositiveIntegerField(null=True, help_text="at which its confidence passed 99.9 %")
    step_9999 = models.PositiveIntegerField(null=True, help_text="at which its confidence passed 99.99 %")

    MILESTONES = ("step_top", "step_99", "step_999", "step_9999")

    class Meta:
        ordering = ["class_index", "start"]
        constraints = [
            models.UniqueConstraint(fields=["run", "class_index", "start"], name="climb_of_class_and_start")
        ]

    def __str__(self) -> str:
        return f"start {self.start} of class {self.class_index} of {self.run_id}"

    @property
    def label(self) -> str:
        """The name of the class."""
        return self.run.label_of(self.class_index)

    @property
    def steps(self) -> list[int | None]:
        """The first steps past each milestone; None where it was not passed."""
        return [getattr(self, milestone) for milestone in self.MILESTONES]


class Storage(models.Model):
    """How much room a run takes in the database, as it was measured last. Films know their size themselves."""

    PAUSE = timedelta(minutes=10)  # between two looks at a run that is at work

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="storage")
    genomes = models.PositiveBigIntegerField(default=0, help_text="bytes")
    history = models.PositiveBigIntegerField(default=0, help_text="bytes of everything else, about")
    generation = models.PositiveIntegerField(help_text="at which it was measured")
    status = models.CharField(max_length=9, help_text="in which it was measured")
    measured_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.genomes + self.history:,} bytes of {self.run_id}"


class FilmGone(Exception):
    """A film was deleted, with its run, while it was made."""


class FilmQuerySet(models.QuerySet["Film"]):
    """Films, narrowed by adjectives."""

    def visible_to(self, user: Any) -> "FilmQuerySet":
        """Films of runs that this person may open."""
        return self.filter(run__in=Run.objects.visible_to(user).values("pk"))

    def waiting(self) -> "FilmQuerySet":
        """Films that a worker has still to finish, and has not forgotten."""
        return self.filter(status=Film.Status.WAITING, touched_at__gt=timezone.now() - Film.PATIENCE)

    def with_files(self) -> "FilmQuerySet":
        """Films that can be downloaded."""
        return self.filter(status=Film.Status.FINISHED)


class Film(models.Model):
    """A run's archive, or some of its classes, from the first generation to the last as one animated picture.

    A worker makes it in slices, each of which is a part in the storage; at the end they become the file. Files of
    old films go, and can be made again.
    """

    class Status(models.TextChoices):
        """Where a film stands."""

        WAITING = "waiting", "Being made"
        FINISHED = "finished"
        FAILED = "failed"
        REMOVED = "removed", "Removed to save room"

    PATIENCE = timedelta(minutes=5)  # without a further part, after which nobody waits any more

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="films")
    what = models.JSONField(default=list, help_text="class indices; none: all")
    generations = models.JSONField(default=list, help_text="one for each frame")
    seconds = models.FloatField(help_text="that the film lasts")
    progress = models.PositiveIntegerField(default=0, help_text="frames that are made")
    parts = models.JSONField(default=list, help_text="of each piece in the storage, how many frames it has")
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    error = models.TextField(blank=True)
    file = models.FileField(upload_to="films", blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="of the file, in bytes")
    asked_by = models.CharField(max_length=64, help_text="a person or an address, as a hash")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now, help_text="when it last came on")

    objects = FilmQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["asked_by", "status"]), models.Index(fields=["status", "created_at"])]

    def __str__(self) -> str:
        return f"film of {self.run_id}, {len(self.generations)} frames"

    def get_absolute_url(self) -> str:
        """Return the address of the film's page."""
        return reverse("runs:film", args=[self.id])

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has still to finish it."""
        return self.status == self.Status.WAITING

    @property
    def is_overdue(self) -> bool:
        """Whether a page should stop asking."""
        return self.is_waiting and timezone.now() - self.touched_at > self.PATIENCE

    @property
    def n_frames(self) -> int:
        """How many frames it has."""
        return len(self.generations)

    def note(self, **changes: Any) -> None:
        """Save changes; raises FilmGone where its run was deleted meanwhile."""
        changes["touched_at"] = timezone.now()
        if not Film.objects.filter(pk=self.pk).update(**changes):
            raise FilmGone(f"film {self.pk} was deleted")
        for name, value in changes.items():
            setattr(self, name, value)
