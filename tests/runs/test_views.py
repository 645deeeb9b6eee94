"""Pages of runs: who may see and do what, and what the pages say."""

import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from PIL import Image

from evolution.encoding import encoding_for
from fooling_web.runs.models import Run
from tests.factories import executed, launched
from tests.runs.test_forms import CHOICES

pytestmark = pytest.mark.django_db

LAUNCH = reverse("runs:launch")
LIST = reverse("runs:list")
As = Callable[[Any], Client]
NUMBER = {
    LIST: 3,
    reverse("home"): 6,
}  # count, runs, champions; images in all, mosaics, featured, its champions, runs, theirs


def address(name: str, run: Run, *arguments: Any) -> str:
    return reverse(f"runs:{name}", args=[run.pk, *arguments])


def addresses(run: Run) -> dict[str, str]:
    """Return every address of a run that may be read."""
    individual = run.individuals.first()
    assert individual is not None
    return {
        "detail": address("detail", run),
        "advance": address("advance", run),
        "champion": address("champion", run, 3),
        "image": address("image", run, individual.number, individual.genome_hash),
        "genome": address("genome", run, individual.number),
    }


def hide(run: Run, visibility: str = "private") -> Run:
    Run.objects.filter(pk=run.pk).update(visibility=visibility)
    run.refresh_from_db()
    return run


def change(run: Run, **changes: Any) -> Run:
    Run.objects.filter(pk=run.pk).update(**changes)
    run.refresh_from_db()
    return run


class TestSeeing:
    @pytest.mark.parametrize("name", ["detail", "advance", "champion", "image", "genome"])
    def test_shows_a_public_run_to_everybody(self, client: Client, finished_run: Run, name: str) -> None:
        assert client.get(addresses(finished_run)[name]).status_code == 200

    @pytest.mark.parametrize("name", ["detail", "advance", "champion", "image", "genome"])
    def test_shows_an_unlisted_run_to_whoever_has_the_address(
        self, client: Client, finished_run: Run, name: str
    ) -> None:
        hide(finished_run, "unlisted")

        assert client.get(addresses(finished_run)[name]).status_code == 200

    @pytest.mark.parametrize("name", ["detail", "advance", "champion", "image", "genome"])
    def test_hides_a_private_run_from_all_but_its_owner(
        self, client: Client, as_person: As, alice: Any, bob: Any, finished_run: Run, name: str
    ) -> None:
        hide(finished_run)
        wanted = addresses(finished_run)[name]

        answers = [browser.get(wanted).status_code for browser in (client, as_person(bob), as_person(alice))]

        assert answers == [404, 404, 200]

    @pytest.mark.parametrize("name", ["pause", "resume", "cancel", "delete"])
    def test_hides_a_private_run_from_those_who_would_steer_it(
        self, as_person: As, bob: Any, run: Run, name: str
    ) -> None:
        hide(run)

        assert as_person(bob).post(address(name, run)).status_code == 404
        assert Run.objects.get().status == Run.Status.QUEUED

    @pytest.mark.parametrize("name", ["detail", "advance", "pause", "delete"])
    def test_knows_no_run_that_does_not_exist(self, as_person: As, alice: Any, name: str) -> None:
        wanted = reverse(f"runs:{name}", args=[uuid.uuid4()])
        browser = as_person(alice)

        answer = browser.post(wanted) if name in ("pause", "delete") else browser.get(wanted)

        assert answer.status_code == 404

    def test_does_not_tell_from_what_private_run_another_was_cloned(
        self, client: Client, run: Run, finished_run: Run
    ) -> None:
        hide(run)
        change(run, name="A secret name")
        change(finished_run, cloned_from=run)

        assert "A secret name" not in client.get(address("detail", finished_run)).content.decode()

    def test_does_not_let_others_clone_a_private_run(self, as_person: As, bob: Any, run: Run) -> None:
        hide(run)

        assert as_person(bob).get(f"{LAUNCH}?clone={run.pk}").status_code == 404


