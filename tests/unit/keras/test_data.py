"""Every form in which Keras takes validation data gives the same snapshot."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from activis_tb.keras import ActivisCallback
from tests.unit.keras.models import CLASSES, INSTANCES, X, Y, compiled, in_order, snapshots, text_cnn

ONE_HOT = np.eye(3, dtype=np.float32)[Y]


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, position):
        rows = slice(5 * position, 5 * position + 5)
        return X[rows], Y[rows]


def recorded(logdir, x, y, model=None, classes=CLASSES):
    callback = ActivisCallback(logdir, x, y, layers=["hidden"], classes=classes, batch_size=4)
    callback.set_model(model or compiled(text_cnn()))
    callback.record(0)
    reader = snapshots(logdir)[0]
    sample = reader.sample()
    return [in_order(reader, values) for values in (reader.activations("hidden"), sample.scores, sample.label)]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.astype(np.float64), Y.astype(np.float32)),
        (X, Y.tolist()),
        (tf.constant(X), tf.constant(Y)),
        ([X], Y[:, np.newaxis]),
        ({"signal": X}, [CLASSES[label] for label in Y]),
        (X, ONE_HOT),
        (tf.data.Dataset.from_tensor_slices((X, Y)).batch(5), None),
        (tf.data.Dataset.from_tensor_slices((X, ONE_HOT, np.ones(INSTANCES))).batch(5), None),
        (tf.data.Dataset.from_tensor_slices((X, np.array(CLASSES)[Y])).batch(5), None),
        (Pairs(), None),
    ],
    ids=[
        "float64",
        "labels in a list",
        "tensors",
        "list",
        "dict and names",
        "one-hot",
        "dataset",
        "weights",
        "names",
        "PyDataset",
    ],
)
@pytest.mark.filterwarnings("ignore:The structure of `inputs` doesn't match:UserWarning")
def test_every_form_of_data_gives_the_same_snapshot(tmp_path, x, y):
    for got, expected in zip(recorded(tmp_path / "a", x, y), recorded(tmp_path / "b", X, Y), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("classes", "y"),
    [
        ([3, 5, 4], np.array([3, 5, 4])[Y]),
        ([3, 5, 4], ONE_HOT),
        (np.array([1, 2, 3]), ONE_HOT),
        ({0: "a", 1: "b", 2: "c"}, ONE_HOT),
        ({"2": "c", "0": "a", "1": "b"}, Y),
    ],
)
def test_labels_are_the_integers_that_classes_are_one_hot_the_positions(tmp_path, classes, y):
    model = compiled(text_cnn())
    expected = recorded(tmp_path / "b", X, Y, model)
    for got, known in zip(recorded(tmp_path / "a", X, y, model, classes), expected, strict=True):
        np.testing.assert_allclose(got, known, rtol=1e-5, atol=1e-6)


def test_a_model_of_several_inputs_takes_them_by_name(tmp_path):
    first, second = keras.Input((6, 2), name="first"), keras.Input((6, 2), name="second")
    flat = keras.layers.Flatten()(keras.layers.Add()([first, second]))
    hidden = keras.layers.Dense(4, name="hidden")(flat)
    outputs = keras.layers.Dense(3, activation="softmax")(hidden)
    model = compiled(keras.Model({"first": first, "second": second}, outputs))
    got, scores, _ = recorded(tmp_path, {"first": X, "second": 2 * X}, Y, model)
    kernel, bias = model.get_layer("hidden").get_weights()
    np.testing.assert_allclose(got, (3 * X).reshape(INSTANCES, 12) @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores, model.predict({"first": X, "second": 2 * X}, verbose=0), rtol=1e-5, atol=1e-6)


def test_text_goes_through_a_model_that_reads_text(tmp_path):
    texts = np.array(["What is gold", "Who is it", "What is it"])
    words = ["what", "is", "gold", "who", "it"]
    reading = keras.layers.TextVectorization(vocabulary=words, output_mode="multi_hot", name="words")
    inputs = keras.Input((), dtype="string", name="text")
    outputs = keras.layers.Dense(3, activation="softmax")(reading(inputs))
    callback = ActivisCallback(tmp_path, texts, [0, 1, 2], layers=["words"], classes=CLASSES)
    callback.set_model(compiled(keras.Model(inputs, outputs)))
    callback.record(0)
    reader = snapshots(tmp_path)[0]
    expected = [[0, 1, 1, 1, 0, 0], [0, 0, 1, 0, 1, 1], [0, 1, 1, 0, 0, 1]]
    assert in_order(reader, reader.activations("words")).tolist() == expected


def test_sequences_of_a_length_of_their_own_per_batch_are_pooled(tmp_path):
    lengths = [4, 4, 6, 6, 9]
    pairs = tf.data.Dataset.from_generator(
        lambda: ((X[0, :1].repeat(length, 0) * at, at % 3) for at, length in enumerate(lengths)),
        output_signature=(tf.TensorSpec((None, 2)), tf.TensorSpec((), tf.int32)),
    ).padded_batch(2)
    inputs = keras.Input((None, 2))
    convolution = keras.layers.Conv1D(4, 2, name="conv")(inputs)
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling1D()(convolution))
    model = compiled(keras.Model(inputs, outputs))
    callback = ActivisCallback(tmp_path, pairs, layers=["conv"], classes=CLASSES)
    callback.set_model(model)
    callback.record(0)
    reader = snapshots(tmp_path)[0]
    expected = np.concatenate([model.get_layer("conv")(x).numpy().max(axis=1) for x, _ in pairs])
    np.testing.assert_allclose(in_order(reader, reader.activations("conv")), expected, rtol=1e-5, atol=1e-6)
    assert reader.manifest.layers[0].shape == (-1, 4)
