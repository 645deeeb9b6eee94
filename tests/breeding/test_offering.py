"""Offering a bred picture to an archive: it is scored as the run's own images, and takes what it wins."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from fooling_web.breeding.models import Offer, Publication
from fooling_web.breeding.offering import NotOffered, archives_for, consider, offer
from fooling_web.breeding.tasks import consider_offers, ring_for_waiting_offers
from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Run
from tests.breeding.offered import (
    COLOURED,
    champion_document,
    hidden_away,
    opened,
    practised,
    published,
    waiting,
)
from tests.factories import execute_once, launched

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(finished_run: Run) -> Run:
    """A public, short run of Alice's whose archive is open."""
    return opened(finished_run)


@pytest.fixture
def strong(bob: Any) -> Publication:
    """A picture of Bob's that the network is very sure of."""
    return published(bob, champion_document(practised()))


@pytest.fixture
def weak(bob: Any) -> Publication:
    """A picture of Bob's that nobody would take for a digit."""
    return published(bob)


def address(publication: Publication) -> str:
    return reverse("breeding:offer", args=[publication.individual.run_id, publication.individual.number])


def answered(publication: Publication, run: Run) -> Offer:
    return Offer.objects.get(publication=publication, run=run)


def test_takes_the_classes_that_it_wins_and_is_marked_with_its_breeder(archive, strong, bob, client):
    waiting(strong, archive, bob)

    consider_offers(str(archive.pk))

    told = answered(strong, archive)
    assert told.status == Offer.Status.WON
    assert 3 in [index for index, _, _ in told.won]
    assert told.individual == archive.champions.get(class_index=3).individual
    assert told.individual.genome_hash == strong.individual.genome_hash
    assert told.top[0][0] == 3
    champion = client.get(reverse("runs:champion", args=[archive.pk, 3])).content.decode()
    home = reverse("galleries:image", args=[strong.individual.run_id, 0])
    assert f'bred by <a href="{home}">bob</a>' in champion
    grid = client.get(archive.get_absolute_url()).content.decode()
    assert f'bred by <a href="{home}">bob</a>' in grid
    image = client.get(reverse("galleries:image", args=[archive.pk, told.individual.number])).content.decode()
    assert f'bred by <a href="{home}">bob</a>' in image


def test_loses_where_every_champion_is_surer(archive, weak, bob, client):
    before = archive.generation
    waiting(weak, archive, bob)

    consider_offers(str(archive.pk))

    told = answered(weak, archive)
    assert (told.status, told.individual, told.won) == (Offer.Status.LOST, None, [])
    archive.refresh_from_db()
    assert archive.generation == before
    assert "Took no class" in client.get(address(weak)).content.decode()


def test_considers_it_at_the_end_of_a_slice_of_a_run_under_way(strong, bob, settings):
    settings.RUN_FLUSH_SECONDS = 0
    run = opened(launched())
    waiting(strong, run, bob)

    while run.is_unfinished:
        assert execute_once(run, seconds=0)

    told = answered(strong, run)
    assert told.status == Offer.Status.WON
    assert told.individual.generation == 1
    assert (run.generation, run.guests, run.settings.generations) == (6, 1, 5)
    assert list(run.statistics.values_list("generation", flat=True)) == list(range(7))


def test_waits_while_another_worker_holds_the_run(archive, strong, bob):
    waiting(strong, archive, bob)
    later = timezone.now() + timedelta(minutes=1)
    Run.objects.filter(pk=archive.pk).update(lease_holder="another", lease_until=later)

    assert not consider(Run.objects.get(pk=archive.pk))

    assert answered(strong, archive).status == Offer.Status.WAITING


def test_waits_until_a_run_has_begun(strong, bob):
    run = opened(launched())
    waiting(strong, run, bob)

    ring_for_waiting_offers()
    consider_offers(str(run.pk))

    assert answered(strong, run).status == Offer.Status.WAITING


