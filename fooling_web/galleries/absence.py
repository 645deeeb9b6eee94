"""Whether a run's classifier can still be asked: what everybody reads where it cannot, and the staff besides."""

from dataclasses import dataclass

from fooling_web.classifiers.wording import sentence
from fooling_web.runs.models import Run
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry


@dataclass(frozen=True)
class Absence:
    """Why a classifier cannot be asked. The remedy is the operator's and empty where there is none."""

    reason: str  # without a full stop
    remedy: str = ""

    @property
    def told(self) -> str:
        """A sentence for everybody."""
        return f"{self.reason}."

    @property
    def told_below_answers(self) -> str:
        """A sentence for a page that shows above what the classifier said during the run."""
        return f"{self.reason}; its answers from the run are above."


def absence_of(run: Run) -> Absence | None:
    """Return why the run's classifier cannot be asked; None where it can, unless its weights prove damaged."""
    entry = run.known_classifier
    if not entry:
        return Absence(f"The classifier {run.classifier} is no longer here, so it cannot be asked")
    if entry.weights_path.exists():
        return None
    return Absence(f"{entry.title} is not on this site, so it cannot be asked", _remedy(entry))


def _remedy(entry: ClassifierEntry) -> str:
    """Return how an operator gets the weights: a file that is not there is not read for it."""
    try:
        entry.require_weights()
    except ZooError as error:
        return sentence(str(error))
    return ""
