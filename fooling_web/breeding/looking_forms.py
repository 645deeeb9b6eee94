"""Who looks on, for which class, and what is played for."""

from typing import Any

from django import forms

from fooling_web.breeding import opinions
from fooling_web.breeding.forms import ComplainingForm
from fooling_web.breeding.models import MOST_CLASSIFIERS, BreedingSession, Goal
from models_zoo.registry import ClassifierEntry

LONGEST_LABEL = 120


class NetworksForm(ComplainingForm):
    """One to three classifiers, a target among the classes of the first, a goal, and whether the target sorts."""

    classifiers = forms.TypedMultipleChoiceField(
        label="Networks",
        empty_value=[],
        error_messages={"required": "Choose one to three networks that look on."},
    )
    target = forms.CharField(required=False, max_length=LONGEST_LABEL)
    goal = forms.ChoiceField(required=False, choices=Goal)
    sorts = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, session: BreedingSession) -> None:
        super().__init__(data)
        self.session = session
        self.note = ""
        self.before = opinions.looking_on(session)
        here = [entry for entry in opinions.candidates(session) if opinions.is_here(entry)]
        self.entries = {entry.name: entry for entry in here}
        field: Any = self.fields["classifiers"]
        field.choices = [("", "nobody"), *((entry.name, entry.title) for entry in here)]
        field.error_messages["invalid_choice"] = (
            "“%(value).60s” cannot look on here. Choose one of: "
            + (", ".join(entry.title for entry in here) or "none, for no weights are here")
            + "."
        )

    def clean_classifiers(self) -> list[str]:
        """Name each once, in the order of the seats."""
        names = list(dict.fromkeys(name for name in self.cleaned_data["classifiers"] if name))
        if not names or len(names) > MOST_CLASSIFIERS:
            raise forms.ValidationError("Choose one to three networks that look on.")
        return names

    def clean(self) -> dict[str, Any]:
        """Find the target among the classes of the first; of another classifier's, the same or none."""
        chosen = self.cleaned_data
        if names := chosen.get("classifiers"):
            chosen["target_index"] = self._index_of(chosen.get("target", ""), self.entries[names[0]])
        return chosen

    def save(self) -> None:
        """Keep what was chosen with the session."""
        chosen, session = self.cleaned_data, self.session
        session.classifiers = chosen["classifiers"]
        session.target = chosen.get("target_index")
        session.goal, session.sorts = chosen["goal"], chosen["sorts"]
        session.save(update_fields=["classifiers", "target", "goal", "sorts"])

    def _index_of(self, text: str, first: ClassifierEntry) -> int | None:
        words = " ".join(text.split())
        if not words:
            return None
        found = class_named(words, first)
        if found is not None:
            return found
        if self.before and self.before[0] != first and class_named(words, self.before[0]) is not None:
            self.note = f"{first.title} knows no class “{words}”, so there is no target now."
            return None
        self.add_error("target", f"“{words[:60]}” is no class of {first.title}. Choose one from its list.")
        return None


def class_named(words: str, entry: ClassifierEntry) -> int | None:
    """Return the class of this name, or the only one whose name begins so; None where there is none."""
    wanted = words.casefold()
    labels = [label.casefold() for label in entry.labels]
    if wanted in labels:
        return labels.index(wanted)
    beginning = [index for index, label in enumerate(labels) if label.startswith(wanted)]
    return beginning[0] if len(beginning) == 1 else None
