"""Classes: a code on the wall, seats, a start for all, and what came out. Alice teaches; Bob teaches elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.consumers import NOT_FOUND
from fooling_web.studies import classroom_views, classrooms, joining, taking_part
from fooling_web.studies.models import Classroom, Participant, Study
from tests.runs.test_consumers import Socket
from tests.studies.asked import asked, right
from tests.studies.test_playing import hung

pytestmark = pytest.mark.django_db
Answer = Any  # a response, with what Django's test client adds to it
QUICK = {"HX-Request": "true"}


def opened(teacher: Any, **choices: Any) -> Classroom:
    """Open a class on a study of six images and nothing else."""
    seconds = choices.pop("seconds", 120)
    study = asked(
        teacher,
        6,
        catch=0,
        practice=0,
        **{"catch_share": 0.0, "repeat_share": 0.0, "n_options": 4, **choices},
    )
    return classrooms.open_class(study, teacher, "8b", seconds)


def joined(classroom: Classroom, nickname: str = "") -> tuple[Client, Participant]:
    """Sit down in a class with a browser of one's own."""
    client = Client()
    answer = client.post(reverse("studies:join"), {"code": classroom.join_code, "nickname": nickname})
    assert answer.status_code == 302, answer.content.decode()
    return client, Participant.objects.latest("consented_at")


def seat(client: Client, participant: Participant) -> Answer:
    return client.get(reverse("studies:class_seat", args=[participant.pk]))


def press(client: Client, deed: str, classroom: Classroom) -> Answer:
    return client.post(reverse(f"studies:class_{deed}", args=[classroom.pk]))


def answered(participant: Participant, *, wrong: int = 0) -> None:
    """Answer all trials of a class that has begun, the first few of them wrongly."""
    before = timezone.now() - timedelta(minutes=1)  # or the answers would take longer than the session
    Participant.objects.filter(pk=participant.pk).update(seen_at=before, consented_at=before)
    participant = Participant.objects.select_related("study", "classroom").get(pk=participant.pk)
    answers = [right(participant, number) for number in range(participant.n_trials)]
    for number in range(wrong):
        place = answers[number].answer or 0
        answers[number] = right(participant, number, answer=(place + 1) % 4)
    taking_part.store(participant, answers)


def test_it_makes_a_study_of_ten_public_images_at_once(alice: Any, as_person: Any) -> None:
    hung()
    answer = as_person(alice).post(reverse("studies:class_new"), {"name": "8b", "seconds": "90"})
    classroom = Classroom.objects.get()
    study = classroom.study

    assert answer["Location"] == classroom.get_absolute_url()
    assert (classroom.name, classroom.seconds, classroom.teacher) == ("8b", 90, alice)
    assert (study.owner, study.status, study.is_frozen, study.ways_in) == (alice, "open", True, ["class"])
    assert study.images.count() == 10
    assert len(set(study.images.values_list("label", flat=True))) == 10


def test_it_says_where_there_are_too_few_images(alice: Any, as_person: Any) -> None:
    answer = as_person(alice).post(reverse("studies:class_new"), follow=True)

    assert "A class takes 10 public images" in answer.content.decode()
    assert not Study.objects.exists()


def test_it_opens_a_class_on_a_study_of_ones_own_alone(alice: Any, bob: Any, as_person: Any) -> None:
    study = asked(alice)
    mine = as_person(alice).post(reverse("studies:class_new"), {"study": study.pk, "seconds": "0"})
    theirs = as_person(bob).post(reverse("studies:class_new"), {"study": study.pk}, follow=True)

    assert mine["Location"] == Classroom.objects.get().get_absolute_url()
    assert "no such study of yours" in theirs.content.decode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"entries": "link"}, "takes no classes"), ({"status": "closed"}, "is closed; open it again")],
)
def test_it_refuses_studies_that_take_no_class(alice: Any, changes: dict[str, str], complaint: str) -> None:
    study = asked(alice)
    Study.objects.filter(pk=study.pk).update(**changes)
    study.refresh_from_db()

    with pytest.raises(classrooms.Refused, match=complaint):
        classrooms.open_class(study, alice)


@pytest.mark.parametrize("seconds", ["3", "-1", "a minute", "99999"])
def test_it_refuses_impossible_times(alice: Any, as_person: Any, seconds: str) -> None:
    study = asked(alice)
    data = {"study": study.pk, "seconds": seconds}
    page = as_person(alice).post(reverse("studies:class_new"), data, follow=True).content.decode()

    assert "are no time for a class; give 15 to 3,600" in page


