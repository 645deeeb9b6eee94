"""Forms of what people say: stars, tags, comments, titles, reports, collections. Everything in them is plain text."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator

from fooling_web.galleries.models import Collection
from fooling_web.users.models import User

LONGEST_TAGS = 1000  # characters of all tags given at once
LETTERS_MARKS_DIGITS = "LMN"  # of Unicode's general categories
TURNS_AROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")  # would turn what follows on the page
LONGEST_TAG = 40  # characters
MANY_BREAKS = re.compile(r"\n{3,}")
STARS = [(number, f"{number} star{'s' if number > 1 else ''}") for number in range(1, 6)]


class LineField(forms.CharField):
    """One line of words."""

    def to_python(self, value: Any) -> str:
        """Return it with single spaces, and without signs that nobody sees."""
        text = TURNS_AROUND.sub("", super().to_python(value) or "")
        return _visible(" ".join(text.split()))


class TextField(forms.CharField):
    """Several lines of plain text."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> str:
        """Return it with breaks as everybody counts them, at most one empty line at a time."""
        text = (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return _visible(MANY_BREAKS.sub("\n\n", text).strip())


class SaidForm(forms.Form):
    """One of several forms on a page: its fields' ids begin with what it is about."""

    about = "said"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"auto_id": f"{self.about}-%s", **options})


class StarsForm(SaidForm):
    """One to five stars."""

    about = "rating"
    stars = forms.TypedChoiceField(
        choices=STARS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("invalid_choice", "required"), "Give one to five stars."),
    )


class FavouriteForm(SaidForm):
    """Whether an image is kept."""

    about = "favourite"
    keep = forms.TypedChoiceField(
        choices=[("1", "keep"), ("0", "let go")],
        coerce=lambda choice: choice == "1",
        error_messages=dict.fromkeys(
            ("invalid_choice", "required"), "Say 1 to keep the image, or 0 to let it go."
        ),
    )


class TagsForm(SaidForm):
    """Tags, with commas between them."""

    about = "tags"
    tags = LineField(
        max_length=LONGEST_TAGS,
        label="Add tags",
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "tag-suggestions"}),
        help_text="Letters, digits, spaces and hyphens; commas between tags.",
    )

    def clean_tags(self) -> list[str]:
        """Return each tag once, as it is stored."""
        names = [tag_name(part) for part in self.cleaned_data["tags"].split(",")]
        tags = list(dict.fromkeys(name for name in names if name))
        if not tags:
            raise ValidationError("Write at least one tag, such as “stripes”.")
        for tag in tags:
            require_tag(tag)
        return tags


class CommentForm(SaidForm):
    """What somebody says of an image."""

    about = "comment"
    text = TextField(max_length=2000, label="Your comment")


class TitleForm(SaidForm):
    """What an image is called by whoever found it."""

    about = "title"
    title = LineField(max_length=100, required=False, label="Title of this image")


class ReportForm(SaidForm):
    """Why something should not stand here."""

    about = "report"
    reason = TextField(max_length=500, label="What is wrong with it?")


class CollectForm(SaidForm):
    """A collection of one's own that an image goes to, or the title of a new one."""

    about = "collect"
    collection = forms.ModelChoiceField(Collection.objects.none(), required=False, empty_label="a new one")
    title = LineField(max_length=100, required=False, label="Title of the new one")

    def __init__(self, *arguments: Any, owner: User, **options: Any) -> None:
        super().__init__(*arguments, **options)
        collection = self.fields["collection"]
        assert isinstance(collection, forms.ModelChoiceField)
        collection.queryset = owner.collections.all()
        collection.error_messages["invalid_choice"] = "You have no such collection. Choose one of yours."

    def clean(self) -> dict[str, Any]:
        """Require one of the two."""
        chosen = self.cleaned_data
        if not self.errors and not chosen.get("collection") and not chosen.get("title"):
            self.add_error("title", "Choose one of your collections, or write the title of a new one.")
        return chosen


class CollectionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """A collection's title, what it says of itself, and who may see it."""

    title = LineField(max_length=100)
    description = TextField(max_length=2000, required=False)

    class Meta:
        model = Collection
        fields = ["title", "description", "visibility"]
        widgets = {"visibility": forms.RadioSelect}


def tag_name(text: str) -> str:
    """Return a tag as it is stored: in small letters, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def require_tag(tag: str) -> None:
    """Raise ValidationError unless a tag is of a tag's length and signs."""
    shown = Truncator(tag).chars(LONGEST_TAG)
    if len(tag) > LONGEST_TAG:
        raise ValidationError(f"“{shown}” has {len(tag):,} characters; a tag has {LONGEST_TAG} at most.")
    if not all(sign in " -" or unicodedata.category(sign)[0] in LETTERS_MARKS_DIGITS for sign in tag):
        raise ValidationError(f"“{shown}” is no tag: use letters, digits, spaces and hyphens.")
    if not any(unicodedata.category(sign)[0] in "LN" for sign in tag):
        raise ValidationError(f"“{shown}” is no tag: it needs a letter or a digit.")


def _visible(text: str) -> str:
    """Return a text, or nothing where all its signs are invisible."""
    return text if any(unicodedata.category(sign)[0] not in "CZ" for sign in text) else ""
