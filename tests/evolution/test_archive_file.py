"""Archive files: what is written is read again; what is altered, cut short or at odds with itself is refused."""

import hashlib
import json
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from evolution.archive_file import (
    CHAMPIONS_ONLY,
    LARGEST,
    LINEAGES,
    WHOLE,
    ArchiveFile,
    Selection,
    archive_sha256,
)
from evolution.archive_lines import Individual, read_individual, write_individual
from evolution.archive_writing import Extra, write_archive
from evolution.checkpoint import random_state_of
from evolution.encoding import encoding_for
from evolution.errors import ArchiveFileError
from evolution.parameters import Parameters
from tests.archives import (
    Found,
    column,
    description,
    history_of,
    on_line,
    replaced,
    tampered,
    with_json,
    written,
)

SMALL = {"generations": 8, "first_population": 20, "offspring": 20}
NETWORKS = Parameters(**SMALL)
PIXELS = Parameters(encoding="direct", **SMALL)


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "run.zip", NETWORKS)


def checked(path):
    with ArchiveFile(path) as archive:
        archive.check()
        return archive


def refusal(path):
    with pytest.raises(ArchiveFileError) as caught:
        checked(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("parameters", [NETWORKS, PIXELS], ids=["networks", "pixels"])
def test_reads_what_was_written(tmp_path, parameters):
    found, search = history_of(parameters)
    path = tmp_path / "run.zip"

    sha256 = write_archive(path, description(parameters), found, random_state=random_state_of(search.rng))

    with ArchiveFile(path) as archive:
        assert list(archive.individuals()) == found.everyone
        assert list(archive.takeovers()) == found.changes
        assert list(archive.statistics()) == found.lines
    assert archive.run == description(parameters)
    assert archive.is_finished
    assert archive.random_state == random_state_of(search.rng)
    assert archive.archive_sha256 == sha256 == search.archive.sha256(encoding_for(parameters))


def test_writes_the_same_bytes_for_the_same_run(tmp_path):
    first = written(tmp_path / "first.zip", NETWORKS)
    second = written(tmp_path / "second.zip", NETWORKS)

    assert first.read_bytes() == second.read_bytes()


def test_writes_a_zip_that_other_programs_read(file):
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


def test_leaves_no_half_file_behind(tmp_path):
    found, _ = history_of(NETWORKS)
    broken = [*found.changes[:-1], found.changes[-1]._replace(individual=10**9)]
    found.changes[:] = broken

    with pytest.raises(KeyError):
        write_archive(tmp_path / "run.zip", description(NETWORKS), found, random_state=None)

    assert list(tmp_path.iterdir()) == []


def test_keeps_the_genomes_of_the_champions_and_all_who_led_to_them(tmp_path):
    whole = checked(written(tmp_path / "whole.zip", NETWORKS))
    path = written(tmp_path / "run.zip", NETWORKS, holds=LINEAGES)

    with ArchiveFile(path) as archive:
        individuals = list(archive.individuals())
        archive.check()

    kept = {one.number for one in individuals if one.genome}
    parents = {one.number: one.parents for one in individuals}
    champions = {takeover.individual for takeover in archive.champions.values()}
    led = {parent for number in kept for parent in parents[number]}
    assert kept == champions | led
    assert champions < kept < set(parents)
    assert archive.archive_sha256 == whole.archive_sha256


def test_keeps_the_champions_genomes_alone_where_that_is_wished(tmp_path):
    whole = written(tmp_path / "whole.zip", NETWORKS)
    path = written(tmp_path / "run.zip", NETWORKS, holds=CHAMPIONS_ONLY)

    with ArchiveFile(path) as archive:
        individuals = list(archive.individuals())
        archive.check()

    champions = {takeover.individual for takeover in archive.champions.values()}
    assert archive.holds == CHAMPIONS_ONLY
    assert {one.number for one in individuals if one.genome} == champions
    assert all(bool(one.top) == bool(one.genome_hash) == bool(one.genome) for one in individuals)
    assert path.stat().st_size < whole.stat().st_size
    assert archive.archive_sha256 == checked(whole).archive_sha256


def test_refuses_to_write_without_a_champions_genome(tmp_path):
    found, _ = history_of(NETWORKS)
    champion = {takeover.class_index: takeover for takeover in found.changes}[0].individual
    found.everyone[:] = [
        one._replace(genome=b"") if one.number == champion else one for one in found.everyone
    ]

    with pytest.raises(ArchiveFileError, match="pause the run"):
        write_archive(tmp_path / "run.zip", description(NETWORKS), found, random_state=None)


def test_tells_a_run_that_may_go_on_from_a_finished_one(tmp_path):
    archive = checked(written(tmp_path / "run.zip", NETWORKS, last=5))

    assert (archive.generation, archive.is_finished) == (5, False)
    assert archive.random_state is not None


def test_hashes_an_archive_by_hand():
    # A champion's hash and the float32 1.0, then a vacant class: nothing and the float32 0.0.
    by_hand = b"ab" + b"\x00\x00\x80\x3f" + b"\x00\x00\x00\x00"

    assert archive_sha256(2, {0: ("ab", 1.0)}) == hashlib.sha256(by_hand).hexdigest()


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_refuses_a_file_that_was_cut_short(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])

    assert "cut short or no ZIP" in refusal(file)


