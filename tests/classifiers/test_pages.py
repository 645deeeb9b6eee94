"""The pages about classifiers."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import GenerationStat, Run
from models_zoo.registry import all_entries
from tests.factories import launched

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, query: str = "") -> str:
    answer = client.get(reverse("classifiers:detail", args=[name]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def known(run: Run, *shares: tuple[int, float], **facts: Any) -> Run:
    """Give a run statistics: after so many evaluations so great a share of its classes is fooled."""
    GenerationStat.objects.bulk_create(
        GenerationStat(
            run=run,
            generation=generation,
            median=share,
            mean=share,
            max=1,
            share_99=share,
            share_9999=0,
            takeovers=1,
            evaluations=evaluations,
            seconds=1,
        )
        for generation, (evaluations, share) in enumerate(shares)
    )
    evaluations = shares[-1][0]
    Run.objects.filter(pk=run.pk).update(**{"evaluations": evaluations, **facts})
    return run


class TestTable:
    def table(self, client: Client) -> str:
        answer = client.get(reverse("classifiers:list"))
        assert answer.status_code == 200
        return answer.content.decode()

    def row(self, client: Client, name: str) -> str:
        rows = self.table(client).split("<tr>")
        return next(row for row in rows if f">{name}</code>" in row)

    def test_lists_every_classifier(self, client: Client) -> None:
        table = self.table(client)

        for entry in all_entries():
            assert entry.title in table
            assert reverse("classifiers:detail", args=[entry.name]) in table

    def test_says_which_weights_are_here(self, client: Client) -> None:
        assert ">here<" in self.row(client, "mnist-lenet")
        assert "233&nbsp;MB to fetch" in self.row(client, "alexnet")

    def test_shows_published_accuracy(self, client: Client) -> None:
        assert "56.5&nbsp;%" in self.row(client, "alexnet")
        assert "99.0&nbsp;%" in self.row(client, "mnist-lenet")

    def test_compares_at_equal_evaluations(self, client: Client, alice: Any) -> None:
        run = known(launched(owner=alice), (9_000, 0.3), (10_100, 0.4), (49_900, 0.7), (50_200, 0.9))

        row = self.row(client, "mnist-lenet")

        assert "30.0&nbsp;%" in row
        assert "70.0&nbsp;%" in row
        assert "90.0&nbsp;%" not in row
        assert run.get_absolute_url() in row

    def test_lets_the_middle_run_stand_for_several(self, client: Client, alice: Any) -> None:
        runs = [known(launched(owner=alice), (9_000, share), (10_000, share)) for share in (0.1, 0.5, 0.9)]

        row = self.row(client, "mnist-lenet")

        assert runs[1].get_absolute_url() in row
        assert runs[0].get_absolute_url() not in row
        assert "the middle one of 3 runs" in row

    @pytest.mark.parametrize(
        "facts",
        [
            {"visibility": Run.Visibility.PRIVATE},
            {"encoding": "direct"},
            {"evaluations": 9_999},
            {"parameters": {"method": "novelty"}},
            {"parameters": {"method": "single-class"}},
        ],
    )
    def test_leaves_out_what_cannot_be_compared(
        self, client: Client, alice: Any, facts: dict[str, Any]
    ) -> None:
        run = known(launched(owner=alice), (9_000, 0.3), (10_000, 0.4), **facts)

        assert run.get_absolute_url() not in self.table(client)

    def test_asks_the_database_as_often_for_many_runs_as_for_one(
        self, client: Client, alice: Any, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            known(launched(owner=alice), (9_000, 0.3), (10_000, 0.4))

        with django_assert_max_num_queries(1):
            self.table(client)

    def test_offers_the_import_to_administrators_alone(
        self, client: Client, administrator: Any, as_person: Any
    ) -> None:
        link = reverse("classifiers:import")

        assert link not in self.table(client)
        assert link in self.table(as_person(administrator))


class TestDetail:
    def test_tells_what_is_known(self, client: Client) -> None:
        text = page(client, "alexnet")

        assert "Resized so that the shorter side has 256 pixels" in text
        assert "61,100,840" in text
        assert "BSD-3-Clause" in text
        assert "manage.py download_classifier alexnet fetches it" in text

    def test_lists_classes_in_their_groups_with_wordnet_ids(self, client: Client) -> None:
        text = page(client, "alexnet")

        assert "n01440764" in text
        assert "tench" in text
        assert "<h3>Lizards" in text

    @pytest.mark.parametrize("words", ["gold fish", "n01443537", "GOLDFISH"])
    def test_finds_classes(self, client: Client, words: str) -> None:
        text = page(client, "alexnet", f"?q={words}")

        assert "goldfish" in text
        assert "tench" not in text

    def test_finds_whole_groups(self, client: Client) -> None:
        assert "common iguana" in page(client, "alexnet", "?q=lizards")

    def test_says_when_no_class_is_called_so(self, client: Client) -> None:
        assert "No class is called so" in page(client, "mnist-lenet", "?q=%3Cscript%3E")

    def test_shows_public_runs_against_it(self, client: Client, alice: Any) -> None:
        public, private = launched(owner=alice), launched(owner=alice, visibility=Run.Visibility.PRIVATE)

        text = page(client, "mnist-lenet")

        assert public.get_absolute_url() in text
        assert private.get_absolute_url() not in text

    def test_knows_no_others(self, client: Client) -> None:
        assert client.get(reverse("classifiers:detail", args=["nothing"])).status_code == 404
        assert client.get("/classifiers/..%2F/").status_code == 404
