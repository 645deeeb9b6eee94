"""Designs to begin a study from, after published experiments, with the images that each of them wants.

P1 to P4 follow Zhou and Firestone (2019), P5 Dujmovic, Malhotra and Bowers (2020), P8 Geirhos and others (2018), P9
Nartker, Zhou and Firestone (2023). The words that participants read are our own, and everything can be changed before
a study is frozen.
"""

from dataclasses import dataclass

from fooling_web.studies.design import Design, Exclusions, Task, Timing
from fooling_web.studies.sixteen import SIXTEEN

IMAGENET, MNIST = "imagenet", "mnist"

CONSENT = """\
You are asked to look at pictures and to answer questions about them. It takes about {minutes} minutes.

Taking part is voluntary. You can stop at any time, and you need not say why. If you close the page, what you \
answered so far stays stored, and you can go on by the same link. If you withdraw, which you can at any time until \
the study is evaluated, everything that you answered is deleted.

Your answers are stored together with how long they took, the size of your window and whether it lost focus. Your \
name and the address of your computer are not stored with them. If a recruitment service sent you here, its \
identifier for you is kept apart from your answers and is never published.

The answers, without any identifier, may be published and used in research. If you have questions, ask whoever \
invited you. By going on you say that you have read this and agree to take part."""

MACHINE = """\
A computer program that names what it sees in pictures was shown each of these pictures, and gave it a name. Many of \
the pictures look odd. Your task is to say what name the machine gave, not what you would call the picture.

Answer as well as you can, and guess where you do not know. You can press the number of an answer on the keyboard, \
or click or touch it. A few practice pictures come first."""

LOOK = """\
You will see pictures, one after another. Many of them look odd. Say what each looks like to you: there is no trick, \
and where you are not sure, choose what comes nearest.

You can press the number of an answer on the keyboard, or click or touch it. A few practice pictures come first."""

BETWEEN = """\
You will see pictures, one after another, and many of them look odd. Above each stands a question: please read it \
with care and answer exactly that. Guess where you do not know.

Choose one of all the names that are shown. A few practice pictures come first."""

PICK = """\
A computer program that names what it sees in pictures was shown all of these pictures, and gave one of them the \
name that stands above. Your task is to pick that picture.

Guess where you do not know. You can press the number of a picture on the keyboard, or click or touch it. A few \
practice trials come first."""

NAMING = """\
You will see pictures, one after another. First write in a word or two what you see. Then choose, of the names that \
are shown, the one that a computer program gave to the picture.

Nothing that you write is wrong. Guess where you do not know. A few practice pictures come first."""

RECOGNISING = """\
You will see pictures. Some are photographs or handwritten digits, others were made by a computer. For each, say \
whether you recognise something in it, and then how sure you are, from 0 to 100.

Trust your first impression. A few practice pictures come first."""

TIMED = """\
Each picture appears for an instant, after a small cross, and is followed by noise. Look at the cross. Then choose \
what you saw as quickly as you can: after a second and a half the next picture comes.

Use the mouse or touch. Many pictures look odd, so guess where you do not know. A few practice pictures come first."""

RIGHT_OR_WRONG = """\
A computer program that names what it sees in pictures was shown each of these pictures. Under the picture stands \
the name that it gave. Say whether the machine is right or wrong.

Some of the pictures are photographs or handwritten digits, others were made by a computer. Guess where you do not \
know. A few practice pictures come first."""

TOGETHER = """\
A computer program looked at ten pictures and gave each a name. What did it say? You have two minutes for all ten. \
Choose one of the names, and guess where you do not know."""

DEBRIEFING = """\
Thank you. Most of the pictures were made by evolution: a computer varied them again and again and kept those that a \
trained network was surest of. Nobody drew them. The network gave each a name, and was almost certain of some, \
although many look like nothing at all.

The study asks how far people see what such a network sees. A few photographs, digits, written words and repeated \
pictures were among them to check that the task was understood."""

