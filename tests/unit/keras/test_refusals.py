"""What cannot be recorded is refused at the call that brings it, with the way out."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from activis_tb.errors import ArgumentError
from activis_tb.keras import ActivisCallback, forward_graph
from tests.unit.keras.models import CLASSES, INSTANCES, Subclassed, X, Y, compiled, text_cnn


def callback(logdir, x=X, y=Y, **options):
    return ActivisCallback(logdir, x, y, **{"layers": ["hidden"], "classes": CLASSES, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": None}, "y: got None; expected labels, as x is not a dataset. Only a dataset brings its own labels."),
        ({"y": Y[:5]}, "x: got 23 instances; expected 5 instances, as in y."),
        ({"x": {"a": X, "b": X[:3]}}, "x['b']: got 3 instances; expected 23 instances, as in y."),
        ({"y": Y + 1}, "labels: got 3 at row"),
        ({"y": ["pink"] * INSTANCES}, "labels: got 'pink'; expected one of the classes: red, green, blue."),
        ({"y": Y + 0.5}, "expected whole numbers: positions in classes."),
        ({"y": np.ones((INSTANCES, 3))}, "y: got a row [1.0, 1.0, 1.0] (row 0); expected one class per instance."),
        ({"y": np.ones((INSTANCES, 2))}, "y: got shape (23, 2); expected (instances,), or one-hot (instances, 3)."),
        ({"x": X[:0], "y": Y[:0]}, "y: got no instances; expected at least one instance."),
        ({"x": X.tolist()}, "expected arrays of shape (instances, ...). Pass np.asarray(x)."),
        ({"every": 0}, "every: got 0; expected a whole number from 1 on."),
        ({"batch_size": 2.5}, "batch_size: got 2.5; expected a whole number from 1 on."),
        ({"pooling": "sum"}, "pooling: got 'sum'; expected 'max', 'mean', 'first' or 'last'."),
        ({"layers": "hidden"}, "layers: got 'hidden'; expected a list of layer names"),
        ({"layers": []}, "layers: got 0 names; expected at least 1."),
        ({"classes": ["red", "red"]}, "classes: got 'red' more than once; expected different names."),
        ({"attributes": {"text": ["a"]}}, 'attributes["text"]: got 1 values; expected 23, one per instance of x.'),
        ({"attributes": {"score": Y}}, "attributes: got the name 'score'; expected names other than"),
        ({"attributes": {"text": 5}}, 'attributes["text"]: got int; expected an array or a list, one'),
        ({"ids": ["a"]}, "ids: got 1 values; expected 23, one per instance of x."),
        ({"subsets": {"odd": lambda batch: 3}}, 'the result of subsets["odd"]: got'),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_is_trained(tmp_path, options, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        callback(tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def pairs():
    return tf.data.Dataset.from_tensor_slices((X, Y))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            pairs().batch(4),
            Y,
            "y: got ndarray; expected None, as x is a dataset that brings its own labels.",
        ),
        (pairs().batch(4).repeat(), None, "x: got a dataset without an end; expected a finite dataset. Use x.take(n)."),
        (tf.data.Dataset.from_tensor_slices(X).batch(4), None, "expected a dataset of (x, y). Zip it with its labels."),
    ],
    ids=["labels twice", "endless", "no labels"],
)
def test_a_dataset_that_cannot_be_recorded_is_refused(tmp_path, x, y, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        callback(tmp_path, x, y)


def fit(logdir, model, **options):
    model.fit(X, Y, verbose=0, callbacks=[callback(logdir, **options)])


def test_an_unknown_layer_is_refused_before_the_first_step_and_close_ones_are_named(tmp_path):
    model = compiled(text_cnn())
    before = model.get_weights()
    expected = "layers: got 'hiden'; expected layers of the model 'text_cnn': 'conv2', 'conv3', "
    with pytest.raises(ArgumentError, match=re.escape(expected)) as caught:
        fit(tmp_path, model, layers=["hiden"])
    assert "Did you mean 'hidden'?" in str(caught.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_layer_of_an_unbuilt_model_is_refused_before_the_first_step(tmp_path):
    model = compiled(Subclassed())
    with pytest.raises(ArgumentError, match=re.escape("got 'decoder'")):
        fit(tmp_path, model, layers=["decoder"])
    assert not model.built


def test_a_layer_given_twice_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="'encoder/dense' and 'dense', which are one layer"):
        fit(tmp_path, compiled(Subclassed()), layers=["encoder/dense", "dense"])


def test_a_layer_that_is_called_twice_is_refused(tmp_path):
    inputs = keras.Input((6, 2))
    shared = keras.layers.Dense(2, name="shared")
    flat = keras.layers.Flatten()(shared(shared(inputs)))
    model = compiled(keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(flat)))
    with pytest.raises(ArgumentError, match="'shared', which the forward pass calls 2 times"):
        fit(tmp_path, model, layers=["shared"])


def test_a_layer_inside_of_a_loop_is_refused(tmp_path):
    inputs = keras.Input((6, 2))
    states = keras.layers.RNN(keras.layers.GRUCell(4, name="cell"), name="rnn")(inputs)
    model = compiled(keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(states)))
    with pytest.raises(ArgumentError, match="'cell', which works inside of a loop"):
        fit(tmp_path, model, layers=["cell"])


def test_logits_without_a_loss_that_takes_logits_are_refused(tmp_path):
    model = compiled(text_cnn(output=None), "mse")
    model.get_layer("output").set_weights([np.full((5, 3), 9.0), np.full(3, 9.0)])
    recorder = callback(tmp_path)
    recorder.set_model(model)
    with pytest.raises(ArgumentError, match="from_logits=True, or end the model with softmax"):
        recorder.record(0)
    assert list(tmp_path.rglob("*tfevents*")) == []


def test_attributes_that_do_not_fit_a_dataset_are_refused_and_nothing_is_written(tmp_path):
    recorder = callback(tmp_path, pairs().batch(4), None, attributes={"number": np.arange(INSTANCES + 1)})
    recorder.set_model(compiled(text_cnn()))
    with pytest.raises(ArgumentError, match=re.escape('attributes["number"]: got 24 values; expected 23')):
        recorder.record(0)
    assert list(tmp_path.rglob("*tfevents*")) == []


def test_a_failed_recording_leaves_the_model_as_it_was(tmp_path):
    model = compiled(text_cnn())
    with pytest.raises(ArgumentError):
        fit(tmp_path, model, classes=["a", "b", "c", "d"])
    assert all("call" not in vars(layer) for layer in (model, *model.layers))


def test_the_graph_of_a_model_that_does_not_know_its_inputs_needs_some():
    with pytest.raises(ArgumentError, match=re.escape("Give one as inputs=, e.g. x[:1].")):
        forward_graph(Subclassed(), ["output"])
