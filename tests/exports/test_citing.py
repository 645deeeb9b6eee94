"""Citations: what LaTeX takes for commands is escaped, and only who may see a run may cite it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evolution.archive_file import archive_sha256
from fooling_web.exports.citing import citation_of_run, escaped
from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


def absolute(path: str) -> str:
    return f"http://testserver{path}"


def fields_of(bibtex: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+) += \{(.*)\},?$", bibtex, flags=re.MULTILINE))


def test_tells_who_what_when_where_and_against_which_classifier(finished_run):
    citation = citation_of_run(finished_run, absolute)

    fields = fields_of(citation.bibtex)
    assert citation.bibtex.startswith(f"@misc{{foolbreeder-{str(finished_run.pk)[:8]},\n")
    assert fields["author"] == "{alice}"
    assert fields["year"] == str(finished_run.created_at.year)
    assert fields["url"] == absolute(finished_run.get_absolute_url())
    assert "(mnist-lenet)" in fields["note"]
    assert "seed 1" in fields["note"]
    assert citation.plain.startswith("alice (")


def test_names_the_archive_by_its_hash(finished_run):
    held = {
        champion.class_index: (champion.individual.genome_hash, champion.confidence)
        for champion in finished_run.champions.select_related("individual")
    }

    note = citation_of_run(finished_run, absolute).note

    assert f"archive SHA-256 {archive_sha256(10, held)[:16]}" in note
    assert "archive" not in citation_of_run(finished_run, absolute, with_archive=False).note


def test_is_told_of_a_run_that_has_not_begun(run):
    assert "SHA-256" not in citation_of_run(run, absolute).note


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("100 % of $5 & #1_a", r"100 \% of \$5 \& \#1\_a"),
        ("a~b^c", r"a\textasciitilde{}b\textasciicircum{}c"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\textbraceleft{}/etc/passwd\textbraceright{}"),
        ("two\nlines\x00\u202e here", "two lines here"),
        ("Zürich – 鳥", "Zürich – 鳥"),
    ],
)
def test_escapes_what_latex_would_take_for_commands(text, printed):
    assert escaped(text) == printed


def test_keeps_braces_in_balance(finished_run):
    finished_run.name = 'half { a brace }} and "quotes", @misc{x,'

    bibtex = citation_of_run(finished_run, absolute).bibtex

    assert bibtex.count("{") == bibtex.count("}")
    assert "@misc{x" not in bibtex


def test_names_no_author_of_a_run_that_came_from_elsewhere(finished_run):
    finished_run.origin = {"file": "x.zip", "created": "2016-05-01T10:00:00+00:00"}

    citation = citation_of_run(finished_run, absolute)

    assert (citation.author, citation.year) == ("Foolbreeder", 2016)
    assert "imported" in citation.note


def test_is_a_page_a_part_and_a_file(client: Client, finished_run):
    page, file = (reverse(f"exports:{name}", args=[finished_run.pk]) for name in ("cite_run", "cite_run_bib"))

    assert file == f"/runs/{finished_run.pk}/cite.bib"
    assert "<html" in client.get(page).content.decode()
    assert "<html" not in client.get(page, headers={"hx-request": "true"}).content.decode()
    answer = client.get(file)
    assert answer["Content-Type"].startswith("application/x-bibtex")
    assert answer.content.decode().startswith("@misc{")


def test_cites_an_image_by_its_title(client: Client, finished_run):
    champion = finished_run.champions.select_related("individual").first()
    number = champion.individual.number

    bibtex = client.get(reverse("exports:cite_image_bib", args=[finished_run.pk, number])).content.decode()

    assert f"@misc{{foolbreeder-{str(finished_run.pk)[:8]}-{number}," in bibtex
    assert champion.individual.genome_hash[:16] in bibtex
    assert f"/images/{finished_run.pk}/{number}/" in fields_of(bibtex)["url"]


def test_is_only_for_whoever_may_see_the_run(client: Client, finished_run, as_person: Any, bob, alice):
    Run.objects.update(visibility=Run.Visibility.PRIVATE)
    number = finished_run.individuals.first().number
    addresses = [
        reverse("exports:cite_run", args=[finished_run.pk]),
        reverse("exports:cite_run_bib", args=[finished_run.pk]),
        reverse("exports:cite_image", args=[finished_run.pk, number]),
        reverse("exports:cite_image_bib", args=[finished_run.pk, number]),
    ]

    for address in addresses:
        assert client.get(address).status_code == 404
        assert as_person(bob).get(address).status_code == 404
        assert as_person(alice).get(address).status_code == 200


def test_waits_on_the_pages_of_runs_and_images(client: Client, finished_run):
    number = finished_run.individuals.first().number

    for kind, page in [
        ("run", finished_run.get_absolute_url()),
        ("image", reverse("galleries:image", args=[finished_run.pk, number])),
    ]:
        place = [finished_run.pk] if kind == "run" else [finished_run.pk, number]
        assert f'hx-get="{reverse(f"exports:cite_{kind}", args=place)}"' in client.get(page).content.decode()
