"""What galleries know: where every public champion hangs, and what people keep and say of images.

Runs are the truth. `Entry` is an index over their champions that can be made again at any time (`hanging`): one
narrow row for each champion of a public run, with all that filters and orders ask for, so that a million of them
are searched without touching the runs' own tables. An `Exhibit` exists for an image as soon as a person has looked
at it, kept it or said something of it.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.models import Individual, Run

# Confidence bands of the histogram: each holds what is at least its number and less than the next one's.
BANDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
NO_BRANCH = ""
PATIENCE = timedelta(minutes=5)  # until a page that waits for a worker stops asking


class ImageClass(models.Model):
    """A class as people know it, over all classifiers that share its data set: "starfish" of ImageNet."""

    dataset = models.CharField(max_length=32)
    class_index = models.PositiveIntegerField()
    label = models.CharField(max_length=200)
    slug = models.SlugField(max_length=120, unique=True)
    wnid = models.CharField(max_length=9, blank=True, help_text="of WordNet 3.0, where it is known")
    branch = models.CharField(
        max_length=32, blank=True, help_text="of WordNet, as models_zoo.wordnet names it"
    )

    class Meta:
        ordering = ["dataset", "class_index"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "class_index", "label"], name="image_class_once")
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        """Return the address of the class's gallery."""
        return reverse("galleries:class", args=[self.slug])


class Approach(models.Model):
    """What a run evolved with and against: a classifier, an encoding and a method; runs share a few of them."""

    classifier = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16)
    method = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["classifier", "encoding", "method"], name="approach_once")
        ]

    def __str__(self) -> str:
        return f"{self.encoding} against {self.classifier} by {self.method}"


class Entry(models.Model):
    """A champion of a public run as galleries find it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="entries", db_index=False)
    image_class = models.ForeignKey(
        ImageClass, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    individual = models.ForeignKey(
        Individual, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    approach = models.ForeignKey(Approach, on_delete=models.CASCADE, related_name="entries", db_index=False)
    branch = models.CharField(max_length=32, blank=True, help_text="of the class")
    band = models.PositiveSmallIntegerField(help_text="of the confidence, a place in BANDS")
    confidence = models.FloatField()
    number = models.PositiveBigIntegerField(help_text="of the individual, in its run")
    short_hash = models.CharField(max_length=12, help_text="the beginning of the genome's hash")
    hung_at = models.DateTimeField(help_text="when this image was first found holding the class")
    place = models.PositiveIntegerField(help_text="at random, for the order at random")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "image_class"], name="entry_once")]
        indexes = [
            # Each carries what filters and counts ask for, so that many entries are looked at without their rows.
            models.Index(
                fields=["image_class", "-confidence", "id", "approach", "run", "band"],
                name="entry_of_class",
            ),
            models.Index(
                fields=["individual", "id", "approach", "image_class", "run", "band"],
                name="entry_of_individual",
            ),
            models.Index(fields=["approach", "branch", "-confidence"], name="entry_of_approach"),
            models.Index(fields=["branch", "-confidence"], name="entry_of_branch"),
            models.Index(fields=["-confidence", "id", "approach", "image_class", "run"], name="entry_surest"),
            models.Index(
                fields=["-hung_at", "id", "approach", "image_class", "run", "band", "confidence"],
                name="entry_newest",
            ),
            models.Index(
                fields=["place", "id", "approach", "image_class", "run", "band"], name="entry_at_random"
            ),
        ]

    def __str__(self) -> str:
        return f"class {self.image_class_id} of {self.run_id}"

    def get_absolute_url(self) -> str:
        """Return the permalink of the image, in the light of this class."""
        return f"{image_url(self.run_id, self.number)}?class={self.image_class.class_index}"


class Hanging(models.Model):
    """How far the champions of a run hang in the galleries."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="hanging")
    approach = models.ForeignKey(Approach, on_delete=models.CASCADE, related_name="hangings")
    generation = models.IntegerField(default=-1, help_text="up to which the run's champions hang")
    entries = models.PositiveIntegerField(default=0, help_text="that hang of it")

    def __str__(self) -> str:
        return f"{self.run_id} up to generation {self.generation}"


class Tally(models.Model):
    """How many entries there are of one approach, branch and band: what filters count, added up beforehand."""

    approach = models.ForeignKey(Approach, on_delete=models.CASCADE, related_name="tallies")
    branch = models.CharField(max_length=32, blank=True)
    band = models.PositiveSmallIntegerField()
    entries = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["approach", "branch", "band"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.entries} of {self.approach_id} {self.branch} {self.band}"


