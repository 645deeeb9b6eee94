"""What breeding knows: sessions with every litter that was ever shown, what networks said, and what was published.

Litters are append-only. Going back moves the place of a session and forgets nothing; whoever goes on from an
earlier litter begins a branch beside what was there. So two tabs of one session can be in each other's way as
little as two people are.

A published picture is an individual of a run of its own (`Run.Kind.BREEDING`), whose other individuals are its
ancestors in the session: galleries, image pages, ratings and comments treat it as any other image.
"""

import json
import uuid
import zlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from evolution.parameters import Parameters
from fooling_web.runs.models import Individual, Run

LITTER_SIZES = range(10, 31)
USUAL_LITTER = 15
MOST_CLASSIFIERS = 3  # that look on
MOST_LITTERS = 5000  # of one session
PATIENCE = timedelta(minutes=2)  # until a page that waits for a worker stops asking
SURELY = 0.5  # no other class can be as likely
FOOLED = 0.99  # confidence from which on a network is sure, for the goals


class Goal(models.TextChoices):
    """What a person plays for."""

    NONE = "", "No goal"
    FOOL = "fool", "Fool it: a sure network, a picture that means nothing"
    AGREE = "agree", "Agree: you and the network see the same"


class Focus(models.TextChoices):
    """Which part of a picture changes."""

    WHOLE = "whole", "Everything"
    STRUCTURE = "structure", "Structure"
    COLOUR = "colour", "Colour"


class BreedingSessionQuerySet(models.QuerySet["BreedingSession"]):
    """Sessions, narrowed by adjectives."""

    def owned_by(self, user: Any, visitor: str) -> "BreedingSessionQuerySet":
        """Sessions of this person, or of this browser while nobody has signed in."""
        if user.is_authenticated:
            return self.filter(owner=user)
        return self.filter(owner=None, visitor=visitor) if visitor else self.none()


class BreedingSession(models.Model):
    """One person's evolving by hand, from a beginning on, with everything that was shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="breeding"
    )
    visitor = models.CharField(max_length=64, blank=True, help_text="a browser without account, as a hash")
    branched_from = models.ForeignKey(
        Individual,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        help_text="the image that it began with",
    )
    begun_with = models.CharField(
        max_length=200, blank=True, help_text="what it began with, in words; empty: nothing"
    )
    parameters = models.JSONField(help_text="how its genomes are read; of the colour each litter decides")
    place = models.ForeignKey("Litter", on_delete=models.SET_NULL, null=True, related_name="+")
    n_litters = models.PositiveIntegerField(default=0)

    litter_size = models.PositiveSmallIntegerField(default=USUAL_LITTER)
    change = models.FloatField(default=0.3, help_text="from small, 0, to big, 1")
    focus = models.CharField(max_length=9, choices=Focus, default=Focus.WHOLE)
    in_colour = models.BooleanField(default=True)

    classifiers = models.JSONField(default=list, help_text="names of those that look on")
    target = models.PositiveIntegerField(null=True, help_text="a class of the first classifier")
    goal = models.CharField(max_length=5, choices=Goal, default=Goal.NONE, blank=True)
    sorts = models.BooleanField(default=False, help_text="the litter by the confidence in the target")

    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(default=timezone.now)

    objects = BreedingSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-used_at"]
        indexes = [
            models.Index(fields=["owner", "-used_at"], name="breeding_of_owner"),
            models.Index(fields=["visitor", "-used_at"], name="breeding_of_visitor"),
        ]

    def __str__(self) -> str:
        return f"breeding {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the address of the session, at the litter where it stands."""
        return reverse("breeding:session", args=[self.pk])

    @property
    def settings(self) -> Parameters:
        """How genomes of the session are read."""
        return Parameters.from_json(self.parameters)


