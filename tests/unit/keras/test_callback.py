import keras
import numpy as np
import pytest
import tensorflow as tf

from activis_tb.keras import ActivisCallback
from tests.unit.keras.models import (
    CLASSES,
    INSTANCES,
    Subclassed,
    X,
    Y,
    compiled,
    graph,
    in_order,
    sequential,
    snapshots,
    sub_model_outputs,
    text_cnn,
)

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def record(logdir, model, x=X, y=Y, step=0, **options):
    """Records one snapshot of a model outside of training and returns it."""
    callback = ActivisCallback(logdir, x, y, **{"classes": CLASSES, **options})
    callback.set_model(model)
    callback.record(step)
    return snapshots(logdir)[step]


def activations(reader, layer):
    return in_order(reader, reader.activations(layer))


def test_the_recorded_layers_are_what_keras_gives_for_them(tmp_path):
    model = compiled(text_cnn())
    names = ["conv2", "conv3", "concat", "drop", "hidden", "output"]
    reader = record(tmp_path, model, layers=names)
    expected = sub_model_outputs(model, names)
    for name in ("conv2", "conv3"):
        np.testing.assert_allclose(activations(reader, name), expected[name].max(axis=1), **CLOSE)
    for name in ("concat", "drop", "hidden", "output"):
        np.testing.assert_allclose(activations(reader, name), expected[name], **CLOSE)


def test_the_recorded_layers_reproduce_the_predictions_of_the_model(tmp_path):
    model = compiled(text_cnn())
    reader = record(tmp_path, model, layers=["hidden", "output"])
    kernel, bias = model.get_layer("output").get_weights()
    logits = activations(reader, "hidden").astype(np.float64) @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predictions = model.predict(X, verbose=0)
    sample = reader.sample()
    np.testing.assert_allclose(probabilities, predictions, **CLOSE)
    np.testing.assert_allclose(in_order(reader, sample.scores), predictions, **CLOSE)
    np.testing.assert_array_equal(in_order(reader, sample.predicted), predictions.argmax(axis=1))
    np.testing.assert_array_equal(in_order(reader, sample.label), Y)


@pytest.mark.parametrize("batch_size", [1, 5, 256])
def test_statistics_are_over_all_instances_whatever_the_batch_size(tmp_path, batch_size):
    model = compiled(text_cnn())
    reader = record(tmp_path, model, layers=["hidden"], batch_size=batch_size, sample=3)
    hidden = sub_model_outputs(model, ["hidden", "output"])["hidden"].astype(np.float64)
    for position in range(3):
        members = hidden[position == Y]
        np.testing.assert_allclose(reader.statistic("hidden", "mean")[position], members.mean(axis=0), **CLOSE)
        np.testing.assert_allclose(reader.statistic("hidden", "max")[position], members.max(axis=0), **CLOSE)
    assert reader.manifest.instances == INSTANCES


def test_training_records_a_snapshot_per_epoch_with_the_steps_of_keras_scalars(tmp_path):
    model = compiled(text_cnn())
    callback = ActivisCallback(tmp_path, X, Y, layers=["hidden"], classes=CLASSES)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback])
    readers = snapshots(tmp_path)
    assert sorted(readers) == [0, 1, 2]
    last = sub_model_outputs(model, ["hidden", "output"])["hidden"]
    np.testing.assert_allclose(activations(readers[2], "hidden"), last, **CLOSE)
    assert not np.allclose(activations(readers[0], "hidden"), last, rtol=1e-3), "each epoch has its own weights"


def test_every_second_epoch_is_recorded_on_request(tmp_path):
    callback = ActivisCallback(tmp_path, X, Y, layers=["hidden"], classes=CLASSES, every=2)
    compiled(text_cnn()).fit(X, Y, epochs=5, verbose=0, callbacks=[callback])
    assert sorted(snapshots(tmp_path)) == [1, 3]


def test_recording_does_not_change_what_is_learned(tmp_path):
    weights = []
    for callbacks in ([], [ActivisCallback(tmp_path, X, Y, layers=["conv2", "drop", "hidden"], classes=CLASSES)]):
        model = compiled(text_cnn())
        keras.utils.set_random_seed(5)
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=callbacks)
        weights.append(model.get_weights())
    for without, recorded in zip(*weights, strict=True):
        np.testing.assert_array_equal(without, recorded)


