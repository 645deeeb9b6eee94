"""What people send: pictures to try a classifier on, and a classifier of one's own."""

from typing import Any, cast

import numpy as np
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from fooling_web.classifiers.models import Import, Trial
from fooling_web.classifiers.uploads import Upload, image_of
from fooling_web.users.models import User
from models_zoo.describing import LARGEST_LABELS_FILE, describe, labels_from
from models_zoo.errors import ZooError
from models_zoo.imported import (
    LONGEST_NAME,
    LONGEST_TITLE,
    Description,
    StoredCard,
    classifiers_folder,
    entry_of,
    require_free,
)
from models_zoo.preprocessing import CHANNELS, INTERPOLATIONS
from models_zoo.registry import ClassifierEntry

MOST_PICTURES = 12
LARGEST_PICTURE = 10_000_000  # bytes
MOST_WAITING = 3  # trials of one person
OWN = "file"


class PicturesInput(forms.ClearableFileInput):
    """A field that takes several files."""

    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Several pictures, each a file."""

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        """Return the files, each looked at on its own."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files:
            return cast(list[Upload], [super().clean(None, initial)] if self.required else [])
        if len(files) > MOST_PICTURES:
            raise ValidationError(f"{len(files)} pictures given; {MOST_PICTURES} at once are the most.")
        for file in files:
            super().clean(file, initial)
            if file.size > LARGEST_PICTURE:
                raise ValidationError(f"{file.name} is larger than {LARGEST_PICTURE // 1_000_000} MB.")
        return list(files)


def pictures_field(*, required: bool, help_text: str = "") -> PicturesField:
    """Return the field for up to twelve pictures."""
    widget = PicturesInput(attrs={"accept": "image/*"})
    return PicturesField(label="Pictures", required=required, widget=widget, help_text=help_text)


class TrialForm(forms.Form):
    """Pictures that a classifier is asked about."""

    pictures = pictures_field(
        required=True,
        help_text=f"Up to {MOST_PICTURES}, each at most {LARGEST_PICTURE // 1_000_000} MB. They are not kept.",
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, entry: ClassifierEntry, owner: User | None = None
    ) -> None:
        super().__init__(data, files)
        self.entry, self.owner = entry, owner

    def clean_pictures(self) -> list[Upload]:
        """Turn the files into images, each the classifier's size."""
        files: list[Upload] = self.cleaned_data["pictures"]
        self.images = _images(files, self.entry)
        return files

    def clean(self) -> dict[str, Any]:
        """Let nobody fill the queue."""
        if Trial.objects.waiting().filter(owner=self.owner).count() >= MOST_WAITING:
            raise ValidationError(
                "Your earlier pictures are still waiting for their answers. Try again in a moment."
            )
        return super().clean() or {}

    def save(self) -> Trial:
        """Store the pictures for the worker."""
        return _trial(self.entry, cast(User, self.owner), self.cleaned_data["pictures"], self.images)