class TestList:
    def names(self, client: Client, **query: str) -> set[str]:
        return {run.name for run in client.get(LIST, query).context["page"]}

    @pytest.fixture(autouse=True)
    def _runs(self, alice: Any, bob: Any) -> None:
        for visibility in Run.Visibility.values:
            launched(owner=alice, visibility=visibility, name=f"alice's {visibility}")
        change(launched(owner=bob, name="bob's"), status="finished")

    def test_lists_public_runs_for_people_without_an_account(self, client: Client) -> None:
        assert self.names(client) == {"alice's public", "bob's"}

    def test_lists_ones_own_hidden_runs_too(self, as_person: As, alice: Any, bob: Any) -> None:
        assert self.names(as_person(alice)) == {
            "alice's private",
            "alice's unlisted",
            "alice's public",
            "bob's",
        }
        assert self.names(as_person(bob)) == {"alice's public", "bob's"}

    def test_lists_ones_own_alone_when_asked(self, as_person: As, client: Client, bob: Any) -> None:
        assert self.names(as_person(bob), mine="1") == {"bob's"}
        assert self.names(client, mine="1") == set()

    def test_lists_one_status_when_asked(self, client: Client) -> None:
        assert self.names(client, status="finished") == {"bob's"}
        assert self.names(client, status="failed") == set()

    def test_finds_imported_runs_under_the_status_that_it_shows(self, client: Client, alice: Any) -> None:
        change(launched(owner=alice, name="came so"), status="cancelled", origin={"file": "run.zip"})
        change(launched(owner=alice, name="ended here"), status="cancelled")

        assert self.names(client, status="stopped") == {"came so"}
        assert self.names(client, status="cancelled") == {"ended here"}
        assert 'value="stopped" selected>Stopped<' in client.get(f"{LIST}?status=stopped").content.decode()

    @pytest.mark.parametrize("query", ["status=nonsense", "page=-1", "page=x", "page=999999999999999999999"])
    def test_shrugs_at_nonsense(self, client: Client, query: str) -> None:
        assert client.get(f"{LIST}?{query}").status_code == 200

    def test_parts_a_long_list_into_pages(self, client: Client) -> None:
        for _ in range(30):
            launched()

        assert len(self.names(client, page="1") | self.names(client, page="2")) > 2
        assert len(client.get(LIST, {"page": "2"}).context["page"]) == 32 - 24


class TestQueries:
    """However many runs there are, a page asks the database as often."""

    @pytest.mark.parametrize("wanted", [LIST, reverse("home")])
    def test_asks_as_often_for_ten_runs_as_for_one(
        self, client: Client, alice: Any, django_assert_num_queries: Any, wanted: str
    ) -> None:
        executed(launched(owner=alice))
        with django_assert_num_queries(NUMBER[wanted]):
            client.get(wanted)
        for _ in range(9):
            executed(launched(owner=alice))

        with django_assert_num_queries(NUMBER[wanted]):
            client.get(wanted)

    @pytest.mark.parametrize("classes", [1, 10])
    def test_asks_as_often_for_ten_champions_as_for_one(
        self, client: Client, finished_run: Run, django_assert_num_queries: Any, classes: int
    ) -> None:
        finished_run.champions.filter(class_index__gte=classes).delete()

        with django_assert_num_queries(4):  # run, champions, takeovers, statistics
            client.get(address("detail", finished_run))