def test_competes_in_a_run_that_is_paused_and_leaves_it_paused(strong, bob, settings):
    settings.RUN_FLUSH_SECONDS = 0
    run = opened(launched())
    execute_once(run, seconds=0)
    run.pause()
    waiting(strong, run, bob)

    consider_offers(str(run.pk))

    run.refresh_from_db()
    assert answered(strong, run).status == Offer.Status.WON
    assert (run.status, run.generation, run.lease_until) == (Run.Status.PAUSED, 1, None)
    run.resume()
    assert execute_once(run)
    assert (run.status, run.generation) == (Run.Status.FINISHED, 6)


def test_is_refused_where_the_archive_was_closed_meanwhile(archive, strong, bob):
    waiting(strong, archive, bob)
    opened(archive, is_open=False)

    consider_offers(str(archive.pk))

    told = answered(strong, archive)
    assert told.status == Offer.Status.REFUSED
    assert "is not open for bred pictures" in told.error
    assert archive.guests == 0


def test_says_what_failed_where_the_weights_are_others(archive, strong, bob):
    waiting(strong, archive, bob)
    Run.objects.filter(pk=archive.pk).update(classifier_sha256="0" * 64)

    consider_offers(str(archive.pk))

    told = answered(strong, archive)
    assert told.status == Offer.Status.FAILED
    assert "have changed since this run was launched" in told.error


def test_lets_one_that_goes_meanwhile_harm_no_other(archive, strong, weak, bob, monkeypatch):
    """Its author deletes a picture between the scoring and the writing: the other takes its classes all the same."""
    gone = published(bob, champion_document(practised(seed=10)))
    waiting(gone, archive, bob)
    waiting(strong, archive, bob)
    from fooling_web.breeding import offering

    admit = offering.admit

    def admit_after_deletion(run, guest):
        Publication.objects.filter(pk=gone.pk).delete()
        return admit(run, guest)

    monkeypatch.setattr(offering, "admit", admit_after_deletion)
    before = archive.generation

    consider(archive)

    assert answered(strong, archive).status == Offer.Status.WON
    archive.refresh_from_db()
    assert archive.generation == before + 1
    assert archive.statistics.count() == before + 2


def test_offers_through_the_page_and_tells_what_came_of_it(archive, strong, bob, as_person):
    page = as_person(bob)
    assert archive.name in page.get(address(strong)).content.decode()

    answer = page.post(address(strong), {"run": str(archive.pk)})

    assert answer.status_code == 302
    waits = page.get(address(strong), headers={"HX-Request": "true"}).content.decode()
    assert "Waiting to be scored" in waits
    assert 'hx-trigger="load delay:2s"' in waits
    consider_offers(str(archive.pk))
    told = page.get(address(strong), headers={"HX-Request": "true"}).content.decode()
    assert "Took" in told
    assert "holds it" in told
    assert "hx-trigger" not in told


def test_keeps_an_offer_whose_bell_nobody_hears(
    archive, strong, bob, as_person, django_capture_on_commit_callbacks
):
    """There is no broker in tests: the scheduler asks again."""
    with django_capture_on_commit_callbacks(execute=True):
        as_person(bob).post(address(strong), {"run": str(archive.pk)})

    assert answered(strong, archive).status == Offer.Status.WAITING
    assert list(Offer.waited_for()) == [archive]


def test_is_not_offered_twice(archive, weak, bob, as_person):
    waiting(weak, archive, bob)

    answer = as_person(bob).post(address(weak), {"run": str(archive.pk)})

    assert answer.status_code == 422
    assert "was offered to" in answer.content.decode()
    assert Offer.objects.count() == 1


def test_may_be_offered_again_after_it_failed(archive, weak, bob):
    Offer.objects.filter(pk=waiting(weak, archive, bob).pk).update(status=Offer.Status.FAILED, error="No.")

    again = offer(weak, archive.pk, bob)

    assert (again.status, again.error) == (Offer.Status.WAITING, "")
    assert Offer.objects.count() == 1


def refused(publication: Publication, run: Run, by: Any) -> str:
    """Return why an offer is not taken."""
    with pytest.raises(NotOffered) as refusal:
        offer(publication, run.pk, by)
    assert not Offer.objects.exists()
    return str(refusal.value)


