"""Taking in a classifier of one's own: whole or not at all."""

import io
import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from models_zoo import registry
from models_zoo.errors import ImportRefused, UnknownClassifier, WeightsCorrupted, WeightsMissing
from models_zoo.imported import CARD, WEIGHTS, StoredCard, classifiers_folder, remove, stored_card
from models_zoo.importing import prepare
from tests.models_zoo.own import COLOURS, DIGITS_FILE, colour_weights, colours, digits, written


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def weights():
    return colour_weights()


def nothing_is_left():
    folder = classifiers_folder()
    return not folder.exists() or list(folder.iterdir()) == []


class TestStoring:
    def test_lists_and_loads_it_like_any_other(self):
        entry = prepare(digits(title="My digits"), DIGITS_FILE).store()

        images = np.random.default_rng(1).random((3, 1, 28, 28), dtype=np.float32)
        assert registry.find("my-digits") == entry
        assert entry in registry.all_entries()
        assert (entry.title, entry.labels, entry.dataset) == ("My digits", registry.DIGITS, "mnist")
        np.testing.assert_array_equal(
            registry.load("my-digits", "cpu")(images), registry.load("mnist-mlp", "cpu")(images)
        )

    def test_keeps_the_weights_hash_on_the_card(self):
        entry = prepare(digits(), DIGITS_FILE).store()

        entry.require_weights()
        (classifiers_folder() / "my-digits" / WEIGHTS).write_bytes(b"{}" * 100)
        with pytest.raises(
            WeightsCorrupted, match=r"does not match the hash on its card; manage.py import_classifier"
        ):
            entry.require_weights()

    def test_takes_half_precision_as_float32(self, weights, tmp_path):
        half = {name: values.half() for name, values in weights.items()}

        prepare(colours(), written(half, tmp_path / "half.safetensors")).store()

        stored = safetensors.torch.load_file(classifiers_folder() / "my-colours" / WEIGHTS)
        assert {values.dtype for values in stored.values()} == {torch.float32}
        assert torch.equal(stored["features.0.weight"], half["features.0.weight"].float())

    def test_turns_channels_as_told(self, weights, tmp_path):
        path = written(weights, tmp_path / "w.safetensors")
        bgr = prepare(colours(), path)
        rgb = prepare(colours(name="turned", channel_order="rgb"), path)

        images = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(1))

        assert np.abs(bgr.classifier()(images.flip(1)) - bgr.classifier()(images)).max() > 1e-3

        np.testing.assert_allclose(rgb.classifier()(images.flip(1)), bgr.classifier()(images), atol=1e-5)
        np.testing.assert_allclose(
            bgr.classifier(channel_order="rgb")(images.flip(1)), bgr.classifier()(images), atol=1e-5
        )

    def test_writes_the_same_weights_twice_alike(self, weights, tmp_path):
        path = written(weights, tmp_path / "w.safetensors")

        assert prepare(colours(), path).card.sha256 == prepare(colours(name="again"), path).card.sha256

    def test_leaves_a_name_to_whoever_had_it_first(self):
        prepare(digits(), DIGITS_FILE).store()
        late = prepare(digits(name="late"), DIGITS_FILE)
        late.card = stored_card("my-digits")

        with pytest.raises(ImportRefused, match="name 'my-digits' is taken"):
            prepare(digits(), DIGITS_FILE)
        with pytest.raises(ImportRefused, match="name 'my-digits' is taken"):
            late.store()
        assert [path.name for path in classifiers_folder().iterdir()] == ["my-digits"]

    @pytest.mark.parametrize("name", ["mnist-lenet", "alexnet", "import"])
    def test_leaves_the_projects_names_alone(self, name):
        with pytest.raises(ImportRefused, match=f"name '{name}' is the project's own"):
            prepare(digits(name=name), DIGITS_FILE)

    def test_says_where_it_cannot_write(self, tmp_path):
        (tmp_path / "home").write_text("a file")

        with pytest.raises(ImportRefused, match="cannot be written to"):
            prepare(digits(), DIGITS_FILE).store()