class TestLaunching:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_sends_people_without_an_account_to_sign_in(self, client: Client, method: str) -> None:
        answer = getattr(client, method)(LAUNCH, CHOICES)

        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))
        assert not Run.objects.exists()

    def test_stores_a_run_and_shows_it(self, as_person: As, alice: Any) -> None:
        answer = as_person(alice).post(LAUNCH, CHOICES, follow=True)

        run = Run.objects.get()
        assert answer.redirect_chain == [(address("detail", run), 302)]
        assert (run.owner, run.name) == (alice, "Stripes")
        assert "Waiting for a worker" in answer.content.decode()

    @pytest.mark.parametrize(
        "changes",
        [
            {"generations": "0"},
            {"generations": "1000000"},
            {"seed": "lucky"},
            {"classifier": "mnist-oracle"},
            {"encoding": "gradients"},
            {"preset": "imagenet"},
            {"fidelity": "exact"},
            {"population": "31"},
            {"generations": ""},
            {"name": "n" * 101},
        ],
    )
    def test_shows_what_is_wrong_and_stores_nothing(
        self, as_person: As, alice: Any, changes: dict[str, str]
    ) -> None:
        answer = as_person(alice).post(LAUNCH, {**CHOICES, **changes})

        page = answer.content.decode()
        assert answer.status_code == 422
        assert "errorlist" in page
        assert 'value="Stripes"' in page or "name" in changes  # what was filled in is not lost
        assert not Run.objects.exists()

    def test_says_when_somebody_has_too_many(self, as_person: As, alice: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 0

        answer = as_person(alice).post(LAUNCH, CHOICES)

        assert answer.status_code == 422
        assert "the most one person may have here" in answer.content.decode()

    def test_starts_from_the_run_to_be_cloned(self, as_person: As, bob: Any, run: Run) -> None:
        answer = as_person(bob).get(f"{LAUNCH}?clone={run.pk}")

        assert answer.context["form"].initial["seed"] == run.seed
        assert answer.context["cloned"] == run

    def test_stores_a_clone(self, as_person: As, bob: Any, run: Run) -> None:
        as_person(bob).post(f"{LAUNCH}?clone={run.pk}", {**CHOICES, "seed": "12"})

        clone = Run.objects.get(owner=bob)
        assert (clone.cloned_from, clone.seed) == (run, 12)

    def test_shrugs_at_a_clone_of_nonsense(self, as_person: As, bob: Any) -> None:
        assert as_person(bob).get(f"{LAUNCH}?clone=nonsense").status_code == 200

    def test_estimates_the_time_from_runs_alike(self, client: Client, run: Run) -> None:
        change(run, evaluations=1000, seconds=10, status="finished")

        answer = client.get(reverse("runs:estimate"), {**CHOICES, "generations": "99", "population": "100"})

        assert answer.context["estimate"].evaluations == 10_000
        assert answer.context["estimate"].seconds == 100

    @pytest.mark.parametrize("changes", [{"generations": "0"}, {"classifier": "x"}, {"seed": "y"}])
    def test_estimates_nothing_from_nonsense(self, client: Client, changes: dict[str, str]) -> None:
        answer = client.get(reverse("runs:estimate"), {**CHOICES, **changes})

        assert (answer.status_code, answer.context["estimate"]) == (200, None)


class TestDetail:
    def test_shows_every_class_with_or_without_champion(self, client: Client, finished_run: Run) -> None:
        finished_run.champions.filter(class_index=4).delete()

        page = client.get(address("detail", finished_run)).content.decode()

        assert all(f'id="champion-{class_index}"' in page for class_index in range(10))
        assert page.count("evolved image, LeNet says") == 9
        assert "no champion yet" in page

    def test_escapes_what_people_write(self, client: Client, as_person: As, alice: Any, run: Run) -> None:
        change(run, name="<script>alert(1)</script>", error="<b>bold</b>", status="failed")

        pages = [
            client.get(address("detail", run)).content.decode(),
            client.get(LIST).content.decode(),
            client.get(reverse("home")).content.decode(),
            client.get(address("champion", run, 0)).content.decode(),
            client.get(address("advance", run)).content.decode(),
            as_person(alice).get(address("delete", run)).content.decode(),
            as_person(alice).get(f"{LAUNCH}?clone={run.pk}").content.decode(),
        ]

        for page in pages:
            assert "<script>alert" not in page
            assert "<b>bold" not in page
        assert "&lt;script&gt;alert(1)" in pages[0]
        assert "&lt;b&gt;bold" in pages[0]

    def test_offers_controls_to_its_owner_alone(
        self, client: Client, as_person: As, alice: Any, bob: Any, run: Run
    ) -> None:
        pages = [
            browser.get(address("detail", run)) for browser in (client, as_person(bob), as_person(alice))
        ]

        offered = ["control-pause" in page.content.decode() for page in pages]

        assert offered == [False, False, True]

    def test_listens_while_the_run_can_go_on(self, client: Client, run: Run, finished_run: Run) -> None:
        listening = [
            "ws-connect" in client.get(address("detail", r)).content.decode() for r in (run, finished_run)
        ]

        assert listening == [True, False]

    def test_shows_a_run_whose_classifier_is_gone(self, client: Client, finished_run: Run) -> None:
        change(finished_run, classifier="mnist-oracle")

        answers = [
            client.get(url).status_code for url in (*addresses(finished_run).values(), LIST, reverse("home"))
        ]

        assert answers == [200, 200, 404, 200, 200, 200, 200]  # its classes are not known any more

    def test_shows_the_command_that_runs_it_again(self, client: Client, run: Run) -> None:
        assert run.command in client.get(address("detail", run)).content.decode()


class TestAdvance:
    def cells(self, client: Client, run: Run, query: str) -> set[int]:
        answer = client.get(f"{address('advance', run)}{query}")
        assert answer.status_code == 200
        page = answer.content.decode()
        return {class_index for class_index in range(10) if f'id="champion-{class_index}"' in page}

    def newer(self, run: Run, generation: int) -> set[int]:
        return set(run.champions.filter(generation__gt=generation).values_list("class_index", flat=True))

    @pytest.mark.parametrize("generation", [-1, 0, 2, 4, 5, 99])
    def test_brings_only_champions_that_came_later(
        self, client: Client, finished_run: Run, generation: int
    ) -> None:
        cells = self.cells(client, finished_run, f"?since={generation}")

        assert cells == self.newer(finished_run, generation)

    @pytest.mark.parametrize(
        "query",
        ["", "?since=", "?since=x", "?since=--5", "?since=-", "?since=1.5", "?since=-7", "?since=%FF"],
    )
    def test_brings_everything_for_a_page_that_knows_nothing(
        self, client: Client, finished_run: Run, query: str
    ) -> None:
        assert self.cells(client, finished_run, query) == set(range(10))

    def test_brings_no_champion_to_a_page_that_claims_to_know_more(
        self, client: Client, finished_run: Run
    ) -> None:
        assert self.cells(client, finished_run, f"?since={10**30}") == set()
        assert self.cells(client, finished_run, f"?since=-{10**30}") == set(range(10))

    def test_brings_the_charts_points_that_came_later(self, client: Client, finished_run: Run) -> None:
        answer = client.get(f"{address('advance', finished_run)}?since=3")

        columns = json.loads(answer.context["statistics_json"])
        assert columns["generation"] == [4, 5]
        assert set(columns) == {"generation", "median", "mean", "max", "share_9999"}

    def test_works_before_anything_was_kept(self, client: Client, run: Run) -> None:
        assert self.cells(client, run, "?since=-1") == set()


class TestSteering:
    @pytest.mark.parametrize(
        ("verb", "status", "then"),
        [
            ("pause", "running", "paused"),
            ("resume", "paused", "queued"),
            ("cancel", "running", "cancelled"),
            ("cancel", "paused", "cancelled"),
        ],
    )
    @pytest.mark.parametrize("htmx", [False, True])
    def test_obeys_its_owner(
        self, as_person: As, alice: Any, run: Run, verb: str, status: str, then: str, htmx: bool
    ) -> None:
        change(run, status=status)
        headers = {"HX-Request": "true"} if htmx else {}

        answer = as_person(alice).post(address(verb, run), headers=headers)

        assert Run.objects.get().status == then
        assert answer.status_code == (200 if htmx else 302)
        if htmx:
            assert f'data-status="{then}"' in answer.content.decode()

    def test_obeys_an_administrator(self, as_person: As, administrator: Any, run: Run) -> None:
        as_person(administrator).post(address("pause", run))

        assert Run.objects.get().status == Run.Status.PAUSED

    @pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "delete"])
    def test_does_not_obey_others(self, as_person: As, bob: Any, run: Run, verb: str) -> None:
        assert as_person(bob).post(address(verb, run)).status_code == 404
        assert Run.objects.get().status == Run.Status.QUEUED

    @pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "delete"])
    def test_sends_people_without_an_account_to_sign_in(self, client: Client, run: Run, verb: str) -> None:
        answer = client.post(address(verb, run))

        assert answer["Location"].startswith(reverse("account_login"))
        assert Run.objects.get().status == Run.Status.QUEUED

    @pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
    def test_changes_nothing_when_a_link_merely_points_there(
        self, as_person: As, alice: Any, run: Run, verb: str
    ) -> None:
        assert as_person(alice).get(address(verb, run)).status_code == 405
        assert Run.objects.get().status == Run.Status.QUEUED

    @pytest.mark.parametrize("verb", ["pause", "cancel", "launch", "delete"])
    def test_changes_nothing_without_the_pages_own_token(self, alice: Any, run: Run, verb: str) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(alice)

        answer = browser.post(LAUNCH if verb == "launch" else address(verb, run), CHOICES)

        assert answer.status_code == 403
        assert Run.objects.get().status == Run.Status.QUEUED

    def test_says_when_there_was_nothing_to_do(self, as_person: As, alice: Any, run: Run) -> None:
        answer = as_person(alice).post(address("resume", run), follow=True)

        assert "Nothing to do: this run is queued." in answer.content.decode()

    @pytest.mark.parametrize("status", ["queued", "running", "paused"])
    def test_deletes_nothing_that_has_not_ended(
        self, as_person: As, alice: Any, run: Run, status: str
    ) -> None:
        change(run, status=status)

        answer = as_person(alice).post(address("delete", run), follow=True)

        assert Run.objects.exists()
        assert "Cancel it first" in answer.content.decode()

    def test_asks_before_it_deletes(self, as_person: As, alice: Any, finished_run: Run) -> None:
        answer = as_person(alice).get(address("delete", finished_run))

        assert answer.status_code == 200
        assert Run.objects.exists()

    @pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
    def test_deletes_what_has_ended_with_all_it_holds(
        self, as_person: As, alice: Any, finished_run: Run, status: str
    ) -> None:
        change(finished_run, status=status)
        picture = addresses(finished_run)["image"]
        browser = as_person(alice)

        answer = browser.post(address("delete", finished_run), follow=True)

        assert not Run.objects.exists()
        assert "was deleted" in answer.content.decode()
        assert browser.get(picture).status_code == 404