class Litter(models.Model):
    """Pictures that were shown together; never changed, never deleted."""

    class Deed(models.TextChoices):
        """What made it."""

        BEGIN = "begin", "Begun"
        EVOLVE = "evolve", "Evolved"
        REROLL = "reroll", "Rolled again"
        RECOLOUR = "recolour", "Colour switched"
        EDIT = "edit", "Edited"
        ATTEMPT = "attempt", "Evolved by the computer"

    session = models.ForeignKey(BreedingSession, on_delete=models.CASCADE, related_name="litters")
    number = models.PositiveIntegerField(help_text="in its session, from 0")
    deed = models.CharField(max_length=8, choices=Deed)
    before = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, related_name="afterwards", help_text="shown before it"
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        related_name="offspring",
        help_text="that it descends from",
    )
    picked = models.JSONField(default=list, help_text="places of the chosen in the parent litter")
    parents = models.JSONField(
        default=list, help_text="for each tile, the places of its own parents in the parent litter"
    )
    change = models.FloatField(default=0.3)
    focus = models.CharField(max_length=9, choices=Focus, default=Focus.WHOLE)
    in_colour = models.BooleanField(default=True)
    target = models.PositiveIntegerField(null=True, help_text="the session's, when the litter was added")
    seed = models.BigIntegerField(default=0)
    genomes = models.BinaryField(help_text="documents of the tiles' genomes, a compressed JSON list")
    hashes = models.JSONField(default=list, help_text="of each genome, its SHA-256")
    token = models.UUIDField(
        default=uuid.uuid4, help_text="of the form that asked for it: sent twice, it makes one litter"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="litter_number_in_session"),
            models.UniqueConstraint(fields=["session", "token"], name="litter_asked_once"),
        ]

    def __str__(self) -> str:
        return f"litter {self.number} of {self.session_id}"

    def __len__(self) -> int:
        return len(self.hashes)

    def __bool__(self) -> bool:
        return True  # whatever its length

    def get_absolute_url(self) -> str:
        """Return the address at which the session shows this litter."""
        return reverse("breeding:litter", args=[self.session_id, self.number])

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The genomes of its tiles, in their order."""
        documents: list[dict[str, Any]] = json.loads(zlib.decompress(self.genomes))
        return documents

    @staticmethod
    def packed(documents: list[dict[str, Any]]) -> bytes:
        """Return genomes as a litter keeps them."""
        return zlib.compress(json.dumps(documents, separators=(",", ":")).encode())


class Opinion(models.Model):
    """What one classifier says of the pictures of a litter."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        ANSWERED = "answered"
        FAILED = "failed"

    litter = models.ForeignKey(Litter, on_delete=models.CASCADE, related_name="opinions")
    classifier = models.CharField(max_length=64)
    weights_sha256 = models.CharField(max_length=64, blank=True)
    tops = models.JSONField(
        default=list, help_text="for each tile five [class_index, confidence], surest first"
    )
    target = models.PositiveIntegerField(null=True, help_text="a class of this classifier")
    confidences = models.JSONField(default=list, help_text="for each tile the confidence in the target")
    best = models.FloatField(null=True, help_text="the highest of them")
    seen = models.JSONField(
        default=list, help_text="[place, target, whether its breeder sees it there] as they said, in order"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["litter", "classifier"], name="opinion_once")]

    def __str__(self) -> str:
        return f"{self.classifier} on {self.litter_id}"


