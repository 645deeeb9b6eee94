"""What studies know: designs, the images that they show, who took part, what was shown and what was answered.

A study is drafted, tried out, frozen and opened, and closed in the end. With freezing, its design and images are
hashed and never change again; what was answered before is of another phase than what comes after, and no result
mixes the two. Trials are laid down when a participant begins, so that "the next trial" is a fact of the database and
not of a browser; a response belongs to one trial and there is at most one, however often it is sent.

Who a participant is elsewhere (`OutsideIdentity`) lies apart from everything they answered.
"""

import hashlib
import math
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.models import Individual, Run
from fooling_web.studies.design import Design

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another


def new_code(length: int = 8) -> str:
    """Return letters that can be read aloud, for a link, a class or a completed session."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))


def digest(token: str) -> str:
    """Return the hash under which a secret is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


class Frozen(Exception):
    """A change of a design or of images that can change no more; the message says what helps."""


class StudyQuerySet(models.QuerySet["Study"]):
    """Studies, narrowed by adjectives."""

    def managed_by(self, user: Any) -> "StudyQuerySet":
        """Studies that this person may change, and whose data they may see."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(owner=user)

    def readable_by(self, user: Any) -> "StudyQuerySet":
        """Studies whose results this person may read: their own, and by their address those published."""
        if user.is_authenticated and user.is_staff:
            return self
        published = ~Q(results=Run.Visibility.PRIVATE)
        return self.filter(published | Q(owner=user)) if user.is_authenticated else self.filter(published)

    def inviting(self) -> "StudyQuerySet":
        """Studies that anybody may find and take part in."""
        return self.filter(status=Study.Status.OPEN, is_listed=True, entries__contains="link")


class Study(models.Model):
    """A question to people about images."""

    class Status(models.TextChoices):
        """Where it stands."""

        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    ENTRIES = {
        "link": "an open link",
        "account": "an account on this site",
        "class": "a class's join code",
        "prolific": "Prolific",
        "mturk": "Mechanical Turk",
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="studies"
    )
    title = models.CharField(max_length=120)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT)
    design = models.JSONField(help_text="as studies.design.Design writes it")
    code = models.CharField(
        max_length=12, unique=True, default=new_code, help_text="of the link to take part"
    )
    entries = models.CharField(max_length=60, default="link", help_text="ways in, with commas")
    is_listed = models.BooleanField(default=False, help_text="for everybody to find, while it is open")
    results = models.CharField(
        max_length=8, choices=Run.Visibility, default=Run.Visibility.PRIVATE, help_text="who may read them"
    )
    completion_code = models.CharField(
        max_length=32, default=new_code, help_text="that a recruiter expects from whoever is done"
    )
    completion_url = models.URLField(
        max_length=300, blank=True, help_text="to which whoever is done is sent; empty: to nowhere"
    )
    retention_days = models.PositiveIntegerField(
        default=0, help_text="after closing, until the data are deleted; 0: they stay"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    design_sha256 = models.CharField(max_length=64, blank=True, help_text="of design and images, once frozen")
    closed_at = models.DateTimeField(null=True, blank=True)
    n_withdrawn = models.PositiveIntegerField(default=0)

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.title

    def save(self, *arguments: Any, **options: Any) -> None:
        """Store the row; raises Frozen where that would change a frozen design."""
        if self.is_frozen and not self._state.adding:
            fixed = Study.objects.filter(pk=self.pk).exclude(frozen_at=None).values("design", "design_sha256")
            if any(
                (row["design"], row["design_sha256"]) != (self.design, self.design_sha256) for row in fixed
            ):
                raise Frozen(
                    f"The design of “{self.title}” is frozen and cannot change. Copy the study instead."
                )
        super().save(*arguments, **options)

    def get_absolute_url(self) -> str:
        """Return the address of the page on which its owner works."""
        return reverse("studies:study", args=[self.pk])

    @property
    def plan(self) -> Design:
        """The design as a value."""
        return Design.from_json(self.design)

    @property
    def is_frozen(self) -> bool:
        """Whether design and images can change no more."""
        return self.frozen_at is not None

    @property
    def ways_in(self) -> list[str]:
        """The names of the ways in that are open."""
        return [way for way in self.entries.split(",") if way in self.ENTRIES]

    @property
    def phase(self) -> str:
        """The phase to which whoever begins now belongs."""
        return Participant.Phase.MAIN if self.is_frozen else Participant.Phase.PILOT

    @property
    def take_url(self) -> str:
        """The address at which people take part."""
        return reverse("studies:take", args=[self.code])


class StudyImage(models.Model):
    """An image as a study shows it: a picture of its own, which stays when the run that it came from goes."""

    class Role(models.TextChoices):
        """What it is for."""

        MAIN = "main", "asked about"
        CATCH = "catch", "catch trial"
        PRACTICE = "practice", "practice"

    WRITTEN = "written: choose "  # how the source begins of a picture that says which label to choose

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="images")
    number = models.PositiveIntegerField(help_text="in its study, from 1")
    role = models.CharField(max_length=8, choices=Role, default=Role.MAIN)
    is_natural = models.BooleanField(default=False, help_text="a photograph or a digit, with a true label")
    individual = models.ForeignKey(
        Individual, on_delete=models.SET_NULL, null=True, blank=True, related_name="study_images"
    )
    source = models.CharField(max_length=200, blank=True, help_text="where it comes from, in words")
    picture = models.FileField(upload_to="studies", max_length=200, help_text="a PNG named by its hash")
    sha256 = models.CharField(max_length=64)
    side = models.PositiveSmallIntegerField(help_text="pixels of the PNG, which is square")
    class_index = models.PositiveIntegerField(help_text="of the label that counts as right")
    label = models.CharField(
        max_length=200, help_text="the machine's for evolved images, the true one for natural"
    )
    confidence = models.FloatField(null=True, help_text="of the classifier in that label; empty: not asked")
    second_index = models.PositiveIntegerField(null=True)
    second_label = models.CharField(
        max_length=200, blank=True, help_text="the classifier's next after that label"
    )
    machine_index = models.PositiveIntegerField(null=True)
    machine_label = models.CharField(max_length=200, blank=True, help_text="what the classifier says first")
    machine_confidence = models.FloatField(null=True)
    classifier = models.CharField(max_length=64, blank=True)
    dataset = models.CharField(max_length=32, help_text="whose labels these are")
    encoding = models.CharField(max_length=16, blank=True, help_text="empty: natural")
    branch = models.CharField(max_length=32, blank=True, help_text="of WordNet")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="study_image_number")]

    def __str__(self) -> str:
        return f"image {self.number} of {self.study_id}: {self.label}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Store the row; raises Frozen where its study can change no more."""
        self._require_unfrozen()
        super().save(*arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> Any:
        """Delete the row; raises Frozen where its study can change no more."""
        self._require_unfrozen()
        return super().delete(*arguments, **options)

    def _require_unfrozen(self) -> None:
        if Study.objects.filter(pk=self.study_id).exclude(frozen_at=None).exists():
            raise Frozen("The images of this study are frozen and cannot change. Copy the study instead.")

    @property
    def is_written(self) -> bool:
        """Whether the picture says in words which label to choose."""
        return self.source.startswith(self.WRITTEN)

    @property
    def machine_is_right(self) -> bool | None:
        """Whether the classifier says the label that counts as right; None: it was not asked."""
        return None if self.machine_index is None else self.machine_index == self.class_index


class Classroom(models.Model):
    """A class that takes part together, at its teacher's word."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting for all"
        RUNNING = "running", "At work"
        REVEALED = "revealed", "Revealed"
        CLOSED = "closed", "Closed"

    OPEN = (Status.WAITING, Status.RUNNING, Status.REVEALED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="classrooms")
    teacher = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="classrooms"
    )
    name = models.CharField(max_length=100, blank=True)
    join_code = models.CharField(max_length=8, unique=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    seconds = models.PositiveIntegerField(default=120, help_text="for all images; 0: no limit")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name or self.join_code

    def get_absolute_url(self) -> str:
        """Return the address of the teacher's page."""
        return reverse("studies:classroom", args=[self.pk])

    @property
    def ends_at(self) -> datetime | None:
        """When time is up; None before the start, and without a limit."""
        if not self.seconds or self.started_at is None:
            return None
        return self.started_at + timedelta(seconds=self.seconds)

    @property
    def is_up(self) -> bool:
        """Whether time is up."""
        return self.ends_at is not None and timezone.now() >= self.ends_at

    @property
    def seconds_left(self) -> int | None:
        """Whole seconds until time is up, at least 0; None where nothing runs out."""
        if self.ends_at is None:
            return None
        return max(0, math.ceil((self.ends_at - timezone.now()).total_seconds()))

    def start(self) -> bool:
        """Let the class begin; whether that changed anything."""
        return self._move(self.Status.RUNNING, "started_at", self.Status.WAITING)

    def reveal(self) -> bool:
        """Let the class see what came out, and take no more answers; whether that changed anything."""
        closed_early = [] if self.started_at is None or self.revealed_at else [self.Status.CLOSED]
        return self._move(self.Status.REVEALED, "revealed_at", self.Status.RUNNING, *closed_early)

    def close(self) -> bool:
        """End it; whether that changed anything."""
        return self._move(self.Status.CLOSED, None, *self.OPEN)

    def _move(self, status: str, moment: str | None, *leaving: str) -> bool:
        changes: dict[str, Any] = {"status": status, **({moment: timezone.now()} if moment else {})}
        moved = Classroom.objects.filter(pk=self.pk, status__in=leaving).update(**changes)
        self.refresh_from_db()
        return bool(moved)


class ParticipantQuerySet(models.QuerySet["Participant"]):
    """Participants, narrowed by adjectives."""

    def of_phase(self, phase: str) -> "ParticipantQuerySet":
        """Participants of one phase; no result mixes two."""
        return self.filter(phase=phase)

    def completed(self) -> "ParticipantQuerySet":
        """Participants whose last trial is stored."""
        return self.filter(completed_at__isnull=False)


class Participant(models.Model):
    """Somebody who takes part, without a name."""

    class Phase(models.TextChoices):
        """To which data they belong."""

        PREVIEW = "preview", "Preview"
        PILOT = "pilot", "Pilot"
        MAIN = "main", "Main"

    SIMULATED = "simulated"  # beside the study's ways in

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participants")
    number = models.PositiveIntegerField(help_text="in its study, from 1: the pseudonym in exports")
    phase = models.CharField(max_length=7, choices=Phase)
    entry = models.CharField(max_length=10, help_text="the way in")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="participations"
    )
    classroom = models.ForeignKey(
        Classroom, on_delete=models.SET_NULL, null=True, blank=True, related_name="participants"
    )
    nickname = models.CharField(max_length=30, blank=True, help_text="in a class, as the teacher sees it")
    framing = models.CharField(max_length=7, help_text="machine or you")
    seed = models.BigIntegerField(help_text="of the order of trials and options")
    token_hash = models.CharField(max_length=64, help_text="of the secret that their browser keeps")
    n_trials = models.PositiveIntegerField(default=0)
    n_answered = models.PositiveIntegerField(default=0, help_text="and so the number of the next trial")
    n_reloads = models.PositiveIntegerField(default=0)
    consented_at = models.DateTimeField()
    seen_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    browser = models.JSONField(default=dict, help_text="viewport, pixel ratio, frame rate, touch; no address")

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="participant_number")]
        indexes = [models.Index(fields=["study", "phase"], name="participants_of_phase")]

    def __str__(self) -> str:
        return f"participant {self.number} of {self.study_id}"

    def get_absolute_url(self) -> str:
        """Return the address of their own session."""
        return reverse("studies:session", args=[self.pk])

    @property
    def is_complete(self) -> bool:
        """Whether their last trial is stored."""
        return self.completed_at is not None


