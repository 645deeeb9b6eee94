"""What a person fills in while building a study: its design, its images, and how people come in."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.html import escape

from evolution.parameters import ENCODINGS
from fooling_web.galleries.forms import GalleryForm
from fooling_web.galleries.models import BANDS, Collection
from fooling_web.galleries.saying_forms import LineField, TextField
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.studies import naturals
from fooling_web.studies.choosing import MOST_AT_ONCE, SPREADS, Asked
from fooling_web.studies.design import (
    COMPARISONS,
    FEEDBACKS,
    FOILS,
    FRAMINGS,
    LONGEST_TEXT,
    MOST_OPTIONS,
    SCREENS,
    TASKS,
    Design,
    DesignError,
    Exclusions,
    Timing,
)
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.sixteen import SIXTEEN
from models_zoo.registry import all_entries
from models_zoo.wordnet import TITLES

PLACES = {  # beside which field a complaint of a design stands, by how it begins
    "The machine has one": "n_options",
    "Framings are compared": "comparison",
    "A mask follows": "exposure_ms",
}
GROUPS = (  # of the design's fields, in the order in which one thinks of them
    (
        "What is asked",
        ("title", "task", "framing", "question", "n_options", "foil", "comparison", "asks_confidence"),
    ),
    (
        "How many",
        (
            *("images_per_participant", "raters_per_image", "n_practice", "catch_share", "repeat_share"),
            "feedback",
        ),
    ),
    ("Timing and screen", ("fixation_ms", "exposure_ms", "mask_ms", "window_ms", "screen")),
    (
        "Whose data are left out",
        ("incomplete", "catch_below", "median_below_ms", "one_key_over"),
    ),
    ("Words", ("consent", "instructions", "debriefing", "analysis_plan")),
)
SHARES = ("catch_share", "repeat_share", "catch_below", "one_key_over")  # asked for in percent
ROLES = {
    StudyImage.Role.CATCH: "catch trials: to see whether people attend",
    StudyImage.Role.MAIN: "asked about, like all others",
    StudyImage.Role.PRACTICE: "practice",
}


def _choices(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, said[:1].upper() + said[1:]) for name, said in words.items()]


def _band(place: int) -> str:
    least = f"{100 * BANDS[place]:g}"
    return f"{least} % and more" if place + 1 == len(BANDS) else f"{least} to {100 * BANDS[place + 1]:g} %"


def _milliseconds(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=60_000, help_text=help_text)


def _text(label: str, help_text: str, rows: int = 6) -> TextField:
    return TextField(
        label=label,
        required=False,
        max_length=LONGEST_TEXT,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _percent(label: str, most: int, help_text: str, *, required: bool = True) -> forms.FloatField:
    return forms.FloatField(label=label, required=required, min_value=0, max_value=most, help_text=help_text)


class DesignForm(forms.Form):
    """Everything that a design fixes."""

    title = LineField(
        max_length=120,
        label="Title",
        help_text="Participants read it, too: do not give the answer away.",
        error_messages={"required": "Give it a title."},
    )
    task = forms.ChoiceField(label="Task", choices=_choices(TASKS))
    framing = forms.ChoiceField(label="Question", choices=_choices(FRAMINGS))
    question = LineField(
        label="In other words",
        required=False,
        max_length=300,
        help_text="Stands above each image. Empty: the usual words for the task and the question.",
    )
    n_options = forms.IntegerField(
        label="Options in each trial",
        min_value=2,
        max_value=MOST_OPTIONS,
        help_text="Labels, or images where one is picked. As many as the images have labels: all of them.",
    )
    foil = forms.ChoiceField(
        label="Other labels",
        choices=_choices(FOILS),
        help_text="The choice changes the result: beside the machine’s second choice agreement is much weaker.",
    )
    comparison = forms.ChoiceField(label="What is compared", choices=_choices(COMPARISONS))
    asks_confidence = forms.BooleanField(label="Ask how sure people are, from 0 to 100", required=False)
    images_per_participant = forms.IntegerField(
        label="Images for each participant", min_value=0, max_value=1000, help_text="0: all of them."
    )
    raters_per_image = forms.IntegerField(
        label="Raters for each image",
        min_value=1,
        max_value=100_000,
        help_text="At two labels an image is above chance from 21 of 30 right, or from 61 of 100.",
    )
    n_practice = forms.IntegerField(label="Practice trials", min_value=0, max_value=50)
    catch_share = _percent(
        "Catch trials, % of the trials", 50, "Images with a clear label. At least 5 % is usual."
    )
    repeat_share = _percent(
        "Repeated images, % of the trials",
        50,
        "They tell how consistent people are, and count for nothing else.",
    )
    feedback = forms.ChoiceField(label="Tell whether an answer was right", choices=_choices(FEEDBACKS))
    fixation_ms = _milliseconds("Cross before the image, ms", "0: none.")
    exposure_ms = _milliseconds("Image, ms", "0: until the answer.")
    mask_ms = _milliseconds("Mask of noise after it, ms", "0: none.")
    window_ms = _milliseconds(
        "Time to answer, ms", "After image and mask, where these end. 0: as long as it takes."
    )
    screen = forms.ChoiceField(label="Full screen", choices=_choices(SCREENS))
    incomplete = forms.BooleanField(label="Whoever did not come to the end", required=False)
    catch_below = _percent(
        "Catch trials right, below %", 100, "Usual: 80. Empty: not by this rule.", required=False
    )
    median_below_ms = forms.FloatField(
        label="Median reaction time below, ms",
        required=False,
        min_value=0,
        max_value=60_000,
        help_text="Usual: 300. Empty: not by this rule.",
    )
    one_key_over = _percent(
        "Answers at one and the same place, above %",
        100,
        "Usual: 90. Empty: not by this rule.",
        required=False,
    )
    consent = _text("Consent", "What people agree to before they begin.", 10)
    instructions = _text("Instructions", "What they read before the practice trials.")
    debriefing = _text("Debriefing", "What they read at the end.")
    analysis_plan = _text("Analysis plan", "What you will compute, and how: it is frozen with the design.", 8)

    def __init__(self, *arguments: Any, study: Study, **options: Any) -> None:
        super().__init__(*arguments, **{"initial": initial_of(study), **options})
        self.study = study

    def clean(self) -> dict[str, Any]:
        """Require that the design can be carried out; what is wrong stands beside the field that it is about."""
        chosen = super().clean() or {}
        if not self.errors:
            try:
                self.design.check()
            except DesignError as error:
                place = next((name for begin, name in PLACES.items() if str(error).startswith(begin)), None)
                self.add_error(place, str(error))
        return chosen

    @property
    def design(self) -> Design:
        """The design that was filled in."""
        chosen = {
            name: value / 100 if name in SHARES and value is not None else value
            for name, value in self.cleaned_data.items()
        }
        parts = {
            name: {key: chosen.pop(key) for key in kind.__dataclass_fields__ if key in chosen}
            for name, kind in (("timing", Timing), ("exclusions", Exclusions))
        }
        del chosen["title"]
        return Design.from_json({**chosen, **parts, "preset": self.study.plan.preset})

    @property
    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields in groups, for the page."""
        for title, names in GROUPS:
            yield title, [self[name] for name in names]


