"""What the interactive worker finds out about one weight: the classifier's answer to each picture of a sweep.

The run's own classifier is asked as the run asked it, with as many crops and as precisely, so that with the present
weight it says what it said then. An examination's subject is the connection, as addresses name it.
"""

from typing import Any

from evolution.errors import GenomeError
from fooling_web.galleries.graphs import network_of, swept_images, weights_tried
from fooling_web.runs.models import Individual, Run
from models_zoo.errors import ZooError
from models_zoo.registry import load

DIGITS = 9  # decimals of a confidence that are kept


def weighed(run: Run, individual: Individual, edge: str) -> dict[str, Any]:
    """Return, for each weight tried, the likeliest class and the confidences in classes that the image is told by."""
    network = network_of(run, individual)
    connection = network.connection(edge)
    if not connection:
        raise GenomeError(f"the network has no connection {edge}")
    weights = weights_tried(network.bound, connection.weight)
    images = swept_images(run, individual, connection, weights)  # (B, C, H, W)
    confidences = _classifier_of(run)(images)  # (B, n_classes)
    best = confidences.argmax(axis=1)  # (B,)
    return {
        "weights": weights,
        "tops": [[int(index), _kept(row[index])] for index, row in zip(best, confidences, strict=True)],
        "classes": {
            str(index): [_kept(confidence) for confidence in confidences[:, index]]
            for index in sorted(_classes_of(individual))
        },
    }


def _classifier_of(run: Run) -> Any:
    """Return the run's classifier with the run's views of a picture."""
    if not run.known_classifier:
        raise ZooError(f"{run.classifier} is no longer here; once it is imported again, it can be asked")
    classifier = load(run.classifier).with_views(crops=run.settings.crops, precision=run.settings.precision)
    if classifier.weights_sha256 != run.classifier_sha256:
        raise ZooError(
            f"the weights of {run.classifier} have changed since this run was launched; restore them"
        )
    return classifier


def _classes_of(individual: Individual) -> set[int]:
    """Return the classes in whose light the image may be told."""
    held = {*individual.championships.values_list("class_index", flat=True)}
    held |= {*individual.takeovers.values_list("class_index", flat=True)}
    return held | {index for index, _ in individual.top}


def _kept(confidence: Any) -> float:
    return round(float(confidence), DIGITS)