def test_it_shows_the_code_and_who_is_there(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    joined(classroom, "Ada")
    joined(classroom)
    page = as_person(alice).get(classroom.get_absolute_url()).content.decode()

    assert classroom.join_code in page
    assert "Ada" in page
    assert "No. 2" in page
    assert "<strong>2</strong> are here" in page
    picture = as_person(alice).get(reverse("studies:class_qr", args=[classroom.pk]))
    assert picture["Content-Type"] == "image/svg+xml"
    assert b"<svg" in picture.content


def test_it_is_the_teachers_alone(alice: Any, bob: Any, as_person: Any) -> None:
    classroom = opened(alice)
    _, student = joined(classroom)
    pages = [
        classroom.get_absolute_url(),
        *(reverse(f"studies:class_{name}", args=[classroom.pk]) for name in ("part", "qr")),
        reverse("studies:class_slide", args=[classroom.pk, 1]),
    ]
    for stranger in (as_person(bob), Client()):
        assert [stranger.get(page).status_code for page in pages] == [404] * 4
        assert [press(stranger, deed, classroom).status_code for deed in ("start", "reveal", "close")] == [
            404
        ] * 3
        hide = reverse("studies:class_hide_name", args=[classroom.pk, student.pk])
        assert stranger.post(hide).status_code == 404
        assert str(classroom.pk) not in stranger.get(reverse("studies:classes")).content.decode()
    classroom.refresh_from_db()
    assert classroom.status == "waiting"


def test_it_is_joined_however_the_code_is_typed(alice: Any) -> None:
    code = opened(alice).join_code
    for typed in (code, f" {code} ", code.lower(), f"{code[:3]}-{code[3:]}", f"{code[:3]} {code[3:]}"):
        assert Client().post(reverse("studies:join"), {"code": typed}).status_code == 302


def test_it_says_that_a_code_is_wrong(client: Client) -> None:
    answer = client.post(reverse("studies:join"), {"code": "<b>ABC", "nickname": "Ada"})

    assert answer.status_code == 400
    assert "No class has the code “&lt;b&gt;ABC”" in answer.content.decode()
    assert 'value="Ada"' in answer.content.decode()


def test_it_lets_an_address_guess_so_many_codes_a_minute(
    client: Client, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom_views, "WRONG_A_MINUTE", 3)
    cache.clear()
    answers = [client.post(reverse("studies:join"), {"code": f"WRONG{n}"}).status_code for n in range(5)]

    assert answers[0] == 400
    assert answers[-1] == 429
    assert client.post(reverse("studies:join"), {"code": opened(alice).join_code}).status_code == 429


def test_it_takes_nobody_once_it_is_over(alice: Any) -> None:
    classroom = opened(alice)
    classroom.start()
    Classroom.objects.update(started_at=timezone.now() - timedelta(seconds=121))
    for _ in ("time is up", "closed"):
        answer = Client().post(reverse("studies:join"), {"code": classroom.join_code})
        assert answer.status_code == 400
        assert "This class is over" in answer.content.decode()
        classroom.close()


def test_it_takes_nobody_days_later(alice: Any) -> None:
    classroom = opened(alice)
    Classroom.objects.update(created_at=timezone.now() - timedelta(days=3))
    classroom.refresh_from_db()

    assert not classrooms.takes_students(classroom)


@pytest.mark.parametrize(
    ("nickname", "complaint"),
    [("x" * 25, "is too long; take at most 24"), ("ada", "is called “ada” already")],
)
def test_it_refuses_nicknames(alice: Any, nickname: str, complaint: str) -> None:
    classroom = opened(alice)
    joined(classroom, "Ada")
    answer = Client().post(reverse("studies:join"), {"code": classroom.join_code, "nickname": nickname})

    assert answer.status_code == 400
    assert complaint in answer.content.decode()


def test_it_writes_nicknames_in_one_legible_line(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    _, student = joined(classroom, " <b>Ada\n\u202eB\0 ")

    assert student.nickname == "<b>Ada B"
    assert "&lt;b&gt;Ada B" in as_person(alice).get(classroom.get_absolute_url()).content.decode()


def test_it_hides_a_name(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    _, student = joined(classroom, "Rude")
    as_person(alice).post(reverse("studies:class_hide_name", args=[classroom.pk, student.pk]))
    page = as_person(alice).get(classroom.get_absolute_url()).content.decode()

    assert "Rude" not in page
    assert "No. 1" in page


def test_it_gives_a_browser_one_seat(alice: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom, "Ada")
    again = client.post(reverse("studies:join"), {"code": classroom.join_code, "nickname": "Eve"})

    assert again["Location"] == reverse("studies:class_seat", args=[student.pk])
    assert classroom.participants.count() == 1
    assert "has a seat in a class already, as Ada" in client.get(reverse("studies:join")).content.decode()


def test_it_keeps_a_seat_from_others(alice: Any) -> None:
    classroom = opened(alice)
    _, first = joined(classroom)
    other, _ = joined(classroom)

    assert seat(other, first).status_code == 404
    assert other.get(reverse("studies:class_seat_part", args=[first.pk])).status_code == 404


def test_it_waits_for_the_start_and_goes_on_by_itself(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)
    part = reverse("studies:class_seat_part", args=[student.pk]) + "?status=waiting"

    assert "You are in. Wait for the start." in seat(client, student).content.decode()
    assert "HX-Redirect" not in client.get(part, headers=QUICK)
    press(as_person(alice), "start", classroom)
    assert client.get(part, headers=QUICK)["HX-Redirect"] == student.get_absolute_url()
    assert seat(client, student)["Location"] == student.get_absolute_url()


def test_it_takes_no_answer_before_the_start_nor_after_the_time(alice: Any) -> None:
    classroom = opened(alice)
    _, student = joined(classroom)
    with pytest.raises(taking_part.Refused, match="no answers now"):
        answered(student)
    classroom.start()
    Classroom.objects.update(started_at=timezone.now() - timedelta(minutes=3))
    with pytest.raises(taking_part.Refused, match="Time is up"):
        answered(student)


def test_its_session_leads_back_to_the_seat_unless_it_is_at_work(alice: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)
    seated = reverse("studies:class_seat", args=[student.pk])
    assert client.get(student.get_absolute_url())["Location"] == seated
    classroom.start()
    assert client.get(student.get_absolute_url()).status_code == 200
    answered(student)
    assert client.get(student.get_absolute_url())["Location"] == seated
    assert client.get(reverse("studies:done", args=[student.pk]))["Location"] == seated


def test_it_lets_a_student_leave_with_all_they_answered(alice: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)

    assert client.post(reverse("studies:withdraw", args=[student.pk])).status_code == 200
    assert not classroom.participants.exists()


def test_it_can_be_revealed_though_it_was_closed(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    classroom.start()
    classroom.close()

    assert "Reveal" in as_person(alice).get(classroom.get_absolute_url()).content.decode()
    assert classroom.reveal()
    classroom.close()
    assert not classroom.reveal()


def test_it_says_that_time_is_up(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)
    classroom.start()
    Classroom.objects.update(started_at=timezone.now() - timedelta(minutes=3))

    assert "Time is up." in seat(client, student).content.decode()
    assert (
        "Time is up: reveal what came out."
        in as_person(alice).get(classroom.get_absolute_url()).content.decode()
    )


def test_it_has_no_end_where_no_limit_was_set(alice: Any) -> None:
    classroom = opened(alice, seconds=0)
    classroom.start()
    Classroom.objects.update(started_at=timezone.now() - timedelta(hours=3))
    classroom.refresh_from_db()

    assert (classroom.ends_at, classroom.seconds_left, classroom.is_up) == (None, None, False)
    assert classrooms.takes_students(classroom)


def test_it_shows_how_far_everybody_is(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    _, student = joined(classroom, "Ada")
    joined(classroom, "Bea")
    press(as_person(alice), "start", classroom)
    answered(student)
    address = reverse("studies:class_part", args=[classroom.pk])
    part = as_person(alice).get(f"{address}?status=running", headers=QUICK).content.decode()

    assert "<strong>1</strong> is done" in part
    assert 'aria-label="Ada: 6 of 6"' in part
    assert 'aria-label="Bea: 0 of 6"' in part


def test_it_takes_another_tab_of_the_teachers_along(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    classroom.start()
    address = reverse("studies:class_part", args=[classroom.pk])
    answer = as_person(alice).get(f"{address}?status=waiting", headers=QUICK)

    assert answer["HX-Redirect"] == classroom.get_absolute_url()


def test_it_moves_on_once_however_often_it_is_pressed(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    teacher = as_person(alice)
    assert press(teacher, "reveal", classroom).status_code == 302  # not before the start
    classroom.refresh_from_db()
    assert classroom.status == "waiting"
    press(teacher, "start", classroom)
    classroom.refresh_from_db()
    began = classroom.started_at
    press(teacher, "start", classroom)
    classroom.refresh_from_db()
    assert (classroom.status, classroom.started_at) == ("running", began)


def test_it_reveals_the_class_beside_the_network(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    students = [joined(classroom)[1] for _ in range(4)]
    classroom.start()
    answered(students[0])
    answered(students[1], wrong=6)
    answered(students[2])
    press(as_person(alice), "reveal", classroom)

    revealed = classrooms.reveal_of(classroom)
    assert (revealed.n_students, len(revealed.slides), revealed.n_agreed) == (3, 6, 6)
    assert (revealed.right.hits, revealed.right.n, revealed.right.chance) == (12, 18, 0.25)
    assert revealed.right.low == pytest.approx(0.4099, abs=1e-3)  # Clopper and Pearson of 12 in 18
    assert revealed.right.high == pytest.approx(0.8666, abs=1e-3)
    first = revealed.slides[0]
    assert (first.right.hits, first.right.n, first.machine_confidence) == (2, 3, 0.95)
    assert [(bar.n, bar.percent, bar.is_machine) for bar in first.bars] == [(2, 67, True), (1, 33, False)]
    summary = as_person(alice).get(classroom.get_absolute_url()).content.decode()
    assert "12 of 18 answers by 3 students" in summary
    slide = as_person(alice).get(reverse("studies:class_slide", args=[classroom.pk, 1])).content.decode()
    assert first.machine in slide
    assert "95.00 % sure" in slide
    assert 'rel="next"' in slide
    assert as_person(alice).get(reverse("studies:class_slide", args=[classroom.pk, 7])).status_code == 404


def test_it_reveals_nothing_before(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)
    classroom.start()
    answered(student)
    slide = as_person(alice).get(reverse("studies:class_slide", args=[classroom.pk, 1]))

    assert slide["Location"] == classroom.get_absolute_url()
    page = seat(client, student).content.decode()
    assert "Done. Look at the wall." in page
    assert "starfish" not in page


def test_it_shows_students_their_own_answers_beside_the_networks(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom, "Ada")
    classroom.start()
    answered(student, wrong=2)
    press(as_person(alice), "reveal", classroom)
    page = seat(client, student).content.decode()

    assert "4 of your 6 answers are right" in page
    assert page.count("<dt>Network</dt>") == 6
    press(as_person(alice), "close", classroom)
    assert "4 of your 6 answers are right" in seat(client, student).content.decode()


def test_it_may_be_closed_without_a_word(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    client, student = joined(classroom)
    press(as_person(alice), "close", classroom)

    assert "This class was closed." in seat(client, student).content.decode()
    assert (
        "closed before anything was revealed"
        in as_person(alice).get(classroom.get_absolute_url()).content.decode()
    )


def test_it_reveals_that_nobody_answered(alice: Any, as_person: Any) -> None:
    classroom = opened(alice)
    classroom.start()
    classroom.reveal()

    page = as_person(alice).get(classroom.get_absolute_url()).content.decode()
    assert "nothing to reveal" in page


@pytest.mark.parametrize("task", ["pick-image", "recognisable", "right-or-wrong"])
def test_it_reveals_other_tasks_too(alice: Any, as_person: Any, task: str) -> None:
    classroom = opened(alice, task=task)
    client, student = joined(classroom)
    classroom.start()
    answered(student)
    classroom.reveal()

    assert as_person(alice).get(classroom.get_absolute_url()).status_code == 200
    assert as_person(alice).get(reverse("studies:class_slide", args=[classroom.pk, 1])).status_code == 200
    assert seat(client, student).status_code == 200


def test_it_is_cheap_with_a_class_of_thirty(
    alice: Any, as_person: Any, django_assert_max_num_queries: Any
) -> None:
    classroom = opened(alice)
    for number in range(30):
        joining.join(classroom, f"student {number}")
    classroom.start()
    teacher = as_person(alice)
    address = reverse("studies:class_part", args=[classroom.pk])
    with django_assert_max_num_queries(5):
        page = teacher.get(f"{address}?status=running", headers=QUICK)
    assert page.content.decode().count("seat-name") == 30


@pytest.mark.django_db(transaction=True)
async def test_the_teacher_hears_of_joining_and_of_answers(alice: Any) -> None:
    classroom = await sync_to_async(opened)(alice)
    socket = await sync_to_async(Socket)(classroom.pk, person=alice, path="/ws/classes/{}/")
    assert (await socket.knock())["type"] == "websocket.accept"
    assert await socket.receive_nothing(timeout=1.2)  # until the study's bell is free again

    await sync_to_async(joined)(classroom)

    assert "class-bell" in await socket.hears()
    await socket.leave()


@pytest.mark.django_db(transaction=True)
async def test_nobody_else_hears_of_a_class(alice: Any, bob: Any) -> None:
    classroom = await sync_to_async(opened)(alice)
    for person in (bob, None):
        socket = await sync_to_async(Socket)(classroom.pk, person=person, path="/ws/classes/{}/")
        assert (await socket.knock())["type"] == "websocket.accept"
        assert await socket.farewell() == NOT_FOUND


@pytest.mark.django_db(transaction=True)
async def test_a_student_hears_of_the_start_alone(alice: Any, as_person: Any) -> None:
    classroom = await sync_to_async(opened)(alice)
    _, student = await sync_to_async(joined)(classroom)
    socket = await sync_to_async(Socket)(student.pk, path="/ws/seats/{}/")
    assert (await socket.knock())["type"] == "websocket.accept"

    await sync_to_async(joined)(classroom)
    assert await socket.receive_nothing(timeout=0.3)
    await sync_to_async(press)(await sync_to_async(as_person)(alice), "start", classroom)

    assert "class-bell" in await socket.hears()
    await socket.leave()