class RunTally(models.Model):
    """How many entries there are of one run, branch and band; `Tally` is the sum of these."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    branch = models.CharField(max_length=32, blank=True)
    band = models.PositiveSmallIntegerField()
    entries = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "branch", "band"], name="run_tally_once")]
        indexes = [
            models.Index(fields=["branch", "band", "run", "entries"], name="run_tally_of_branch"),
            models.Index(fields=["band", "run", "entries"], name="run_tally_of_band"),
        ]

    def __str__(self) -> str:
        return f"{self.entries} of {self.run_id} {self.branch} {self.band}"


class ExhibitQuerySet(models.QuerySet["Exhibit"]):
    """Exhibits, narrowed by adjectives."""

    def visible_to(self, user: Any) -> "ExhibitQuerySet":
        """Exhibits of runs that this person may open."""
        return self.filter(individual__run__in=Run.objects.visible_to(user).values("pk"))

    def public(self) -> "ExhibitQuerySet":
        """Exhibits that everybody may find."""
        return self.filter(individual__run__visibility=Run.Visibility.PUBLIC, hidden=False)


class Exhibit(models.Model):
    """An image that people looked at, kept or spoke of, and in numbers what came of it."""

    individual = models.OneToOneField(Individual, on_delete=models.CASCADE, related_name="exhibit")
    title = models.CharField(max_length=100, blank=True)
    views = models.PositiveIntegerField(default=0)
    stars = models.FloatField(default=0, help_text="mean of the ratings; 0 where there are none")
    n_ratings = models.PositiveIntegerField(default=0)
    n_favourites = models.PositiveIntegerField(default=0)
    n_comments = models.PositiveIntegerField(default=0)
    n_branches = models.PositiveIntegerField(default=0, help_text="images that people bred from this one")
    recognition = models.FloatField(
        null=True,
        blank=True,
        help_text="share of people who named the class, above chance, where people were asked",
    )
    n_asked = models.PositiveIntegerField(default=0, help_text="people behind that share")
    fooling_index = models.FloatField(
        null=True,
        blank=True,
        help_text="confidence of the classifier, times the share of who did not name the class",
    )
    hidden = models.BooleanField(default=False, help_text="by a moderator: in no gallery")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExhibitQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-views", "individual"], name="exhibit_viewed", condition=Q(views__gt=0)),
            models.Index(
                fields=["-stars", "-n_ratings", "individual"],
                name="exhibit_rated",
                condition=Q(n_ratings__gt=0),
            ),
            models.Index(
                fields=["-n_branches", "individual"],
                name="exhibit_branched",
                condition=Q(n_branches__gt=0),
            ),
            models.Index(
                fields=["recognition"], name="exhibit_recognised", condition=Q(recognition__isnull=False)
            ),
            models.Index(
                fields=["-fooling_index", "individual"], name="exhibit_fooling", condition=Q(n_asked__gt=0)
            ),
            models.Index(fields=["individual"], name="exhibit_hidden", condition=Q(hidden=True)),
        ]

    def __str__(self) -> str:
        return self.title or self._name()

    def get_absolute_url(self) -> str:
        """Return the permalink of the image."""
        return image_url(self.individual.run_id, self.individual.number)

    def _name(self) -> str:
        """Name the image by its run if that was read already: lists of many ask the database for none of them."""
        if not Exhibit.individual.is_cached(self) or not Individual.run.is_cached(self.individual):
            return f"exhibit {self.pk}"
        return f"image {self.individual.number} of {self.individual.run.name}"


class Rating(models.Model):
    """One to five stars from one person."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="ratings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings")
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    rated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-rated_at"]
        constraints = [models.UniqueConstraint(fields=["exhibit", "person"], name="rating_once")]

    def __str__(self) -> str:
        return f"{self.stars} stars for {self.exhibit_id}"


class Favourite(models.Model):
    """An image that a person wants to find again."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="favourites")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-kept_at"]
        constraints = [models.UniqueConstraint(fields=["exhibit", "person"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.exhibit_id} of {self.person_id}"


class CollectionQuerySet(models.QuerySet["Collection"]):
    """Collections, narrowed by adjectives."""

    def visible_to(self, user: Any) -> "CollectionQuerySet":
        """Collections that this person may open: their own, public ones, and unlisted ones by their address."""
        if user.is_staff:
            return self
        opened = ~Q(visibility=Run.Visibility.PRIVATE)
        return self.filter(opened | Q(owner=user)) if user.is_authenticated else self.filter(opened)

    def listed_for(self, user: Any) -> "CollectionQuerySet":
        """Collections that this person finds in lists: public ones and their own."""
        listed = Q(visibility=Run.Visibility.PUBLIC)
        return self.filter(listed | Q(owner=user)) if user.is_authenticated else self.filter(listed)


class Collection(models.Model):
    """Images that a person put together."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collections")
    title = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=2000)
    visibility = models.CharField(max_length=8, choices=Run.Visibility, default=Run.Visibility.PUBLIC)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the collection's page."""
        return reverse("galleries:collection", args=[self.pk])


