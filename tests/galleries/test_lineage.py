"""Families: a line back to a random ancestor told by classes, and children."""

from typing import Any

import numpy as np
import pytest
from django.test import Client

from fooling_web.galleries import lineage
from fooling_web.galleries.lineage import Fold, children_of, line_of, parents_of
from fooling_web.runs import takeovers
from fooling_web.runs.models import Individual, Run, Takeover

pytestmark = pytest.mark.django_db


def born(
    run: Run, number: int, parents: list[int], held: dict[int, float], generation: int = 0
) -> Individual:
    individual = Individual.objects.create(
        run=run,
        number=number,
        generation=generation or number,
        parents=parents,
        genome=b"x",
        genome_hash=f"{number:064x}",
    )
    for class_index, confidence in held.items():
        Takeover.objects.create(
            run=run,
            generation=individual.generation,
            class_index=class_index,
            individual=individual,
            confidence=confidence,
        )
    return individual


def numbers(relatives: list[Any]) -> list[int]:
    return [relative.individual.number for relative in relatives]


def test_follows_the_parents_back_to_a_random_ancestor(run: Run) -> None:
    born(run, 0, [], {1: 0.1})
    born(run, 5, [0], {1: 0.2})
    born(run, 7, [0], {2: 0.2})
    youngest = born(run, 9, [5], {1: 0.3})

    line = line_of(run, youngest, 1)

    assert [step.relative.individual.number for step in line.steps] == [0, 5, 9]
    assert (line.length, line.n_switches, line.begins_at_random) == (3, 0, True)


def test_marks_where_the_way_led_through_another_class(run: Run) -> None:
    born(run, 0, [], {4: 0.1, 5: 0.3})
    born(run, 1, [0], {4: 0.4})  # held 4, its child is told by 3: a switch
    born(run, 2, [1], {3: 0.5, 8: 0.9})
    youngest = born(run, 3, [2], {3: 0.8})

    line = line_of(run, youngest, 3)

    assert [step.relative.class_index for step in line.steps] == [4, 4, 3, 3]
    assert [step.is_switch for step in line.steps] == [False, True, False, False]
    assert [step.relative.confidence for step in line.steps] == [0.1, 0.4, 0.5, 0.8]
    assert line.steps[0].relative.others == ("5",)


def test_tells_an_ancestor_by_what_it_held_when_it_bred(run: Run) -> None:
    born(run, 0, [], {1: 0.1, 2: 0.3})
    born(run, 1, [], {3: 0.9})
    born(run, 2, [1], {2: 0.5})  # ousts No. 0 from class 2, which then holds class 1 alone
    youngest = born(run, 3, [0], {2: 0.6})

    line = line_of(run, youngest, 2)

    assert [step.relative.class_index for step in line.steps] == [1, 2]
    assert (line.n_switches, line.is_of_one_class) == (1, False)


def test_counts_no_switch_where_the_parent_held_nothing_when_it_bred(client: Client, run: Run) -> None:
    born(run, 0, [], {1: 0.1})
    born(run, 1, [], {1: 0.3})
    youngest = born(run, 2, [0], {2: 0.6})

    line, page = line_of(run, youngest, 2), client.get(f"/images/{run.pk}/2/").content.decode()

    assert [step.relative.class_index for step in line.steps] == [1, 2]
    assert line.n_switches == 0
    assert "no goal switch." in page


def test_tells_an_image_by_what_it_held_where_another_class_is_wanted(run: Run) -> None:
    only = born(run, 0, [], {4: 0.1})

    [step] = line_of(run, only, 9).steps

    assert (step.relative.class_index, step.is_switch) == (4, False)


def test_follows_the_elder_of_two_parents(run: Run) -> None:
    born(run, 1, [], {1: 0.1})
    born(run, 2, [], {2: 0.1})
    child = born(run, 3, [1, 2], {1: 0.2})

    assert [step.relative.individual.number for step in line_of(run, child, 1).steps] == [1, 3]
    assert numbers(parents_of(run, child)) == [1, 2]


def test_ends_a_line_where_history_does(run: Run) -> None:
    child = born(run, 3, [2], {1: 0.2})

    line = line_of(run, child, 1)

    assert (line.length, line.begins_at_random) == (1, False)
    assert parents_of(run, child) == [2]


def test_never_goes_in_circles(run: Run) -> None:
    born(run, 1, [2], {1: 0.1})
    child = born(run, 2, [1], {1: 0.2})

    assert line_of(run, child, 1).length == 2


def test_keeps_to_its_own_run(run: Run, finished_run: Run) -> None:
    child = born(
        run, 50, [finished_run.individuals.order_by("number").values_list("number", flat=True)[0]], {}
    )

    assert line_of(run, child, None).length == 1


