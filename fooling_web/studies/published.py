"""Published numbers, to lay beside one's own: by preset, each with what it counts and where it stands.

All are shares from 0 to 1. `reported` is what the publication gives; `exact` is the same count with exact intervals,
from the re-analysis by Dujmovic, Malhotra and Bowers (2020). The two differ because "above chance" meant that a mean
lay above chance. A study of one's own differs in images, classifier and people: near is not the same.
"""

from dataclasses import dataclass

ZHOU = "Zhou and Firestone 2019, Nature Communications 10:1334"
DUJMOVIC = "Dujmovic, Malhotra and Bowers 2020, eLife 9:e55978"
NARTKER = "Nartker, Zhou and Firestone 2023, Journal of Vision 23(4):4"
GEIRHOS = "Geirhos and others 2018, Advances in Neural Information Processing Systems 31"


@dataclass(frozen=True)
class Published:
    """One published experiment like a preset."""

    preset: str
    experiment: str
    source: str
    task: str
    chance: float | None
    people_reported: float | None = None  # share of observers above chance
    people_exact: float | None = None
    images_reported: float | None = None  # share of images above chance
    images_exact: float | None = None
    note: str = ""


PUBLISHED: tuple[Published, ...] = (
    Published(
        preset="P1",
        experiment="1",
        source=ZHOU,
        task="CPPN images, the machine’s label against a random other label",
        chance=1 / 2,
        people_reported=0.98,
        people_exact=0.812,
        images_reported=0.94,
        images_exact=0.854,
    ),
    Published(
        preset="P2",
        experiment="2",
        source=ZHOU,
        task="CPPN images, the machine’s first against its second label",
        chance=1 / 2,
        people_reported=0.91,
        people_exact=0.313,
        images_reported=0.71,
        images_exact=0.542,
    ),
    Published(
        preset="P3",
        experiment="3a",
        source=ZHOU,
        task="all 48 labels shown, “what did the machine say?”",
        chance=1 / 48,
        people_reported=0.88,
        people_exact=0.474,
        images_reported=0.79,
        images_exact=0.604,
    ),
    Published(
        preset="P3",
        experiment="3b",
        source=ZHOU,
        task="all 48 labels shown, “what does it look like to you?”",
        chance=1 / 48,
        people_reported=0.90,
        images_reported=0.81,
    ),
    Published(
        preset="P4",
        experiment="4",
        source=ZHOU,
        task="eight direct-encoded images on the screen, given a label pick the image",
        chance=1 / 8,
        people_reported=0.81,
        people_exact=0.084,
        images_reported=1.0,
        images_exact=0.75,
    ),
    Published(
        preset="P5",
        experiment="2 x 2",
        source=DUJMOVIC,
        task="direct and indirect encoding, ImageNet and MNIST",
        chance=None,
        note="Agreement is weaker than in Zhou and Firestone’s experiments, and depends on which images are chosen.",
    ),
    Published(
        preset="P8",
        experiment="timing",
        source=GEIRHOS,
        task="image 200 ms, mask 200 ms, 1,500 ms to choose one of sixteen categories",
        chance=1 / 16,
        note="The design is the published one; its images are photographs, so its accuracies are no measure here.",
    ),
    Published(
        preset="P9",
        experiment="design",
        source=NARTKER,
        task="will the machine be right or wrong about this image?",
        chance=1 / 2,
        note="The design is the published one, on other images.",
    ),
    Published(
        preset="",
        experiment="5",
        source=ZHOU,
        task="perturbed MNIST digits, told that they were misread, pick the wrong digit",
        chance=1 / 9,
        people_reported=0.89,
        people_exact=0.151,
        images_reported=0.73,
        note="Nearly everyone answered “8”, which the confusion matrix shows and the counts above chance do not.",
    ),
)


def published_beside(preset: str) -> list[Published]:
    """Return the published experiments that a study after this preset can be laid beside."""
    return [one for one in PUBLISHED if preset and one.preset == preset]