def test_a_sequential_model_is_recorded(tmp_path):
    model = compiled(sequential())
    reader = record(tmp_path, model, layers=["flat", "hidden", "output"])
    expected = sub_model_outputs(model, ["flat", "hidden", "output"])
    for name, values in expected.items():
        np.testing.assert_allclose(activations(reader, name), values, **CLOSE)


def test_a_subclassed_model_is_recorded_by_name_path_and_attribute(tmp_path):
    model = compiled(Subclassed())
    callback = ActivisCallback(tmp_path, X, Y, layers=["encoder/dense", "wide", "output"], classes=CLASSES)
    model.fit(X, Y, verbose=0, callbacks=[callback])
    reader = snapshots(tmp_path)[0]
    encoded = model.encoder(X).numpy()
    np.testing.assert_allclose(activations(reader, "encoder/dense"), encoded, **CLOSE)
    np.testing.assert_allclose(activations(reader, "wide"), model.wide(encoded).numpy(), **CLOSE)
    np.testing.assert_allclose(activations(reader, "output"), model.predict(X, verbose=0), **CLOSE)
    recorded = {element.layer for element in graph(tmp_path, reader).nodes if element.layer}
    assert recorded == {"encoder/dense", "wide", "output"}


def test_a_nested_model_is_recorded_by_path(tmp_path):
    dense = keras.layers.Dense(4, name="dense", activation="tanh")
    inner = keras.Sequential([keras.Input((12,)), dense], name="encoder")
    inputs = keras.Input((6, 2))
    encoded = inner(keras.layers.Flatten()(inputs))
    model = compiled(keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="output")(encoded)))
    reader = record(tmp_path, model, layers=["encoder/dense", "encoder", "output"])
    expected = inner.predict(X.reshape(INSTANCES, 12), verbose=0)
    np.testing.assert_allclose(activations(reader, "encoder/dense"), expected, **CLOSE)
    np.testing.assert_allclose(activations(reader, "encoder"), expected, **CLOSE)


def test_mean_pooling_on_request(tmp_path):
    model = compiled(text_cnn())
    reader = record(tmp_path, model, layers=["conv3"], pooling="mean")
    expected = sub_model_outputs(model, ["conv3", "output"])["conv3"].mean(axis=1)
    np.testing.assert_allclose(activations(reader, "conv3"), expected, **CLOSE)
    (layer,) = reader.manifest.layers
    assert (layer.shape, layer.pooling, layer.neurons, layer.dtype) == ((4, 4), "mean", 4, "float32")


def test_low_precision_is_recorded_as_float32_and_keeps_its_type_name(tmp_path):
    model = compiled(text_cnn(dtype="mixed_bfloat16"))
    reader = record(tmp_path, model, layers=["hidden"])
    (layer,) = reader.manifest.layers
    expected = np.asarray(sub_model_outputs(model, ["hidden", "output"])["hidden"]).astype(np.float32)
    assert layer.dtype == "bfloat16"
    np.testing.assert_allclose(activations(reader, "hidden"), expected, rtol=2e-2, atol=2e-2)


def test_logits_become_probabilities_where_the_loss_takes_logits(tmp_path):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = compiled(text_cnn(output=None), loss)
    reader = record(tmp_path, model, layers=["output"])
    logits = model.predict(X, verbose=0)
    np.testing.assert_allclose(activations(reader, "output"), logits, **CLOSE)
    np.testing.assert_allclose(in_order(reader, reader.sample().scores), tf.nn.softmax(logits).numpy(), **CLOSE)


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_output_is_the_score_of_the_second_of_two_classes(tmp_path, from_logits):
    loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
    model = compiled(text_cnn(output=None if from_logits else "sigmoid", units=1), loss)
    reader = record(tmp_path, model, y=Y == 1, layers=["hidden"], classes=["no", "yes"])
    second = model.predict(X, verbose=0)[:, 0]
    second = 1 / (1 + np.exp(-second)) if from_logits else second
    np.testing.assert_allclose(in_order(reader, reader.sample().scores), np.stack([1 - second, second], 1), **CLOSE)


