"""The classes of ImageNet, their branches and groups, and how the table is derived."""

from collections import Counter

import pytest

from models_zoo import derive_wordnet
from models_zoo.errors import UnknownGroup
from models_zoo.wordnet import (
    CLASSES,
    IMAGENET_LABELS,
    TITLES,
    WNIDS,
    branch_of,
    branches,
    group,
    groups,
    path_of,
)

# A small WordNet in the form of data.noun: number, file, type, words in hexadecimal, words, pointers.
NOUNS = """\
  1 This line belongs to a licence.
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | all there is
02084071 03 n 02 dog 0 domestic_dog 0 001 @ 00000001 n 0000 | barks
02085374 05 n 01 toy_dog 0 002 @ 02084071 n 0000 ~ 02085620 n 0000 | small
02085620 05 n 01 crane 0 001 @ 02085374 n 0000 | not a real one
03126707 06 n 02 crane 0 derrick 1 002 @i 00000001 n 0000 + 02085620 v 0000 | lifts
"""


def test_has_a_thousand_classes_in_the_order_of_their_ids():
    assert len(CLASSES) == 1000
    assert [known.class_index for known in CLASSES] == list(range(1000))
    assert list(WNIDS) == sorted(WNIDS)


def test_gives_no_two_classes_one_label():
    assert len(set(IMAGENET_LABELS)) == 1000
    assert [label for label in IMAGENET_LABELS if label.startswith("crane")] == [
        "crane (wading bird)",
        "crane (lifting device)",
    ]


def test_knows_some_classes_by_heart():
    assert (IMAGENET_LABELS[0], WNIDS[0]) == ("tench", "n01440764")
    assert IMAGENET_LABELS[340] == "zebra"
    assert IMAGENET_LABELS[949] == "strawberry"


def test_puts_every_class_on_one_branch():
    counted = Counter(class_index for branch in branches() for class_index in branch.class_indices)

    assert counted == Counter(range(1000))
    assert all(branch.class_indices for branch in branches())
    assert branch_of(340) == "hoofed-animals"


def test_knows_the_groups_of_the_paper():
    assert group("cats-and-dogs") == tuple(range(151, 287))
    assert group("toy-dogs") == tuple(range(151, 159))
    assert group("lizards") == tuple(range(38, 49))


def test_makes_groups_of_branches():
    assert len(group("birds")) == len(group("water-birds")) + len(group("other-birds")) == 59
    assert list(group("vehicles")) == sorted(group("vehicles"))


def test_names_the_groups_to_who_asks_for_an_unknown_one():
    with pytest.raises(UnknownGroup, match=r"'unicorns'.*beasts-of-prey, birds"):
        group("unicorns")


def test_says_what_a_class_is_a_kind_of():
    assert path_of(151)[-3:] == ("dog", "toy dog", "Chihuahua")
    assert set(groups()["dogs"]) < set(group("cats-and-dogs"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "classes.csv").write_text("wnid\nn03126707\nn02085620\n")
    return tmp_path


def test_derives_the_table(folder, capsys):
    table = folder / "table.csv"

    derive_wordnet.main([str(folder), "--classes", str(folder / "classes.csv"), "--output", str(table)])

    assert table.read_text().splitlines() == [
        "class_index,wnid,label,branch,path",
        "0,n02085620,crane (toy dog),dogs,dog > toy dog > crane",
        "1,n03126707,crane (entity),household,crane",
    ]
    assert "2 classes written" in capsys.readouterr().out


def test_gives_every_branch_a_rule_and_a_title():
    assert set(derive_wordnet.BRANCHES) == set(TITLES)


def test_says_where_wordnet_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        derive_wordnet.main([str(tmp_path), "--output", str(tmp_path / "table.csv")])

    assert "give the folder of WordNet 3.0" in capsys.readouterr().err
    assert not (tmp_path / "table.csv").exists()