def test_leaves_ancestors_out_of_a_long_line_but_no_switch(run: Run) -> None:
    born(run, 0, [], {0: 0.1})
    for number in range(1, 200):
        youngest = born(run, number, [number - 1], {0 if number < 77 else 1: 0.1})

    line = line_of(run, youngest, 1)

    assert (line.length, len(line.steps), line.n_switches) == (200, lineage.MOST_STEPS, 1)
    shown = [step.relative.individual.number for step in line.steps]
    assert (shown[0], shown[-1]) == (0, 199)
    assert [step.relative.individual.number for step in line.steps if step.is_switch] == [76]
    assert sum(step.left_out for step in line.steps) + len(shown) == 200
    assert all(
        step.left_out == number - before - 1
        for before, number, step in zip(shown, shown[1:], line.steps[1:], strict=False)
    )


def test_folds_ancestors_that_were_not_kept(client: Client, run: Run) -> None:
    born(run, 0, [], {0: 0.1})
    for number in range(1, 12):
        youngest = born(run, number, [number - 1], {min(number // 3, 2): 0.1})
    run.individuals.exclude(number__in=[5, 7]).update(genome=b"")

    line = line_of(run, youngest, 2)
    page = client.get(f"/images/{run.pk}/11/").content.decode()

    folds = [(place, len(one.steps)) for place, one in enumerate(line.steps) if isinstance(one, Fold)]
    assert folds == [(0, 5), (4, 3)]  # one that lost its picture alone stands by itself, and so does the end
    assert [step.relative.individual.number for step in line.shown] == [5, 6, 7, 11]
    assert isinstance(line.steps[0], Fold)
    assert (line.steps[0].labels, line.steps[0].n_switches, line.n_switches) == (["0", "1"], 1, 2)
    assert (line.length, line.is_thinned, line.has_gaps) == (12, False, True)
    assert '5 ancestors, not kept:</strong> 0, 1</p><p class="switch-mark">1 goal switch<' in page


def test_counts_folded_ancestors_that_are_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MOST_STEPS", 4)
    born(run, 0, [], {0: 0.1})
    for number in range(1, 40):
        youngest = born(run, number, [number - 1], {0: 0.1})
    run.individuals.exclude(number__in=range(0, 40, 5)).update(genome=b"")

    line = line_of(run, youngest, 0)

    told = sum(len(one.steps) if isinstance(one, Fold) else 1 for one in line.steps)
    assert len(line.steps) == 4
    assert told + sum(one.left_out for one in line.steps) == 40


def test_thins_even_switches_where_there_are_very_many(run: Run) -> None:
    born(run, 0, [], {0: 0.1})
    for number in range(1, 200):
        youngest = born(run, number, [number - 1], {number % 10: 0.1})

    line = line_of(run, youngest, 9)

    assert (len(line.steps), line.n_switches) == (lineage.MOST_STEPS, 199)


def test_finds_children_and_pages_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "CHILDREN", 2)
    parent = born(run, 1, [], {1: 0.1})
    for number, parents in ((11, [1]), (12, [11]), (13, [0, 1]), (14, [1])):
        born(run, number, parents, {2: 0.1, 3: 0.6})

    page, children = children_of(run, parent, "1")
    _, rest = children_of(run, parent, "2")

    assert (numbers(children), numbers(rest)) == ([11, 13], [14])
    assert (page.paginator.count, children[0].label, children[0].others) == (3, "3", ("2",))


@pytest.mark.parametrize("wanted", ["-1", "0", "99", "nonsense", "9" * 50])
def test_shows_some_page_of_children_whatever_is_asked_for(client: Client, run: Run, wanted: str) -> None:
    born(run, 1, [], {1: 0.1})

    answer = client.get(f"/images/{run.pk}/1/children/", {"page": wanted})

    assert answer.status_code == 200
    assert "None that ever held a class" in answer.content.decode()


def test_sends_children_alone_as_a_part_of_a_page(client: Client, run: Run) -> None:
    parent = born(run, 1, [], {1: 0.1})
    born(run, 2, [1], {1: 0.2})

    part = client.get(f"/images/{run.pk}/{parent.number}/children/", headers={"HX-Request": "true"})

    assert "<html" not in part.content.decode()
    assert f"/images/{run.pk}/2/" in part.content.decode()


def test_tells_the_line_of_a_champion_as_takeovers_do(finished_run: Run) -> None:
    rows = takeovers.takeovers_of(finished_run, 5)
    for champion in finished_run.champions.select_related("individual"):
        traced = rows[takeovers.line_of(rows, champion.class_index)][::-1]
        line = line_of(finished_run, champion.individual, champion.class_index)

        assert [step.relative.class_index for step in line.shown] == traced["class_index"].tolist()
        assert [step.relative.individual.number for step in line.shown] == traced["number"].tolist()
        assert line.n_switches == np.count_nonzero(np.diff(traced["class_index"]))


def test_knows_the_family_of_a_real_run(finished_run: Run) -> None:
    for individual in finished_run.individuals.all():
        line = line_of(finished_run, individual, None)

        assert line.begins_at_random
        assert line.steps[0].relative.individual.generation == 0
        for parent in parents_of(finished_run, individual):
            assert not isinstance(parent, int)
            _, children = children_of(finished_run, parent.individual, None)
            assert individual.number in numbers(children)
