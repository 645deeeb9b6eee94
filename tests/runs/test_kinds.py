"""What a wall knows of its classes."""

from fooling_web.runs.kinds import classes_named, classes_of
from models_zoo.wordnet import CLASSES, IMAGENET_LABELS, group, path_of

DIGITS = tuple("0123456789")


def members(pairs: list[int]) -> list[int]:
    """Read from, to, from, to, ... one by one."""
    found: list[int] = []
    for first, last in zip(pairs[::2], pairs[1::2], strict=True):
        found += range(first, last + 1)
    return found


def test_hangs_every_imagenet_class_under_exactly_one_branch() -> None:
    branches = classes_of(IMAGENET_LABELS)["branches"]

    assert sorted(index for branch in branches for index in branch["classes"]) == list(range(1000))


def test_tells_of_which_kinds_each_class_is() -> None:
    told = classes_of(IMAGENET_LABELS)["kinds"]

    kinds: dict[int, set[str]] = {}
    for kind, pairs in told.items():
        for class_index in members(pairs):
            kinds.setdefault(class_index, set()).add(kind)
    assert kinds == {known.class_index: set(path_of(known.class_index)[:-1]) for known in CLASSES}


def test_knows_no_kinds_of_other_classes() -> None:
    assert classes_of(DIGITS) == {"labels": DIGITS, "branches": [], "kinds": {}}


def test_finds_lizards_that_are_not_called_so() -> None:
    found = classes_named(IMAGENET_LABELS, "lizard")

    assert set(group("lizards")) <= set(found)
    assert any("lizard" not in IMAGENET_LABELS[index] for index in found)


def test_wants_every_word() -> None:
    assert classes_named(IMAGENET_LABELS, "great SHARK") == [IMAGENET_LABELS.index("great white shark")]


def test_finds_nothing_where_nothing_is() -> None:
    assert classes_named(IMAGENET_LABELS, "unicorn") == []


def test_lists_all_where_nothing_is_asked() -> None:
    assert classes_named(DIGITS, " ") == list(range(10))