def initial_of(study: Study) -> dict[str, Any]:
    """Return a design as its form shows it."""
    values = study.plan.to_json()
    flat = {**values, **values.pop("timing"), **values.pop("exclusions"), "title": study.title}
    for name in SHARES:
        if flat[name] is not None:
            flat[name] = round(100 * flat[name], 6)
            flat[name] = int(flat[name]) if flat[name] == int(flat[name]) else flat[name]
    if flat["median_below_ms"] is not None and flat["median_below_ms"] == int(flat["median_below_ms"]):
        flat["median_below_ms"] = int(flat["median_below_ms"])
    return flat


class EvolvedForm(forms.Form):
    """Evolved images: from where, how many, and how they are spread."""

    SOURCES = (("gallery", "The galleries"), ("favourites", "My favourites"))

    source = forms.ChoiceField(label="From", required=False)
    count = forms.IntegerField(label="How many", min_value=1, max_value=MOST_AT_ONCE, initial=48)
    spread = forms.ChoiceField(label="Which", choices=_choices(SPREADS), required=False)
    each_label_once = forms.BooleanField(label="Each label once", required=False, initial=True)
    classifier = forms.ChoiceField(label="Classifier", required=False)
    encoding = forms.ChoiceField(label="Encoding", required=False, choices=[("", "Any"), *ENCODINGS.items()])
    branch = forms.ChoiceField(
        label="Kind of class",
        required=False,
        choices=[("", "Any"), *((name, title) for name, (title, _) in TITLES.items())],
    )
    band = forms.ChoiceField(
        label="Confidence",
        required=False,
        choices=[("", "Any"), *((place, _band(place)) for place in range(len(BANDS)))],
    )
    image_class = forms.CharField(
        label="Class",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"list": "labels", "autocomplete": "off", "spellcheck": "false"}),
    )
    tag = forms.CharField(label="Tag", required=False, max_length=40)
    labels = forms.ChoiceField(
        label="Labels",
        required=False,
        choices=[("", "Their classes"), (SIXTEEN, "Sixteen everyday categories")],
        help_text="The sixteen are for ImageNet’s classes: airplane, bear, bicycle…",
    )
    run = forms.CharField(
        label="Run", required=False, max_length=300, help_text="Its address, or the end of it."
    )
    sweep = forms.CharField(
        label="Sweep", required=False, max_length=300, help_text="Its address, or the end of it."
    )

    def __init__(self, *arguments: Any, person: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"auto_id": "evolved-%s", **options})
        self.person = person
        collections = Collection.objects.listed_for(person).order_by("title")[:200]
        self.collections = {f"collection-{one.pk}": one for one in collections}
        self.fields["source"].choices = [  # type: ignore[attr-defined]
            *self.SOURCES,
            *((name, f"Collection: {one.title}") for name, one in self.collections.items()),
        ]
        self.fields["classifier"].choices = [  # type: ignore[attr-defined]
            ("", "Any"),
            *((entry.name, entry.title) for entry in all_entries()),
        ]

    def clean_run(self) -> uuid.UUID | None:
        """Take a run's number out of its address; a run of this person's own need not be public."""
        return self._numbered("run", Run.objects.visible_to(self.person))

    def clean_sweep(self) -> uuid.UUID | None:
        """Take a sweep's number out of its address."""
        return self._numbered("sweep", None)

    def clean(self) -> dict[str, Any]:
        """Require filters that the galleries know."""
        chosen = super().clean() or {}
        query = {name: str(chosen.get(name) or "") for name in ("classifier", "encoding", "branch", "band")}
        query |= {name: str(chosen.get(name) or "") for name in ("image_class", "tag", "sweep")}
        gallery = GalleryForm(_Query(query))  # type: ignore[arg-type]
        for name, line in zip(gallery.errors, gallery.ignored, strict=True):
            self.add_error(name, line.replace(", and was left out", ""))
        self.wanted = gallery.wanted if not gallery.errors else Wanted()
        return chosen

    @property
    def asked(self) -> Asked:
        """What was asked for."""
        chosen = self.cleaned_data
        wanted = self.wanted
        if chosen["run"]:
            wanted = replace(wanted, run=chosen["run"])
        return Asked(
            count=chosen["count"],
            wanted=wanted,
            collection=self.collections.get(chosen["source"]),
            favourites=chosen["source"] == "favourites",
            spread=chosen["spread"] or "random",
            each_label_once=chosen["each_label_once"],
            dataset=chosen["labels"],
        )

    def _numbered(self, name: str, known: Any) -> uuid.UUID | None:
        text = str(self.cleaned_data[name]).strip().rstrip("/").rpartition("/")[2]
        if not text:
            return None
        try:
            number = uuid.UUID(text)
        except ValueError as error:
            raise forms.ValidationError(f"“{text[:40]}” is no address of a {name}.") from error
        if known is not None and not known.filter(pk=number).exists():
            raise forms.ValidationError("There is no such run, or it is not yours to open.")
        return number


