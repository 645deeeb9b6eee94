"""What every column of a study's files means. The files are written from these, so that none is left unexplained."""

TRIALS = {
    "subj": "participant's number in this study; nothing else in these files says who that is",
    "phase": "pilot (before the design was frozen) or main (after it); never analyse the two together",
    "entry": "way in: link, account, class, prolific, mturk, or simulated (a program, no person)",
    "framing": "machine (what did the machine say?) or you (what does it look like to you?)",
    "trial": "place in the participant's own order, from 1",
    "role": "practice, main, catch (clear: a natural image, or words that say the label), repeat (shown before)",
    "condition": "of the study's comparison; empty where nothing is compared",
    "image": "number of the image in images.csv",
    "label": "the label that counts as right: the classifier's for evolved images, the true one for natural ones",
    "options": "what stood on the screen, in its order, as JSON; numbers of images where one is picked",
    "key": "place of the right option, from 0; empty where nothing is right or wrong",
    "answered": "1 or 0; 0: not reached, and then everything after this column but the last two is empty",
    "answer": "place of the chosen option, from 0; empty: none within the response window",
    "chosen": "what stood at that place",
    "is_right": "1 or 0; empty where nothing is right or wrong",
    "sureness": "how sure the participant said to be, 0 to 100",
    "name": "what the participant typed; a leading quotation mark was put before =, +, -, @ so that no "
    "spreadsheet takes it for a formula",
    "rt_ms": "milliseconds from the display frame that showed the image to the answer",
    "by": "key, mouse or touch",
    "shown_ms": "milliseconds for which the image was on the screen, by the display's frames",
    "n_blurs": "how often the window lost focus during the trial",
    "width": "of the browser's viewport, in CSS pixels",
    "height": "of the browser's viewport, in CSS pixels",
    "stored_at": "when the answer was stored, UTC",
    "excluded": "1 where the participant is left out by a rule fixed beforehand, else 0",
    "excluded_because": "the rules, with semicolons: incomplete, catch, fast, one key",
}
MODEL_VS_HUMAN = {
    "subj": "participant, as in trials.csv",
    "session": "always 1: everybody has one session",
    "trial": "place in the participant's order, from 1",
    "rt": "reaction time in seconds; na: no answer",
    "object_response": "the label that was chosen; na: no answer",
    "category": "the label that counts as right; na: none does",
    "condition": "of the study's comparison; 0 where nothing is compared",
    "imagename": "name of the picture in images/",
}
PARTICIPANTS = {
    "subj": "participant's number in this study",
    "phase": "pilot or main",
    "entry": "way in",
    "framing": "machine or you",
    "class": "name of the class, where the participant came with one",
    "n_trials": "trials that were laid down for the participant",
    "n_answered": "of these, how many were answered",
    "n_reloads": "how often the page was loaded again",
    "consented_at": "when the participant agreed and began, UTC",
    "completed_at": "when the last trial was stored, UTC; empty: never",
    "browser": "viewport, pixel ratio, frame rate and touch as the browser told them, as JSON; no address",
    "excluded": "1 where the participant is left out by a rule fixed beforehand, else 0",
    "excluded_because": "the rules, with semicolons",
}
IMAGES = {
    "image": "number in this study",
    "file": "name of the picture in images/",
    "sha256": "of that file",
    "role": "main, catch or practice",
    "is_natural": "1 for a photograph, a digit, or words that say which label to choose; 0 for an evolved image",
    "source": "where it comes from, in words",
    "run": "the run that evolved it, where it is still on the site",
    "individual": "its number in that run",
    "class_index": "of the label that counts as right",
    "label": "that label",
    "confidence": "of the classifier in that label, from 0 to 1",
    "second_label": "what the classifier finds next likely",
    "machine_index": "of what the classifier says first",
    "machine_label": "what the classifier says first",
    "machine_confidence": "how sure it is of that",
    "classifier": "which classifier",
    "dataset": "whose labels these are; imagenet-16: of sixteen categories of ImageNet’s classes, where a confidence "
    "is the sum over a category’s classes, and the classifier says first the category with the highest mean",
    "encoding": "how it was evolved; empty: natural",
    "branch": "of WordNet",
}
EVENTS = {
    "subj": "participant's number in this study",
    "phase": "pilot or main",
    "at": "when, UTC",
    "trial": "during which trial, from 1; empty: between trials",
    "kind": "what happened: focus lost or found, another size, full screen, a reload",
    "detail": "for instance the new size",
}
REFUSALS = {
    "reason": "why something that was sent to the study was not taken",
    "times": "how often",
    "last_at": "when last, UTC",
}
OUTSIDE = {
    "subj": "participant's number in this study",
    "service": "prolific or mturk",
    "person": "PROLIFIC_PID or workerId",
    "task": "STUDY_ID or hitId",
    "visit": "SESSION_ID or assignmentId",
    "completed_at": "when the last trial was stored, UTC; empty: never",
}
TABLES = {
    "trials.csv": TRIALS,
    "model-vs-human.csv": MODEL_VS_HUMAN,
    "participants.csv": PARTICIPANTS,
    "events.csv": EVENTS,
    "images.csv": IMAGES,
    "refusals.csv": REFUSALS,
}


def text() -> str:
    """Return the codebook as it lies in the file."""
    parts = ["Codebook", "========", ""]
    for table, columns in TABLES.items():
        parts += [table, "-" * len(table), *(f"{name}: {meaning}" for name, meaning in columns.items()), ""]
    return "\n".join(parts)