def test_attributes_ids_subsets_and_test_cases_go_with_their_instances(tmp_path):
    reader = record(
        tmp_path,
        compiled(text_cnn()),
        layers=["hidden"],
        attributes={"text": [f"question {at}" for at in range(INSTANCES)], "length": np.arange(INSTANCES)},
        attribute_types={"text": "text"},
        subsets={"long": lambda batch: batch["length"] >= 20, "two": iter(["q3", "q5"]), "far": "length > 20"},
        ids=[f"q{at}" for at in range(INSTANCES)],
        always=["q7"],
        batch_size=4,
    )
    sample = reader.sample()
    text, length = sample.attributes
    assert in_order(reader, text.values).tolist() == [f"question {at}" for at in range(INSTANCES)]
    assert in_order(reader, length.values).tolist() == list(range(INSTANCES))
    assert in_order(reader, sample.ids).tolist() == [f"q{at}" for at in range(INSTANCES)]
    assert {subset.name: subset.count for subset in reader.manifest.subsets[3:]} == {"long": 3, "two": 2, "far": 2}
    assert sample.ids[sample.always].tolist() == ["q7"]


def test_the_written_graph_has_the_recorded_tensors_and_the_kinds_of_layers(tmp_path):
    reader = record(tmp_path, compiled(text_cnn()), layers=["concat", "drop", "hidden"])
    shown = graph(tmp_path, reader)
    assert shown.digest == reader.manifest.graph_digest
    assert shown.warnings == ()
    recorded = {element.layer: element.shape for element in shown.nodes if element.layer}
    assert recorded == {"concat": (-1, 8), "drop": (-1, 8), "hidden": (-1, 5)}
    groups = [element for element in shown.nodes if element.kind == "group" and not element.parent]
    kinds = {element.name: element.operator for element in groups}
    assert kinds == {"conv2": "Conv1D", "conv3": "Conv1D", "hidden": "Dense", "output": "Dense"}


def test_a_model_that_has_diverged_is_recorded_with_a_warning(tmp_path):
    model = compiled(text_cnn())
    model.get_layer("output").set_weights([np.full((5, 3), np.nan), np.zeros(3)])
    with pytest.warns(
        UserWarning, match="23 of 23 instances have scores that are not finite. They are predicted as nothing"
    ):
        reader = record(tmp_path, model, layers=["concat", "output"])
    assert reader.sample().predicted.tolist() == [-1] * 23
    assert [(subset.correct, sum(subset.predicted_counts)) for subset in reader.manifest.subsets] == [(0, 0)] * 3
    assert reader.statistic("output", "nonfinite")[0].tolist() == [int((Y == 0).sum())] * 3
    assert reader.statistic("concat", "nonfinite").sum() == 0


def test_the_last_of_several_outputs_is_the_scores(tmp_path):
    inputs = keras.Input((6, 2))
    hidden = keras.layers.Dense(4, name="hidden")(keras.layers.Flatten()(inputs))
    outputs = [keras.layers.Dense(1)(hidden), keras.layers.Dense(3, activation="softmax")(hidden)]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"])
    reader = record(tmp_path, model, layers=["hidden"])
    scores = model.predict(X, verbose=0)[1]
    np.testing.assert_allclose(in_order(reader, reader.sample().scores), scores, **CLOSE)


def test_a_model_that_learns_its_inputs_in_training_is_recorded(tmp_path):
    layers = keras.layers
    model = compiled(
        keras.Sequential([layers.Flatten(), layers.Dense(4, name="hidden"), layers.Dense(3, activation="softmax")])
    )
    model.fit(X, Y, verbose=0, callbacks=[ActivisCallback(tmp_path, X, Y, layers=["hidden"], classes=CLASSES)])
    reader = snapshots(tmp_path)[0]
    kernel, bias = model.get_layer("hidden").get_weights()
    expected = X.reshape(INSTANCES, 12) @ kernel + bias
    np.testing.assert_allclose(activations(reader, "hidden"), expected, rtol=1e-4, atol=1e-5)


def test_a_quantized_model_is_recorded(tmp_path):
    model = compiled(text_cnn())
    for name in ("hidden", "output"):
        model.get_layer(name).quantize("int8")
    reader = record(tmp_path, model, layers=["hidden", "output"])
    np.testing.assert_allclose(activations(reader, "output"), model.predict(X, verbose=0), **CLOSE)