def test_refuses_any_byte_that_was_altered(file):
    content, dice = file.read_bytes(), random.Random(1)
    whole = checked(file).archive_sha256

    for place in sorted(dice.sample(range(len(content)), 80)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        with suppress(ArchiveFileError):
            assert checked(file).archive_sha256 == whole  # a byte that no reader looks at


def test_refuses_what_is_no_zip(tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))

    assert "no ZIP" in refusal(picture)


def test_refuses_a_file_that_is_not_there(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.zip")


def test_refuses_another_zip(tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("letter.txt", "Dear Foolbreeder")

    assert "is no archive file" in refusal(other)


def test_refuses_a_newer_version(file):
    newer = tampered(file, {"manifest.json": with_json(version=3)})

    assert "update Foolbreeder" in refusal(newer)


@pytest.mark.parametrize("name", ["../escape.json", "notes.txt", "genomes/-1.png", "genomes/007.png"])
def test_refuses_members_of_other_names(file, name):
    assert "is no archive file" in refusal(tampered(file, {}, also={name: b"{}"}))


@pytest.mark.parametrize("name", ["run.json", "individuals.csv", "takeovers.csv", "statistics.csv"])
def test_refuses_a_file_without_one_of_its_tables(file, name):
    assert f"has no {name}" in refusal(tampered(file, {name: None}))


def test_refuses_a_bomb(file):
    bomb = tampered(file, {"individuals.csv": lambda content: content + b"0" * 10_000_000})

    assert "packed more than 200 times" in refusal(bomb)


def test_refuses_sizes_that_no_run_has(file, monkeypatch):
    monkeypatch.setitem(LARGEST, "takeovers.csv", 100)

    assert "takeovers.csv may have 100 bytes" in refusal(file)


def test_believes_no_size_that_is_told_too_small(file):
    content = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        size = archive.getinfo("takeovers.csv").file_size
    lie = content.replace(size.to_bytes(4, "little"), (size // 2).to_bytes(4, "little"))
    file.write_bytes(lie)

    refusal(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {}}, "not the parameters"),
        ({"seed": -1}, "no whole number"),
        ({"seed": True}, "no whole number"),
        ({"name": "two\nlines"}, "no line of text"),
        ({"name": "x" * 2000}, "no line of text"),
        ({"classifier": {}}, "labels"),
        ({"generation": "8"}, "no whole number"),
        ({"individuals": 1}, "are announced"),
        ({"takeovers": 1}, "are announced"),
        ({"evaluations": 1}, "statistics do not end"),
        ({"archive_sha256": "0" * 64}, "do not lead to the archive"),
    ],
)
def test_refuses_a_description_that_does_not_fit(file, changes, words):
    assert words in refusal(tampered(file, {"run.json": with_json(**changes)}))


def test_refuses_a_classifier_with_a_path_for_a_name(file):
    def change(content):
        document = json.loads(content)
        document["classifier"]["name"] = "../../etc"
        return json.dumps(document).encode()

    assert "no name of a classifier" in refusal(tampered(file, {"run.json": change}))


@pytest.mark.parametrize(
    ("table", "number", "value", "words"),
    [
        ("takeovers.csv", 1, "10", "10 classes, from 0"),
        ("takeovers.csv", 1, "-1", "not a whole number"),
        ("takeovers.csv", 2, "1000000", "was not born then"),
        ("takeovers.csv", 3, "nan", "between 0 and 1"),
        ("takeovers.csv", 3, "inf", "between 0 and 1"),
        ("takeovers.csv", 3, "1.5", "between 0 and 1"),
        ("takeovers.csv", 3, "0", "takes no class"),
        ("takeovers.csv", 3, "certain", "line 2"),
        ("takeovers.csv", 4, "3", "it was not individual 3"),
        ("takeovers.csv", 0, "9" * 30, "not a whole number"),
        ("individuals.csv", 1, "8", "was not born then"),
        ("individuals.csv", 1, "99", "after the run's last generation"),
        ("individuals.csv", 2, "1000000", "came later"),
        ("individuals.csv", 3, "10:0.5", "class that does not exist"),
        ("individuals.csv", 3, "1:nan", "between 0 and 1"),
        ("individuals.csv", 3, "1:0.5 " * 6, "more parents or confidences"),
        ("individuals.csv", 4, "ab", "not a SHA-256"),
        ("individuals.csv", 4, "0" * 64, "does not match its hash"),
        ("statistics.csv", 1, "nan", "between 0 and 1"),
        ("statistics.csv", 8, "-1", "no time in seconds"),
        ("statistics.csv", 0, "5", "out of order"),
    ],
)
def test_refuses_lines_that_cannot_be_true(file, table, number, value, words):
    assert words in refusal(tampered(file, {table: on_line(1, column(number, value))}))


def test_refuses_takeovers_in_another_order(file):
    def swapped(content):
        header, first, second, *rest = content.split(b"\n")
        return b"\n".join([header, second, first, *rest])

    assert "out of order" in refusal(tampered(file, {"takeovers.csv": swapped}))


def test_refuses_a_confidence_that_falls(file):
    def change(content):
        lines = content.decode().split("\n")
        later = next(place for place, line in enumerate(lines) if place and line and not line.endswith(","))
        lines[later] = column(3, "1e-30")(lines[later])
        return "\n".join(lines).encode()

    assert "no higher than before" in refusal(tampered(file, {"takeovers.csv": change}))


def test_refuses_a_network_with_a_cycle(file):
    def cyclic(line):
        document = json.loads(line)
        document["genome"]["connections"][0][0] = 4  # an output that feeds itself
        return json.dumps(document)

    assert "starts at a place that does not exist" in refusal(
        tampered(file, {"genomes.jsonl": on_line(0, cyclic)})
    )


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"number": "0", "genome": {}}', '{"number": 0, "genome": NaN}', "[" * 5000]
)
def test_refuses_a_line_that_is_no_genome(file, line):
    refusal(tampered(file, {"genomes.jsonl": on_line(0, lambda _: line)}))