PLAN = """\
Question: {question}

Main number: {number} Chance is {chance}.

Each image and each participant gets an exact (Clopper-Pearson) 95 % interval; how many lie above chance is counted \
only where the whole interval does. Practice and repeated trials do not count; repeated ones give the consistency. \
Data are left out by the rules of this design alone, and the number left out by each rule is reported. The confusion \
matrix is reported in any case."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Images that a design wants: how many, of which kind; an empty word stands for any."""

    count: int
    encoding: str = ""
    dataset: str = ""
    is_natural: bool = False
    each_label_once: bool = True
    labels: int = 0  # from how many labels; 0: it does not matter
    spread: str = "surest"  # as `choosing.SPREADS` names it; the published images are those of sure networks

    def fits(self, encoding: str, dataset: str) -> bool:
        """Whether an image of this encoding and data set is of the kind that is wanted."""
        return self.encoding in ("", encoding) and self.dataset in ("", dataset)

    @property
    def recipe(self) -> dict[str, str]:
        """What to propose for a run of minutes that gives such images."""
        if self.dataset == MNIST:
            return {
                "classifier": "mnist-lenet",
                "preset": "quick-look",
                "encoding": self.encoding or "cppn",
            }
        figure = "fig6-quick" if self.encoding == "direct" else "fig7-quick"
        return {"classifier": "efficientnet-lite0", "preset": figure}

    @property
    def said(self) -> str:
        """The wish in words."""
        if self.is_natural:
            kind = {IMAGENET: "photographs", MNIST: "digits of MNIST"}.get(self.dataset, "natural images")
            return f"{self.count} {kind}"
        kinds = {"cppn": "patterns drawn by networks (CPPN)", "direct": "pixel by pixel (direct encoding)"}
        data = {IMAGENET: ", of ImageNet’s classes", MNIST: ", of the digits"}
        data[SIXTEEN] = ", of classes that belong to sixteen everyday categories"
        labels = f", from {self.labels} labels" if self.labels and self.dataset != SIXTEEN else ""
        labels += {"surest": ", the surest there are", "confidence": ", of all confidences"}.get(
            self.spread, ""
        )
        kind = kinds.get(self.encoding, "any encoding") + data.get(self.dataset, "")
        return f"{self.count} evolved images, {kind}{labels}"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A design with a title for people, and the images that it wants."""

    title: str
    summary: str
    design: Design
    wishes: tuple[Wish, ...]
    n_catch: int = 3  # natural images with a clear label
    entries: str = "link"
    after: str = ""  # the publication


def _consent(minutes: int) -> str:
    return CONSENT.format(minutes=minutes)


USUAL_CONSENT = _consent(10)


def _plan(question: str, number: str, chance: str) -> str:
    return PLAN.format(question=question, number=number, chance=chance)


ZHOU = "Zhou and Firestone 2019"
PATTERNS = (Wish(count=48, encoding="cppn", dataset=IMAGENET),)

# To add one, write its design and wishes here; the pages, the tests and the documentation take it from this list.
PRESETS: dict[str, Preset] = {
    "P1": Preset(
        title="Two labels",
        summary="48 patterns, each with the machine’s label and another one at random: which did the machine give?",
        after=f"{ZHOU}, experiment 1",
        wishes=PATTERNS,
        design=Design(
            preset="P1",
            consent=_consent(5),
            instructions=MACHINE,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "do people know which label the machine gave to an evolved image?",
                "the share of answers that name the machine’s label.",
                "one in two",
            ),
        ),
    ),
    "P10": Preset(
        title="A class together",
        summary="Ten images, two minutes, a join code on the wall: the class against the network, revealed live.",
        wishes=(Wish(count=10, spread="random"),),
        n_catch=0,
        entries="class",
        design=Design(
            preset="P10",
            n_options=4,
            n_practice=0,
            catch_share=0.0,
            repeat_share=0.0,
            feedback="none",
            raters_per_image=20,
            exclusions=Exclusions(
                incomplete=False, catch_below=None, median_below_ms=None, one_key_over=None
            ),
            consent="Your class looks at ten pictures together. The answers are stored under the nickname that you "
            "choose, and your teacher sees them. You can stop at any time, and have your answers deleted.",
            instructions=TOGETHER,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "how often does the class name what the network named?",
                "the share of answers that name the machine’s label, for each image.",
                "one in four",
            ),
        ),
    ),
    "P2": Preset(
        title="First against second choice",
        summary="48 patterns, each with the label the machine found likeliest and the one it found second: hard.",
        after=f"{ZHOU}, experiment 2",
        wishes=PATTERNS,
        design=Design(
            preset="P2",
            foil="second",
            consent=_consent(5),
            instructions=MACHINE,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "do people tell the machine’s first choice from its second?",
                "the share of answers that name the first choice.",
                "one in two",
            ),
        ),
    ),
    "P3": Preset(
        title="All labels at once, two questions",
        summary="48 patterns and all 48 labels. Half of the people say what the machine said, half what they see.",
        after=f"{ZHOU}, experiments 3a and 3b",
        wishes=PATTERNS,
        design=Design(
            preset="P3",
            n_options=48,
            framing="between",
            comparison="framing",
            consent=_consent(12),
            instructions=BETWEEN,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "do people choose the machine’s label among all, and does it matter what they are asked?",
                "the share of answers that name the machine’s label, and its difference between the two questions.",
                "one in 48",
            ),
        ),
    ),
    "P4": Preset(
        title="Pick the image",
        summary="A label and eight images of noise: which one did the machine call so? Other foils in each trial.",
        after=f"{ZHOU}, experiment 4",
        wishes=(Wish(count=48, encoding="direct"),),
        design=Design(
            preset="P4",
            task=Task.PICK_IMAGE,
            n_options=8,
            n_practice=2,
            consent=_consent(8),
            instructions=PICK,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "do people find the image that the machine named?",
                "the share of trials in which the right image was picked.",
                "one in eight",
            ),
        ),
    ),
    "P5": Preset(
        title="Encoding and data set, two by two",
        summary="Direct and indirect encoding, ImageNet and MNIST: where do people and network agree, and where not?",
        after="Dujmovic, Malhotra and Bowers 2020",
        wishes=(
            Wish(count=10, encoding="cppn", dataset=IMAGENET),
            Wish(count=10, encoding="direct", dataset=IMAGENET),
            Wish(count=10, encoding="cppn", dataset=MNIST),
            Wish(count=10, encoding="direct", dataset=MNIST),
        ),
        design=Design(
            preset="P5",
            n_options=4,
            comparison="encoding-and-dataset",
            consent=_consent(6),
            instructions=MACHINE,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "does agreement with the machine depend on the encoding, the data set, or both together?",
                "the share of answers that name the machine’s label, in each of the four cells; the two main effects "
                "and their interaction.",
                "one in four",
            ),
        ),
    ),
    "P6": Preset(
        title="Name it, then choose",
        summary="First in one’s own words, then among four labels: what people see before they are told what to see.",
        wishes=(Wish(count=24, encoding="cppn", dataset=IMAGENET),),
        n_catch=2,
        design=Design(
            preset="P6",
            task=Task.NAME_THEN_CHOOSE,
            n_options=4,
            consent=_consent(8),
            instructions=NAMING,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "do people name the machine’s label by themselves, and choose it when it is offered?",
                "the share of choices that name the machine’s label; free names are listed for each image.",
                "one in four for the choice",
            ),
        ),
    ),
    "P7": Preset(
        title="Is it recognisable?",
        summary="Evolved and natural images: recognisable or not, and how sure, from 0 to 100, beside the "
        "network’s own confidence.",
        wishes=(Wish(count=24, spread="confidence"), Wish(count=24, is_natural=True)),
        design=Design(
            preset="P7",
            task=Task.RECOGNISABLE,
            framing="you",
            comparison="natural",
            asks_confidence=True,
            feedback="none",
            consent=_consent(6),
            instructions=RECOGNISING,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "which images do people recognise, and is their sureness better calibrated than the network’s?",
                "the share of “recognisable” for each image, beside the network’s confidence; "
                "calibration curves of both.",
                "not defined for evolved images, which have no right answer here",
            ),
        ),
    ),
    "P8": Preset(
        title="At a glance",
        summary="A cross, the image for 200 ms, a mask, a second and a half to choose among sixteen categories.",
        after="Geirhos and others 2018",
        wishes=(Wish(count=32, encoding="cppn", dataset=SIXTEEN, each_label_once=False, labels=16),),
        design=Design(
            preset="P8",
            n_options=16,
            framing="you",
            screen="offered",
            timing=Timing(fixation_ms=300, exposure_ms=200, mask_ms=200, window_ms=1500),
            exclusions=Exclusions(median_below_ms=200.0),
            consent=_consent(6),
            instructions=TIMED,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "how far do people agree with the network when they see an image for an instant?",
                "the share of answers that name the category that the image was evolved for; answers that come too "
                "late count as not right. On natural images, observed and error consistency with the network, which "
                "decides for the category whose classes have the highest mean confidence.",
                "one in sixteen",
            ),
        ),
    ),
    "P9": Preset(
        title="Right or wrong?",
        summary="The image and the machine’s label: is the machine right? Photographs or digits among "
        "evolved images.",
        after="Nartker, Zhou and Firestone 2023",
        wishes=(Wish(count=24, spread="confidence"), Wish(count=24, is_natural=True)),
        design=Design(
            preset="P9",
            task=Task.RIGHT_OR_WRONG,
            comparison="natural",
            consent=_consent(5),
            instructions=RIGHT_OR_WRONG,
            debriefing=DEBRIEFING,
            analysis_plan=_plan(
                "can people tell when the machine is right?",
                "the share of right judgements on natural images; for evolved ones the share of “right”.",
                "one in two",
            ),
        ),
    ),
}