class _Query(dict[str, str]):
    """Values as an address would carry them."""


class NaturalForm(forms.Form):
    """Natural images: uploaded, digits or photographs, for catch trials, as controls or for practice."""

    KINDS = (
        ("digits", "Digits of MNIST"),
        ("photographs", "Photographs of this site"),
        ("written", "Words that say which label to choose"),
        ("upload", "Upload"),
    )

    kind = forms.ChoiceField(label="Which")
    role = forms.ChoiceField(label="For", choices=_choices({str(k): v for k, v in ROLES.items()}))
    count = forms.IntegerField(
        label="How many", min_value=1, max_value=MOST_AT_ONCE, initial=3, required=False
    )
    classifier = forms.ChoiceField(label="Ask", required=False)
    dataset = forms.ChoiceField(label="Labels of", required=False)
    label = forms.CharField(
        label="Label",
        required=False,
        max_length=200,
        help_text="What they all show. Empty: as the names of the files tell, like “goldfish 2.jpg”.",
        widget=forms.TextInput(attrs={"list": "labels", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *arguments: Any, usual: str = "", **options: Any) -> None:
        super().__init__(*arguments, **{"auto_id": "natural-%s", **options})
        there = {"digits": naturals.has_digits(), "photographs": naturals.has_photographs()}
        self.fields["kind"].choices = [one for one in self.KINDS if there.get(one[0], True)]  # type: ignore[attr-defined]
        self.fields["dataset"].choices = [(name, name) for name in naturals.datasets()]  # type: ignore[attr-defined]
        self.fields["dataset"].initial = usual or "imagenet"
        self.fields["classifier"].choices = [  # type: ignore[attr-defined]
            ("", "the usual classifier of these labels"),
            ("none", "none"),
            *((entry.name, entry.title) for entry in all_entries()),
        ]

    def clean(self) -> dict[str, Any]:
        """Require a number where images are drawn."""
        chosen = super().clean() or {}
        if chosen.get("kind") != "upload" and not chosen.get("count"):
            self.add_error("count", f"Give a number from 1 to {MOST_AT_ONCE}.")
        if chosen.get("kind") == "written" and chosen.get("role") != StudyImage.Role.CATCH:
            self.add_error("role", "Words that say which label to choose are catch trials.")
        return chosen


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """How people come in, and where they go when they are done."""

    ways = forms.MultipleChoiceField(
        label="Ways in",
        choices=[(name, said[:1].upper() + said[1:]) for name, said in Study.ENTRIES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one way in, or nobody can take part."},
    )

    class Meta:
        model = Study
        fields = ["title", "is_listed", "completion_code", "completion_url", "retention_days"]
        labels = {
            "title": "Title",
            "is_listed": "List it among the studies that anybody can take part in, while it is open",
            "completion_code": "Completion code",
            "completion_url": "Address to go to at the end",
            "retention_days": "Days after closing until the data are deleted",
        }
        help_texts = {
            "title": "Participants read it; it may change after freezing.",
            "is_listed": "",
            "completion_code": "Shown once the last trial is stored. Give the same to whoever recruits.",
            "completion_url": "Of Prolific: https://app.prolific.com/submissions/complete; the code is added. "
            "Empty: nowhere.",
            "retention_days": "0: they stay.",
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["ways"].initial = self.instance.ways_in
        self.fields["completion_code"].validators.append(
            RegexValidator(r"^[A-Za-z0-9_-]{4,32}\Z", "Give 4 to 32 letters, digits, hyphens or underscores.")
        )
        url: Any = self.fields["completion_url"]
        url.assume_scheme = "https"

    def clean_completion_url(self) -> str:
        """Lead to pages alone."""
        address = str(self.cleaned_data["completion_url"])
        if address and not address.startswith(("https://", "http://")):
            raise forms.ValidationError(
                f"“{escape(address[:60])}” is no address of a page; begin with https://"
            )
        return address

    def save(self, commit: bool = True) -> Study:
        """Store the settings, without touching the design."""
        study: Study = super().save(commit=False)
        study.entries = ",".join(self.cleaned_data["ways"])
        study.save(update_fields=[*self.Meta.fields, "entries", "changed_at"])
        return study
