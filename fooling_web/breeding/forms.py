"""What a person asks for while breeding: which pictures are parents, how much changes, and what to begin with."""

import uuid
from typing import Any

from django import forms

from fooling_web.breeding.models import LITTER_SIZES, BreedingSession, Focus, Litter

MOST_UPLOADED = 4_000_000  # bytes
PICK_FIRST = "Pick at least one picture first: press on it, or its number on the keyboard."


class ComplainingForm(forms.Form):
    """A form that nobody fills in field by field: what is wrong with it is said in one sentence."""

    @property
    def complaint(self) -> str:
        """The first thing that is wrong, and where."""
        name, errors = next(iter(self.errors.items()))
        told = str(errors[0])
        return told if name == "picked" else f"{self[name].label}: {told}"


class SettingsForm(ComplainingForm):
    """How much changes, in what, and how many pictures a litter has; what is not sent stays."""

    change = forms.FloatField(required=False, min_value=0, max_value=1)
    focus = forms.ChoiceField(required=False, choices=Focus)
    litter_size = forms.IntegerField(required=False, min_value=LITTER_SIZES[0], max_value=LITTER_SIZES[-1])

    def __init__(self, *arguments: Any, session: BreedingSession, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session = session

    def save(self) -> None:
        """Keep what was chosen with the session."""
        names = ("change", "focus", "litter_size")
        chosen = {
            name: self.cleaned_data[name] for name in names if self.cleaned_data[name] not in (None, "")
        }
        changed = {name: value for name, value in chosen.items() if value != getattr(self.session, name)}
        for name, value in changed.items():
            setattr(self.session, name, value)
        if changed:
            BreedingSession.objects.filter(pk=self.session.pk).update(**changed)


class StepForm(SettingsForm):
    """A step from a litter: the settings, and what makes it count once."""

    token = forms.UUIDField(required=False)
    stands = forms.IntegerField(required=False, min_value=0)

    @property
    def once(self) -> uuid.UUID:
        """What makes it count once; a form without is taken for one that was never sent."""
        return self.cleaned_data["token"] or uuid.uuid4()


class EvolveForm(StepForm):
    """A step from the pictures that were picked."""

    picked = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *arguments: Any, litter: Litter, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field: Any = self.fields["picked"]
        field.choices = [(place, place) for place in range(len(litter))]
        field.error_messages = {
            "required": PICK_FIRST,
            "invalid_choice": "“%(value).40s” is no picture of this litter, which has "
            f"{len(litter)}. Pick among those that are shown.",
        }

    def clean_picked(self) -> list[int]:
        """Count each picture once."""
        return sorted(set(self.cleaned_data["picked"]))


class BeginForm(ComplainingForm):
    """What to begin with: an image of this site, or nothing."""

    PICTURES = (("colour", "In colour"), ("grey", "In grey"), ("digits", "As small as digits"))

    picture = forms.ChoiceField(required=False, choices=PICTURES)
    run = forms.UUIDField(required=False)
    number = forms.IntegerField(required=False, min_value=0)


class ImportForm(forms.Form):
    """A genome in a file."""

    file = forms.FileField(
        label="Genome",
        help_text="A genome that was downloaded here (JSON), or one of Picbreeder (XML). 4 MB at most.",
        error_messages={"required": "Choose a file with a genome.", "empty": "This file is empty."},
    )

    def clean_file(self) -> Any:
        """Refuse what is larger than any genome may be."""
        file = self.cleaned_data["file"]
        if file.size > MOST_UPLOADED:
            raise forms.ValidationError(f"This file has {file.size / 1e6:.1f} MB; a genome has 4 MB at most.")
        return file
