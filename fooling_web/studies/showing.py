"""What a participant's browser is given before the first trial: texts, times, pictures, options, never the keys."""

from typing import Any

from django.urls import reverse

from fooling_web.studies.design import Design, Task
from fooling_web.studies.models import Participant, StudyImage, Trial

QUESTIONS = {
    (Task.CHOOSE_LABEL, "machine"): "What did the machine say?",
    (Task.CHOOSE_LABEL, "you"): "What does it look like to you?",
    (Task.NAME_THEN_CHOOSE, "machine"): "And what did the machine say?",
    (Task.NAME_THEN_CHOOSE, "you"): "Which of these does it look like most?",
    (Task.PICK_IMAGE, "machine"): "Which of these did the machine call “{label}”?",
    (Task.PICK_IMAGE, "you"): "Which of these looks most like “{label}” to you?",
    (Task.RECOGNISABLE, "machine"): "Do you recognise something in it?",
    (Task.RECOGNISABLE, "you"): "Do you recognise something in it?",
    (Task.RIGHT_OR_WRONG, "machine"): "The machine says “{label}”. Is it right or wrong?",
    (Task.RIGHT_OR_WRONG, "you"): "The machine says “{label}”. Is it right or wrong?",
}
NAMING = "What do you see? A word or two."
SURENESS = "How sure are you?"
INSTRUCTIONS = (
    "You will see pictures, one after another. Answer the question above each, "
    "and guess where you do not know."
)
LARGEST_PIXELATED = 64  # pixels a side; larger pictures are shown smoothly


def question_of(design: Design, framing: str) -> str:
    """Return the question of every trial; `{label}` stands for the label of the trial."""
    return design.question or QUESTIONS[design.task, framing]


def session_of(participant: Participant) -> dict[str, Any]:
    """Return all that the browser needs for a session, as plain values."""
    study, design = participant.study, participant.study.plan
    images = {image.pk: image for image in study.images.all()}
    by_number = {image.number: image for image in images.values()}
    question = question_of(design, participant.framing)
    trials = participant.trials.filter(number__gte=participant.n_answered)
    return {
        "id": str(participant.pk),
        "task": design.task,
        "next": participant.n_answered,
        "total": participant.n_trials,
        "timing": {
            "fixation": design.timing.fixation_ms,
            "exposure": design.timing.exposure_ms,
            "mask": design.timing.mask_ms,
            "window": design.timing.longest_ms,
        },
        "instructions": design.instructions or INSTRUCTIONS,
        "naming": NAMING if design.task == Task.NAME_THEN_CHOOSE else "",
        "sureness": SURENESS if design.asks_confidence else "",
        "feedback": design.feedback,
        "screen": design.screen,
        "answers": reverse("studies:answers", args=[participant.pk]),
        "done": reverse("studies:done", args=[participant.pk]),
        "trials": [_shown(trial, images[trial.image_id], by_number, design, question) for trial in trials],
    }


def _shown(
    trial: Trial, image: StudyImage, by_number: dict[int, StudyImage], design: Design, question: str
) -> dict[str, Any]:
    label = image.label
    if design.task == Task.RIGHT_OR_WRONG:
        label = image.machine_label or image.label
    shown: dict[str, Any] = {
        "number": trial.number,
        "practice": trial.role == Trial.Role.PRACTICE,
        "question": question.replace("{label}", label),
    }
    if design.task == Task.PICK_IMAGE:
        return {**shown, "options": [_picture(by_number[number]) for number in trial.options]}
    return {**shown, "image": _picture(image), "options": [{"text": option} for option in trial.options]}


def _picture(image: StudyImage) -> dict[str, Any]:
    return {
        "url": reverse("studies:picture", args=[image.sha256]),
        "pixelated": image.side <= LARGEST_PIXELATED,
    }


def pictures_of(session: dict[str, Any]) -> list[str]:
    """Return the addresses of all pictures that a session shows, each once, in their order."""
    shown = [
        picture["url"]
        for trial in session["trials"]
        for picture in [trial.get("image"), *trial["options"]]
        if picture and "url" in picture
    ]
    return list(dict.fromkeys(shown))