class TestChampion:
    def test_tells_who_holds_a_class_and_who_held_it(self, client: Client, finished_run: Run) -> None:
        answer = client.get(address("champion", finished_run, 3))

        holder = finished_run.champions.get(class_index=3)
        assert answer.context["cell"].champion == holder
        assert [t.generation for t in answer.context["history"]] == sorted(
            finished_run.takeovers.filter(class_index=3).values_list("generation", flat=True), reverse=True
        )

    def test_tells_what_else_the_classifier_sees_in_the_picture(
        self, client: Client, finished_run: Run
    ) -> None:
        page = client.get(address("champion", finished_run, 3)).content.decode()

        top = finished_run.champions.get(class_index=3).individual.top
        assert [page.count(f'value="{confidence:.6f}"') >= 1 for _, confidence in top] == [True] * 5

    def test_shows_a_class_that_nobody_holds_yet(self, client: Client, run: Run) -> None:
        answer = client.get(address("champion", run, 0))

        assert answer.status_code == 200
        assert answer.context["cell"].champion is None

    def test_leads_from_class_to_class(self, client: Client, run: Run) -> None:
        neighbours = [
            client.get(address("champion", run, class_index)).context["neighbours"]
            for class_index in (0, 4, 9)
        ]

        assert neighbours == [
            {"next": (1, "1")},
            {"previous": (3, "3"), "next": (5, "5")},
            {"previous": (8, "8")},
        ]

    @pytest.mark.parametrize("class_index", [10, 1000, 10**30])
    def test_knows_no_class_that_does_not_exist(
        self, client: Client, finished_run: Run, class_index: int
    ) -> None:
        assert client.get(address("champion", finished_run, class_index)).status_code == 404


