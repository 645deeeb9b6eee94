"""What an address asks a gallery for, and the name under which a person keeps such an address.

Addresses are typed, cut short and grow old. What makes no sense is left out, and the page says so.
"""

import uuid
from typing import Any, TypeVar

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.text import Truncator

from evolution.parameters import ENCODINGS
from fooling_web.galleries.keeping import IN_PUBLIC
from fooling_web.galleries.models import BANDS, Approach, ImageClass, SavedView, Tagging
from fooling_web.galleries.wanted import LARGEST_SEED, LONGEST_TEXT, METHODS, RECOGNISED, SORTS, Wanted
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import User
from models_zoo.registry import all_entries
from models_zoo.wordnet import TITLES

FARTHEST = 2**31  # numbers beyond it name no page
SHOWN = 40  # characters of a value that is repeated on a page
VIEWS_OF_A_PERSON = 100
NOUNS = {  # of each filter, as a page speaks of it
    "text": "text",
    "image_class": "class",
    "branch": "kind of class",
    "classifier": "classifier",
    "encoding": "encoding",
    "method": "method",
    "band": "confidence band",
    "run": "public run",
    "sweep": "sweep",
    "recognised": "answer about people",
    "tag": "tag",
    "person": "person",
    "sort": "order",
    "seed": "number of an order at random",
    "page": "page",
}
UNKNOWN = "is unknown"
REASONS = {  # why a value was left out, where "is no ... here" would tell nobody
    "text": "Nothing can be found by “{}”, and it was left out: a text has a letter or digit, and at most {} signs.",
    "seed": "“{}” numbers no order at random, and was left out: such a number is a whole one, up to {}.",
}
Value = TypeVar("Value")


class GalleryForm(forms.Form):
    """The filters, order and page that an address names. Its `wanted` holds those that make sense."""

    text = forms.CharField(max_length=LONGEST_TEXT)
    image_class = forms.CharField(max_length=120)
    branch = forms.ChoiceField(choices=[(name, title) for name, (title, _) in TITLES.items()])
    classifier = forms.CharField(max_length=64)
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()))
    method = forms.ChoiceField(choices=list(METHODS.items()))
    band = forms.TypedChoiceField(choices=[(place, least) for place, least in enumerate(BANDS)], coerce=int)
    run = forms.UUIDField()
    sweep = forms.UUIDField()
    recognised = forms.ChoiceField(choices=list(RECOGNISED.items()))
    tag = forms.CharField(max_length=40)
    person = forms.CharField(max_length=150)
    sort = forms.ChoiceField(choices=list(SORTS.items()))
    seed = forms.IntegerField(min_value=0, max_value=LARGEST_SEED)
    page = forms.IntegerField(min_value=1)

    def __init__(self, query: QueryDict, image_class: ImageClass | None = None) -> None:
        super().__init__({name: value for name, value in query.items() if str(value).strip()})
        self.found: dict[str, Any] = {}  # the class, run and sweep that the address names
        self.fixed = image_class
        for name, field in self.fields.items():
            field.required = False
            field.error_messages["required"] = f"no {name}"
        self.is_valid()

    @property
    def wanted(self) -> Wanted:
        """What of the address makes sense."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        if self.fixed:
            chosen["image_class"] = self.fixed.slug
        return Wanted(**chosen)

    @property
    def ignored(self) -> list[str]:
        """A line for each part of the address that was left out."""
        return [_reason(name, Truncator(self.data[name]).chars(SHOWN)) for name in self.errors]

    def clean_text(self) -> str:
        """Require something that words are made of."""
        text = str(self.cleaned_data["text"])
        if text and not any(sign.isalnum() for sign in text):
            raise forms.ValidationError(UNKNOWN)
        return text

    def clean_image_class(self) -> str:
        """Require a class that hangs here, by its short name; by its label from those who write it in a field."""
        written: str = self.cleaned_data["image_class"]
        if not written:
            return written
        candidates = list(ImageClass.objects.filter(Q(slug=written.lower()) | Q(label__iexact=written)))
        candidates.sort(key=lambda one: (one.slug != written.lower(), one.dataset, one.class_index))
        if not candidates:
            raise forms.ValidationError(UNKNOWN)
        self.found["image_class"] = candidates[0]
        return str(candidates[0].slug)

    def clean_classifier(self) -> str:
        """Require a classifier that is known here, or was."""
        name = self.cleaned_data["classifier"]
        known = not name or any(entry.name == name for entry in all_entries())
        if not known and not Approach.objects.filter(classifier=name).exists():
            raise forms.ValidationError(UNKNOWN)
        return str(name)

    def clean_run(self) -> uuid.UUID | None:
        """Require a run that everybody may find."""
        run_id: uuid.UUID | None = self.cleaned_data["run"]
        return self._required("run", Run.objects.public(), "pk", run_id)

    def clean_sweep(self) -> uuid.UUID | None:
        """Require a sweep that everybody may find."""
        sweep_id: uuid.UUID | None = self.cleaned_data["sweep"]
        public = Sweep.objects.filter(visibility=Run.Visibility.PUBLIC)
        return self._required("sweep", public, "pk", sweep_id)

    def clean_person(self) -> str:
        """Require a person with an account."""
        name = self.cleaned_data["person"]
        if name and not User.objects.filter(username__iexact=name, is_active=True).exists():
            raise forms.ValidationError(UNKNOWN)
        return str(name)

    def clean_tag(self) -> str:
        """Require a tag that a public image bears, written as tags are kept."""
        name = str(self.cleaned_data["tag"]).lower()
        if name and not Tagging.objects.filter(IN_PUBLIC, tag__name=name).exists():
            raise forms.ValidationError(UNKNOWN)
        return name

    def clean_page(self) -> int | None:
        """Bring a page that is too far into reach of the database; there the last one stands for it."""
        page = self.cleaned_data["page"]
        return None if page is None else min(page, FARTHEST)

    def _required(self, name: str, candidates: Any, lookup: str, value: Value) -> Value:
        """Return the value if it names something; the database is asked only where there is one."""
        if not value:
            return value
        self.found[name] = candidates.filter(**{lookup: value}).first()
        if self.found[name] is None:
            raise forms.ValidationError(UNKNOWN)
        return value


def _reason(name: str, shown: str) -> str:
    """Return a line on a value that was left out."""
    if name in REASONS:
        return REASONS[name].format(shown, {"text": LONGEST_TEXT, "seed": f"{LARGEST_SEED:,}"}[name])
    return f"“{shown}” is no {NOUNS[name]} here, and was left out."


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """A gallery as it stands, and the name that a person gives it."""

    class Meta:
        model = SavedView
        fields = ["title", "query"]
        labels = {"title": "Name"}

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = owner

    def clean_query(self) -> str:
        """Keep what makes sense of the address, from its first page."""
        return GalleryForm(QueryDict(self.cleaned_data["query"])).wanted.query()

    def clean(self) -> dict[str, Any]:
        """Require room for one more."""
        if self.instance.owner.saved_views.count() >= VIEWS_OF_A_PERSON:
            raise forms.ValidationError(
                f"You have {VIEWS_OF_A_PERSON} saved views, which is as many as fit. Delete one first."
            )
        return super().clean() or {}
