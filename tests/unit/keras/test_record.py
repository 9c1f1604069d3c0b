"""A trained model is recorded without training it."""

import re

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from tests.plugin.server import Server
from tests.unit.keras.models import (
    CLASSES,
    INSTANCES,
    Subclassed,
    X,
    Y,
    compiled,
    in_order,
    sequential,
    snapshots,
    sub_model_outputs,
    text_cnn,
)

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def record(logdir, model=None, data=(X, Y), layers=("hidden",), **options):
    arguments = {"layers": list(layers), "classes": CLASSES, "quiet": True} | options
    path = activis_tb.keras.record(model or text_cnn(), data, logdir, **arguments)
    assert path.parent == logdir / "activis"
    return snapshots(logdir)[options.get("step", 0)]


def test_the_model_need_not_be_compiled(tmp_path):
    reader = record(tmp_path, step=4, name="test")
    expected = sub_model_outputs(text_cnn(), ["hidden", "output"])["hidden"]
    assert_allclose(in_order(reader, reader.activations("hidden")), expected, **CLOSE)
    assert (reader.manifest.name, reader.manifest.step) == ("test", 4)


def test_layers_added_later_are_layers_of_the_same_snapshot(tmp_path):
    model = text_cnn()
    record(tmp_path / "cnn", model, layers=["hidden"])
    record(tmp_path / "cnn", model, layers=["concat", "conv2"], batch_size=5)
    server = Server(tmp_path, "slow")
    (run,) = server.json("runs")["runs"]
    (snapshot,) = run["snapshots"]
    assert {layer["name"] for layer in snapshot["layers"]} == {"hidden", "concat", "conv2"}
    where = {"run": run["run"], "name": "validation", "step": 0}
    order = np.argsort(server.json("instances", **where)["index"])
    expected = sub_model_outputs(model, ["concat", "hidden"])
    for layer, values in expected.items():
        assert_allclose(server.array("activations", **where, layer=layer)[order], values, **CLOSE)


def generated():
    yield X[:9], Y[:9]
    yield X[9:], np.array(CLASSES)[Y[9:]]


@pytest.mark.parametrize(
    "data", [generated(), list(generated()), (X, np.eye(3)[Y])], ids=["generator", "list", "arrays"]
)
def test_every_form_of_data_is_taken(tmp_path, data):
    model = text_cnn()
    reader = record(tmp_path, model, data)
    expected = sub_model_outputs(model, ["hidden", "output"])["hidden"]
    assert_allclose(in_order(reader, reader.activations("hidden")), expected, **CLOSE)
    assert_array_equal(in_order(reader, reader.sample().label), Y)


def test_every_instance_is_kept_on_request(tmp_path):
    reader = record(tmp_path, keep="all", sample=3)
    assert (reader.manifest.stored, reader.manifest.rows) == (INSTANCES, 3)
    assert (
        tmp_path / "activis" / reader.manifest.store / "part-00000" / "layer-000.u8"
    ).stat().st_size == INSTANCES * 5


def test_progress_knows_how_many_instances_there_are(tmp_path):
    reports = []
    record(tmp_path, progress=reports.append)
    assert [(report.instances, report.total, report.finished) for report in reports][-1] == (INSTANCES, INSTANCES, True)


def test_subsets_may_ask_for_neurons(tmp_path):
    reader = record(tmp_path, subsets={"firing": "neuron('hidden', 4) > 0"}, always="neuron('hidden', 0) > 100")
    hidden = sub_model_outputs(text_cnn(), ["hidden", "output"])["hidden"]
    assert reader.manifest.subsets[-1].count == int((hidden[:, 4] > 0).sum())


def two_outputs():
    inputs = keras.Input((6, 2))
    hidden = keras.layers.Dense(4, name="hidden")(keras.layers.Flatten()(inputs))
    heads = [keras.layers.Dense(3, activation="softmax", name=name)(hidden) for name in ("topic", "tone")]
    return keras.Model(inputs, heads)