class Collected(models.Model):
    """An image in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="collected")
    position = models.PositiveIntegerField(default=0)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "added_at"]
        constraints = [models.UniqueConstraint(fields=["collection", "exhibit"], name="collected_once")]

    def __str__(self) -> str:
        return f"{self.exhibit_id} in {self.collection_id}"


class Tag(models.Model):
    """A word that people find images by."""

    name = models.CharField(max_length=40, unique=True, help_text="in small letters")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A tag that a person gave an image."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="taggings")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taggings")
    tagged_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exhibit", "tag"], name="tagging_once")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.exhibit_id}"


class Comment(models.Model):
    """What a person said of an image."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField(max_length=2000)
    said_at = models.DateTimeField(auto_now_add=True)
    hidden = models.BooleanField(default=False, help_text="by a moderator")

    class Meta:
        ordering = ["said_at"]

    def __str__(self) -> str:
        return self.text[:60]


class Report(models.Model):
    """A person's word that something should not stand here: a comment, or an image with its title and tags."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="reports")
    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="reports"
    )
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports")
    reason = models.CharField(max_length=500)
    reported_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-reported_at"]

    def __str__(self) -> str:
        return self.reason[:60]


class SavedView(models.Model):
    """A gallery as a person left it: its filters and order, under a name."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    title = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True, help_text="of the gallery's address")
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "saved_at"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the gallery as it was left."""
        return f"{reverse('galleries:gallery')}?{self.query}"


class ExaminationQuerySet(models.QuerySet["Examination"]):
    """Examinations, narrowed by adjectives."""

    def waiting(self) -> "ExaminationQuerySet":
        """What a worker has still to find out."""
        return self.filter(done_at=None)

    def wanted(self, individual: Individual, deed: str, subject: str) -> tuple["Examination", bool]:
        """Return an examination, and whether a worker is to be asked: of several callers at once one hears yes.

        What failed, or was lost on the way, is taken up again.
        """
        examination, is_new = self.get_or_create(individual=individual, deed=deed, subject=subject)
        return examination, is_new or examination.take_up_again()


class Examination(models.Model):
    """What a worker found out about an image that somebody looked at closely: kept, so that it is asked once.

    `deed` names what was done, `subject` to what: a classifier's name, a connection of the genome.
    """

    class Deed(models.TextChoices):
        """What is done with the image."""

        OPINIONS = "opinions", "What classifiers say of it"
        CROPS = "crops", "Its parts, crop by crop"
        ROBUSTNESS = "robustness", "Shifted, rescaled, compressed, blurred"
        SALIENCY = "saliency", "What matters in it"
        WEIGHT = "weight", "One weight swept"

    individual = models.ForeignKey(Individual, on_delete=models.CASCADE, related_name="examinations")
    deed = models.CharField(max_length=16, choices=Deed)
    subject = models.CharField(max_length=100, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ExaminationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["individual", "deed", "subject"], name="examination_once")
        ]

    def __str__(self) -> str:
        return f"{self.deed} of {self.individual_id}"

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has still to find it out."""
        return self.done_at is None

    @property
    def is_overdue(self) -> bool:
        """Whether a page should stop asking, and a person may ask again."""
        return self.is_waiting and timezone.now() - self.asked_at > PATIENCE

    @property
    def is_answered(self) -> bool:
        """Whether it was found out."""
        return self.done_at is not None and not self.error

    def take_up_again(self) -> bool:
        """Let it wait again if it failed or was lost; of several who try at once, one does."""
        if not self.error and not self.is_overdue:
            return False
        before, now = Examination.objects.filter(pk=self.pk, asked_at=self.asked_at), timezone.now()
        if not before.update(asked_at=now, done_at=None, error="", result=None):
            return False
        self.asked_at, self.done_at, self.error, self.result = now, None, "", None
        return True

    def answer(self, result: Any) -> None:
        """Keep what was found out."""
        self._end(result=result, error="")

    def fail(self, reason: str) -> None:
        """Keep a reason that a person can act on."""
        self._end(result=None, error=reason)

    def _end(self, **found: Any) -> None:
        self.done_at = timezone.now()
        self.result, self.error = found["result"], found["error"]
        Examination.objects.filter(pk=self.pk).update(done_at=self.done_at, **found)


def image_url(run_id: Any, number: int) -> str:
    """Return the permalink of an image."""
    return reverse("galleries:image", args=[run_id, number])