class TestPictures:
    @pytest.fixture(params=["cppn", "direct"])
    def finished_run(self, request: pytest.FixtureRequest, alice: Any) -> Run:
        return executed(launched(owner=alice, encoding=request.param))

    def picture(self, client: Client, run: Run) -> Any:
        individual = run.individuals.latest("number")
        return client.get(address("image", run, individual.number, individual.genome_hash))

    def test_shows_the_pixels_that_the_classifier_saw(self, client: Client, finished_run: Run) -> None:
        encoding = encoding_for(finished_run.settings)
        genome = bytes(finished_run.individuals.latest("number").genome)
        seen = encoding.develop(encoding.from_bytes([genome]))[0, 0] * 255  # (28, 28)

        answer = self.picture(client, finished_run)

        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (28, 28))
            np.testing.assert_allclose(np.asarray(picture, np.float32), seen, atol=1e-3)
        assert answer["Content-Type"] == "image/png"

    def test_lets_browsers_keep_it_for_ever(self, client: Client, finished_run: Run) -> None:
        assert self.picture(client, finished_run)["Cache-Control"] == "private, max-age=31536000, immutable"

    def test_has_no_picture_and_no_file_of_a_damaged_genome(self, client: Client, finished_run: Run) -> None:
        individual = finished_run.individuals.latest("number")
        finished_run.individuals.update(genome=b"rubbish")

        picture = client.get(address("image", finished_run, individual.number, individual.genome_hash))
        file = client.get(address("genome", finished_run, individual.number))

        assert (picture.status_code, file.status_code) == (404, 404)

    def test_knows_no_picture_by_a_wrong_name(self, client: Client, finished_run: Run) -> None:
        number = finished_run.individuals.latest("number").number

        wrong = [(number, "0" * 64), (number, "x"), (10**6, "0" * 64), (10**30, "0" * 64)]

        assert [client.get(address("image", finished_run, *names)).status_code for names in wrong] == [
            404
        ] * 4

    def test_sends_a_genome_that_can_be_read_again(self, client: Client, finished_run: Run) -> None:
        individual = finished_run.individuals.latest("number")

        answer = client.get(address("genome", finished_run, individual.number))

        assert answer["Content-Disposition"].startswith(
            f'attachment; filename="individual-{individual.number}'
        )
        if finished_run.encoding == "direct":
            assert answer["Content-Type"] == "image/png"
            assert Image.open(io.BytesIO(answer.content)).size == (28, 28)
        else:
            assert answer["Content-Type"] == "application/json"
            assert json.loads(answer.content)["format"] == "foolbreeder-cppn"

    @pytest.mark.parametrize("number", [10**6, 10**30])
    def test_knows_no_genome_that_does_not_exist(
        self, client: Client, finished_run: Run, number: int
    ) -> None:
        assert client.get(address("genome", finished_run, number)).status_code == 404


class TestDamage:
    """What is stored and damaged is named on a page that does not break."""

    def test_names_parameters_that_are_not_a_runs(self, client: Client, finished_run: Run) -> None:
        Run.objects.filter(pk=finished_run.pk).update(parameters={"encoding": "cppn"})

        answer = client.get(finished_run.get_absolute_url())

        assert answer.status_code == 422
        assert "these are not the parameters of a run" in answer.content.decode()


class TestLimit:
    """One person may have so many active runs, however they come about."""

    def test_does_not_resume_one_too_many(
        self, as_person: As, alice: Any, run: Run, settings: LazySettings
    ) -> None:
        settings.ACTIVE_RUNS_PER_USER = 1
        run.pause()
        launched(owner=alice)

        answer = as_person(alice).post(address("resume", run), follow=True)

        run.refresh_from_db()
        assert run.status == Run.Status.PAUSED
        assert "You have 1 active run, the most" in answer.content.decode()
