"""Searching the galleries answers as a slow obvious twin does that looks at every champion."""

import functools
import random
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fooling_web.galleries import ordering, sifting
from fooling_web.galleries.hanging import band_of
from fooling_web.galleries.imagining import imagine_site
from fooling_web.galleries.models import Entry, Exhibit, ImageClass
from fooling_web.galleries.searching import SORTS, Sieve, Wanted, at_position, facets_of, page_of
from fooling_web.runs.models import Champion, Run, Sweep
from models_zoo.wordnet import TITLES

CHAMPIONS = 2080  # two runs of a thousand classes, eight of ten
FACETS = ("classifier", "encoding", "method", "branch", "band", "run", "sweep", "recognised")
NEW_FOR = timedelta(days=7)


@dataclass
class Shown:
    """A champion as the twin knows it."""

    key: tuple[uuid.UUID, int]
    run: Run
    image_class: ImageClass
    individual: int
    confidence: float
    exhibit: Exhibit | None
    tags: tuple[str, ...]
    entry: Entry

    @functools.cached_property
    def values(self) -> dict[str, Any]:
        """What the champion has for each filter."""
        recognition = self.exhibit.recognition if self.exhibit else None
        return {
            "classifier": self.run.classifier,
            "encoding": self.run.encoding,
            "method": "gradient-ascent" if self.run.encoding == "gradient" else self.run.parameters["method"],
            "branch": self.image_class.branch,
            "band": band_of(self.confidence),
            "run": self.run.pk,
            "sweep": self.run.sweep_id,
            "recognised": self.recognised(recognition),
            "image_class": self.image_class.slug,
            "person": self.run.owner.username if self.run.owner else "",
        }

    def recognised(self, recognition: float | None) -> tuple[str, ...]:
        """What people said of the champion; of one that fools them, two things are true."""
        if recognition is None or self.exhibit is None:
            return ()
        fools = self.exhibit.fooling_index is not None and self.exhibit.fooling_index >= 0.9
        return ("yes" if recognition >= 0.5 else "no", *(["fools"] if fools else []))

    def kept_out_by(self, wanted: Wanted) -> list[str]:
        """Names of the filters that do not let the champion through."""
        names = [
            name
            for name in (*FACETS, "image_class", "person")
            if (asked := getattr(wanted, name)) not in ("", None) and asked not in self.all_values(name)
        ]
        if wanted.tag and wanted.tag not in self.tags:
            names.append("tag")
        return names if self.satisfies(wanted.text) else [*names, "text"]

    def all_values(self, name: str) -> tuple[Any, ...]:
        """What the champion has for a filter, where it may have several things."""
        value = self.values[name]
        return value if isinstance(value, tuple) else (value,)

    def passes(self, wanted: Wanted) -> bool:
        """Whether every filter lets the champion through."""
        return not self.kept_out_by(wanted)

    @functools.cached_property
    def words(self) -> set[str]:
        """Every word of what is written about the champion."""
        written = [self.image_class.label, TITLES.get(self.image_class.branch, ("",))[0], self.run.name]
        written += [self.run.sweep.name if self.run.sweep else "", *self.tags]
        written += [self.exhibit.title if self.exhibit else ""]
        return {word for one in written for word in re.findall(r"\w+", one.lower())}

    def satisfies(self, text: str) -> bool:
        """Whether every word of a text begins one of them."""
        return all(any(word.startswith(asked) for word in self.words) for asked in text.lower().split())


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A site of imagined runs that all tests here look at; what one of them changes is undone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        for _ in imagine_site(CHAMPIONS, seed=1):
            pass
        for place, exhibit in enumerate(Exhibit.objects.order_by("pk")[:30]):
            Exhibit.objects.filter(pk=exhibit.pk).update(
                recognition=place / 30, n_asked=20, fooling_index=1 - place / 30
            )
        latest = Entry.objects.order_by("pk").values_list("pk", flat=True)[:500]
        Entry.objects.filter(pk__in=list(latest)).update(hung_at=timezone.now() - timedelta(days=1))
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def shown(site: None, django_db_blocker: Any) -> list[Shown]:
    """Every champion as the twin knows it, for tests that change nothing."""
    with django_db_blocker.unblock():
        return everything()


