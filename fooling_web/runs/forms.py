"""The launch form: it offers exactly what the engine's parameters, the presets and the registry accept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from evolution.errors import GenomeError, ParameterError
from evolution.fitting import fitted, reading_of
from evolution.parameters import (
    CROPS,
    ENCODINGS,
    FIDELITIES,
    GRADIENT_SETTINGS,
    MAX_GENERATIONS,
    MAX_POPULATION,
    MAX_SEED,
    MAX_STARTS,
    METHODS,
    PUBLISHED_CLASSES,
    Parameters,
)
from evolution.presets import (
    ALL_CLASSES,
    CHANNELS,
    MAX_RUNS,
    OWN_NUMBERS,
    PRESETS,
    PUBLISHED,
    Choices,
    Preset,
    classes_in_words,
    parameters_of,
    preset_of,
    presets_for,
    setting_of,
)
from fooling_web.runs.kinds import classes_told
from fooling_web.runs.launching import launch, launch_sweep, require_seeds
from fooling_web.runs.models import Run, Sweep
from fooling_web.runs.quotas import (
    complaint_about_active,
    complaint_about_generations,
    complaint_about_storage,
)
from fooling_web.users.models import User
from models_zoo.errors import UnknownClassifier, ZooError
from models_zoo.registry import ClassifierEntry, all_entries, find

OWN = "own"
AS_THE_PRESET = ("", "As the preset")
GROUPS = {"mnist": "MNIST", "imagenet": "ImageNet", "custom": "Classes of their own"}
VIEWS = {1: "One, in the centre", 10: "Ten"}
USUAL = ("mnist-lenet", "efficientnet-lite0")  # for pictures that came without a classifier
NETWORKS_ALONE = (
    "Bred pictures are networks, and this run's images are pixels. Choose images encoded as CPPN, or do not begin "
    "with the pictures."
)
PROPOSED = {"mnist": "paper", "imagenet": "fig7-quick"}  # what suits a small machine


def _require_even(population: int) -> None:
    if population > 1 and population % 2:
        raise ValidationError("Give an even number: offspring are made in pairs.")


@dataclass(frozen=True)
class ClassifierOption:
    """A classifier as the form shows it."""

    value: str
    title: str
    name: str  # for commands, where another's title resembles its own; else empty
    summary: str
    kind: str  # of presets that it fits
    test_error: float | None  # percent; unknown where its card is damaged
    missing: str  # how to get its weights; empty where they are here
    checked: bool


@dataclass(frozen=True)
class ClassifierGroup:
    """Classifiers that were trained on the same data set."""

    title: str
    options: list[ClassifierOption]  # whose weights are here, and one that a person has chosen without
    absent: int  # how many others there are


@dataclass(frozen=True)
class PresetOption:
    """An experiment in one size, as the form shows it."""

    value: str
    size: str
    numbers: str
    encoding: str  # empty: whichever is chosen
    is_proposed: bool
    checked: bool


@dataclass(frozen=True)
class Experiment:
    """An experiment of the paper with the sizes in which it is offered."""

    kind: str
    title: str
    shows: str
    sizes: list[PresetOption]


@dataclass(frozen=True)
class Founding:
    """Pictures that a run may begin with."""

    documents: list[dict[str, Any]]
    words: str = ""  # where they come from
    thumbnails: tuple[str, ...] = ()  # addresses of their pictures

    @property
    def channels(self) -> int:
        """How many values a pixel of the first has, which says what kind of classifier can judge it."""
        return int(self.documents[0]["outputs"])


class LaunchForm(forms.Form):
    """Everything that a person chooses about a run, or about a sweep of runs."""

    classifier = forms.ChoiceField(widget=forms.RadioSelect)
    preset = forms.ChoiceField(
        choices=[*((name, preset.title) for name, preset in PRESETS.items()), (OWN, "Own numbers")],
        widget=forms.RadioSelect,
        label="Experiment",
    )
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), widget=forms.RadioSelect)
    generations = forms.IntegerField(min_value=1, max_value=MAX_GENERATIONS, required=False)
    population = forms.IntegerField(
        min_value=2,
        max_value=MAX_POPULATION,
        validators=[_require_even],
        required=False,
        help_text="Images in each generation; an even number.",
    )
    runs = forms.IntegerField(
        min_value=1,
        max_value=MAX_RUNS,
        required=False,
        label="Number of runs",
        help_text="With seeds that follow one another; more than one are a sweep. Left empty, as the preset says.",
    )
    method = forms.ChoiceField(
        choices=list(METHODS.items()),
        required=False,
        help_text="The other two are baselines of the follow-up paper.",
    )
    crops = forms.TypedChoiceField(
        choices=[AS_THE_PRESET, *((number, VIEWS[number]) for number in CROPS)],
        coerce=int,
        empty_value=None,
        required=False,
        label="Views of an image",
        help_text="Ten: corners and centre, each with its mirror image, take ten times as long.",
    )
    precision = forms.ChoiceField(
        choices=[("float32", "Single"), ("half", "Half")],
        required=False,
        help_text="Of the classifier's arithmetic. Half is quicker on a graphics processor, and a little coarser.",
    )
    setting = forms.ChoiceField(
        choices=[AS_THE_PRESET, *((name, f"Setting {name}") for name in GRADIENT_SETTINGS)],
        required=False,
        label="Setting of the ascent",
        help_text="A has no regularisation; B decays; C blurs as well; D clips small pixels, too.",
    )
    classes = forms.CharField(
        max_length=10_000,
        required=False,
        label="Classes to climb",
        help_text="Names, class indices or ranges, such as starfish, 207, 151-160; or “published”, or “all”. Left "
        "empty, as the preset says.",
    )
    starts = forms.IntegerField(
        min_value=1, max_value=MAX_STARTS, required=False, label="Starts for each class"
    )
    fidelity = forms.ChoiceField(choices=list(FIDELITIES.items()), widget=forms.RadioSelect)
    seed = forms.IntegerField(
        min_value=0,
        max_value=MAX_SEED,
        required=False,
        help_text="The same seed gives the same run. Left empty, one is drawn.",
    )
    name = forms.CharField(
        max_length=100, required=False, help_text="Left empty, the run is named by experiment and settings."
    )
    visibility = forms.ChoiceField(choices=Run.Visibility.choices, widget=forms.RadioSelect)
    founded = forms.BooleanField(required=False, label="Begin with these pictures", initial=True)

    DEFAULTS = {
        "classifier": "mnist-lenet",
        "encoding": "cppn",
        "preset": PROPOSED["mnist"],
        "generations": 200,
        "population": 200,
        "fidelity": "paper",
        "visibility": Run.Visibility.PUBLIC,
    }

    def __init__(
        self,
        data: Any = None,
        *,
        owner: User | None = None,
        cloned: Run | None = None,
        classifier: str | None = None,
        preset: str | None = None,
        encoding: str | None = None,
        founding: Founding | None = None,
    ) -> None:
        self.entries = all_entries()
        self.founding = founding or _founding_of(cloned)
        self.founders: list[dict[str, Any]] = []
        self.left_out: list[str] = []  # why some pictures are not among them
        classifier = classifier or (_fitting_classifier(self.entries, founding) if founding else None)
        wanted = next((entry for entry in self.entries if entry.name == classifier), None)
        proposed = {"classifier": wanted.name, "preset": PROPOSED[_kind(wanted)]} if wanted else {}
        if wanted and preset and preset in list(presets_for(wanted)):
            proposed["preset"] = preset
        if encoding in ENCODINGS:
            proposed["encoding"] = encoding
        cloned_settings = _settings_of(cloned) if cloned else {}
        super().__init__(data, initial={**self.DEFAULTS, **proposed, **cloned_settings})
        known = cast(forms.ChoiceField, self.fields["classifier"])
        known.choices = [(entry.name, entry.title) for entry in self.entries]
        self.owner, self.cloned = owner, cloned
        if not self.founding:
            del self.fields["founded"]

    @property
    def classifier_groups(self) -> Iterator[ClassifierGroup]:
        """The classifiers with what a person chooses by, parted by what they were trained on."""
        for dataset, title in GROUPS.items():
            options = [self._option(entry) for entry in self.entries if entry.dataset == dataset]
            shown = [option for option in options if option.checked or not option.missing]
            if options:
                yield ClassifierGroup(title, shown, len(options) - len(shown))

    @property
    def experiments(self) -> list[Experiment]:
        """The presets, those of one experiment together."""
        rows = groupby(PRESETS.items(), key=lambda item: (item[1].dataset, item[1].experiment))
        return [self._experiment(list(row)) for _, row in rows]

    @property
    def wrong_details(self) -> bool:
        """Whether an error hides among what is folded away."""
        return any(
            self[name].errors for name in ("method", "crops", "precision", "setting", "classes", "starts")
        )

    def clean(self) -> dict[str, Any]:
        """Turn the choices into parameters, by the engine's own checks."""
        cleaned = super().clean() or {}
        self._forget_what_does_not_count(cleaned.get("preset"), cleaned.get("encoding"))
        if not self.errors:
            entry = find(cleaned["classifier"])
            preset = self._preset(cleaned, entry)
            self._require_weights(entry)
            self.n_runs = cleaned.get("runs") or preset.runs
            self.climbed = self._climbed(cleaned, preset, entry)
            self.parameters = self._parameters(cleaned, preset, entry)
            if self.founding and cleaned["founded"]:
                self.parameters = self._founded(self.founding, self.parameters)
            self._require_seeds(cleaned["seed"])
        if self.owner:
            self._require_room(self.owner)
        return cleaned

    def _require_room(self, owner: User) -> None:
        """Make sure that what this person may use is enough."""
        generations = 0 if self.errors else self.parameters.generations
        complaints = (
            complaint_about_active(owner),
            complaint_about_generations(owner, generations),
            complaint_about_storage(owner),
        )
        if found := [complaint for complaint in complaints if complaint]:
            raise ValidationError(found)

    def save(self) -> Run | Sweep:
        """Store a queued run, or a sweep whose runs wait their turn, with parameters and seeds frozen."""
        chosen = self.cleaned_data
        common: dict[str, Any] = {
            "parameters": self.parameters,
            "seed": chosen["seed"],
            "name": chosen["name"],
            "owner": self.owner,
            "visibility": chosen["visibility"],
            "cloned_from": self.cloned,
            "founders": self.founders,
        }
        common["preset"] = "" if chosen["preset"] == OWN else chosen["preset"]
        if self.n_runs == 1:
            return launch(chosen["classifier"], self.parameters.encoding, **common)
        return launch_sweep(chosen["classifier"], self.parameters.encoding, runs=self.n_runs, **common)

    def _option(self, entry: ClassifierEntry) -> ClassifierOption:
        chosen = self["classifier"].value()
        return ClassifierOption(
            value=entry.name,
            title=entry.title,
            name=entry.name if any(_resemble(entry, other) for other in self.entries) else "",
            summary=entry.summary,
            kind=_kind(entry),
            test_error=_test_error(entry),
            missing=_missing(entry),
            checked=entry.name == chosen,
        )

    def _experiment(self, row: list[tuple[str, Preset]]) -> Experiment:
        chosen = self["preset"].value()
        first = row[0][1]
        sizes = [
            PresetOption(
                value=name,
                size=preset.size,
                numbers=in_numbers(preset),
                encoding=preset.encoding or "",
                is_proposed=name in PROPOSED.values(),
                checked=name == chosen,
            )
            for name, preset in row
        ]
        return Experiment(first.dataset or "", first.experiment, first.shows, sizes)

    def _preset(self, cleaned: dict[str, Any], entry: ClassifierEntry) -> Preset:
        if cleaned["preset"] == OWN:
            self._require_own_numbers(cleaned)
        try:
            return preset_of("" if cleaned["preset"] == OWN else cleaned["preset"], entry)
        except ParameterError as error:
            fitting = ", ".join(PRESETS[name].title for name in presets_for(entry))
            self.add_error(
                "preset", f"This is not for {entry.title}. Choose another, or own numbers: {fitting}."
            )
            raise ValidationError([]) from error

    def _parameters(self, cleaned: dict[str, Any], preset: Preset, entry: ClassifierEntry) -> Parameters:
        is_own = preset == OWN_NUMBERS
        try:
            choices = Choices(
                encoding=preset.encoding or cleaned["encoding"],
                method=cleaned["method"] or "map-elites",
                generations=cleaned["generations"] if is_own else None,
                population=cleaned["population"] if is_own and not self._climbs(cleaned, preset) else None,
                crops=cleaned["crops"],
                precision=cleaned["precision"] or "float32",
                fidelity=cleaned["fidelity"] if preset.fidelity == "paper" else preset.fidelity,
                setting=cleaned["setting"] or None,
                classes=self.climbed,
                starts=cleaned["starts"],
            )
            return parameters_of(preset, entry, choices)
        except ParameterError as error:
            raise ValidationError(_sentence(str(error))) from error

    def _founded(self, founding: Founding, parameters: Parameters) -> Parameters:
        """Return the settings with which a run reads its founders; those of another kind are left out."""
        self.founders, self.left_out = [], []
        if parameters.encoding != "cppn":
            raise ValidationError(NETWORKS_ALONE)
        alike = [one for one in founding.documents if one["outputs"] == parameters.channels]
        if alike:
            parameters = reading_of(alike, parameters)
        for document in founding.documents:
            try:
                self.founders.append(fitted(document, parameters))
            except GenomeError as error:
                self.left_out.append(str(error))
        if not self.founders:
            raise ValidationError(f"None of the pictures can begin this run: {self.left_out[0]}.")
        return parameters.replaced(first_population=max(parameters.first_population, len(self.founders)))

    def _climbed(
        self, cleaned: dict[str, Any], preset: Preset, entry: ClassifierEntry
    ) -> tuple[int, ...] | None:
        """Return the classes to climb; None: as the preset says."""
        text = cleaned["classes"].strip()
        words = {"": None, ALL_CLASSES: (), PUBLISHED: PUBLISHED_CLASSES}
        if text.lower() == PUBLISHED and entry.n_classes <= max(PUBLISHED_CLASSES):
            self.add_error(
                "classes", f"“{PUBLISHED}” are classes of ImageNet, which {entry.title} does not know."
            )
            raise ValidationError([])
        if text.lower() in words or not self._climbs(cleaned, preset):
            return words.get(text.lower())
        try:
            return classes_told(text, entry.labels)
        except ParameterError as error:
            self.add_error("classes", _sentence(str(error)))
            raise ValidationError([]) from error

    @staticmethod
    def _climbs(cleaned: dict[str, Any], preset: Preset) -> bool:
        return (preset.encoding or cleaned["encoding"]) == "gradient"

    def _require_weights(self, entry: ClassifierEntry) -> None:
        try:
            entry.require_weights()
        except ZooError as error:
            raise ValidationError(str(error)) from error

    def _require_seeds(self, seed: int | None) -> None:
        try:
            require_seeds(seed, self.n_runs)
        except ParameterError as error:
            self.add_error("seed", _sentence(str(error)))

    def _forget_what_does_not_count(self, preset: str | None, encoding: str | None) -> None:
        """A preset has its own numbers, gradient ascent its own population: those fields are not shown."""
        own = () if preset == OWN else ("generations", "population")
        for field in {*own, *(("population",) if encoding == "gradient" else ())}:
            self.errors.pop(field, None)
            self.cleaned_data.setdefault(field, None)

    def _require_own_numbers(self, cleaned: dict[str, Any]) -> None:
        """Gradient ascent alone knows without being told: its setting has steps, its classes are its images."""
        if cleaned["encoding"] == "gradient":
            return
        for field in ("generations", "population"):
            if cleaned.get(field) is None:
                self.add_error(field, "Give a number, or choose a preset.")
        if self.errors:
            raise ValidationError([])


class RunForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """What may still be changed about a run that was launched."""

    class Meta:
        model = Run
        fields = ["name", "visibility", "accepts_bred"]
        widgets = {"visibility": forms.RadioSelect}
        labels = {"accepts_bred": "Open its archive to bred pictures"}
        help_texts = {
            "accepts_bred": "Whoever may see the run can then offer a picture that was bred by hand. It takes every "
            "class of which the classifier is surer than with the champion, and stays in the history for good."
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not self.instance.can_accept_bred:
            del self.fields["accepts_bred"]


class SweepForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """What may still be changed about a sweep; whoever may see it may see its runs."""

    class Meta:
        model = Sweep
        fields = ["name", "visibility"]
        widgets = {"visibility": forms.RadioSelect}


def _founding_of(cloned: Run | None) -> Founding | None:
    """Return what a run that is launched again began with."""
    return Founding(cloned.founding_genomes, cloned.name) if cloned and cloned.n_founders else None


def _fitting_classifier(entries: list[ClassifierEntry], founding: Founding) -> str | None:
    """Return a classifier that can judge pictures with so many values a pixel, one whose weights are here."""
    fitting = [entry for entry in entries if entry.channels == founding.channels]
    present = [entry.name for entry in fitting if entry.weights_path.exists()]
    return next((name for name in (*USUAL, *present) if name in present), None)


def in_numbers(preset: Preset) -> str:
    """Write a preset's size: "5 runs of 5,000 × 400, ten views"."""
    runs = f"{preset.runs} runs of " if preset.runs > 1 else ""
    if preset.encoding == "gradient":
        steps = f"{preset.generations:,} steps" if preset.generations else "steps by its setting"
        return f"{runs}{len(preset.classes)} classes × {preset.starts}, {steps}"
    views = ", ten views" if preset.crops > 1 else ""
    return f"{runs}{preset.generations:,} × {preset.population}{views}"


def _kind(entry: ClassifierEntry) -> str:
    """Return the data set whose presets a classifier fits."""
    if entry.dataset in CHANNELS:
        return entry.dataset
    return next(dataset for dataset, channels in CHANNELS.items() if channels == entry.channels)


def _test_error(entry: ClassifierEntry) -> float | None:
    try:
        return entry.card["test_error_percent"]
    except ZooError:
        return None


def _resemble(one: ClassifierEntry, other: ClassifierEntry) -> bool:
    """Whether people may take one's title for the other's: "SqueezeNet" and "SqueezeNet 1.1"."""
    first, second = (re.sub(r"\W", "", entry.title).lower() for entry in (one, other))
    return one.name != other.name and (first.startswith(second) or second.startswith(first))


def _missing(entry: ClassifierEntry) -> str:
    """Return how to get weights that are not here."""
    if entry.weights_path.exists():
        return ""
    try:
        entry.require_weights()
    except ZooError as error:
        return _sentence(str(error))
    return ""


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _settings_of(run: Run) -> dict[str, Any]:
    """Return a run's choices as the form's initial values."""
    parameters = run.settings
    gradient = parameters.gradient
    is_climbing = run.encoding == "gradient"
    return {
        "classifier": run.classifier,
        "encoding": run.encoding,
        "preset": _preset_of(run),
        "generations": parameters.generations,
        "population": 200 if is_climbing else parameters.offspring,
        "method": parameters.method,
        "crops": parameters.crops,
        "precision": parameters.precision,
        "setting": setting_of(gradient) if is_climbing else "",
        "classes": classes_in_words(gradient) if is_climbing else "",
        "starts": gradient.starts if is_climbing else None,
        "fidelity": parameters.fidelity,
        "seed": run.seed,
        "name": f"{run.name} (clone)"[:100],
        "visibility": run.visibility,
    }


def _preset_of(run: Run) -> str:
    """Return the first preset that comes to the same settings."""
    settings_ = run.settings
    try:
        entry = find(run.classifier)
    except UnknownClassifier:
        return OWN
    for name in presets_for(entry):
        preset = PRESETS[name]
        if preset.encoding in (None, run.encoding) and settings_ == _alike(preset, entry, settings_):
            return name
    return OWN


def _alike(preset: Preset, entry: ClassifierEntry, settings_: Parameters) -> Parameters | None:
    """Return a preset's settings with what a preset leaves open as it is in others."""
    choices = Choices(
        encoding=settings_.encoding,
        method=settings_.method,
        precision=settings_.precision,
        fidelity=settings_.fidelity,
    )
    try:
        return parameters_of(preset, entry, choices)
    except ParameterError:
        return None