def test_is_refused_by_an_archive_that_is_not_open(finished_run, weak, bob):
    assert "is not open for bred pictures" in refused(weak, finished_run, bob)


def test_is_refused_by_a_private_run_of_somebody_else(archive, weak, bob, alice):
    assert "you may not see it" in refused(weak, hidden_away(archive), bob)
    assert offer(weak, archive.pk, alice).status == Offer.Status.WAITING


def test_is_refused_of_a_picture_that_is_not_public_but_to_its_breeder(archive, charlie, bob):
    unlisted = published(bob, visibility="unlisted")

    assert "its breeder alone may offer it" in refused(unlisted, archive, charlie)
    assert offer(unlisted, archive.pk, bob)


def test_is_refused_of_a_picture_that_a_moderator_hid(archive, weak, bob):
    Exhibit.objects.create(individual=weak.individual, hidden=True)
    weak.individual.refresh_from_db()

    assert "A moderator took this picture" in refused(weak, archive, bob)


def test_is_refused_by_pixels_and_by_grey_archives_of_a_coloured_picture(archive, weak, bob):
    coloured = published(bob, parameters=COLOURED)

    assert "pixels, not networks" in refused(weak, opened(launched(encoding="direct")), bob)
    assert "the picture is in colour and the run's images are grey" in refused(coloured, archive, bob)


def test_lists_open_archives_that_fit_alone(archive, weak, bob, alice):
    opened(launched(encoding="direct"))
    launched()
    private = hidden_away(opened(launched(owner=alice)))

    assert list(archives_for(bob, weak)) == [archive]
    assert set(archives_for(alice, weak)) == {archive, private}
    assert not list(archives_for(bob, published(bob, parameters=COLOURED)))


@pytest.mark.parametrize("run", ["", "nonsense", "0" * 32])
def test_refuses_nonsense_in_one_line(weak, bob, as_person, run):
    answer = as_person(bob).post(address(weak), {"run": run})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_asks_who_has_not_signed_in_to_do_so(archive, weak, client):
    assert "Sign in" in client.get(address(weak)).content.decode()
    answer = client.post(address(weak), {"run": str(archive.pk)})
    assert answer.status_code == 422
    assert not Offer.objects.exists()


def test_takes_only_so_many_offers_a_minute(archive, bob, as_person, monkeypatch):
    from fooling_web.breeding import offering_views

    monkeypatch.setattr(offering_views, "OFFERS_A_MINUTE", 1)
    page, one, other = as_person(bob), published(bob), published(bob)

    assert page.post(address(one), {"run": str(archive.pk)}).status_code == 302
    answer = page.post(address(other), {"run": str(archive.pk)})

    assert answer.status_code == 422
    assert "Wait a little" in answer.content.decode()


def test_is_no_page_of_an_image_that_nobody_bred(finished_run, client):
    number = finished_run.individuals.first().number

    assert client.get(reverse("breeding:offer", args=[finished_run.pk, number])).status_code == 404


def test_tells_nobody_of_an_offer_to_a_private_run_of_somebody_else(archive, weak, alice, bob, as_person):
    waiting(weak, hidden_away(archive), alice)

    assert archive.name not in as_person(bob).get(address(weak)).content.decode()
    assert archive.name in as_person(alice).get(address(weak)).content.decode()


def test_what_a_breeder_took_stays_when_the_picture_goes(archive, strong, bob, client):
    waiting(strong, archive, bob)
    consider_offers(str(archive.pk))
    strong.individual.run.delete()

    page = client.get(reverse("runs:champion", args=[archive.pk, 3])).content.decode()

    assert "bred by hand" in page
    assert archive.champions.get(class_index=3).individual.came_from_outside


def test_offers_go_with_a_run_that_is_gone_for_good(archive, strong, alice, bob, as_person):
    waiting(strong, archive, bob)
    consider_offers(str(archive.pk))

    as_person(alice).post(reverse("runs:delete", args=[archive.pk]))
    assert Offer.objects.count() == 1  # it can still be brought back
    Run.everything.get(pk=archive.pk).delete()

    assert not Offer.objects.exists()
    assert Publication.objects.filter(pk=strong.pk).exists()
