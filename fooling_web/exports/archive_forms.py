"""What people choose when a run leaves the site or a file comes in."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from evolution.errors import ParameterError
from fooling_web.classifiers.uploads import Upload
from fooling_web.classifiers.wording import sentence
from fooling_web.exports.models import ImportJob
from fooling_web.exports.packing import PICTURE_SIZES, Choices
from fooling_web.runs.kinds import classes_told
from fooling_web.runs.models import Run
from fooling_web.runs.watching import labels_of
from models_zoo.registry import all_entries

HISTORIES = (
    ("whole", "The whole history: every image that ever held a class"),
    ("lineages", "Champions and their ancestors: smaller, and every lineage is whole"),
    ("champions", "Champions alone: the smallest"),
)
ARRIVALS = (
    (
        ImportJob.Kind.ARCHIVE.value,
        "Runs that a site exported: an archive file, or a ZIP of several; they come in with their whole history",
    ),
    (
        ImportJob.Kind.PICTURES.value,
        "Plain pictures: a ZIP of PNG, JPEG or WebP files, and a table of their classes",
    ),
)
SIZES = [(size, f"{size} pixels a side" if size else "none") for size in PICTURE_SIZES]


class ExportForm(forms.Form):
    """What goes into the file."""

    history = forms.ChoiceField(label="History", choices=HISTORIES, initial="whole", widget=forms.RadioSelect)
    pictures = forms.TypedChoiceField(
        label="Pictures of the champions",
        choices=SIZES,
        coerce=int,
        initial=256,
        help_text="PNGs. The genomes are in the file either way, and any size can be drawn from them.",
    )
    tables = forms.BooleanField(
        required=False, initial=True, label="Tables as Parquet, beside those as CSV that are always there"
    )
    authors = forms.BooleanField(
        required=False, label="Laid out as the paper’s authors’ own software wrote, too, for old scripts"
    )
    classes = forms.CharField(
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "3, 5-7"}),
        help_text="Numbers or names; none means all. A file of some classes is not taken in by a site again.",
    )
    at_least = forms.FloatField(
        label="Least confidence",
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "0.99"}),
        help_text="Champions that are less sure are left out; such a file is not taken in again either.",
    )

    def __init__(self, *arguments: Any, runs: Sequence[Run], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.runs = runs

    def clean_classes(self) -> tuple[int, ...]:
        """Read names and numbers of classes; runs of other labels must not be asked for the same names."""
        text = self.cleaned_data["classes"].strip()
        if not text:
            return ()
        labels = {labels_of(run) for run in self.runs}
        if not all(labels):
            raise ValidationError(
                "A run's classifier is gone, so that its classes have no names: leave this empty."
            )
        try:
            found = {classes_told(text, known) for known in labels}
        except ParameterError as error:
            raise ValidationError(sentence(str(error))) from error
        if len(found) > 1:
            raise ValidationError("These names mean other classes to other classifiers. Export run by run.")
        return found.pop()

    @property
    def chosen(self) -> Choices:
        """What was chosen."""
        cleaned = self.cleaned_data
        return Choices(
            history=cleaned["history"],
            pictures=cleaned["pictures"],
            classes=cleaned["classes"],
            at_least=cleaned["at_least"] or 0.0,
            tables=cleaned["tables"],
            authors=cleaned["authors"],
        )


class ArrivalForm(forms.Form):
    """A file to be taken in, and who may see its runs then."""

    kind = forms.ChoiceField(
        label="What it is",
        required=False,
        choices=ARRIVALS,
        initial=ImportJob.Kind.ARCHIVE,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(label="File", widget=forms.ClearableFileInput(attrs={"accept": ".zip"}))
    classifier = forms.ChoiceField(
        label="Classifier",
        required=False,
        help_text="Of plain pictures alone: whose classes the table names, and who is asked about each picture.",
    )
    visibility = forms.ChoiceField(
        choices=Run.Visibility, initial=Run.Visibility.PRIVATE, widget=forms.RadioSelect
    )
    anyway = forms.BooleanField(
        required=False,
        label="My own copy, even where the same run is here already as somebody else’s",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        known = [(entry.name, entry.title) for entry in all_entries()]
        self.fields["classifier"].choices = [("", "Choose one"), *known]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for a classifier where the file does not name its own."""
        cleaned = super().clean() or self.cleaned_data
        are_pictures = cleaned.get("kind") == ImportJob.Kind.PICTURES
        if are_pictures and cleaned.get("classifier") == "":
            self.add_error("classifier", "Choose the classifier whose classes the table names.")
        return cleaned

    def clean_kind(self) -> str:
        """Take a file for an archive where nothing else is said."""
        return str(self.cleaned_data["kind"] or ImportJob.Kind.ARCHIVE)

    def clean_file(self) -> Upload:
        """Refuse what is larger than the site takes, or no ZIP at first sight."""
        file = cast(Upload, self.cleaned_data["file"])
        most = settings.IMPORT_UPLOAD_MEGABYTES
        if (file.size or 0) > most * 1_000_000:
            raise ValidationError(
                f"{file.name} is larger than {most:,} MB, the most this site takes; whoever keeps the site can "
                "take it in by manage.py import_archive or import_pictures."
            )
        if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            raise ValidationError(
                f"{file.name} is no ZIP; give a file that a site like this one exported, or a ZIP of pictures."
            )
        file.seek(0)
        return file