class OutsideIdentity(models.Model):
    """Who a participant is where they were recruited. It lies apart, and leaves only in a file of its own."""

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="outside"
    )
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="outside_identities")
    service = models.CharField(max_length=10, help_text="prolific or mturk")
    person = models.CharField(max_length=100, help_text="PROLIFIC_PID or workerId")
    task = models.CharField(max_length=100, blank=True, help_text="STUDY_ID or hitId")
    visit = models.CharField(max_length=100, blank=True, help_text="SESSION_ID or assignmentId")

    class Meta:
        verbose_name_plural = "outside identities"
        constraints = [
            models.UniqueConstraint(fields=["study", "service", "person"], name="outside_person_once")
        ]

    def __str__(self) -> str:
        return f"{self.service} of {self.participant_id}"


class Trial(models.Model):
    """One thing to be shown to one participant; laid down before it is shown, and never changed."""

    class Role(models.TextChoices):
        """What it is for."""

        PRACTICE = "practice", "Practice"
        MAIN = "main", "Main"
        CATCH = "catch", "Catch"
        REPEAT = "repeat", "Repeated"

    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="trials", db_index=False
    )
    number = models.PositiveIntegerField(help_text="in the participant's order, from 0")
    role = models.CharField(max_length=8, choices=Role)
    image = models.ForeignKey(StudyImage, on_delete=models.CASCADE, related_name="trials")
    condition = models.CharField(max_length=40, blank=True, help_text="of the comparison")
    options = models.JSONField(
        default=list,
        help_text="as they stand on the screen: labels, or numbers of images where one is picked",
    )
    key = models.PositiveSmallIntegerField(
        null=True, help_text="the place of the right option; empty: none is"
    )

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["participant", "number"], name="trial_number")]

    def __str__(self) -> str:
        return f"trial {self.number} of {self.participant_id}"


