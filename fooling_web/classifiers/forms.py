"""What people send: pictures to try a classifier on, and a classifier of one's own."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, cast

import numpy as np
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from fooling_web.classifiers.models import Import, Trial
from fooling_web.classifiers.uploads import Upload, image_of, thumbnail_of
from fooling_web.classifiers.wording import sentence
from fooling_web.users.models import User
from models_zoo.architecture_names import ARCHITECTURES, classes_in, require_architecture
from models_zoo.describing import LARGEST_LABELS_FILE, describe, labels_from, require_importable
from models_zoo.errors import ImportRefused, ZooError
from models_zoo.imported import (
    LONGEST_NAME,
    LONGEST_TITLE,
    Description,
    StoredCard,
    classifiers_folder,
    entry_of,
    require_free,
    require_own_title,
    require_same,
    stored_card,
)
from models_zoo.known_classes import class_of_name, listed_classes
from models_zoo.preprocessing import CHANNELS, INTERPOLATIONS
from models_zoo.registry import ClassifierEntry

MOST_PICTURES = 12
LARGEST_PICTURE = 10_000_000  # bytes
MOST_WAITING = 3  # trials of one person
OWN = "file"
KNOWN_BY = (
    "Where their names carry their classes (goldfish-2.jpg, class_12.png, a WordNet id), or a labels.csv with "
    "columns file and class_index is chosen along with them, it is told how many are right."
)


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
        pictures = sum(not is_list(file) for file in files)
        if pictures > MOST_PICTURES:
            raise ValidationError(f"{pictures} pictures given; {MOST_PICTURES} at once are the most.")
        if not pictures:
            raise ValidationError("A list alone; give the pictures that it speaks of too.")
        for file in files:
            super().clean(file, initial)
            if file.size > LARGEST_PICTURE:
                raise ValidationError(f"{file.name} is larger than {LARGEST_PICTURE // 1_000_000} MB.")
        return list(files)


def is_list(file: Upload) -> bool:
    """Whether a file says what the others show, rather than being a picture."""
    return str(file.name).lower().endswith(".csv")


def pictures_field(*, required: bool, help_text: str = "") -> PicturesField:
    """Return the field for up to twelve pictures."""
    widget = PicturesInput(attrs={"accept": "image/*,.csv"})
    return PicturesField(label="Pictures", required=required, widget=widget, help_text=help_text)


class TrialForm(forms.Form):
    """Pictures that a classifier is asked about."""

    pictures = pictures_field(
        required=True,
        help_text=f"Up to {MOST_PICTURES}, each at most {LARGEST_PICTURE // 1_000_000} MB. {KNOWN_BY} Only small "
        "copies are kept, to stand beside the answers for an hour.",
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, entry: ClassifierEntry, owner: User | None = None
    ) -> None:
        super().__init__(data, files)
        self.entry, self.owner = entry, owner

    def clean_pictures(self) -> list[Upload]:
        """Turn the files into images, each the classifier's size."""
        files: list[Upload] = self.cleaned_data["pictures"]
        self.shown = Shown(files, self.entry)
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
        return self.shown.save(cast(User, self.owner))


