"""Choosing images: what comes into a study, from where, with what is known of it."""

import random
from contextlib import suppress
from typing import Any

import pytest

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Collection
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.studies import arranging, building
from fooling_web.studies.asking import ask_all, complaint_of
from fooling_web.studies.choosing import Asked, Candidate, Refused, add_evolved, add_one, draw
from fooling_web.studies.freezing import complaints_about
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.naturals import add_digits, add_uploads
from fooling_web.studies.sixteen import LABELS, SIXTEEN, category_of
from tests.studies.built import drafted, hung, sent

pytestmark = pytest.mark.django_db
ANY = random.Random(3)


@pytest.fixture
def shown(alice: Any) -> Run:
    return hung(alice)


@pytest.fixture
def study(alice: Any) -> Study:
    return building.begin(alice, "")


def candidates(count: int, labels: int = 10, **more: Any) -> list[Candidate]:
    names = {"branch": "", "encoding": "cppn", "classifier": "mnist-lenet", **more}
    return [
        Candidate(n, "mnist", n % labels, str(n % labels), confidence=n / count, **names)
        for n in range(count)
    ]


class TestDrawing:
    def test_takes_each_label_once(self) -> None:
        drawn = draw({None: candidates(100)}, Asked(count=48), ANY)

        assert len(drawn) == 10
        assert len({one.label for one in drawn}) == 10

    def test_takes_as_many_of_each_pile(self) -> None:
        piles = {"few": candidates(4, labels=100), "many": candidates(100, labels=100)[4:]}

        drawn = draw(piles, Asked(count=8, each_label_once=False), ANY)

        assert [one.individual < 4 for one in drawn].count(True) == 4

    def test_takes_so_many_labels_alone(self) -> None:
        drawn = draw(
            {None: candidates(200, labels=50)}, Asked(count=12, labels=4, each_label_once=False), ANY
        )

        assert (
            sorted([one.label for one in drawn].count(label) for label in {one.label for one in drawn})
            == [3] * 4
        )

    def test_gives_the_same_for_the_same_seed(self) -> None:
        asked = Asked(count=12, labels=4, each_label_once=False)
        piles = {None: candidates(200, labels=50)}

        assert draw(piles, asked, random.Random(5)) == draw(piles, asked, random.Random(5))


