"""Forms beside the results: who may read them, and how many people are simulated."""

from django import forms

from fooling_web.runs.models import Run
from fooling_web.studies.models import Study

READERS = {
    Run.Visibility.PRIVATE: "You alone, and the site's staff",
    Run.Visibility.UNLISTED: "Whoever has the address",
    Run.Visibility.PUBLIC: "Everybody; image pages lead here",
}
SAID = {
    Run.Visibility.PRIVATE: "The results are yours alone again.",
    Run.Visibility.UNLISTED: "Whoever has the address of this page can read it now.",
    Run.Visibility.PUBLIC: "Everybody can read these results now.",
}


class PublishingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """Who may read the results of a study."""

    results = forms.ChoiceField(choices=list(READERS.items()), label="Who may read this page")

    class Meta:
        model = Study
        fields = ["results"]

    @property
    def said(self) -> str:
        """What was changed, in a sentence."""
        return SAID[Run.Visibility(self.cleaned_data["results"])]


class SimulatingForm(forms.Form):
    """How many people are simulated, and how well they do."""

    number = forms.IntegerField(min_value=1, max_value=500, initial=20, label="How many people")
    accuracy = forms.FloatField(
        min_value=0,
        max_value=100,
        initial=80,
        label="Right answers, in percent",
        help_text="of the trials in which there is a right answer; at chance, they guess",
    )
