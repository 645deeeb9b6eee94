"""Coming to a study: by which way, with which secret, once; and reaching nothing but one's own session."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.studies import entering
from fooling_web.studies.models import OutsideIdentity, Participant, Study
from tests.studies.asked import asked, right, taken

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]
PROLIFIC = {"PROLIFIC_PID": "5f0c1a", "STUDY_ID": "61aa", "SESSION_ID": "77ab"}
MTURK = {"workerId": "A1B2", "assignmentId": "3XYZ", "hitId": "30HI"}


@pytest.fixture
def study(alice: Any) -> Study:
    return asked(alice)


def consented(client: Client, study: Study, **values: str) -> Any:
    return client.post(study.take_url, {"consent": "yes", **values})


def begun(client: Client, study: Study, **values: str) -> Participant:
    """Begin as a browser does; return the participant that came of it."""
    assert consented(client, study, **values).status_code == 302
    return study.participants.latest("number")


def sent(client: Client, participant: Participant, *answers: Any) -> Any:
    message = {"answers": [vars(answer) for answer in answers], "events": []}
    return client.post(
        reverse("studies:answers", args=[participant.pk]),
        json.dumps(message),
        content_type="application/json",
    )


def while_ago(participant: Participant) -> Participant:
    moment = timezone.now() - timedelta(hours=1)
    Participant.objects.filter(pk=participant.pk).update(seen_at=moment, consented_at=moment)
    return participant


def refusals(study: Study) -> dict[str, int]:
    return dict(study.refusals.values_list("reason", "times"))


def closed(study: Study, **ago: int) -> None:
    Study.objects.filter(pk=study.pk).update(status="closed", closed_at=timezone.now() - timedelta(**ago))


class TestInvitation:
    def test_tells_who_asks_and_what_becomes_of_the_answers(self, client: Client, alice: Any) -> None:
        study = asked(alice, consent="You see pictures of noise.")
        Study.objects.filter(pk=study.pk).update(retention_days=90)

        page = client.get(study.take_url).content.decode()

        assert "You see pictures of noise." in page
        assert "Asked by alice" in page
        assert "deleted 90" in page
        assert not study.participants.exists()

    def test_begins_on_consent_alone(self, client: Client, study: Study) -> None:
        answer = client.post(study.take_url)

        assert answer.status_code == 400
        assert "without it nothing begins" in answer.content.decode()
        assert not study.participants.exists()

    def test_is_read_whatever_the_letters_case(self, client: Client, study: Study) -> None:
        assert client.get(study.take_url.replace(study.code, study.code.lower())).status_code == 200

    def test_says_what_is_needed_without_javascript(self, client: Client, study: Study) -> None:
        assert "need JavaScript" in client.get(study.take_url).content.decode()

    def test_says_that_a_study_is_closed(self, client: Client, study: Study) -> None:
        closed(study, minutes=1)
        answer = client.get(study.take_url)

        assert answer.status_code == 403
        assert "This study is closed" in answer.content.decode()
        assert refusals(study) == {"closed": 1}

    def test_says_that_a_study_has_enough(self, client: Client, alice: Any) -> None:
        study = asked(alice, raters_per_image=1)
        taken(study, entry="link", phase="main", n_answered=0)

        assert "as many participants as it needs" in client.get(study.take_url).content.decode()

    def test_says_that_a_frozen_study_is_not_open_yet(self, client: Client, study: Study) -> None:
        Study.objects.filter(pk=study.pk).update(status="draft")

        assert "not open yet" in client.get(study.take_url).content.decode()

    def test_says_that_a_draft_is_being_tried_out(self, client: Client, alice: Any) -> None:
        study = asked(alice, is_open=False)
        assert "not open yet" in client.get(study.take_url).content.decode()
        assert "not open yet" in client.post(study.take_url, {"consent": "yes"}).content.decode()
        assert not study.participants.exists()
        Study.objects.filter(pk=study.pk).update(status="open")

        assert "being tried out" in client.get(study.take_url).content.decode()
        assert begun(client, study).phase == "pilot"

    def test_says_that_there_are_no_images(self, client: Client, alice: Any) -> None:
        assert "no images yet" in client.get(asked(alice, 0, 0, 0, is_open=False).take_url).content.decode()


class TestComingBack:
    def test_leads_a_browser_back_to_its_session(self, client: Client, study: Study) -> None:
        participant = begun(client, study)

        assert client.get(study.take_url).url == participant.get_absolute_url()  # type: ignore[attr-defined]
        consented(client, study)
        assert study.participants.count() == 1

    def test_keeps_the_secret_from_scripts_and_other_pages(self, client: Client, study: Study) -> None:
        participant = begun(client, study)
        cookie = client.cookies[entering.SECRET]

        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == participant.get_absolute_url()
        assert cookie.value not in str(Participant.objects.values().get())

    def test_leads_who_is_done_to_the_end(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study))
        sent(client, participant, *(right(participant, number) for number in range(participant.n_trials)))

        assert client.get(study.take_url).url == reverse("studies:done", args=[participant.pk])  # type: ignore[attr-defined]

    def test_takes_nobody_who_tried_the_study_out(self, client: Client, alice: Any) -> None:
        study = asked(alice, is_open=False)
        Study.objects.filter(pk=study.pk).update(status="open")
        begun(client, study)
        Study.objects.filter(pk=study.pk).update(status="open", frozen_at=timezone.now())

        assert "while this study was tried out" in client.get(study.take_url).content.decode()
        assert refusals(study) == {"tried out": 1}

    def test_has_one_session_for_an_account_in_all_browsers(
        self, study: Study, as_person: As, bob: Any, client: Client
    ) -> None:
        Study.objects.filter(pk=study.pk).update(entries="account")
        assert "Sign in to take part" in client.get(study.take_url).content.decode()
        participant = begun(as_person(bob), study)
        other = as_person(bob)

        assert consented(other, study).url == participant.get_absolute_url()
        assert other.get(participant.get_absolute_url()).status_code == 200
        assert participant.user == bob
        assert study.participants.count() == 1


class TestProlific:
    def test_keeps_the_identity_apart(self, client: Client, study: Study) -> None:
        page = client.get(study.take_url, PROLIFIC).content.decode()
        assert 'name="PROLIFIC_PID" value="5f0c1a"' in page
        participant = begun(client, study, **PROLIFIC)

        identity = OutsideIdentity.objects.get(participant=participant)
        assert (identity.service, identity.person, identity.task, identity.visit) == (
            *("prolific", "5f0c1a", "61aa", "77ab"),
        )
        assert "5f0c1a" not in str(Participant.objects.values().get())
        assert participant.entry == "prolific"

    def test_goes_on_in_another_browser_by_the_same_visit(self, client: Client, study: Study) -> None:
        participant = begun(client, study, **PROLIFIC)
        other = Client()

        assert other.get(study.take_url, PROLIFIC).url == participant.get_absolute_url()  # type: ignore[attr-defined]
        assert other.get(participant.get_absolute_url()).status_code == 200
        assert client.get(participant.get_absolute_url()).status_code == 404  # one browser at a time

    def test_refuses_the_same_person_on_another_visit(self, client: Client, study: Study) -> None:
        begun(client, study, **PROLIFIC)
        answer = Client().get(study.take_url, {**PROLIFIC, "SESSION_ID": "88cd"})

        assert answer.status_code == 403
        assert "Go on there, where you stopped" in answer.content.decode()
        assert refusals(study) == {"twice": 1}
        Participant.objects.update(completed_at=timezone.now())
        again = Client().get(study.take_url, {**PROLIFIC, "SESSION_ID": "88cd"})
        assert "each person can once" in again.content.decode()

    @pytest.mark.parametrize(
        "values", [{"PROLIFIC_PID": ""}, {"PROLIFIC_PID": "<b>"}, {"SESSION_ID": "x" * 101}]
    )
    def test_refuses_what_prolific_does_not_send(
        self, client: Client, study: Study, values: dict[str, str]
    ) -> None:
        answer = client.get(study.take_url, {**PROLIFIC, **values})

        assert answer.status_code == 403
        assert "which Prolific does not send" in answer.content.decode()
        assert refusals(study) == {"identifier": 1}

    def test_refuses_prolific_where_the_study_does(self, client: Client, study: Study) -> None:
        Study.objects.filter(pk=study.pk).update(entries="link")

        assert "no" not in refusals(study)
        assert "does not take people from Prolific" in client.get(study.take_url, PROLIFIC).content.decode()

    def test_sends_back_with_the_code_after_the_last_answer_alone(self, client: Client, study: Study) -> None:
        url = "https://app.prolific.com/submissions/complete"
        Study.objects.filter(pk=study.pk).update(completion_url=url, completion_code="C0DE77")
        participant = while_ago(begun(client, study, **PROLIFIC))
        done = reverse("studies:done", args=[participant.pk])
        assert client.get(done).url == participant.get_absolute_url()  # type: ignore[attr-defined]
        assert "C0DE77" not in client.get(participant.get_absolute_url()).content.decode()
        sent(client, participant, *(right(participant, number) for number in range(participant.n_trials)))

        page = client.get(done).content.decode()
        assert f"{url}?cc=C0DE77" in page

    def test_sends_nobody_to_prolific_who_came_by_the_link(self, client: Client, study: Study) -> None:
        url = "https://app.prolific.com/submissions/complete"
        Study.objects.filter(pk=study.pk).update(completion_url=url, completion_code="C0DE77")
        participant = while_ago(begun(client, study))
        sent(client, participant, *(right(participant, number) for number in range(participant.n_trials)))

        page = client.get(reverse("studies:done", args=[participant.pk])).content.decode()
        assert "Thank you" in page
        assert url not in page
        assert "C0DE77" not in page


class TestMechanicalTurk:
    def test_stores_nothing_in_a_preview(self, client: Client, study: Study) -> None:
        preview = {"assignmentId": entering.PREVIEWING, "hitId": "30HI"}
        page = client.get(study.take_url, preview).content.decode()
        answer = client.post(study.take_url, {"consent": "yes", **preview})

        assert "You see a preview" in page
        assert "Accept the task first" in answer.content.decode()
        assert not study.participants.exists()
        assert not OutsideIdentity.objects.exists()

    def test_begins_once_the_task_is_accepted(self, client: Client, study: Study) -> None:
        participant = begun(client, study, **MTURK)

        assert participant.outside.person == "A1B2"
        assert (participant.outside.task, participant.outside.visit) == ("30HI", "3XYZ")


class TestOwnSession:
    def test_is_nobody_elses(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study))
        other = Client()
        begun(other, study)

        assert other.get(participant.get_absolute_url()).status_code == 404
        assert other.get(reverse("studies:done", args=[participant.pk])).status_code == 404
        assert other.post(reverse("studies:withdraw", args=[participant.pk])).status_code == 404
        answer = sent(other, participant, right(participant, 0))
        participant.refresh_from_db()
        assert answer.status_code == 404
        assert "belongs to another browser" in answer.json()["message"]
        assert participant.n_answered == 0
        assert refusals(study) == {"not yours": 2}

    def test_holds_no_key(self, client: Client, study: Study) -> None:
        participant = begun(client, study)
        page = client.get(participant.get_absolute_url())
        held = page.context["session"]

        assert len(held["trials"]) == participant.n_trials
        assert {name for trial in held["trials"] for name in trial} == {
            *("number", "practice", "question", "image", "options"),
        }
        assert {name for trial in held["trials"] for option in trial["options"] for name in option} == {
            "text"
        }

    def test_goes_on_at_the_next_trial(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study))
        assert sent(client, participant, right(participant, 0)).json()["next"] == 1

        held = client.get(participant.get_absolute_url()).context["session"]
        assert [trial["number"] for trial in held["trials"]] == list(range(1, participant.n_trials))

    def test_says_what_is_wrong_with_an_answer(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study))
        answer = sent(client, participant, right(participant, 0), right(participant, 1, answer=7))

        assert answer.status_code == 409
        assert answer.json()["next"] == 1
        assert answer.json()["message"] == "There is no option 8; the trial has 2."

    @pytest.mark.parametrize(
        "body",
        [
            "no json",
            "[]",
            '{"answers": {}}',
            '{"answers": [{"number": 0}]}',
            '{"answers": [{"number": "0", "answer": 0, "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": true, "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": 0, "rt_ms": 5, "is_right": true}]}',
            '{"answers": [], "events": [{"kind": "robbery"}]}',
        ],
    )
    def test_refuses_what_cannot_be_read(self, client: Client, study: Study, body: str) -> None:
        participant = begun(client, study)
        answer = client.post(
            reverse("studies:answers", args=[participant.pk]), body, content_type="application/json"
        )

        assert answer.status_code == 409
        assert answer.json()["next"] == 0
        assert refusals(study) == {"unreadable": 1}

    @pytest.mark.parametrize("time", ["NaN", "Infinity", "-5", "1e400"])
    def test_refuses_times_that_are_none(self, client: Client, study: Study, time: str) -> None:
        participant = while_ago(begun(client, study))
        body = f'{{"answers": [{{"number": 0, "answer": 0, "rt_ms": {time}}}]}}'
        answer = client.post(
            reverse("studies:answers", args=[participant.pk]), body, content_type="application/json"
        )

        assert answer.status_code == 409
        assert refusals(study) == {"reaction time": 1}

    def test_keeps_what_happened_to_a_session(self, client: Client, study: Study) -> None:
        participant = begun(client, study)
        browser = {"width": 390, "height": 844, "frame_ms": 16.7, "address": "1.2.3.4"}
        message = {"answers": [], "events": [{"kind": "blur", "trial": 0}], "browser": browser}
        client.post(
            reverse("studies:answers", args=[participant.pk]),
            json.dumps(message),
            content_type="application/json",
        )
        client.get(participant.get_absolute_url())
        participant.refresh_from_db()

        assert [event.kind for event in participant.events.all()] == ["blur", "reload"]
        assert participant.browser == {"width": 390, "height": 844, "frame_ms": 16.7}
        assert participant.n_reloads == 1

    def test_ends_long_after_the_study_was_closed(self, client: Client, study: Study) -> None:
        participant = begun(client, study)
        closed(study, minutes=5)
        assert client.get(participant.get_absolute_url()).status_code == 200
        closed(study, hours=5)

        assert "This study is closed" in client.get(participant.get_absolute_url()).content.decode()

    def test_shows_the_score_where_every_answer_had_feedback(self, client: Client, alice: Any) -> None:
        study = asked(alice, feedback="all")
        participant = while_ago(begun(client, study))
        sent(client, participant, *(right(participant, number) for number in range(participant.n_trials)))

        assert "8 of 8" in client.get(reverse("studies:done", args=[participant.pk])).content.decode()

    def test_deletes_everything_on_withdrawal(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study, **PROLIFIC))
        sent(client, participant, right(participant, 0))
        page = client.post(reverse("studies:withdraw", args=[participant.pk]))
        study.refresh_from_db()

        assert page.status_code == 200
        assert study.n_withdrawn == 1
        assert not study.participants.exists()
        assert not OutsideIdentity.objects.exists()
        assert client.get(participant.get_absolute_url()).status_code == 404


class TestPreview:
    def test_is_kept_apart(self, study: Study, as_person: As, alice: Any) -> None:
        client = as_person(alice)
        client.get(reverse("studies:preview", args=[study.pk]))
        client.post(reverse("studies:preview", args=[study.pk]))

        assert [one.phase for one in study.participants.all()] == ["preview"]

    def test_is_the_owners(self, study: Study, as_person: As, bob: Any) -> None:
        assert as_person(bob).get(reverse("studies:preview", args=[study.pk])).status_code == 404