class TestFromTheGalleries:
    def test_knows_what_the_classifier_said(self, shown: Run, study: Study, alice: Any) -> None:
        add_evolved(study, alice, Asked(count=4), ANY)

        for image in study.images.filter(role="main").select_related("individual"):
            champion = shown.champions.get(class_index=image.class_index)
            assert image.individual in (champion.individual, *[c.individual for c in shown.champions.all()])
            assert image.confidence == pytest.approx(champion.confidence)
            top = image.individual.top
            assert image.machine_index == top[0][0]
            assert image.second_index == next(index for index, _ in top if index != image.class_index)
            assert (image.dataset, image.encoding, image.side) == ("mnist", "cppn", 28)

    def test_brings_practice_images_that_are_not_asked_about(
        self, shown: Run, study: Study, alice: Any
    ) -> None:
        add_evolved(study, alice, Asked(count=4), ANY)

        roles = list(study.images.values_list("role", flat=True))
        assert roles.count("main") == 4
        assert 0 < roles.count("practice") <= 3
        assert study.images.values("sha256").distinct().count() == len(roles)

    def test_keeps_its_pictures_when_the_run_goes(self, shown: Run, study: Study, alice: Any) -> None:
        add_evolved(study, alice, Asked(count=2), ANY)
        shown.delete()

        image = study.images.all()[0]
        assert image.individual is None
        with image.picture.open() as file:
            assert file.read().startswith(b"\x89PNG")

    def test_takes_the_surest(self, shown: Run, study: Study, alice: Any) -> None:
        add_evolved(study, alice, Asked(count=1, spread="surest"), ANY)

        surest = max(champion.confidence for champion in shown.champions.all())
        assert study.images.get(role="main").confidence == pytest.approx(surest)

    def test_never_takes_an_image_twice(self, shown: Run, study: Study, alice: Any) -> None:
        asked = Asked(count=50, each_label_once=False)  # all that there are
        add_evolved(study, alice, asked, ANY)
        with pytest.raises(Refused, match="No image"):
            add_evolved(study, alice, asked, ANY)

        individuals = list(study.images.values_list("individual", flat=True))
        assert len(individuals) == len(set(individuals))

    def test_has_as_many_as_asked_for_though_an_archive_hangs_twice(
        self, study: Study, alice: Any, bob: Any
    ) -> None:
        runs = hung(alice), hung(bob)  # of the same seed, so the same pictures
        count = len({champion.individual.number for champion in runs[0].champions.all()})

        added = add_evolved(study, alice, Asked(count=count, each_label_once=False), ANY)

        pictures = list(study.images.filter(role="main").values_list("sha256", flat=True))
        assert len(pictures) == len(set(pictures)) == count
        assert added.notes == []

    def test_keeps_out_what_others_hide(self, study: Study, alice: Any, bob: Any) -> None:
        run = hung(bob)
        Run.objects.filter(pk=run.pk).update(visibility="private")

        with pytest.raises(Refused, match="not yours"):
            add_evolved(study, alice, Asked(count=2, wanted=Wanted(run=run.pk)), ANY)
        with pytest.raises(Refused, match="No image"):
            add_evolved(study, alice, Asked(count=2), ANY)
        assert add_evolved(study, bob, Asked(count=2, wanted=Wanted(run=run.pk)), ANY).numbers

    def test_takes_a_collection(self, shown: Run, study: Study, alice: Any) -> None:
        chosen = shown.champions.all()[0].individual
        collection = Collection.objects.create(owner=alice, title="Stripes")
        keeping.collect(chosen, collection)

        add_evolved(study, alice, Asked(count=5, collection=collection), ANY)

        assert study.images.get().individual == chosen

    def test_takes_one_that_was_picked(self, shown: Run, study: Study) -> None:
        champion = shown.champions.all()[3]

        add_one(study, champion.individual, champion.class_index)

        assert study.images.get().label == champion.label
        with pytest.raises(Refused, match="already"):
            add_one(study, champion.individual, None)

    def test_takes_each_label_once_of_each_encoding(self, shown: Run, study: Study, alice: Any) -> None:
        hung(alice, encoding="direct", seed=2)
        for encoding in ("cppn", "direct", "cppn"):
            with suppress(Refused):  # the third time no label is left
                add_evolved(study, alice, Asked(count=10, wanted=Wanted(encoding=encoding)), ANY)

        main = study.images.filter(role="main")
        for encoding in ("cppn", "direct"):
            labels = list(main.filter(encoding=encoding).values_list("label", flat=True))
            assert len(labels) == len(set(labels)) > 1

    def test_labels_images_of_imagenet_with_sixteen_categories(self, alice: Any) -> None:
        run = hung(alice, classifier="efficientnet-lite0", population=8, generations=1)
        study = building.begin(alice, "P8")
        building.fulfil(study, alice, random.Random(1))

        main = list(study.images.filter(role="main"))
        assert len(main) > 8
        assert {image.dataset for image in main} == {SIXTEEN}
        for image in main:
            assert image.label == LABELS[image.class_index]
            held = run.champions.filter(individual=image.individual).values_list("class_index", flat=True)
            assert image.class_index in {category_of(class_index) for class_index in held}

        assert ask_all(study) > 0
        for image in study.images.filter(role="main"):
            assert image.machine_label == LABELS[image.machine_index or 0]
            assert image.second_index not in (None, image.class_index)
            assert 0 < (image.confidence or 0) <= 1
        assert all("Practice" in complaint.text for complaint in complaints_about(study))  # so few images

    @pytest.mark.parametrize("framing", ["machine", "you"])
    def test_asks_what_the_machine_said_about_what_it_said(
        self, shown: Run, alice: Any, framing: str
    ) -> None:
        study = building.begin(alice, "")
        study.design = {**study.design, "framing": framing}
        study.save()
        deceived = shown.champions.first().individual  # type: ignore[union-attr]
        held = set(deceived.championships.values_list("class_index", flat=True))
        deceived.top = [[next(index for index in range(10) if index not in held), 0.9], [min(held), 0.1]]
        deceived.save()
        asked = Asked(count=50, each_label_once=False)
        added = add_evolved(study, alice, asked, ANY)

        assert ("which it says their own label" in " ".join(added.notes)) == (framing == "machine")
        said = {image.machine_is_right for image in study.images.all()}
        assert said == ({True} if framing == "machine" else {True, False})
        assert study.images.filter(individual=deceived).exists() == (framing == "you")

    def test_says_what_of_a_preset_cannot_be_had(self, shown: Run, alice: Any) -> None:
        study = building.begin(alice, "P5")

        added = building.fulfil(study, alice, ANY)

        assert study.images.filter(role="main", dataset="mnist", encoding="cppn").exists()
        assert any("ImageNet" in note for note in added.notes)