class ImportForm(forms.Form):
    """Everything that has to be known about a classifier of one's own."""

    name = forms.CharField(
        max_length=LONGEST_NAME, help_text="Small letters, digits and hyphens: my-squeezenet."
    )
    title = forms.CharField(max_length=LONGEST_TITLE, required=False, help_text="Its name for people.")
    architecture = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"list": "architectures", "autocomplete": "off"}),
        help_text="torchvision:squeezenet1_1 or another of torchvision's, or mnist-lenet.",
    )
    weights = forms.FileField(
        help_text="Safetensors. A pickle (.pt, .pth) is refused, since reading it runs programs."
    )
    input_size = forms.CharField(max_length=24, help_text="Side of the network's input in pixels: 227.")
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
        help_text=f"Up to {MOST_PICTURES}, to see at once whether all of the above is right. {KNOWN_BY}",
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, owner: User, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, files, initial=initial)
        self.owner = owner
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)  # browsers would cut what is pasted, and say nothing
        orders = cast(forms.ChoiceField, self.fields["channel_order"])
        orders.choices = [(order, order.upper() if order != "grey" else "grey") for order in CHANNELS]

    @property
    def architectures(self) -> tuple[str, ...]:
        """What the field of the architecture proposes."""
        return ARCHITECTURES

    def clean_name(self) -> str:
        """Refuse a name that another classifier has."""
        name = str(self.cleaned_data["name"]).strip()
        return _checked(require_free, name)

    def clean_architecture(self) -> str:
        """Refuse what is unknown, and propose what may be meant."""
        architecture = str(self.cleaned_data["architecture"]).strip()
        return _checked(require_architecture, architecture)

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
            self._check(cleaned["weights"])
        except ZooError as error:
            self.add_error(self._field_of(error), sentence(str(error)))
            return cleaned
        if cleaned["pictures"]:
            self._look_at(cleaned["pictures"])
        return cleaned

    def _check(self, weights: Upload) -> None:
        """Refuse what can be told before a worker looks at the weights."""
        require_importable(self.description)
        require_own_title(self.description)
        card = stored_card(self.description.name)
        if card:  # without weights, or the name would not be free
            require_same(card, self.description)
        _require_as_many_labels(weights, self.description)

    def _field_of(self, error: ZooError) -> str | None:
        """Return the field beside which an error belongs."""
        if error.about == "labels" and self.cleaned_data.get("labels") == OWN:
            return "labels_file"
        return error.about if error.about in self.fields else None

    def _look_at(self, files: list[Upload]) -> None:
        try:
            self.shown = Shown(files, self._entry())
        except ValidationError as error:
            self.add_error("pictures", error)

    def save(self) -> Import:
        """Store the file and the pictures for the worker."""
        for left in Import.objects.forgotten().filter(done_at=None):
            left.end("The worker did not come to it within an hour.")
        with transaction.atomic():
            trial = self.shown.save(self.owner) if self.cleaned_data["pictures"] else None
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


class Shown:
    """Pictures that were sent, as images of a classifier's size; raises ValidationError naming what is none."""

    def __init__(self, files: list[Upload], entry: ClassifierEntry) -> None:
        self.entry = entry
        pictures = [file for file in files if not is_list(file)]
        self.names = [str(file.name)[:80] for file in pictures]
        try:
            self.images = _images(pictures, entry)  # (B, C, H, W), uint8
            self.classes = _classes(pictures, [file for file in files if is_list(file)], entry)
        except ZooError as error:
            raise ValidationError(sentence(str(error))) from error

    def save(self, owner: User) -> Trial:
        """Store them for the worker."""
        Trial.objects.forgotten().delete()
        return Trial.objects.create(
            owner=owner,
            classifier=self.entry.name,
            names=self.names,
            pixels=self.images.tobytes(),
            thumbnails=[thumbnail_of(image) for image in self.images],
            classes=self.classes,
        )


def _images(files: list[Upload], entry: ClassifierEntry) -> np.ndarray:
    images = np.zeros((len(files), entry.channels, entry.height, entry.width), np.uint8)
    for number, file in enumerate(files):
        images[number] = image_of(file, entry)
    return images


def _classes(pictures: list[Upload], lists: list[Upload], entry: ClassifierEntry) -> list[int | None]:
    """Return the class that each picture shows by a list or by its name, where that is known."""
    listed: dict[str, int] = {}
    for file in lists:
        listed |= listed_classes(_lines(file), entry.n_classes)
    by_name = {PurePosixPath(name).name: class_index for name, class_index in listed.items()}
    names = [str(file.name) for file in pictures]
    return [by_name[name] if name in by_name else class_of_name(name, entry.labels) for name in names]


def _lines(file: Upload) -> list[str]:
    try:
        return str(file.read().decode("utf-8-sig")).splitlines()
    except UnicodeDecodeError as error:
        raise ImportRefused(f"the file {file.name} is no text in UTF-8; give a list of pictures") from error


def _require_as_many_labels(weights: Upload, description: Description) -> None:
    """Compare the labels with the weights' last layer, as far as the file's header tells."""
    classes = classes_in(weights, description.architecture)  # type: ignore[arg-type]  # it has read
    weights.seek(0)
    labels = len(description.label_names)
    if classes is not None and classes != labels:
        raise ImportRefused(
            f"{labels:,} labels; the weights in {weights.name} tell {classes:,} classes apart", about="labels"
        )


def _checked(require: Callable[[str], None], text: str) -> str:
    """Return a text that the zoo finds nothing wrong with; raises ValidationError."""
    try:
        require(text)
    except ZooError as error:
        raise ValidationError(sentence(str(error))) from error
    return text
