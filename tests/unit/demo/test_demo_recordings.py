"""What the demos record equals what their models compute; one short training of each."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

import people
import question_grammar
import trec
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.metadata import parse_tag
from tests.data import TREC, needed
from trec import CLASSES


class Recording(NamedTuple):
    model: keras.Model
    directory: Path
    snapshots: dict[int, SnapshotReader]


def read_snapshots(directory: Path) -> dict[int, SnapshotReader]:
    """Returns the snapshots in the event files of `directory`, by step."""
    snapshots = {}
    for path in sorted(directory.glob("*tfevents*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if tag := parse_tag(value.tag):
                    blobs = tensor_util.make_ndarray(value.tensor)
                    snapshots[tag.step] = SnapshotReader(blobs[0], blobs.__getitem__)
    return snapshots


def read_scalars(directory: Path, tag: str) -> list[int]:
    """Returns the steps at which the scalar `tag` stands in the event files of `directory`."""
    events = [event for path in directory.glob("*tfevents*") for event in EventFileLoader(str(path)).Load()]
    return [event.step for event in events for value in event.summary.value if value.tag == tag]


@pytest.fixture(scope="module")
def questions():
    return question_grammar.generate()


@pytest.fixture(scope="module")
def words(tmp_path_factory, questions):
    from word_cnn import train

    directory = tmp_path_factory.mktemp("words")
    model = train(directory, questions, dropout=0.5, epochs=2)
    return Recording(model, directory, read_snapshots(directory / "activis"))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    from digit_cnn import train

    directory = tmp_path_factory.mktemp("digits")
    model = train(directory, epochs=2)
    return Recording(model, directory, read_snapshots(directory / "validation"))


@pytest.fixture(scope="module")
def income(tmp_path_factory):
    from dense_network import train

    directory = tmp_path_factory.mktemp("income")
    model = train(directory, people.breast_cancer(), epochs=2)
    return Recording(model, directory, read_snapshots(directory / "activis"))


def outputs(model: keras.Model, layers: tuple[str, ...], x: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the layers' own outputs, pooled to (instances, neurons) by their maximum."""
    values = keras.Model(model.input, [model.get_layer(layer).output for layer in layers]).predict(x, verbose=0)
    return {layer: value.max(axis=tuple(range(1, value.ndim - 1))) for layer, value in zip(layers, values, strict=True)}


def assert_equals_the_model(snapshot: SnapshotReader, activations: dict[str, np.ndarray], membership: np.ndarray):
    """Compares with `activations`, each (instances, neurons), and `membership`, (instances, subsets)."""
    index = snapshot.sample().index
    assert sorted(index) == list(range(len(membership)))
    np.testing.assert_array_equal(snapshot.membership(), membership[index])
    for layer, values in activations.items():
        np.testing.assert_allclose(snapshot.activations(layer), values[index], rtol=1e-5, atol=1e-6)
        members = [values[column].astype(np.float64) for column in membership.T]
        expected = {
            "mean": [rows.mean(axis=0) for rows in members],
            "std": [rows.std(axis=0) for rows in members],
            "max": [rows.max(axis=0) for rows in members],
            "active": [(rows > 0).mean(axis=0) for rows in members],
        }
        for statistic, numbers in expected.items():
            np.testing.assert_allclose(snapshot.statistic(layer, statistic), numbers, rtol=1e-5, atol=1e-6)


def test_questions_are_recorded_as_the_model_computes_them(words, questions):
    from word_cnn import LAYERS, examples, word_numbers

    x, y = examples(questions.test, word_numbers([question.text for question in questions.training]))
    what_is = np.array([question.text.startswith("What is ") for question in questions.test])
    membership = np.column_stack([y[:, None] == np.arange(len(CLASSES)), what_is])
    assert_equals_the_model(words.snapshots[1], outputs(words.model, LAYERS, x), membership)