class TestNatural:
    def test_draws_no_digit_twice(self, study: Study) -> None:
        for _ in range(2):
            add_digits(study, 50, role="catch", classifier="", rng=random.Random(1))

        assert study.images.count() == len(set(study.images.values_list("source"))) == 100

    def test_takes_digits_of_every_kind(self, study: Study) -> None:
        add_digits(study, 10, role="catch", classifier="mnist-lenet", rng=ANY)

        images = study.images.filter(role="catch", is_natural=True, classifier="mnist-lenet")
        assert sorted(images.values_list("label", flat=True)) == [str(digit) for digit in range(10)]

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_takes_uploads(self, study: Study, kind: str) -> None:
        add_uploads(
            study,
            [sent(kind=kind)],
            dataset="imagenet",
            label="",
            role="main",
            classifier="",
        )

        image = study.images.get()
        assert (image.label, image.side, image.is_natural, image.branch) == ("goldfish", 256, True, "fish")

    @pytest.mark.parametrize(
        ("content", "label", "told"),
        [
            (b"no picture", "goldfish", "cannot be read"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "goldfish", "PNG, JPEG or WebP"),
            (None, "a thing that is no class", "no label"),
        ],
    )
    def test_refuses_what_is_no_such_picture(
        self, study: Study, content: bytes | None, label: str, told: str
    ) -> None:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = sent() if content is None else SimpleUploadedFile("x.png", content)

        with pytest.raises(Refused, match=told):
            add_uploads(study, [file], dataset="imagenet", label=label, role="main", classifier="")
        assert not study.images.exists()

    def test_refuses_a_tiny_picture(self, study: Study) -> None:
        with pytest.raises(Refused, match="at least 16"):
            add_uploads(
                study, [sent(size=(8, 8))], dataset="imagenet", label="goldfish", role="main", classifier=""
            )

    def test_asks_the_classifier(self, study: Study) -> None:
        add_digits(study, 10, role="catch", classifier="mnist-lenet", rng=ANY)
        assert ask_all(study) == 10

        images = list(study.images.all())
        assert sum(bool(image.machine_is_right) for image in images) >= 9
        for image in images:
            assert image.machine_confidence is not None
            assert image.second_index not in (None, image.class_index)
        assert ask_all(study) == 0

    def test_says_why_a_classifier_could_not_be_asked(self, study: Study) -> None:
        add_digits(study, 1, role="catch", classifier="mnist-lenet", rng=ANY)
        study.images.update(classifier="gone")
        ask_all(study)

        assert "gone" in complaint_of(study)


class TestArranging:
    def test_undoes_a_removal(self, shown: Run, alice: Any) -> None:
        study = drafted(alice)
        before = list(study.images.values())

        change = arranging.remove(study, [1, 2])
        assert study.images.count() == len(before) - 2
        arranging.undo(study, change)

        assert [{**row, "id": 0} for row in study.images.values()] == [{**row, "id": 0} for row in before]

    def test_gives_another_label_and_asks_anew(self, study: Study) -> None:
        add_digits(study, 1, role="catch", classifier="mnist-lenet", rng=ANY)
        image = study.images.get()
        wanted = "4" if image.label != "4" else "5"

        change = arranging.relabel(study, [1], wanted)

        relabelled = study.images.get()
        assert (relabelled.label, relabelled.class_index, relabelled.machine_index) == (
            wanted,
            int(wanted),
            None,
        )
        arranging.undo(study, change)
        assert study.images.get().label == image.label

    def test_takes_no_evolved_image_for_a_catch_trial(self, shown: Run, alice: Any) -> None:
        study = drafted(alice)

        with pytest.raises(Refused, match="evolved"):
            arranging.give_role(study, [1], StudyImage.Role.CATCH)

    def test_keeps_a_picture_that_another_study_shows(
        self, shown: Run, alice: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        study = drafted(alice)
        twin = building.copy(study, alice)
        picture = study.images.all()[0].picture

        with django_capture_on_commit_callbacks(execute=True):
            building.delete(study)
        assert picture.storage.exists(picture.name)

        with django_capture_on_commit_callbacks(execute=True):
            building.delete(twin)
        assert not picture.storage.exists(picture.name)
