"""Draw the card that goes with a link to an image: the picture, and beside it what the classifier says of it."""

import io

from PIL import Image, ImageDraw, ImageFont

from fooling_web.runs.models import Individual
from fooling_web.runs.percentages import finely
from fooling_web.runs.pictures import picture_of_size

WIDTH, HEIGHT = 1200, 630
MARGIN = 60
LEFT = HEIGHT + MARGIN  # of the words
WALL, INK, MUTED = (18, 18, 18), (240, 239, 233), (167, 166, 157)
LARGE, MIDDLE, SMALL = 56, 40, 28  # of letters, in pixels
MOST_LINES = 5  # of a title
LONGEST = 200  # characters that are measured
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


def card_of(individual: Individual, own_title: str, said: str, confidence: float | None) -> bytes:
    """Return a card as a PNG; raises GenomeError where the picture's genome is damaged or not kept."""
    run = individual.run
    picture = picture_of_size(run.settings, bytes(individual.genome), HEIGHT)
    card = Image.new("RGB", (WIDTH, HEIGHT), WALL)
    card.paste(picture.convert("RGB").resize((HEIGHT, HEIGHT), Image.Resampling.NEAREST))
    draw, top = ImageDraw.Draw(card), MARGIN
    for text, size, colour in [
        (own_title or said, LARGE, INK),
        (said if own_title else "", SMALL, INK),
        (finely(confidence) if confidence is not None else "", MIDDLE, INK),
    ]:
        top = _written(draw, text, size, colour, top)
    facts = f"No. {individual.number:,}, {run.encoding_title}, generation {individual.generation:,}"
    _written(draw, f"{facts}\nFoolbreeder", SMALL, MUTED, HEIGHT - MARGIN - 4 * SMALL)
    file = io.BytesIO()
    card.save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _written(draw: ImageDraw.ImageDraw, text: str, size: int, colour: tuple[int, int, int], top: int) -> int:
    """Write a text below `top`, in lines as wide as there is room; return where it ends."""
    if not text:
        return top
    font = ImageFont.load_default(size)
    lines = [line for part in text.split("\n") for line in _lines(part[:LONGEST], font)][:MOST_LINES]
    draw.multiline_text((LEFT, top), "\n".join(lines), fill=colour, font=font, spacing=size // 4)
    return top + len(lines) * (size + size // 3) + size // 2


def _lines(text: str, font: Font) -> list[str]:
    """Part a text between words; a word that is wider than a line is cut."""
    width, lines, line = WIDTH - LEFT - MARGIN, list[str](), ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        lines += [line] if line else []
        line = _cut(word, font, width)
    return [*lines, line]


def _cut(word: str, font: Font, width: int) -> str:
    if font.getlength(word) <= width:
        return word
    while word and font.getlength(word + ELLIPSIS) > width:
        word = word[:-1]
    return word + ELLIPSIS
