"""What a session's browser sends: taken when it is sound, refused in words when it is not, and never half."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from fooling_web.studies import entering, messages_in
from fooling_web.studies.models import (
    OutsideIdentity,
    Participant,
    Response,
    SessionEvent,
    Study,
    Trial,
)
from fooling_web.studies.taking_part import Answer
from tests.studies.asked import asked, right
from tests.studies.test_entering import MTURK, PROLIFIC, begun, consented, refusals, sent, while_ago

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]
HUGE = "1" + "0" * 400  # larger than any float
SOUND = '"number": 0, "answer": 0, "rt_ms": 5'


@pytest.fixture
def study(alice: Any) -> Study:
    return asked(alice)


@pytest.fixture
def participant(client: Client, study: Study) -> Participant:
    return while_ago(begun(client, study))


def posted(client: Client, participant: Participant, body: str | bytes, **headers: Any) -> Any:
    address = reverse("studies:answers", args=[participant.pk])
    return client.post(address, body, content_type="application/json", **headers)


def finished(client: Client, participant: Participant) -> Any:
    return sent(client, participant, *(right(participant, number) for number in range(participant.n_trials)))


class TestMessage:
    @pytest.mark.parametrize(
        "body",
        [
            "",
            "null",
            "[" * 60_000,
            '{"answers": ' + "[" * 60_000,
            b"\xff\xfe\x00",
            '{"answers": [{"number": 0, "answer": 0, "rt_ms": ' + HUGE + "}]}",
            '{"answers": [{"number": 0, "answer": 0, "rt_ms": ' + "9" * 5_000 + "}]}",
            '{"answers": [{"number": ' + HUGE + ', "answer": 0, "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": 2147483648, "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": NaN, "rt_ms": 5}]}',
            '{"answers": [{"number": 0.0, "answer": 0, "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": "0", "rt_ms": 5}]}',
            '{"answers": [{"number": 0, "answer": 0, "rt_ms": "5"}]}',
            '{"answers": [{' + SOUND + ', "name": "\\ud800"}]}',
            '{"answers": [{' + SOUND + ', "name": "a\\u0000b"}]}',
            '{"answers": [{' + SOUND + ', "name": null}]}',
            '{"answers": [{' + SOUND + ', "key": 0}]}',
            '{"answers": [{' + SOUND + ', "width": "wide"}]}',
            '{"answers": [5]}',
            '{"answers": [' + ",".join(["{" + SOUND + "}"] * 301) + "]}",
            '{"events": {}}',
            '{"events": [{"kind": "blur", "trial": -1}]}',
            '{"events": [{"kind": "blur", "trial": ' + HUGE + "}]}",
            '{"events": [{"kind": "blur", "detail": "\\udfff"}]}',
            '{"events": [{"kind": ["blur"]}]}',
            '{"browser": [1]}',
            '{"browser": "netscape"}',
        ],
    )
    def test_is_refused_in_words_when_it_cannot_be_read(
        self, client: Client, study: Study, participant: Participant, body: str | bytes
    ) -> None:
        answer = posted(client, participant, body)

        assert answer.status_code == 409
        assert answer.json()["reason"] == "unreadable"
        assert answer.json()["message"].startswith("What was sent cannot be read")
        assert answer.json()["next"] == 0
        assert refusals(study) == {"unreadable": 1}
        assert not Response.objects.exists()
        assert not SessionEvent.objects.exists()

    @pytest.mark.parametrize("size", [100_001, 3_000_000])  # the latter is more than the site reads at all
    def test_is_refused_when_it_is_too_long(
        self, client: Client, study: Study, participant: Participant, size: int
    ) -> None:
        answer = posted(client, participant, '{"answers": []}'.ljust(size))

        assert answer.status_code == 409
        assert answer.json()["message"] == "That is more than a session can have to say at once."
        assert refusals(study) == {"size": 1}

    def test_is_refused_as_a_form(self, client: Client, study: Study, participant: Participant) -> None:
        address = reverse("studies:answers", args=[participant.pk])
        answer = client.post(address, {"answers": "[]"})

        assert answer.status_code == 409
        assert refusals(study) == {"unreadable": 1}

    def test_comes_by_post_alone(self, client: Client, participant: Participant) -> None:
        assert client.get(reverse("studies:answers", args=[participant.pk])).status_code == 405

    def test_may_say_nothing(self, client: Client, participant: Participant) -> None:
        answer = posted(client, participant, "{}")

        assert answer.json() == {"next": 0, "complete": False, "told": []}

    def test_is_taken_once_however_often_it_is_sent(
        self, client: Client, study: Study, participant: Participant
    ) -> None:
        first = right(participant, 0)
        for _ in range(3):
            assert sent(client, participant, first).json()["next"] == 1
        assert Response.objects.get().answer == first.answer
        assert refusals(study) == {}

    def test_is_not_taken_with_another_answer(
        self, client: Client, study: Study, participant: Participant
    ) -> None:
        first = right(participant, 0)
        sent(client, participant, first)
        answer = sent(client, participant, right(participant, 0, answer=1 - (first.answer or 0)))

        assert answer.status_code == 409
        assert "Trial 1 was answered already" in answer.json()["message"]
        assert answer.json()["next"] == 1
        assert Response.objects.get().answer == first.answer
        assert refusals(study) == {"answered": 1}

    def test_is_not_taken_about_a_trial_before_the_first(
        self, client: Client, study: Study, participant: Participant
    ) -> None:
        sent(client, participant, right(participant, 0))

        before = replace(right(participant, 0), number=-1)
        assert sent(client, participant, before).status_code == 409
        assert refusals(study) == {"no such trial": 1}

    def test_says_again_that_all_is_stored(self, client: Client, participant: Participant) -> None:
        assert finished(client, participant).json()["complete"]
        assert sent(client, participant, right(participant, participant.n_trials - 1)).json()["complete"]

    def test_is_refused_after_the_last_trial(
        self, client: Client, study: Study, participant: Participant
    ) -> None:
        finished(client, participant)
        answer = sent(client, participant, Answer(number=participant.n_trials, answer=0, rt_ms=5.0))

        assert answer.status_code == 409
        assert refusals(study) == {"no such trial": 1}
        assert Response.objects.count() == participant.n_trials

    def test_of_nobody_is_nobodys(self, client: Client) -> None:
        answer = client.post(reverse("studies:answers", args=[uuid.uuid4()]), "{}", "application/json")

        assert answer.status_code == 404
        assert answer.json()["reason"] == "not yours"


class TestNotes:
    def test_are_at_most_so_many(
        self, client: Client, participant: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(messages_in, "MOST_EVENTS_KEPT", 60)
        body = json.dumps({"events": [{"kind": "blur", "trial": 1, "detail": "x" * 500}] * 70})
        for _ in range(4):
            assert posted(client, participant, body).status_code == 200

        assert participant.events.count() == 60
        assert {event.detail for event in participant.events.all()} == {"x" * 100}

    def test_tell_what_the_browser_is_once(self, client: Client, participant: Participant) -> None:
        for width in (390, 1280):
            posted(client, participant, json.dumps({"browser": {"width": width, "touch": 1}}))
        participant.refresh_from_db()

        assert participant.browser == {"width": 390, "touch": 1}

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1e9", HUGE, '"wide"', "true", "null"])
    def test_leave_out_what_no_browser_is(self, client: Client, participant: Participant, value: str) -> None:
        body = f'{{"browser": {{"width": {value}, "height": 844, "name": "Netscape"}}}}'
        assert posted(client, participant, body).status_code == 200
        participant.refresh_from_db()

        assert participant.browser == {"height": 844}

    def test_are_kept_where_an_answer_is_refused(self, client: Client, participant: Participant) -> None:
        body = '{"answers": [{"number": 5, "answer": 0, "rt_ms": 5}], "events": [{"kind": "blur"}]}'

        assert posted(client, participant, body).status_code == 409
        assert participant.events.count() == 1


class TestForgedForms:
    @pytest.fixture
    def browser(self) -> Client:
        return Client(enforce_csrf_checks=True)

    @pytest.fixture
    def begun_there(self, browser: Client, study: Study) -> Participant:
        token = browser.get(study.take_url).context["csrf_token"]
        fields = {"consent": "yes", "csrfmiddlewaretoken": str(token)}
        assert browser.post(study.take_url, fields).status_code == 302
        return while_ago(study.participants.get())

    def test_begin_nothing(self, browser: Client, study: Study) -> None:
        assert consented(browser, study).status_code == 403
        assert not study.participants.exists()

    @pytest.mark.parametrize("headers", [{}, {"HTTP_X_CSRFTOKEN": "x" * 32}])
    def test_store_nothing_and_are_counted(
        self, browser: Client, study: Study, begun_there: Participant, headers: dict[str, str]
    ) -> None:
        body = json.dumps({"answers": [vars(right(begun_there, 0))]})
        answer = posted(browser, begun_there, body, **headers)

        assert answer.status_code == 403
        assert answer.json()["reason"] == "token"
        assert "Load it again" in answer.json()["message"]
        assert refusals(study) == {"token": 1}
        assert not Response.objects.exists()

    def test_do_not_withdraw(self, browser: Client, study: Study, begun_there: Participant) -> None:
        assert browser.post(reverse("studies:withdraw", args=[begun_there.pk])).status_code == 403
        assert study.participants.exists()

    def test_are_told_from_the_pages_own(self, browser: Client, begun_there: Participant) -> None:
        token = browser.cookies[settings.CSRF_COOKIE_NAME].value
        body = json.dumps({"answers": [vars(right(begun_there, 0))]})

        assert posted(browser, begun_there, body, HTTP_X_CSRFTOKEN=token).json()["next"] == 1

    def test_of_several_parts_are_refused_in_words(self, browser: Client, begun_there: Participant) -> None:
        token = browser.cookies[settings.CSRF_COOKIE_NAME].value
        address = reverse("studies:answers", args=[begun_there.pk])
        answer = browser.post(address, {"answers": "[]"}, HTTP_X_CSRFTOKEN=token)

        assert answer.status_code == 409
        assert answer.json()["reason"] == "unreadable"


class TestPage:
    def test_says_nothing_of_keys_and_of_what_trials_are_for(self, client: Client, alice: Any) -> None:
        study = asked(alice, catch=3, practice=2, task="right-or-wrong")
        participant = begun(client, study)
        page = client.get(participant.get_absolute_url()).content.decode()
        data = page.split('id="session-data"')[1].split("</script>")[0]

        assert '"number"' in data
        for word in ("key", "role", "catch", "is_right", "is_natural", "machine_label", "condition", "seed"):
            assert f'"{word}"' not in data
        assert study.completion_code not in page
        assert "catch" not in page

    @pytest.mark.parametrize(
        "task", ["choose-label", "pick-image", "name-then-choose", "recognisable", "right-or-wrong"]
    )
    def test_shows_what_everybody_is_shown_of_every_trial(
        self, client: Client, alice: Any, task: str
    ) -> None:
        study = asked(alice, catch=2, task=task, n_options=2)
        participant = begun(client, study)
        trials = client.get(participant.get_absolute_url()).context["session"]["trials"]

        shown = {(*sorted(trial), *sorted(trial["options"][0])) for trial in trials}
        assert len(shown) == 1  # so nothing tells a catch trial from another

    def test_is_in_no_store(self, client: Client, participant: Participant) -> None:
        for address in (participant.get_absolute_url(), participant.study.take_url):
            assert "no-store" in client.get(address)["Cache-Control"]


class TestWaysIn:
    @pytest.mark.parametrize(
        "values",
        [
            {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
            {"STUDY_ID": "{{%STUDY_ID%}}"},
            {"SESSION_ID": "{{%SESSION_ID%}}"},
        ],
    )
    def test_refuse_placeholders_that_nobody_filled(
        self, client: Client, study: Study, values: dict[str, str]
    ) -> None:
        answer = client.get(study.take_url, {**PROLIFIC, **values})

        assert answer.status_code == 403
        assert "which Prolific does not send. Start there again." in answer.content.decode()
        assert consented(client, study, **{**PROLIFIC, **values}).status_code == 403
        assert not study.participants.exists()
        assert refusals(study) == {"identifier": 2}

    def test_refuse_a_link_where_only_classes_come(self, client: Client, study: Study) -> None:
        Study.objects.filter(pk=study.pk).update(entries="class")
        answer = consented(client, study)

        assert answer.status_code == 403
        assert "Join with the code that your teacher shows" in answer.content.decode()
        assert refusals(study) == {"way in": 1}

    def test_begin_no_account_session_without_one(self, client: Client, study: Study) -> None:
        Study.objects.filter(pk=study.pk).update(entries="account")
        answer = consented(client, study)

        assert "Sign in to take part" in answer.content.decode()
        assert not study.participants.exists()

    def test_begin_on_consent_from_prolific_as_well(self, client: Client, study: Study) -> None:
        assert client.post(study.take_url, PROLIFIC).status_code == 400
        assert not OutsideIdentity.objects.exists()

    def test_take_a_worker_once(self, client: Client, study: Study) -> None:
        begun(client, study, **MTURK)
        answer = Client().get(study.take_url, {**MTURK, "assignmentId": "3ABC"})

        assert answer.status_code == 403
        assert refusals(study) == {"twice": 1}

    def test_give_another_browser_a_secret_of_its_own(self, client: Client, study: Study) -> None:
        participant = begun(client, study, **PROLIFIC)
        other = Client()
        other.get(study.take_url, PROLIFIC)
        old, new = (one.cookies[entering.SECRET].value for one in (client, other))

        assert old != new
        assert sent(client, while_ago(participant), right(participant, 0)).status_code == 404
        assert sent(other, participant, right(participant, 0)).status_code == 200

    def test_go_on_after_reload_where_another_browser_left_off(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study, **PROLIFIC))
        sent(client, participant, right(participant, 0), right(participant, 1))
        other = Client()
        other.get(study.take_url, PROLIFIC)

        assert other.get(participant.get_absolute_url()).context["session"]["next"] == 2

    @pytest.mark.parametrize("code", ["%00", "NOSUCH", "x" * 300, "%F0%9F%90%9F", "a%2Fb"])
    def test_lead_nowhere_by_a_code_that_no_study_has(self, client: Client, code: str) -> None:
        assert client.get(f"/take/{code}/").status_code == 404

    def test_open_nothing_by_a_cookie_that_is_none(self, client: Client, study: Study) -> None:
        client.cookies[entering.PLACE] = "x" * 5000

        assert client.get(study.take_url).status_code == 200

    def test_open_nothing_by_the_place_alone(self, client: Client, study: Study) -> None:
        participant = begun(client, study)
        other = Client()
        other.cookies[entering.PLACE] = str(participant.pk)

        assert other.get(study.take_url).status_code == 302
        assert other.get(participant.get_absolute_url()).status_code == 404

    def test_send_the_place_to_the_link_alone(self, client: Client, study: Study) -> None:
        begun(client, study)
        cookie = client.cookies[entering.PLACE]

        assert cookie["path"] == study.take_url
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


class TestCompletionCode:
    def test_is_shown_after_the_last_answer_and_not_before(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study, **MTURK))
        done = reverse("studies:done", args=[participant.pk])
        *others, last = (right(participant, number) for number in range(participant.n_trials))
        before = [
            client.get(study.take_url, follow=True).content.decode(),
            sent(client, participant, *others).content.decode(),
            client.get(done, follow=True).content.decode(),
        ]
        assert not any(study.completion_code in page for page in before)
        assert study.completion_code not in sent(client, participant, last).content.decode()

        assert study.completion_code in client.get(done).content.decode()

    def test_opens_nothing(self, client: Client, study: Study) -> None:
        participant = begun(client, study, **MTURK)
        done = reverse("studies:done", args=[participant.pk])
        forged = {"cc": study.completion_code, "code": study.completion_code, "completed_at": "2026-01-01"}

        assert client.get(done, forged).url == participant.get_absolute_url()  # type: ignore[attr-defined]
        assert posted(client, participant, json.dumps({**forged, "complete": True})).json()["next"] == 0
        participant.refresh_from_db()
        assert not participant.is_complete

    def test_is_not_given_to_who_came_by_the_link(self, client: Client, participant: Participant) -> None:
        finished(client, participant)
        page = client.get(reverse("studies:done", args=[participant.pk])).content.decode()

        assert participant.study.completion_code not in page


class TestWithdrawal:
    def test_leaves_nothing_behind(self, client: Client, study: Study) -> None:
        participant = while_ago(begun(client, study, **PROLIFIC))
        other = while_ago(begun(Client(), study))
        message = {"answers": [vars(right(participant, 0))], "events": [{"kind": "blur"}]}
        posted(client, participant, json.dumps(message))
        client.post(reverse("studies:withdraw", args=[participant.pk]))

        left: tuple[Any, ...] = (Participant, Trial, Response, SessionEvent, OutsideIdentity)
        assert [kind.objects.count() for kind in left] == [1, other.n_trials, 0, 0, 0]
        assert sent(client, participant).status_code == 404

    def test_takes_the_place_from_the_browser(self, client: Client, participant: Participant) -> None:
        answer = client.post(reverse("studies:withdraw", args=[participant.pk]))

        assert {name: answer.cookies[name]["max-age"] for name in (entering.SECRET, entering.PLACE)} == {
            entering.SECRET: 0,
            entering.PLACE: 0,
        }

    def test_comes_by_post_alone(self, client: Client, participant: Participant) -> None:
        assert client.get(reverse("studies:withdraw", args=[participant.pk])).status_code == 405
