"""Imagined publications: families that hang like real ones."""

import json

import pytest
from django.core.management import CommandError, call_command

from fooling_web.breeding.models import Publication
from fooling_web.galleries.models import Entry, Exhibit
from fooling_web.runs.models import Individual

pytestmark = pytest.mark.django_db


def test_makes_families_that_hang_and_are_spoken_of(capsys):
    call_command("make_publications", publications="12", seed="3", json=True)

    report = json.loads(capsys.readouterr().out)
    assert (report["publications"], report["published"]) == (12, 12)
    assert Entry.objects.filter(approach__method="bred").count() == 12
    assert Publication.objects.filter(branched_from=None).count() < 12
    branches = sum(Exhibit.objects.values_list("n_branches", flat=True))
    assert branches == Publication.objects.exclude(branched_from=None).count()


def test_breeds_each_from_the_picture_that_it_was_branched_from():
    call_command("make_publications", publications="6", verbosity=0)

    for publication in Publication.objects.exclude(branched_from=None).select_related("branched_from"):
        first = Individual.objects.get(run=publication.run, number=0)
        assert first.genome_hash == publication.branched_from.genome_hash
        assert publication.individual.genome_hash != first.genome_hash


@pytest.mark.parametrize("number", ["0", "-4", "many", "2000000"])
def test_refuses_a_number_that_makes_no_sense(number):
    with pytest.raises(CommandError, match=r"publications"):
        call_command("make_publications", publications=number)


def test_leaves_a_site_with_runs_alone(run):
    with pytest.raises(CommandError, match="--add"):
        call_command("make_publications", publications="2")
    assert not Publication.objects.exists()
