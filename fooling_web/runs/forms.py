"""The launch form: it offers exactly what the engine's parameters and the registry accept."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from evolution.errors import ParameterError
from evolution.parameters import (
    ENCODINGS,
    FIDELITIES,
    MAX_GENERATIONS,
    MAX_POPULATION,
    MAX_SEED,
    PRESETS,
    Parameters,
)
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run
from fooling_web.users.models import User
from models_zoo.errors import ZooError
from models_zoo.registry import CLASSIFIERS, ClassifierEntry

OWN = "own"


def no_room() -> str:
    """Say that a person has as many active runs as one may have."""
    return (
        f"You have {settings.ACTIVE_RUNS_PER_USER} active runs, the most one person may have here. "
        "Wait for one to finish, or pause or cancel one."
    )


def _require_even(population: int) -> None:
    if population > 1 and population % 2:
        raise ValidationError("Give an even number: offspring are made in pairs.")


@dataclass(frozen=True)
class ClassifierOption:
    """A classifier as the form shows it."""

    value: str
    title: str
    summary: str
    test_error: float | None  # percent; unknown where its card is damaged
    checked: bool


class LaunchForm(forms.Form):
    """Everything that a person chooses about a run."""

    classifier = forms.ChoiceField(
        choices=[(name, entry.title) for name, entry in CLASSIFIERS.items()], widget=forms.RadioSelect
    )
    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), widget=forms.RadioSelect)
    preset = forms.ChoiceField(
        choices=[
            *((name, f"{p.title}: {p.generations:,} × {p.population}") for name, p in PRESETS.items()),
            (OWN, "Own numbers"),
        ],
        widget=forms.RadioSelect,
    )
    generations = forms.IntegerField(min_value=1, max_value=MAX_GENERATIONS, required=False)
    population = forms.IntegerField(
        min_value=2,
        max_value=MAX_POPULATION,
        validators=[_require_even],
        required=False,
        help_text="Images in each generation; an even number.",
    )
    fidelity = forms.ChoiceField(choices=list(FIDELITIES.items()), widget=forms.RadioSelect)
    seed = forms.IntegerField(
        min_value=0,
        max_value=MAX_SEED,
        required=False,
        help_text="The same seed gives the same run. Left empty, one is drawn.",
    )
    name = forms.CharField(
        max_length=100, required=False, help_text="Left empty, the run is named by its settings."
    )
    visibility = forms.ChoiceField(choices=Run.Visibility.choices, widget=forms.RadioSelect)

    DEFAULTS = {
        "classifier": "mnist-lenet",
        "encoding": "cppn",
        "preset": "paper",
        "generations": 200,
        "population": 200,
        "fidelity": "paper",
        "visibility": Run.Visibility.PUBLIC,
    }

    def __init__(self, data: Any = None, *, owner: User | None = None, cloned: Run | None = None) -> None:
        super().__init__(data, initial={**self.DEFAULTS, **(_settings_of(cloned) if cloned else {})})
        self.owner, self.cloned = owner, cloned

    @property
    def classifier_options(self) -> list[ClassifierOption]:
        """The classifiers with what a person chooses by."""
        chosen = self["classifier"].value()
        return [
            ClassifierOption(name, entry.title, entry.summary, _test_error(entry), name == chosen)
            for name, entry in CLASSIFIERS.items()
        ]

    def clean(self) -> dict[str, Any]:
        """Turn the choices into parameters, by the engine's own checks."""
        cleaned = super().clean() or {}
        if cleaned.get("preset") in PRESETS:
            self._forget_own_numbers()
        if not self.errors:
            self.parameters = self._parameters(cleaned)
            self._require_weights(cleaned["classifier"])
        if self.owner and not self.owner.runs.have_room():
            raise ValidationError(no_room())
        return cleaned

    def save(self) -> Run:
        """Store a queued run with its parameters and seed frozen."""
        chosen = self.cleaned_data
        return launch(
            chosen["classifier"],
            chosen["encoding"],
            parameters=self.parameters,
            seed=chosen["seed"],
            name=chosen["name"],
            owner=self.owner,
            visibility=chosen["visibility"],
            cloned_from=self.cloned,
        )

    def _parameters(self, cleaned: dict[str, Any]) -> Parameters:
        generations, population = self._size(cleaned)
        try:
            return parameters_for(
                cleaned["classifier"],
                cleaned["encoding"],
                generations=generations,
                population=population,
                fidelity=cleaned["fidelity"],
            )
        except ParameterError as error:
            raise ValidationError(str(error)) from error

    def _require_weights(self, classifier: str) -> None:
        try:
            CLASSIFIERS[classifier].require_weights()
        except ZooError as error:
            raise ValidationError(str(error)) from error

    def _forget_own_numbers(self) -> None:
        """A preset has its own: what stands in fields that are not shown does not count."""
        for field in ("generations", "population"):
            self.errors.pop(field, None)

    def _size(self, cleaned: dict[str, Any]) -> tuple[int, int]:
        if cleaned["preset"] != OWN:
            preset = PRESETS[cleaned["preset"]]
            return preset.generations, preset.population
        for field in ("generations", "population"):
            if cleaned.get(field) is None:
                self.add_error(field, "Give a number, or choose a preset.")
        if self.errors:
            raise ValidationError([])
        return cleaned["generations"], cleaned["population"]


class RunForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """What may still be changed about a run that was launched."""

    class Meta:
        model = Run
        fields = ["name", "visibility"]
        widgets = {"visibility": forms.RadioSelect}


def _test_error(entry: ClassifierEntry) -> float | None:
    try:
        return entry.card["test_error_percent"]
    except ZooError:
        return None


def _settings_of(run: Run) -> dict[str, Any]:
    """Return a run's choices as the form's initial values."""
    parameters = run.settings
    size = (parameters.generations, parameters.offspring)
    alike = (name for name, preset in PRESETS.items() if (preset.generations, preset.population) == size)
    return {
        "classifier": run.classifier,
        "encoding": run.encoding,
        "preset": next(alike, OWN),
        "generations": parameters.generations,
        "population": parameters.offspring,
        "fidelity": parameters.fidelity,
        "seed": run.seed,
        "name": f"{run.name} (clone)"[:100],
        "visibility": run.visibility,
    }