class Attempt(models.Model):
    """Evolution by itself for some generations, from pictures of a litter towards a class."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        RUNNING = "running"
        FINISHED = "finished"
        STOPPED = "stopped"
        FAILED = "failed"

    UNFINISHED = (Status.WAITING, Status.RUNNING)
    GENERATIONS = 20

    session = models.ForeignKey(BreedingSession, on_delete=models.CASCADE, related_name="attempts")
    litter = models.ForeignKey(Litter, on_delete=models.CASCADE, related_name="attempts")
    picked = models.JSONField(default=list, help_text="places in the litter that it begins with; none: all")
    classifier = models.CharField(max_length=64)
    class_index = models.PositiveIntegerField()
    generation = models.PositiveSmallIntegerField(default=0, help_text="how many are done")
    confidences = models.JSONField(default=list, help_text="the best of each generation")
    genomes = models.BinaryField(default=b"", help_text="the best so far, as a litter keeps them")
    held = models.JSONField(default=list, help_text="their confidences")
    founders = models.JSONField(default=list, help_text="for each of them the places that it descends from")
    seed = models.BigIntegerField(default=0)
    result = models.ForeignKey(Litter, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now, help_text="when it last came on")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "touched_at"], name="attempt_by_status")]

    def __str__(self) -> str:
        return f"attempt {self.pk} of {self.session_id}"


class PublicationQuerySet(models.QuerySet["Publication"]):
    """Published pictures, narrowed by adjectives."""

    def public(self) -> "PublicationQuerySet":
        """Those that everybody may find."""
        return self.filter(individual__run__visibility=Run.Visibility.PUBLIC).exclude(
            individual__exhibit__hidden=True
        )

    def visible_to(self, user: Any) -> "PublicationQuerySet":
        """Those that this person may open."""
        return self.filter(individual__run__in=Run.objects.visible_to(user).values("pk"))

    def listed_for(self, user: Any) -> "PublicationQuerySet":
        """Those that this person finds in lists: public ones and their own."""
        listed = Q(individual__run__in=Run.objects.listed_for(user).order_by().values("pk"))
        return self.filter(listed).exclude(individual__exhibit__hidden=True)

    def with_pictures(self) -> "PublicationQuerySet":
        """With all that a list shows of them, in one query."""
        related = self.select_related("author", "individual__run", "individual__exhibit")
        burdens = ("individual__genome", "individual__run__random_state", "individual__run__founders")
        return related.defer(*burdens)


class Publication(models.Model):
    """A bred picture that its breeder shows to others."""

    individual = models.OneToOneField(
        Individual, on_delete=models.CASCADE, primary_key=True, related_name="publication"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="publications"
    )
    session = models.ForeignKey(
        BreedingSession, on_delete=models.SET_NULL, null=True, related_name="publications"
    )
    litter = models.ForeignKey(Litter, on_delete=models.SET_NULL, null=True, related_name="publications")
    place = models.PositiveSmallIntegerField(default=0, help_text="of the tile in the litter")
    branched_from = models.ForeignKey(
        Individual, on_delete=models.SET_NULL, null=True, related_name="branches", db_index=True
    )
    description = models.TextField(blank=True, max_length=2000)
    goal = models.CharField(max_length=5, choices=Goal, default=Goal.NONE, blank=True)
    target = models.PositiveIntegerField(null=True, help_text="the class that it was bred towards")
    seen = models.BooleanField(null=True, help_text="whether its breeder sees the target in it")
    computed = models.PositiveIntegerField(
        default=0, help_text="generations on the way that evolution tried by itself"
    )
    published_at = models.DateTimeField(auto_now_add=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at"]
        indexes = [
            models.Index(fields=["author", "-published_at"], name="publication_of_author"),
            models.Index(fields=["-published_at", "-individual"], name="publication_newest"),
        ]

    def __str__(self) -> str:
        return f"publication of {self.individual_id}"

    def get_absolute_url(self) -> str:
        """Return the permalink of the picture."""
        return reverse("galleries:image", args=[self.individual.run_id, self.individual.number])

    @property
    def run(self) -> Run:
        """The run that was made of it and its ancestors."""
        return self.individual.run

    @property
    def exhibit(self) -> Any:
        """What people said of it; None where nobody did."""
        return getattr(self.individual, "exhibit", None)

    @property
    def title(self) -> str:
        """What its breeder calls it; of one that a moderator hid, nothing."""
        if self.exhibit and self.exhibit.hidden:
            return ""
        return self.exhibit.title if self.exhibit else self.run.name

    @property
    def is_judged(self) -> bool:
        """Whether the classifier has looked at it."""
        return self.run.generation is not None

    @property
    def is_awaited(self) -> bool:
        """Whether a page should go on asking what the classifier says."""
        is_open = not self.is_judged and not self.run.error
        return is_open and timezone.now() - self.published_at < PATIENCE

    @property
    def target_label(self) -> str:
        """The class that it was bred towards, in words; empty where there was none."""
        known = self.run.known_classifier
        if self.target is None or known is None or self.target >= known.n_classes:
            return ""
        return self.run.label_of(self.target)

    @property
    def has_reached_goal(self) -> bool:
        """Whether the classifier takes it for the target and its breeder sees that, or does not, as the goal asks."""
        wanted = {Goal.FOOL: False, Goal.AGREE: True}.get(Goal(self.goal))
        if wanted is None or self.seen is not wanted or not self.individual.top:
            return False
        class_index, confidence = self.individual.top[0]
        needed = FOOLED if self.goal == Goal.FOOL else SURELY
        return bool(class_index == self.target and confidence >= needed)


class Offer(models.Model):
    """A bred picture that competes in the archive of a run whose owner opened it."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting to be scored"
        WON = "won", "Took classes"
        LOST = "lost", "Took no class"
        REFUSED = "refused"
        FAILED = "failed"

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="offers")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="offers")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="offers"
    )
    individual = models.OneToOneField(
        Individual,
        on_delete=models.SET_NULL,
        null=True,
        related_name="offer",
        help_text="as which it stands in the run's history, if it took a class",
    )
    won = models.JSONField(
        default=list, help_text="[class_index, confidence, confidence before] of each class"
    )
    top = models.JSONField(default=list, help_text="five [class_index, confidence], surest first")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    error = models.TextField(blank=True)
    offered_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-offered_at"]
        constraints = [models.UniqueConstraint(fields=["publication", "run"], name="offered_once")]
        indexes = [models.Index(fields=["status", "offered_at"], name="offer_by_status")]

    def __str__(self) -> str:
        return f"offer of {self.publication_id} to {self.run_id}"

    @classmethod
    def waited_for(cls) -> models.QuerySet[Run]:
        """Return the runs with an archive for which offers wait."""
        waiting = cls.objects.filter(status=cls.Status.WAITING).values("run")
        return Run.objects.without_burdens().filter(pk__in=waiting, generation__isnull=False)