def test_words_of_the_convolutions_are_those_of_the_questions(words, questions):
    from word_cnn import OFFSETS, examples, word_numbers

    vectorise = word_numbers([question.text for question in questions.training])
    x, _ = examples(questions.test, vectorise)
    vocabulary = vectorise.get_vocabulary()
    for layer, offset in OFFSETS.items():
        values = keras.Model(words.model.input, words.model.get_layer(layer).output).predict(x, verbose=0)
        ids = x[:, offset : offset + values.shape[1]]
        table = words.snapshots[1].tokens(layer)
        assert len(table.tokens) == np.count_nonzero(np.bincount(ids[ids > 0]) >= table.least)
        for token, count, mean in zip(table.tokens, table.count, table.mean, strict=True):
            at = ids == vocabulary.index(token)
            assert count == at.sum()
            np.testing.assert_allclose(mean, values[at].mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_neuron_of_conv3_answers_to_country_city_and_capital(tmp_path):
    from word_cnn import train

    train(tmp_path, trec.read(needed(TREC)), dropout=0.5, epochs=4)
    table = read_snapshots(tmp_path / "activis")[3].tokens("conv3")
    strongest = np.argsort(-table.mean, axis=0)[:15]
    drives = [set(table.tokens[rows]) for rows in strongest.T]
    assert any({"country", "city", "capital"} <= words for words in drives)


def test_questions_are_recorded_whole_after_every_epoch_at_the_steps_of_the_scalars(words, questions):
    assert sorted(words.snapshots) == [0, 1] == read_scalars(words.directory / "train", "epoch_accuracy")
    sample = words.snapshots[0].sample()
    text = next(attribute for attribute in sample.attributes if attribute.name == "text")
    assert text.type == "text"
    assert text.values[sample.index == 121].tolist() == ["What is the diameter of a golf ball ?"]
    assert not sample.ids_given


def test_digits_are_recorded_as_the_model_computes_them(digits):
    from digit_cnn import LAYERS
    from digit_cnn import digits as load

    _, x, _, y = load()
    subsets = [np.isin(y, [1, 7, 9]), x.mean(axis=(1, 2, 3)) < 0.27]
    membership = np.column_stack([y[:, None] == np.arange(10), *subsets])
    assert_equals_the_model(digits.snapshots[1], outputs(digits.model, LAYERS, x), membership)
    assert sorted(digits.snapshots) == [0, 1] == read_scalars(digits.directory / "train", "loss")


def test_income_is_recorded_as_the_model_computes_it(income):
    from dense_network import LAYERS, make_features

    data = people.breast_cancer()
    x = make_features(data.training)(data.test)
    classes = data.test.labels[:, None] == np.arange(2)
    parts = [quarters(values) for values in list(data.test.numbers.values())[:16]]
    assert_equals_the_model(income.snapshots[1], outputs(income.model, LAYERS, x), np.hstack([classes, *parts]))
    assert len(income.snapshots[1].manifest.subsets) == 2 + 64
    assert income.snapshots[1].manifest.stored == len(x) == 114
    assert len(income.snapshots[1].manifest.attributes) == 30


def quarters(values: np.ndarray) -> np.ndarray:
    """Returns which quarter each value is in, boolean (instances, quarters)."""
    borders = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
    return np.searchsorted(borders, values)[:, None] == np.arange(4)


def test_income_has_test_cases_beside_its_data(income):
    from dense_network import make_features

    data = people.breast_cancer()
    examples = income.snapshots[1].examples()
    assert examples.ids.tolist() == ["test case median malignant", "test case median benign"]
    scores = income.model.predict(make_features(data.training)(data.cases), verbose=0)[:, 0]
    np.testing.assert_allclose(examples.scores[:, 1], scores, rtol=1e-5)
    radius = income.snapshots[1].example_attribute("mean radius").values
    training = np.concatenate([data.training.labels, data.test.labels])
    values = np.concatenate([data.training.numbers["mean radius"], data.test.numbers["mean radius"]])
    np.testing.assert_allclose(radius, [np.median(values[training == label]) for label in (0, 1)])


def test_a_digit_s_picture_is_its_pixels_eight_times_as_large_and_dark_on_white(digits):
    import tensorflow as tf

    from digit_cnn import digits as load

    _, x, _, _ = load()
    sample = digits.snapshots[0].sample()
    image = next(attribute for attribute in sample.attributes if attribute.name == "image")
    assert image.type == "image"
    picture = tf.io.decode_png(image.values[0]).numpy()
    assert picture.shape == (64, 64, 1)
    expected = np.round(255 * (1 - x[sample.index[0]]))
    np.testing.assert_array_equal(picture[::8, ::8], expected)
    np.testing.assert_array_equal(picture[7::8, 7::8], expected)


def test_recorded_layers_stand_in_the_recorded_graph(words, digits, income):
    for recording, layers in ((words, 6), (digits, 3), (income, 3)):
        manifest = recording.snapshots[1].manifest
        assert manifest.graph_digest
        assert len({layer.tensor for layer in manifest.layers} - {""}) == layers