def test_refuses_an_endless_line(file):
    endless = tampered(file, {"statistics.csv": lambda content: content + b"1" * 2000})

    assert "a line without an end" in refusal(endless)


def test_refuses_a_genome_of_nobody(file):
    stray = tampered(file, {"individuals.csv": lambda content: content.split(b"\n", 1)[0] + b"\n"})

    assert "who is not in the history" in refusal(stray)


def test_refuses_a_missing_champion(tmp_path):
    path = written(tmp_path / "run.zip", PIXELS, holds=CHAMPIONS_ONLY)
    with zipfile.ZipFile(path) as archive:
        picture = next(name for name in archive.namelist() if name.startswith("genomes/"))

    assert "is missing" in refusal(tampered(path, {picture: None}))


def test_refuses_a_picture_that_is_none(tmp_path):
    path = written(tmp_path / "run.zip", PIXELS)
    with zipfile.ZipFile(path) as archive:
        picture = next(name for name in archive.namelist() if name.startswith("genomes/"))

    assert "not a PNG" in refusal(tampered(path, {picture: lambda content: content[:40]}))


def test_refuses_a_checkpoint_of_another_generation(file):
    later = tampered(file, {"checkpoint.json": with_json(generation=3)})

    assert "does not follow generation 8" in refusal(later)


def test_refuses_a_table_with_another_header(file):
    assert "does not begin with" in refusal(
        tampered(file, {"statistics.csv": replaced("generation,median", "median,generation")})
    )


def test_writes_confidences_so_that_they_read_back_the_same():
    line = write_individual(Individual(5, 1, (2,), ((0, 0.9998765587806702), (3, 9.999999747378752e-06)), ""))

    assert line == "5,1,2,0:0.99987656 3:1e-05,"
    assert read_individual(line).top == ((0, 0.9998765587806702), (3, 9.999999747378752e-06))


GALLERY = sorted(
    (Path(__file__).resolve().parents[2] / "fooling_web" / "exports" / "gallery").glob("[ms]*.zip")
)


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_writes_version_1_as_it_was_written_before_there_was_another(tmp_path, path):
    with ArchiveFile(path) as archive:
        write_archive(
            tmp_path / "again.zip",
            archive.run,
            Found(*map(list, (archive.individuals(), archive.takeovers(), archive.statistics()))),
            random_state=archive.random_state,
            search_state=archive.search_state(),
            holds=archive.holds,
        )

    with zipfile.ZipFile(path) as before, zipfile.ZipFile(tmp_path / "again.zip") as after:
        for old, new in zip(before.infolist(), after.infolist(), strict=True):
            assert (old.filename, old.date_time, old.compress_type, old.external_attr, old.CRC) == (
                *(new.filename, new.date_time, new.compress_type, new.external_attr, new.CRC),
            )
            assert before.read(old) == after.read(new)


