"""The callback knows the words of what Keras is fed with: by a vocabulary, a function, or texts beside the data."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.keras import ActivisCallback
from activis_tb.model import LayerSpec
from tests.unit.keras.models import snapshots

CLASSES = ["question", "answer"]
TEXTS = ["what is a cab", "a cab is a car", "what", "", "name the city of light and of love"]
Y = np.array([0, 1, 0, 1, 0])
STEPS = 6
layers = keras.layers
SPECS = [LayerSpec("conv3", tokens="max", offset=1), "lstm", "hidden"]


def vectorisation() -> keras.layers.TextVectorization:
    vectorise = layers.TextVectorization(output_sequence_length=STEPS)
    vectorise.adapt(TEXTS)
    return vectorise


def model(vocabulary: int) -> keras.Model:
    """Word ids to a convolution, and to an LSTM over what is no padding."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((STEPS,), dtype="int64")
    convolved = layers.Conv1D(4, 3, activation="relu", name="conv3")(layers.Embedding(vocabulary, 5)(inputs))
    masked = layers.Embedding(vocabulary, 5, mask_zero=True)(inputs)
    sequence = layers.LSTM(3, return_sequences=True, name="lstm")(masked)
    last = layers.Lambda(lambda values: values[:, -1])(sequence)
    joined = layers.Concatenate()([layers.GlobalMaxPooling1D()(convolved), last])
    hidden = layers.Dense(4, name="hidden")(joined)
    one = keras.Model(inputs, layers.Dense(2, activation="softmax", name="output")(hidden))
    one.compile("sgd", "sparse_categorical_crossentropy")
    return one


def by_word(words: list[list[str]], values: np.ndarray, offset: int) -> dict[str, np.ndarray]:
    """All activations at every word, (times, neurons)."""
    found: dict[str, list[np.ndarray]] = {}
    for texts, positions in zip(words, values, strict=True):
        for place in range(len(positions)):
            if texts[place + offset]:
                found.setdefault(texts[place + offset], []).append(positions[place])
    return {word: np.array(rows) for word, rows in found.items()}


def check(reader, one, x, words):
    for name, offset in (("conv3", 1), ("lstm", 0)):
        values = keras.Model(one.inputs, one.get_layer(name).output).predict(x, verbose=0)
        expected = by_word(words, values, offset)
        table, top = reader.tokens(name), reader.top_positions(name)
        assert table.distinct == len(expected)
        assert set(table.tokens) == {word for word, rows in expected.items() if len(rows) >= 3}
        for word, mean in zip(table.tokens, table.mean, strict=True):
            np.testing.assert_allclose(mean, expected[word].mean(axis=0), rtol=1e-5, atol=1e-6)
        strongest = np.sort(np.concatenate(list(expected.values())), axis=0)[::-1][: top.value.shape[1]]
        np.testing.assert_allclose(top.value[:, : len(strongest)].T, strongest, rtol=1e-5, atol=1e-6)
        assert (top.before, top.after) == (offset, offset)
    assert reader.tokens("conv3").max is not None
    assert reader.tokens("hidden") is None


def test_the_words_are_those_of_the_vocabulary_of_a_function_and_of_texts(tmp_path):
    vectorise = vectorisation()
    x = np.asarray(vectorise(TEXTS))
    vocabulary = vectorise.get_vocabulary()
    words = [[vocabulary[number] for number in row] for row in x]
    one = model(len(vocabulary))
    tokenizer = SimpleNamespace(index_word={number: word for number, word in enumerate(vocabulary) if number})
    ways = {"vocabulary": vectorise, "tokenizer": tokenizer, "texts": words}
    ways["function"] = lambda batch: [[vocabulary[number] for number in row] for row in np.asarray(batch)]
    for way, tokens in ways.items():
        options = {"layers": SPECS, "classes": CLASSES, "tokens": tokens, "batch_size": 2, "quiet": True}
        activis_tb.keras.record(one, (x, Y), tmp_path / way, **options)
        check(snapshots(tmp_path / way)[0], one, x, words)


def test_every_epoch_has_its_tokens(tmp_path):
    vectorise = vectorisation()
    x = np.asarray(vectorise(TEXTS))
    callback = ActivisCallback(tmp_path, x, Y, layers=SPECS, classes=CLASSES, tokens=vectorise, strict=True, quiet=True)
    one = model(vectorise.vocabulary_size())
    one.fit(x, Y, epochs=2, verbose=0, callbacks=[callback])
    found = snapshots(tmp_path)
    assert list(found) == [0, 1]
    words = [[vectorise.get_vocabulary()[number] for number in row] for row in x]
    check(found[1], one, x, words)


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        (SimpleNamespace(index_word={1: "what"}), "tokens: got the id [0-9]+ in x; expected ids from 0 to 1, as the"),
        (lambda batch: np.asarray(batch), r"tokens: got int64 of shape \(5, 6\); expected texts. Give what the num"),
        (lambda batch: [["what"]] * len(batch), "tokens: got 1 texts for instance 0; expected"),
        ([["what"] * STEPS] * 4, "tokens: got 4 values; expected 5, one per instance of x"),
        ([["what"] * 3] * 5, "tokens: got 3 texts for instance 0; expected"),
    ],
)
def test_tokens_that_do_not_fit_are_refused_before_the_first_step(tmp_path, tokens, sentence):
    vectorise = vectorisation()
    x = np.asarray(vectorise(TEXTS))
    one = model(vectorise.vocabulary_size())
    before = [weights.copy() for weights in one.get_weights()]

    def train():
        callback = ActivisCallback(tmp_path, x, Y, layers=SPECS, classes=CLASSES, tokens=tokens, quiet=True)
        one.fit(x, Y, epochs=1, verbose=0, callbacks=[callback])

    with pytest.raises(ArgumentError, match=sentence):
        train()
    for weights, after in zip(before, one.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, after)