class Response(models.Model):
    """What a participant answered in a trial; at most one, never changed."""

    trial = models.OneToOneField(Trial, on_delete=models.CASCADE, primary_key=True, related_name="response")
    answer = models.PositiveSmallIntegerField(
        null=True, help_text="the place of the chosen option; empty: too late"
    )
    is_right = models.BooleanField(null=True, help_text="empty: nothing is right or wrong here")
    sureness = models.PositiveSmallIntegerField(null=True, help_text="of the participant, from 0 to 100")
    name = models.CharField(max_length=200, blank=True, help_text="in the participant's own words")
    rt_ms = models.FloatField(null=True, help_text="from the frame that showed the image; empty: no answer")
    by = models.CharField(max_length=8, blank=True, help_text="key, mouse or touch")
    shown_ms = models.FloatField(null=True, help_text="how long the image was on the screen, by its frames")
    n_blurs = models.PositiveSmallIntegerField(
        default=0, help_text="how often the window lost focus meanwhile"
    )
    width = models.PositiveSmallIntegerField(default=0, help_text="of the viewport")
    height = models.PositiveSmallIntegerField(default=0)
    stored_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"response to {self.trial_id}"


class SessionEvent(models.Model):
    """Something that happened to a session: focus lost or found, another size, full screen, a reload."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    trial_number = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=20)
    detail = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.participant_id}"


class Refusal(models.Model):
    """How often a study refused something that was sent to it, by reason."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="refusals")
    reason = models.CharField(max_length=40)
    times = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "reason"], name="refusal_once")]

    def __str__(self) -> str:
        return f"{self.times} times {self.reason}"


class Analysis(models.Model):
    """What takes a worker to find out: the effect of a comparison, by a named method, for so many responses."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="analyses")
    phase = models.CharField(max_length=7, choices=Participant.Phase)
    method = models.CharField(max_length=20)
    n_responses = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    result = models.JSONField(default=dict)
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name_plural = "analyses"
        constraints = [
            models.UniqueConstraint(fields=["study", "phase", "method", "n_responses"], name="analysis_once")
        ]

    def __str__(self) -> str:
        return f"{self.method} of {self.study_id}"


class Game(models.Model):
    """Ten images about which a visitor guesses what a network sees in them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, help_text="of the secret that the player's browser keeps")
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="games"
    )
    seed = models.BigIntegerField()
    rounds = models.JSONField(help_text="of each: run, number, class_index, options, key, confidence")
    answers = models.JSONField(default=list, help_text="places of the chosen options, in the rounds' order")
    n_right = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"game {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the address of the game, which shows its result once it is over."""
        return reverse("studies:game", args=[self.pk])
