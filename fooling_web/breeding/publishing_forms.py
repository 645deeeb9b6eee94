"""What a person says of a picture that they publish."""

from typing import Any

from django import forms

from fooling_web.breeding.publishing import Said
from fooling_web.galleries.keeping import MOST_TAGS
from fooling_web.galleries.saying_forms import LONGEST_TAGS, LineField, TextField, require_tag, tag_name
from fooling_web.runs.models import Run

LONGEST_TITLE, LONGEST_DESCRIPTION = 100, 2000
SEEN = {"yes": True, "no": False, "": None}


class PublishForm(forms.Form):
    """Title, description, tags, who may see it, and what its breeder sees in it."""

    title = LineField(
        max_length=LONGEST_TITLE, error_messages={"required": "Give it a title: others find it by that."}
    )
    description = TextField(
        max_length=LONGEST_DESCRIPTION,
        required=False,
        help_text="What it shows, or how you came to it. Plain text.",
    )
    tags = LineField(
        max_length=LONGEST_TAGS,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=f"Letters, digits, spaces and hyphens; commas between tags. {MOST_TAGS} at most.",
    )
    visibility = forms.ChoiceField(
        choices=Run.Visibility.choices,
        initial=Run.Visibility.PUBLIC,
        widget=forms.RadioSelect,
        label="Who may see it",
    )
    seen = forms.ChoiceField(
        required=False,
        choices=[("yes", "Yes"), ("no", "No"), ("", "I would rather not say")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *arguments: Any, target_label: str = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["seen"].label = f"Do you see {target_label} in it?"
        if not target_label:
            del self.fields["seen"]

    def clean_tags(self) -> list[str]:
        """Return each tag once, as it is stored."""
        names = [tag_name(part) for part in self.cleaned_data["tags"].split(",")]
        tags = list(dict.fromkeys(name for name in names if name))
        for tag in tags:
            require_tag(tag)
        if len(tags) > MOST_TAGS:
            raise forms.ValidationError(f"These are {len(tags)} tags; an image has room for {MOST_TAGS}.")
        return tags

    @property
    def said(self) -> Said:
        """What was filled in."""
        chosen = self.cleaned_data
        return Said(
            title=chosen["title"],
            description=chosen["description"],
            visibility=chosen["visibility"],
            tags=chosen["tags"],
            seen=SEEN[chosen.get("seen", "")],
        )