class TestRefusing:
    def refused(self, description, path):
        with pytest.raises(ImportRefused) as refusal:
            prepare(description, path).store()
        assert "\n" not in str(refusal.value)
        assert nothing_is_left()
        with pytest.raises(UnknownClassifier):
            registry.find(description.name)
        return str(refusal.value)

    def test_names_the_first_weights_that_are_missing_and_unknown(self, weights, tmp_path):
        other = {f"model.{name}": values for name, values in weights.items()}

        line = self.refused(colours(), written(other, tmp_path / "w.safetensors"))

        assert "do not fit torchvision:squeezenet1_1: missing features.0.weight, features.0.bias" in line
        assert "unknown model.classifier.1.bias" in line
        assert "more" in line

    def test_names_weights_of_another_shape(self, weights, tmp_path):
        line = self.refused(colours(labels=(*COLOURS, "black")), written(weights, tmp_path / "w.safetensors"))

        assert "with 4 labels: classifier.1.bias is [3] instead of [4]" in line

    def test_refuses_a_truncated_file(self, tmp_path):
        path = tmp_path / "w.safetensors"
        path.write_bytes(DIGITS_FILE.read_bytes()[:-1000])

        assert "w.safetensors is no whole safetensors file" in self.refused(digits(), path)

    @pytest.mark.parametrize("length", [0, 3, 8, 40])
    def test_refuses_the_first_bytes_of_a_file(self, length, tmp_path):
        path = tmp_path / "w.safetensors"
        path.write_bytes(DIGITS_FILE.read_bytes()[:length])

        assert "no whole safetensors file" in self.refused(digits(), path)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
    def test_refuses_a_picture(self, kind, tmp_path):
        path = tmp_path / "w.safetensors"
        Image.new("RGB", (64, 64)).save(path, format=kind)

        assert "is a picture" in self.refused(digits(), path)

    def test_never_opens_a_pickle(self, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (tmp_path.joinpath("exploded").touch, ())

        path = tmp_path / "w.safetensors"
        new, old = io.BytesIO(), io.BytesIO()
        torch.save({"fc1.weight": Bomb()}, new)
        torch.save({"fc1.weight": Bomb()}, old, _use_new_zipfile_serialization=False)

        for content in (new.getvalue(), old.getvalue(), pickle.dumps(Bomb())):
            path.write_bytes(content)
            assert "is a pickle" in self.refused(digits(), path)
        assert not (tmp_path / "exploded").exists()

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_refuses_weights_that_are_no_numbers(self, value, weights, tmp_path):
        broken = {**weights, "features.0.bias": torch.full_like(weights["features.0.bias"], value)}

        line = self.refused(colours(), written(broken, tmp_path / "w.safetensors"))

        assert "NaN or infinity in features.0.bias" in line

    def test_refuses_a_classifier_that_answers_with_nan(self, weights, tmp_path):
        huge = {name: values * 1e30 for name, values in weights.items()}

        line = self.refused(colours(), written(huge, tmp_path / "w.safetensors"))

        assert "'my-colours' answers a trial with NaN" in line

    def test_refuses_an_input_too_small_for_the_network(self, weights, tmp_path):
        line = self.refused(
            colours(input_size="4", resize="none"), written(weights, tmp_path / "w.safetensors")
        )

        assert "input size 4 does not suit torchvision:squeezenet1_1" in line

    def test_refuses_channels_that_the_network_does_not_have(self):
        assert "mnist-mlp takes grey" in self.refused(digits(channel_order="rgb"), DIGITS_FILE)
        assert "takes rgb or bgr" in self.refused(digits(architecture="torchvision:alexnet"), DIGITS_FILE)

    def test_refuses_a_file_that_is_not_there_or_is_a_folder(self, tmp_path):
        assert "does not exist" in self.refused(digits(), tmp_path / "nothing")
        assert "cannot be read" in self.refused(digits(), tmp_path)

    def test_refuses_a_file_without_weights(self, tmp_path):
        assert "holds no weights" in self.refused(digits(), written({}, tmp_path / "w.safetensors"))


class TestCardAlone:
    """A classifier of another site, known by its card."""

    @pytest.fixture(autouse=True)
    def card(self):
        prepare(digits(title="From elsewhere"), DIGITS_FILE).store()
        (classifiers_folder() / "my-digits" / WEIGHTS).unlink()

    def test_says_which_command_brings_the_weights(self):
        entry = registry.find("my-digits")

        with pytest.raises(
            WeightsMissing, match=r"manage.py import_classifier my-digits --weights FILE brings it"
        ):
            entry.require_weights()

    def test_is_complete_again_with_its_weights(self):
        prepare(digits(title="Something else"), DIGITS_FILE).store()

        entry = registry.find("my-digits")
        entry.require_weights()
        assert entry.title == "From elsewhere"

    def test_takes_no_other_weights(self, tmp_path):
        other = {name: values * 2 for name, values in safetensors.torch.load_file(DIGITS_FILE).items()}

        with pytest.raises(ImportRefused, match="these are other weights than the card of 'my-digits' names"):
            prepare(digits(), written(other, tmp_path / "w.safetensors"))

    @pytest.mark.parametrize(
        ("changes", "fact"),
        [({"scale": "255"}, "preprocessing"), ({"labels": tuple("abcdefghij")}, "labels")],
    )
    def test_is_not_described_anew(self, changes, fact):
        with pytest.raises(
            ImportRefused, match=f"'my-digits' is known here with other {fact}; choose another"
        ):
            prepare(digits(**changes), DIGITS_FILE)


class TestTitles:
    @pytest.mark.parametrize("title", ["Mine", " mine", "MINE", "first"])
    def test_refuses_a_title_that_another_has(self, title):
        prepare(digits(name="first", title="Mine"), DIGITS_FILE).store()

        with pytest.raises(ImportRefused, match="is that of 'first'; choose another") as refusal:
            prepare(digits(title=title), DIGITS_FILE)

        assert refusal.value.about == "title"

    def test_refuses_the_projects_own_titles(self):
        with pytest.raises(ImportRefused, match="title 'LeNet' is that of 'mnist-lenet'"):
            prepare(digits(title="LeNet"), DIGITS_FILE)


class TestRemoving:
    @pytest.fixture(autouse=True)
    def mine(self):
        prepare(digits(title="Mine"), DIGITS_FILE).store()

    def test_leaves_nothing(self):
        remove("my-digits", keep_card=False)

        assert not (classifiers_folder() / "my-digits").exists()
        with pytest.raises(UnknownClassifier):
            registry.find("my-digits")

    def test_leaves_the_card_where_something_names_it(self):
        remove("my-digits", keep_card=True)

        assert registry.find("my-digits").title == "Mine"
        with pytest.raises(WeightsMissing):
            registry.find("my-digits").require_weights()

    def test_says_what_cannot_be_removed(self):
        with pytest.raises(ImportRefused, match="nothing cannot be removed"):
            remove("nothing", keep_card=False)


class TestListing:
    def test_sees_at_once_what_another_process_took_in(self):
        assert "my-digits" not in [entry.name for entry in registry.all_entries()]

        prepare(digits(), DIGITS_FILE).store()

        assert "my-digits" in [entry.name for entry in registry.all_entries()]

    def test_sees_a_card_that_was_changed(self):
        prepare(digits(), DIGITS_FILE).store()
        registry.find("my-digits")
        path = classifiers_folder() / "my-digits" / CARD
        facts = json.loads(path.read_text())
        facts["description"]["title"] = "Renamed"
        path.write_text(json.dumps(facts))

        assert registry.find("my-digits").title == "Renamed"

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": 1}', '{"version": 99}'])
    def test_lets_a_damaged_card_hide_nothing_else(self, text, caplog):
        prepare(digits(), DIGITS_FILE).store()
        damaged = classifiers_folder() / "damaged"
        damaged.mkdir()
        (damaged / CARD).write_text(text)

        names = [entry.name for entry in registry.all_entries()]

        assert "my-digits" in names
        assert "damaged" not in names
        assert "is damaged" in caplog.text

    def test_does_not_see_what_is_unfinished(self):
        unfinished = classifiers_folder() / ".unfinished-x"
        unfinished.mkdir(parents=True)
        (unfinished / CARD).write_text("{}")

        assert all(not entry.name.startswith(".") for entry in registry.all_entries())

    def test_gives_a_card_back_as_it_was(self):
        card = prepare(colours(), written_colours()).card

        assert StoredCard.from_json(card.to_json()) == card


def written_colours():
    path = classifiers_folder().parent / "w.safetensors"
    path.parent.mkdir(exist_ok=True)
    return written(colour_weights(), path)