@pytest.fixture(params=["few", "many"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let all views count as views of many entries, so that orders are walked; or leave it."""
    if request.param == "many":
        for module in (ordering, sifting):
            monkeypatch.setattr(module, "FEW", 0)
        monkeypatch.setattr(ordering, "DEAR", 10**9)
    return bool(request.param == "many")


def everything() -> list[Shown]:
    entries = {(entry.run_id, entry.image_class.class_index): entry for entry in _entries()}
    exhibits = {
        exhibit.individual_id: exhibit for exhibit in Exhibit.objects.prefetch_related("taggings__tag")
    }
    champions = Champion.objects.filter(run__visibility="public").select_related("run__owner", "run__sweep")
    shown = []
    for champion in champions.defer("run__random_state"):
        key = (champion.run_id, champion.class_index)
        exhibit = exhibits.get(champion.individual_id)
        tags = tuple(tagging.tag.name for tagging in exhibit.taggings.all()) if exhibit else ()
        if exhibit is None or not exhibit.hidden:
            entry = entries[key]
            shown.append(
                Shown(
                    key,
                    champion.run,
                    entry.image_class,
                    champion.individual_id,
                    champion.confidence,
                    exhibit,
                    tags,
                    entry,
                )
            )
    return shown


def _entries() -> Any:
    return Entry.objects.select_related("image_class")


def keys_of(wanted: Wanted) -> list[tuple[uuid.UUID, int]]:
    """All of a view, page by page."""
    first = page_of(wanted, size=400)
    hits = [first, *(page_of(replace(wanted, page=page), size=400) for page in range(2, first.pages + 1))]
    return [(entry.run_id, entry.image_class.class_index) for page in hits for entry in page.entries]


def views(count: int) -> Iterator[Wanted]:
    """Views with one to three filters, drawn from what there is."""
    rng = random.Random(7)
    choices: dict[str, list[Any]] = {
        "classifier": ["efficientnet-lite0", "efficientnet-lite2", "mnist-lenet", "mnist-cnn", "none"],
        "encoding": ["cppn", "direct", "gradient"],
        "method": ["map-elites", "novelty", "gradient-ascent"],
        "branch": ["dogs", "fish", "devices", "none"],
        "band": list(range(14)),
        "run": [*Run.objects.order_by("seed").values_list("pk", flat=True), uuid.UUID(int=0)],
        "sweep": [*Sweep.objects.values_list("pk", flat=True), uuid.UUID(int=1)],
        "recognised": ["yes", "no", "fools"],
        "image_class": ["starfish", "tabby", "mnist-7", "none"],
        "person": [*set(Run.objects.values_list("owner__username", flat=True)), "nobody"],
        "tag": ["red", "waves", "none"],
        "text": ["star", "dogs", "efficientnet", "seed 1", "dog gradient", "red", "ba", "night", "qqq", "7"],
    }
    for _ in range(count):
        names = rng.sample(list(choices), rng.choice([1, 1, 2, 2, 3]))
        yield Wanted(**{name: rng.choice(choices[name]) for name in names if choices[name]})


@pytest.mark.django_db
def test_it_finds_and_counts_what_the_twin_does(site: None, shown: list[Shown], either_way: bool) -> None:
    for wanted in (Wanted(), *views(35)):
        kept_out = [(one, one.kept_out_by(wanted)) for one in shown]
        expected = {one.entry.pk for one, names in kept_out if not names}
        sieve = Sieve(wanted)
        hits = page_of(wanted, sieve=sieve)
        assert hits.total == len(expected), wanted
        assert {entry.pk for entry in hits.entries} <= expected, wanted
        assert len(hits.entries) == min(48, len(expected)), wanted
        for facet in facets_of(wanted, sieve):
            if facet.name in ("run", "sweep") and either_way:
                continue  # of many, these are left out
            counts = Counter(
                str(value)
                for one, names in kept_out
                if set(names) <= {facet.name}
                for value in one.all_values(facet.name)
            )
            for option in facet.options:
                assert option.count == counts[option.value], (wanted, facet.name, option)
            if facet.name in ("classifier", "encoding", "method", "branch", "recognised"):
                told = {option.value for option in facet.options if option.count}
                assert told == counts.keys() - {"", "None"}, (wanted, facet.name)


@pytest.mark.django_db
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("filters", [{"encoding": "cppn"}, {"text": "lite0"}], ids=str)
def test_it_keeps_every_order(
    site: None, shown: list[Shown], either_way: bool, sort: str, filters: dict[str, Any]
) -> None:
    start = 3 * ordering.GOLDEN % (ordering.PLACES // 4)
    since = timezone.now() - NEW_FOR
    orders: dict[str, Any] = {
        "surest": lambda one: (-one.confidence,),
        "newest": lambda one: (-one.entry.hung_at.timestamp(),),
        "best-new": lambda one: (-one.confidence,),
        "viewed": lambda one: (-one.exhibit.views,),
        "rated": lambda one: (-one.exhibit.stars, -one.exhibit.n_ratings),
        "branched": lambda one: (-one.exhibit.n_branches,),
        "fooling": lambda one: (-one.exhibit.fooling_index,),
        "random": lambda one: (one.entry.place < start, one.entry.place),
    }
    belongs: dict[str, Any] = {
        "best-new": lambda one: one.entry.hung_at >= since,
        "viewed": lambda one: one.exhibit and one.exhibit.views,
        "rated": lambda one: one.exhibit and one.exhibit.n_ratings,
        "branched": lambda one: one.exhibit and one.exhibit.n_branches,
        "fooling": lambda one: one.exhibit and one.exhibit.n_asked,
        "random": lambda one: not either_way or one.entry.place >= start,  # many never come to their end
    }
    wanted = Wanted(sort=sort, seed=3, **filters)
    expected = [one for one in shown if one.passes(wanted) and belongs.get(sort, bool)(one)]
    expected.sort(key=lambda one: (*orders[sort](one), one.entry.pk))

    found = keys_of(wanted)

    assert found == [one.key for one in expected]
    assert found


@pytest.mark.django_db
def test_it_says_what_hangs_at_a_position(site: None) -> None:
    wanted = Wanted(branch="dogs", sort="newest")
    page = page_of(replace(wanted, page=2))

    assert at_position(wanted, 50) == page.entries[2]
    assert page.first_position == 48
    assert at_position(wanted, -1) is None
    assert at_position(wanted, 9_999) is None
    assert at_position(wanted, 2**70) is None


@pytest.mark.django_db
def test_it_shows_the_last_page_for_one_beyond(site: None) -> None:
    hits = page_of(Wanted(image_class="starfish", page=10**8))
    assert (hits.number, hits.pages, hits.has_next, len(hits.entries)) == (1, 1, False, 2)


@pytest.mark.django_db
def test_it_hides_what_is_private_or_hidden_at_once(site: None) -> None:
    run = Run.objects.get(seed=1)
    exhibit = Exhibit.objects.exclude(individual__run=run).filter(individual__entries__isnull=False).first()
    assert exhibit
    Run.objects.filter(pk=run.pk).update(visibility="private")
    Exhibit.objects.filter(pk=exhibit.pk).update(hidden=True)

    shown = everything()

    for wanted in (Wanted(), *views(12)):
        expected = [one for one in shown if one.passes(wanted)]
        hits = page_of(wanted)
        assert hits.total == len(expected), wanted
        assert {entry.pk for entry in hits.entries} <= {one.entry.pk for one in expected}, wanted
    assert all(option.value != str(run.pk) for facet in facets_of(Wanted()) for option in facet.options)


@pytest.mark.django_db
def test_it_asks_as_often_however_much_hangs(site: None) -> None:
    Run.objects.filter(sweep=None).update(sweep=Sweep.objects.first())  # or no name of one would be asked for
    asked = [
        *(Wanted(sort=sort) for sort in SORTS),
        *(
            Wanted(**filters)
            for filters in ({"text": "starfish"}, {"branch": "dogs"}, {"image_class": "starfish"})
        ),
        Wanted(run=Run.objects.get(seed=1).pk, encoding="cppn"),
    ]
    before = [_queries(wanted) for wanted in asked]
    for _ in imagine_site(1100, seed=2):
        pass
    assert [_queries(wanted) for wanted in asked] == before
    assert max(before) <= 20


def _queries(wanted: Wanted) -> int:
    with CaptureQueriesContext(connection) as queries:
        sieve = Sieve(wanted)
        assert page_of(wanted, sieve=sieve).entries
        facets_of(wanted, sieve)
    return len(queries)


def test_it_reads_an_address_and_leaves_out_what_makes_no_sense() -> None:
    run = uuid.uuid4()
    query = QueryDict(
        f"text=a%00b&band=3&run={run}&sweep=x&sort=worst&seed=9&page=-1&recognised=maybe&foo=bar"
    )
    assert Wanted.read(query) == Wanted(text="ab", band=3, run=run, seed=9)
    assert Wanted.read(QueryDict("band=99&page=99999999999999999999&seed=-3")) == Wanted()
    assert Wanted.read(QueryDict("band=\N{SUPERSCRIPT TWO}&page=\N{ARABIC-INDIC DIGIT THREE}")) == Wanted()


def test_it_writes_an_address_without_what_is_as_usual() -> None:
    wanted = Wanted(branch="dogs", page=3)
    assert wanted.query() == "branch=dogs"
    assert wanted.query(page=4, sort="newest") == "branch=dogs&sort=newest&page=4"
    assert wanted.query(branch="", band=0) == "band=0"
    assert Wanted.read(QueryDict(wanted.query(page=3))) == wanted
