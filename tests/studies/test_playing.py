"""Playing "What does the network see?": ten images, one answer each, and a result for everybody."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from evolution.encoding import encoding_for
from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry, Exhibit
from fooling_web.runs.models import Champion, Run
from fooling_web.studies import play_views, playing
from fooling_web.studies.models import Game
from tests.factories import launched

pytestmark = pytest.mark.django_db
Answer = Any  # a response, with what Django's test client adds to it


def hung(**choices: Any) -> Run:
    """Store a public run whose ten champions hang in the galleries, without evolving it."""
    run = launched(**choices)
    encoding = encoding_for(run.settings)
    population = encoding.random(10, np.random.default_rng(1))
    for index in range(10):
        genome, genome_hash = encoding.written(population, index)
        individual = run.individuals.create(
            number=index,
            generation=index,
            genome=genome,
            genome_hash=genome_hash,
            top=[[index, 0.9], [(index + 1) % 10, 0.05]],
        )
        Champion.objects.create(
            run=run, class_index=index, individual=individual, confidence=0.9 + index / 200, generation=index
        )
    Run.objects.filter(pk=run.pk).update(generation=F("generations"), status="finished")
    hang_all()
    return run


@pytest.fixture
def walls() -> Run:
    return hung()


def begun(client: Client) -> Game:
    answer = client.post(reverse("studies:play_begin"))
    assert answer.status_code == 302, answer.content.decode()
    game = Game.objects.latest("began_at")
    assert answer["Location"] == game.get_absolute_url()
    return game


def said(client: Client, game: Game, number: int, place: object) -> Answer:
    return client.post(reverse("studies:game_answer", args=[game.pk, number]), {"answer": place})


def played(client: Client, n_right: int = 10) -> Game:
    game = begun(client)
    for number, one in enumerate(game.rounds, 1):
        said(client, game, number, one["key"] if number <= n_right else (one["key"] + 1) % 4)
    game.refresh_from_db()
    return game


def test_it_explains_what_to_do_where_too_little_hangs(client: Client) -> None:
    page = client.get(reverse("studies:play")).content.decode()

    assert "A game takes ten pictures, and none hangs in the public galleries so far" in page
    assert reverse("runs:launch") in page
    assert client.post(reverse("studies:play_begin"))["Location"] == reverse("studies:play")
    assert not Game.objects.exists()


def test_it_draws_ten_images_with_four_readable_names(walls: Run) -> None:
    rounds = playing.draw(seed=5)

    assert len(rounds) == 10
    assert len({one.individual_key for one in rounds}) == 10
    for one in rounds:
        assert len(set(one.options)) == 4
        assert one.options[one.key] == one.label == str(one.class_index)
        assert str((one.class_index + 1) % 10) not in one.options  # what the network finds likely, too


def test_it_draws_the_same_for_the_same_seed(walls: Run) -> None:
    assert playing.draw(seed=5) == playing.draw(seed=5)
    assert playing.draw(seed=5) != playing.draw(seed=6)


def test_it_draws_from_every_approach_and_confidence(walls: Run) -> None:
    hung(classifier="mnist-mlp")
    rounds = playing.draw(seed=1)

    assert {one.classifier for one in rounds} == {"LeNet", "Perceptron"}
    assert {one.confidence >= 0.93 for one in rounds} == {True, False}


def test_it_asks_for_what_the_network_names_first_alone(walls: Run) -> None:
    walls.individuals.filter(number=4).update(top=[[7, 0.95], [4, 0.02]])

    assert len(playing.draw(seed=1)) == 9


def test_it_never_shows_hidden_or_closed_images(walls: Run, client: Client) -> None:
    game = begun(client)
    first = walls.individuals.get(number=game.rounds[0]["number"])
    Exhibit.objects.create(individual=first, hidden=True)

    assert client.get(reverse("studies:game_picture", args=[game.pk, 1])).status_code == 404
    assert "taken down meanwhile" in client.get(game.get_absolute_url()).content.decode()
    assert client.get(reverse("studies:game_picture", args=[game.pk, 2])).status_code == 200
    Run.objects.update(visibility="private")
    assert client.get(reverse("studies:game_picture", args=[game.pk, 2])).status_code == 404
    assert playing.draw(seed=1) == []


def test_it_shows_the_image_without_its_name(walls: Run, client: Client) -> None:
    game = begun(client)
    page = client.get(game.get_absolute_url()).content.decode()
    one = game.rounds[0]

    assert "What does the network see?" in page
    assert str(one["run"]) not in page
    assert "% sure" not in page
    picture = client.get(reverse("studies:game_picture", args=[game.pk, 1]))
    assert picture.content.startswith(b"\x89PNG")
    assert "immutable" in picture["Cache-Control"]


def test_it_tells_the_networks_answer_after_ones_own(walls: Run, client: Client) -> None:
    game = begun(client)
    one = game.rounds[0]
    answer = said(client, game, 1, one["key"])

    assert answer["Location"] == reverse("studies:game_round", args=[game.pk, 1])
    page = client.get(answer["Location"]).content.decode()
    assert "Right: it sees" in page
    assert "LeNet is 9" in page
    assert "Picture 2 of 10" in client.get(game.get_absolute_url()).content.decode()


def test_it_says_that_an_answer_was_wrong(walls: Run, client: Client) -> None:
    game = begun(client)
    one = game.rounds[0]
    place = (one["key"] + 1) % 4
    page = client.get(said(client, game, 1, place)["Location"]).content.decode()

    assert "No: it sees" in page
    assert f"You said {one['options'][place]}." in page


def test_it_lets_the_first_answer_stand(walls: Run, client: Client) -> None:
    game = begun(client)
    said(client, game, 1, 0)

    again = client.post(reverse("studies:game_answer", args=[game.pk, 1]), {"answer": 1}, follow=True)

    assert "your first answer stands" in again.content.decode()
    assert said(client, game, 1, 0).status_code == 302  # the very same, sent twice, is no news
    game.refresh_from_db()
    assert game.answers == [0]


@pytest.mark.parametrize(
    ("number", "place"), [(2, 0), (11, 0), (0, 0), (1, 4), (1, -1), (1, ""), (1, "two"), (1, "9" * 30)]
)
def test_it_refuses_answers_that_make_no_sense(
    walls: Run, client: Client, number: int, place: object
) -> None:
    game = begun(client)
    answer = said(client, game, number, place)

    assert answer.status_code == 302
    assert "Picture 1 of 10" in client.get(answer["Location"]).content.decode()
    game.refresh_from_db()
    assert game.answers == []


def test_it_goes_on_after_a_reload(walls: Run, client: Client) -> None:
    game = begun(client)
    said(client, game, 1, 0)
    said(client, game, 2, 0)

    assert "Picture 3 of 10" in client.get(game.get_absolute_url()).content.decode()
    assert game.get_absolute_url() in client.get(reverse("studies:play")).content.decode()


def test_it_keeps_an_unfinished_game_from_others(walls: Run, client: Client) -> None:
    game = begun(client)
    said(client, game, 1, 0)
    stranger = Client()

    page = stranger.get(game.get_absolute_url())
    assert page.status_code == 403
    assert "belongs to another browser" in page.content.decode()
    assert said(stranger, game, 2, 0).status_code == 403
    assert stranger.get(reverse("studies:game_round", args=[game.pk, 1]), follow=True).status_code == 403


def test_it_is_the_players_on_every_device_where_they_are_signed_in(
    walls: Run, alice: Any, bob: Any, as_person: Any
) -> None:
    game = begun(as_person(alice))

    assert as_person(alice).get(game.get_absolute_url()).status_code == 200
    assert as_person(bob).get(game.get_absolute_url()).status_code == 403


def test_it_shows_the_result_to_whoever_has_the_link(walls: Run, client: Client) -> None:
    game = played(client, n_right=7)

    mine = client.get(game.get_absolute_url()).content.decode()
    page = Client().get(game.get_absolute_url()).content.decode()

    assert game.finished_at
    assert "You saw 7 of 10 as the network does" in mine
    assert "A player saw 7 of 10 as the network does" in page
    assert '<meta property="og:title" content="7 of 10: what does the network see?">' in page
    assert page.count('alt="picture ') == 10
    assert f"http://testserver{game.get_absolute_url()}" in page
    assert "other game" not in page


def test_it_names_no_player_on_the_result(walls: Run, alice: Any, as_person: Any) -> None:
    game = played(as_person(alice))

    assert "alice" not in Client().get(game.get_absolute_url()).content.decode()


def test_it_refuses_answers_once_the_game_is_over(walls: Run, client: Client) -> None:
    game = played(client, n_right=10)
    said(client, game, 10, (game.rounds[9]["key"] + 1) % 4)
    said(client, game, 11, 0)

    game.refresh_from_db()
    assert game.n_right == 10
    assert len(game.answers) == 10


def test_it_compares_with_what_others_scored(walls: Run, client: Client) -> None:
    for n_right in (2, 4, 9):
        played(Client(), n_right)
    begun(Client())  # unfinished ones do not count
    game = played(client, n_right=6)

    standing = playing.standing_of(game)

    assert (standing.n_games, standing.n_below, standing.mean) == (3, 2, 5.0)
    assert standing.columns[6] == (6, 0, 0, True)
    assert (
        "3 other games came to 5.0; this one is ahead of 2"
        in client.get(game.get_absolute_url()).content.decode()
    )


def test_it_shows_results_though_the_run_is_gone(walls: Run, client: Client) -> None:
    game = played(client)
    Entry.objects.all().delete()
    walls.delete()
    page = client.get(game.get_absolute_url()).content.decode()

    assert page.count("which hangs here no more") == 10
    assert "LeNet" in page


def test_it_tidies_old_unfinished_games(walls: Run, client: Client) -> None:
    old, over = begun(client), played(client)
    Game.objects.update(began_at=timezone.now() - timedelta(days=8))
    begun(client)

    assert not Game.objects.filter(pk=old.pk).exists()
    assert Game.objects.filter(pk=over.pk).exists()


def test_it_lets_an_address_begin_so_many_games_a_minute(
    walls: Run, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_views, "GAMES_A_MINUTE", 1)
    cache.clear()
    answers = [client.post(reverse("studies:play_begin")).status_code for _ in range(3)]

    assert 429 in answers
    assert answers[0] == 302


def test_it_takes_ten_answers_with_few_queries(
    walls: Run, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        playing.draw(seed=3)
    game = played(client)
    with django_assert_max_num_queries(6):
        client.get(game.get_absolute_url())