def test_the_output_that_decides_is_named(tmp_path):
    model = two_outputs()
    topic, tone = model.predict(X, verbose=0)
    for output, expected in (("topic", topic), ("tone", tone), (-1, tone), (0, topic)):
        reader = record(tmp_path / str(output), model, output=output)
        assert_allclose(in_order(reader, reader.sample().scores), expected, **CLOSE)


def test_labels_of_every_output_are_told_apart(tmp_path):
    batches = [(X[rows], (Y[rows], (Y[rows] + 1) % 3)) for rows in (slice(0, 9), slice(9, None))]
    reader = record(tmp_path, two_outputs(), batches, output="tone")
    assert_array_equal(in_order(reader, reader.sample().label), (Y + 1) % 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "2 of which fit the 3 classes; expected the name of the one that decides. Name it by output=, one of"),
        ({"output": "mood"}, "output: got 'mood'; expected one of 'topic', 'tone', a position, or the layer"),
        ({"output": 2}, "output: got 2; expected one of 'topic', 'tone', a position, or the layer"),
        ({"output": "tone", "layers": ["hidden:2"]}, "layers: got 'hidden:2'; expected a call from 1 to 1."),
        ({"output": "tone", "layers": ["hidden:0"]}, "layers: got 'hidden:0'; expected calls counted from 1."),
        ({"output": "tone", "data": iter(())}, "x: got no batches; expected at least one batch (x, y)."),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused(tmp_path, options, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        record(tmp_path, two_outputs(), **options)
    assert list(tmp_path.rglob("*tfevents*")) == []


def test_a_generator_is_no_data_for_a_callback(tmp_path):
    with pytest.raises(ArgumentError, match=r"activis_tb\.keras\.record walks through it once"):
        activis_tb.keras.ActivisCallback(tmp_path, generated(), layers=["hidden"], classes=CLASSES)


def test_a_layer_that_shortens_sequences_does_not_take_the_mask_of_its_input(tmp_path):
    inputs = keras.Input((6,), dtype="int32")
    embedded = keras.layers.Embedding(20, 3, mask_zero=True, name="embedding")(inputs)
    shorter = keras.layers.Lambda(lambda values: values[:, :4], name="shorter", mask=lambda _, mask: mask)(embedded)
    model = compiled(keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(shorter[:, 0])))
    tokens = np.array([[1, 2, 0, 0, 0, 0], [3, 4, 5, 6, 0, 0]])
    reader = record(tmp_path, model, (tokens, [0, 1]), ["embedding", "shorter"])
    table = model.get_layer("embedding").get_weights()[0][tokens]
    expected = np.where((tokens > 0)[:, :, None], table, -np.inf).max(axis=1)
    assert_allclose(reader.activations("embedding")[np.argsort(reader.sample().index)], expected, **CLOSE)
    shortened = table[:, :4].max(axis=1)
    assert_allclose(reader.activations("shorter")[np.argsort(reader.sample().index)], shortened, **CLOSE)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: text_cnn(), id="functional, past a dropout"),
        pytest.param(lambda: text_cnn(output=None), id="logits"),
        pytest.param(lambda: text_cnn(dtype="mixed_float16"), id="half precision"),
        pytest.param(sequential, id="sequential"),
        pytest.param(Subclassed, id="a class"),
    ],
)
def test_the_weights_between_the_last_hidden_layer_and_the_scores_are_kept(tmp_path, model):
    made = compiled(model())
    made(X)
    layers = ["wide"] if isinstance(made, Subclassed) else ["hidden"]
    outputs = made.predict(X, verbose=0)
    from_logits = True if outputs.min() < 0 else None
    reader = record(tmp_path, made, layers=[*layers, "output"], from_logits=from_logits)
    head = reader.head(layers[0])
    dense = made.head if isinstance(made, Subclassed) else made.get_layer("output")
    assert_array_equal(head.weights, keras.ops.convert_to_numpy(dense.kernel))
    assert_array_equal(head.bias, keras.ops.convert_to_numpy(dense.bias))
    assert reader.head("output") is None


def test_layers_before_another_one_have_no_weights_to_the_scores(tmp_path):
    reader = record(tmp_path, layers=["concat", "hidden"])
    assert reader.head("concat") is None
