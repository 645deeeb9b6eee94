"""Pages of the game "What does the network see?": its entrance, its rounds, and the result that can be shared."""

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from evolution.errors import GenomeError
from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.galleries.models import image_url
from fooling_web.runs.pictures import file_of_size
from fooling_web.studies import playing
from fooling_web.studies.models import Game, digest
from fooling_web.studies.playing import N_ROUNDS, Round

COOKIE = "player"
GAMES_A_MINUTE = 60  # of one address: a school is one
N_SAMPLES = 5  # at the entrance
LARGEST_PIXELATED = 64  # pixels a side: such a picture is sent as it is, and drawn pixel by pixel
SIDE = 512  # pixels of every other
FOR_EVER = "private, max-age=31536000, immutable"
NOT_YOURS = (
    "This game is not over, and belongs to another browser or to one whose cookies are gone. "
    "Its result can be seen once it is over; meanwhile you can play a game of your own."
)
TOO_FEW = (
    "There are fewer than ten public images of which a network says first what they were evolved for. "
    "Launch a run and leave it public; then try again."
)


@never_cache
@require_safe
def play(request: HttpRequest) -> HttpResponse:
    """Explain the game, and offer to begin or to go on."""
    token = request.COOKIES.get(COOKIE, "")
    unfinished = Game.objects.filter(token_hash=digest(token), finished_at=None).first() if token else None
    n_images = playing.n_playable()
    context = {
        "unfinished": unfinished,
        "n_images": n_images,
        "n_rounds": N_ROUNDS,
        "is_empty": n_images < N_ROUNDS,
        "samples": playing.samples(N_SAMPLES) if n_images >= N_ROUNDS else [],
    }
    return render(request, "studies/play.html", context)


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a game."""
    if not is_within(request, "play", 1, GAMES_A_MINUTE):
        response = render(request, "429.html", status=429)
        response["Retry-After"] = str(MINUTE)
        return response
    token = request.COOKIES.get(COOKIE) or secrets.token_urlsafe(32)
    begun = playing.begin(request.user, token)
    if begun is None:
        messages.warning(request, TOO_FEW)
        return redirect("studies:play")
    response = redirect(begun)
    response.set_cookie(
        COOKIE,
        token,
        max_age=playing.KEPT,
        path=reverse("studies:play"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@never_cache
@require_safe
def game(request: HttpRequest, game_id: uuid.UUID) -> HttpResponse:
    """Show the next round to the player, and to everybody the result once the game is over."""
    one = get_object_or_404(Game, pk=game_id)
    if one.finished_at is None:
        _require_player(request, one)
        return _show(request, one, len(one.answers) + 1)
    return _result(request, one)


@never_cache
@require_safe
def game_round(request: HttpRequest, game_id: uuid.UUID, number: int) -> HttpResponse:
    """Show the player what came of a round that was answered."""
    one = get_object_or_404(Game, pk=game_id)
    if not 1 <= number <= len(one.answers) or not _is_player(request, one):
        return redirect(one)
    return _show(request, one, number)


@require_POST
def answer(request: HttpRequest, game_id: uuid.UUID, number: int) -> HttpResponse:
    """Store the answer to a round, and lead to what came of it."""
    one = get_object_or_404(Game, pk=game_id)
    _require_player(request, one)
    try:
        playing.answer(one, number, _whole(request.POST.get("answer", "")))
    except playing.Refused as refused:
        messages.warning(request, str(refused))
        return redirect(one)
    return redirect("studies:game_round", one.pk, number)


@require_safe
def picture(request: HttpRequest, game_id: uuid.UUID, number: int) -> HttpResponse:
    """Send the image of a round under an address that gives nothing away."""
    one = get_object_or_404(Game, pk=game_id)
    if not 1 <= number <= N_ROUNDS:
        raise Http404("There is no such picture in this game.")
    individual = playing.individual_of(playing.rounds_of(one)[number - 1])
    if individual is None:
        raise Http404("This picture hangs here no more.")
    native = individual.run.settings.width
    size, ending = (native, "png") if native <= LARGEST_PIXELATED else (SIDE, "webp")
    try:
        content = file_of_size(individual.run, individual, size, ending)
    except GenomeError as error:
        raise Http404(f"This picture cannot be drawn: {error}") from error
    return HttpResponse(content, content_type=f"image/{ending}", headers={"Cache-Control": FOR_EVER})


def _is_player(request: HttpRequest, one: Game) -> bool:
    if one.player_id is not None and one.player_id == request.user.pk:
        return True
    return secrets.compare_digest(one.token_hash, digest(request.COOKIES.get(COOKIE, "")))


def _require_player(request: HttpRequest, one: Game) -> None:
    if not _is_player(request, one):
        raise PermissionDenied(NOT_YOURS)


def _show(request: HttpRequest, one: Game, number: int) -> HttpResponse:
    """Show a round: as a question, or with what came of it."""
    rounds = playing.rounds_of(one)
    asked = rounds[number - 1]
    is_answered = number <= len(one.answers)
    shown = playing.shown_of([asked])
    context = {
        "game": one,
        "number": number,
        "n_rounds": N_ROUNDS,
        "marks": _marks(one, rounds, number),
        "is_kept": asked.individual_key in shown,
        "is_fine": _is_fine(shown.get(asked.individual_key)),
        "options": asked.options,
        "told": _told(one, asked, number) if is_answered else None,
        "next_number": number + 1 if is_answered and number < N_ROUNDS else None,
    }
    return render(request, "studies/play_round.html", context)


def _result(request: HttpRequest, one: Game) -> HttpResponse:
    rounds = playing.rounds_of(one)
    shown = playing.shown_of(rounds)
    told = [_told(one, asked, number) for number, asked in enumerate(rounds, 1)]
    for each in told:
        individual = shown.get(each["round"].individual_key)
        each |= {"is_kept": individual is not None, "is_fine": _is_fine(individual)}
    context = {
        "game": one,
        "told": told,
        "n_rounds": N_ROUNDS,
        "chance": playing.CHANCE,
        "standing": playing.standing_of(one),
        "is_mine": _is_player(request, one),
        "permalink": request.build_absolute_uri(one.get_absolute_url()),
        "card_url": request.build_absolute_uri(reverse("studies:game_picture", args=[one.pk, 1])),
    }
    return render(request, "studies/play_result.html", context)


def _told(one: Game, asked: Round, number: int) -> dict[str, Any]:
    """Return what a page says of an answered round."""
    place = one.answers[number - 1]
    return {
        "number": number,
        "round": asked,
        "place": place,
        "answer": asked.options[place],
        "is_right": place == asked.key,
        "image_url": f"{image_url(uuid.UUID(asked.run), asked.number)}?class={asked.class_index}",
    }


def _marks(one: Game, rounds: list[Round], number: int) -> list[str]:
    """Return a word for each round: right, wrong, now or empty."""
    marks = [
        "right" if place == asked.key else "wrong" for place, asked in zip(one.answers, rounds, strict=False)
    ]
    marks += [""] * (N_ROUNDS - len(marks))
    return [mark or ("now" if place == number else "") for place, mark in enumerate(marks, 1)]


def _is_fine(individual: Any) -> bool:
    return individual is not None and individual.run.settings.width > LARGEST_PIXELATED


def _whole(text: str) -> int:
    """Return the place that was chosen; one that nothing stands at where the text is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1