class ImportForm(forms.Form):
    """Everything that has to be known about a classifier of one's own."""

    name = forms.CharField(
        max_length=LONGEST_NAME, help_text="Small letters, digits and hyphens: my-squeezenet."
    )
    title = forms.CharField(max_length=LONGEST_TITLE, required=False, help_text="Its name for people.")
    architecture = forms.CharField(
        max_length=60, help_text="torchvision:squeezenet1_1 or another of torchvision's, or mnist-lenet."
    )
    weights = forms.FileField(
        help_text="Safetensors. A pickle (.pt, .pth) is refused, since reading it runs programs."
    )
    input_size = forms.CharField(max_length=5, help_text="Side of the network's input in pixels: 227.")
    channel_order = forms.ChoiceField(
        choices=[(order, order.upper()) for order in CHANNELS if order != "grey"]
    )
    scale = forms.CharField(max_length=24, initial="1", help_text="What white is: 1 or 255.")
    mean = forms.CharField(
        max_length=80, initial="0.485,0.456,0.406", help_text="Subtracted, one number a channel in its order."
    )
    std = forms.CharField(max_length=80, initial="0.229,0.224,0.225", help_text="Divided by.")
    resize = forms.CharField(
        max_length=24, initial="short:256", help_text="squash:256, short:256 or none, before the centre crop."
    )
    interpolation = forms.ChoiceField(choices=[(kind, kind) for kind in INTERPOLATIONS], initial="bilinear")
    labels = forms.ChoiceField(
        choices=[("imagenet", "ImageNet's 1,000"), ("mnist", "The ten digits"), (OWN, "From a file")]
    )
    labels_file = forms.FileField(required=False, help_text="One label a line, in class order.")
    licence = forms.CharField(max_length=200, required=False, help_text="Of the weights.")
    pictures = pictures_field(
        required=False,
        help_text="To see at once what it takes them for, and so whether all of the above is right.",
    )

    def __init__(self, data: Any = None, files: Any = None, *, owner: User) -> None:
        super().__init__(data, files)
        self.owner = owner
        orders = cast(forms.ChoiceField, self.fields["channel_order"])
        orders.choices = [(order, order.upper() if order != "grey" else "grey") for order in CHANNELS]

    def clean_weights(self) -> Upload:
        """Refuse what is larger than the site takes."""
        weights: Upload = self.cleaned_data["weights"]
        most = settings.CLASSIFIER_UPLOAD_MEGABYTES
        if (weights.size or 0) > most * 1_000_000:
            raise ValidationError(
                f"{weights.name} is larger than {most} MB, the most this site takes; "
                "manage.py import_classifier takes any size."
            )
        return weights

    def clean(self) -> dict[str, Any]:
        """Read the description by the zoo's own checks, and the pictures by what it says."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            self.texts = self._texts(cleaned)
            self.description = description_of(self.texts)
            require_free(self.description.name)
            self.images = _images(cleaned["pictures"], self._entry())
        except ZooError as error:
            raise ValidationError(_sentence(error)) from error
        return cleaned

    def save(self) -> Import:
        """Store the file and the pictures for the worker."""
        for left in Import.objects.forgotten().filter(done_at=None):
            left.end("The worker did not come to it within an hour.")
        pictures = self.cleaned_data["pictures"]
        with transaction.atomic():
            trial = _trial(self._entry(), self.owner, pictures, self.images) if pictures else None
            return Import.objects.create(
                owner=self.owner,
                classifier=self.description.name,
                texts=self.texts,
                weights=self.cleaned_data["weights"],
                trial=trial,
            )

    def _entry(self) -> ClassifierEntry:
        card = StoredCard(description=self.description, sha256="", parameters=0)
        return entry_of(card, classifiers_folder() / self.description.name)

    def _texts(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return what describe() takes; labels of one's own as their lines."""
        plain = {
            name: cleaned[name] for name in cleaned if name not in ("weights", "pictures", "labels_file")
        }
        return {**plain, "labels": self._labels(cleaned)}

    def _labels(self, cleaned: dict[str, Any]) -> str | list[str]:
        if cleaned["labels"] != OWN:
            return str(cleaned["labels"])
        file = cleaned["labels_file"]
        if file is None:
            raise ValidationError({"labels_file": "Give a file with one label a line."})
        if file.size > LARGEST_LABELS_FILE:
            raise ValidationError({"labels_file": "This file is too large to be one line for each class."})
        return list(labels_from(file.read(), file.name))


def description_of(texts: dict[str, Any]) -> Description:
    """Return the description that stored texts give; raises ZooError."""
    labels = texts["labels"]
    return describe(**{**texts, "labels": labels if isinstance(labels, str) else tuple(labels)})


def _images(files: list[Upload], entry: ClassifierEntry) -> np.ndarray:
    """Return the images (B, C, H, W), uint8; raises ValidationError naming what is no picture."""
    images = np.zeros((len(files), entry.channels, entry.height, entry.width), np.uint8)
    for number, file in enumerate(files):
        try:
            images[number] = image_of(file, entry)
        except ZooError as error:
            raise ValidationError(_sentence(error)) from error
    return images


def _trial(entry: ClassifierEntry, owner: User, files: list[Upload], images: np.ndarray) -> Trial:
    Trial.objects.forgotten().delete()
    names = [str(file.name)[:80] for file in files]
    return Trial.objects.create(owner=owner, classifier=entry.name, names=names, pixels=images.tobytes())


def _sentence(error: ZooError) -> str:
    """Return an error's line as a page writes it."""
    line = str(error)
    return f"{line[:1].upper()}{line[1:]}."