class Notes:
    """Extras of a few kinds."""

    def members(self, told, history):
        yield Extra("README.txt", [b"for ", told["name"].encode()])
        yield Extra("pictures/07_seven.png", [b"a picture"], is_packed=True)


def extended(path, **options):
    found, search = history_of(NETWORKS)
    state = random_state_of(search.rng)
    write_archive(path, description(NETWORKS), found, random_state=state, extras=Notes(), **options)
    return path


def test_reads_a_file_with_members_for_people(tmp_path):
    archive = checked(extended(tmp_path / "run.zip"))

    assert (archive.version, archive.selection) == (2, None)
    archive.require_whole()
    with zipfile.ZipFile(archive.path) as other:
        assert other.read("README.txt") == b"for A run from elsewhere"
        sums = dict(line.split("  ")[::-1] for line in other.read("SHA256SUMS").decode().splitlines())
        assert sums == {
            name: hashlib.sha256(other.read(name)).hexdigest()
            for name in other.namelist()
            if name not in ("SHA256SUMS", "manifest.json")
        }


@pytest.mark.parametrize(
    "name",
    [
        *(
            "readme.txt",
            "pictures/../7_x.png",
            "pictures/7_x.svg",
            "pictures/7_.png",
            "parquet/others.parquet",
        ),
        *(
            "authors/map_gen_1/map_gen_1_2_9.000000.png",
            "authors/archive_x.dat",
            "README.txt/",
            "/README.txt",
        ),
    ],
)
def test_refuses_members_for_people_of_other_names(tmp_path, name):
    path = extended(tmp_path / "run.zip")

    assert "is no archive file" in refusal(tampered(path, {}, also={name: b"{}"}))


def test_refuses_members_for_people_in_version_1(file):
    assert "version 1, which has none" in refusal(tampered(file, {}, also={"README.txt": b"hello"}))


@pytest.mark.parametrize("holds", [WHOLE, LINEAGES, CHAMPIONS_ONLY])
def test_holds_a_selection_with_all_that_led_to_it(tmp_path, holds):
    path = extended(tmp_path / "run.zip", selection=Selection(classes=(2, 5)), holds=holds)
    found, _ = history_of(NETWORKS)
    takers = {takeover.individual for takeover in found.changes if takeover.class_index in (2, 5)}

    archive = checked(path)

    with ArchiveFile(path) as again:
        everybody = {one.number: one for one in again.individuals()}
        assert {one.class_index for one in again.takeovers()} == {2, 5}
    assert sorted(archive.champions) == [2, 5]
    assert archive.selection.classes == (2, 5)
    assert archive.selection.whole_archive_sha256 not in ("", archive.archive_sha256)
    assert archive.random_state is None
    assert takers <= set(everybody)
    with_genomes = {number for number, one in everybody.items() if one.genome}
    if holds == WHOLE:
        assert with_genomes == set(everybody)
    if holds == CHAMPIONS_ONLY:
        assert with_genomes == {takeover.individual for takeover in archive.champions.values()}
    with pytest.raises(ArchiveFileError, match="holds a part of a run"):
        archive.require_whole()


@pytest.mark.parametrize(
    "selection",
    [
        *(None, [], {}, {"classes": [10], "at_least": 0, "whole_archive_sha256": ""}),
        {"classes": [], "at_least": 2, "whole_archive_sha256": ""},
        {"classes": 3, "at_least": 0, "whole_archive_sha256": ""},
    ],
)
def test_refuses_a_selection_that_is_none(tmp_path, selection):
    path = extended(tmp_path / "run.zip")

    changed = tampered(path, {"run.json": with_json(selection=selection)})

    assert "run.json does not describe a run" in refusal(changed)


def test_selects_champions_by_confidence(tmp_path):
    found, _ = history_of(NETWORKS)
    last = {takeover.class_index: takeover.confidence for takeover in found.changes}
    least = sorted(last.values())[6]

    archive = checked(extended(tmp_path / "run.zip", selection=Selection(at_least=least)))

    assert set(archive.champions) == {index for index, confidence in last.items() if confidence >= least}


def test_tells_what_was_bred_by_hand(tmp_path):
    found, _ = history_of(NETWORKS)
    path = tmp_path / "run.zip"

    write_archive(path, description(NETWORKS, kind="breeding"), found, random_state=None)

    assert checked(path).run.kind == "breeding"
    assert "'magic' is none of" in refusal(tampered(path, {"run.json": with_json(kind="magic")}))
