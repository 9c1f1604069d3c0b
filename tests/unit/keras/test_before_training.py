"""What can be said before the first step is said before it, and trying it leaves everything as it was."""

import random
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.keras import ActivisCallback, record
from tests.unit.keras.models import CLASSES, INSTANCES, Subclassed, X, Y, compiled, in_order, sequential, snapshots

layers = keras.layers
PAIRS = tf.data.Dataset.from_tensor_slices((X, Y))
ONE_HOT = np.eye(3, dtype=np.float32)[Y]
TORCH = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, position):
        rows = slice(5 * position, 5 * position + 5)
        return X[rows], Y[rows]


def network(units=3, activation=None, loss="mse", initializer="glorot_uniform", inputs=(6, 2)):
    keras.utils.set_random_seed(3)
    flat = layers.Flatten()
    hidden = layers.Dense(5, activation="tanh", name="hidden")
    output = layers.Dense(units, activation=activation, kernel_initializer=initializer, name="output")
    model = keras.Sequential([keras.Input(inputs), flat, hidden, output], name="network")
    model.compile("sgd", loss)
    return model


@pytest.fixture(scope="module")
def probable():
    return compiled(sequential())


def callback(logdir, x=X, y=Y, **options):
    return ActivisCallback(logdir, x, y, **{"layers": ["hidden"], "classes": CLASSES, "quiet": True, **options})


def begin(logdir, model, x=X, y=Y, **options):
    """What `fit` does with a callback before the first step."""
    one = callback(logdir, x, y, **options)
    one.set_model(model)
    one.on_train_begin()


def recorded(logdir, model, x=X, y=Y, **options):
    record(model, x if y is None else (x, y), logdir, **{"layers": ["hidden"], "classes": CLASSES, **options})
    return snapshots(logdir)[0]


def texts(count):
    return {"text": [f"text {number}" for number in range(count)]}


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (PAIRS, None, {}, "x: got a dataset of single instances; expected a dataset of batches. Use x.batch(256)."),
        (tf.data.Dataset.from_tensor_slices((X, ONE_HOT)), None, {}, "A dataset must be batched."),
        (X[:, :5], Y, {}, "x: got a batch of shape (23, 5, 2); expected batches that the model 'stack' takes"),
        ([(X[:5], Y[:4])], None, {}, "got a batch of shape (5, 6, 2); expected 4 instances on the first axis"),
        ([(X[:5],)], None, {}, "x: got a batch of 1 parts; expected batches (x, y), (x, y, sample_weight) or"),
        (PAIRS.batch(5), None, {"attributes": texts(24)}, 'attributes["text"]: got 24 values; expected 23, one per'),
        (PAIRS.batch(5, True).prefetch(1), None, {"attributes": texts(23)}, "got 23 values; expected 20, one per"),
        (PAIRS.filter(lambda x, y: True).batch(5), None, {"attributes": texts(24)}, "got 24 values; expected 23, one"),
        (torch.utils.data.DataLoader(TORCH, 5), None, {"ids": range(22)}, "ids: got 22 values; expected 23, one per"),
        (Batches(), None, {"ids": range(24)}, "ids: got 24 values; expected 23, one per instance of x."),
        (Batches(), None, {"ids": range(4)}, "ids: got 4 values; expected at least 5, one per instance of x."),
        (PAIRS.map(lambda x, y: (x, y + 1)).batch(23), None, {}, "labels: got 3 at row"),
        (PAIRS.batch(5), None, {"subsets": {"a": "lenght > 3"}, "attributes": {"length": Y}}, "Did you mean length?"),
        (X, Y, {"subsets": {"a": "neuron('hidden', 4) > 0"}}, "Layer 'hidden' has the neurons 0 to 3; 4 is none of"),
        (X, Y, {"always": "neuron('output', 0) > 0"}, "There is no layer 'output'. Recorded layers: 'hidden'."),
        (X, Y, {"layers": [activis_tb.LayerSpec("hidden", channel_axis=2)]}, "layers: got channel_axis=2 for 'hidden'"),
        (X, Y, {"layers": ["hiden"]}, "Did you mean 'hidden'?"),
        (X, Y, {"examples": (X[:2, :5], [0, 1])}, "examples: got a batch of shape (2, 5, 2); expected batches"),
        (X, Y, {"from_logits": True}, "from_logits: got True for an output of softmax; expected an output of logits."),
        (X, Y, {"from_logits": "no"}, "from_logits: got 'no'; expected True or False."),
        (X, Y, {"keep": "everything"}, 'keep: got \'everything\'; expected "sample" or "all".'),
        (X, Y, {"progress": 3}, "progress: got 3; expected a function that takes a Progress, or None."),
        (X, Y, {"attributes": [texts(23)]}, "attributes: got list; expected a mapping from names to columns, or a"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused_when_training_begins(tmp_path, probable, x, y, options, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        begin(tmp_path, probable, x, y, **options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_trained_where_something_is_refused(tmp_path):
    model = network()
    before = model.get_weights()
    with pytest.raises(ArgumentError, match="say from_logits=True"):
        model.fit(X, ONE_HOT, verbose=0, callbacks=[callback(tmp_path)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_layer_inside_of_others_is_found_by_a_name_that_is_nearly_right(tmp_path):
    inner = keras.Sequential(
        [keras.Input((6, 2)), layers.Flatten(), layers.Dense(4, name="projection")], name="encoder"
    )
    inputs = keras.Input((6, 2))
    model = compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(inner(inputs))))
    for name in ("projektion", "encoder/projecton", "Encodr/projection"):
        with pytest.raises(ArgumentError, match="Did you mean 'encoder/projection'"):
            begin(tmp_path, model, layers=[name])


def test_an_attribute_of_a_class_is_suggested_too(tmp_path):
    with pytest.raises(ArgumentError, match="Did you mean 'wide'"):
        begin(tmp_path, compiled(Subclassed()), layers=["wid"])


@pytest.mark.parametrize("place", ["a file", "below a file", "a file for the folder"])
def test_a_log_directory_that_cannot_be_written_is_refused(tmp_path, probable, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "activis").write_text("")
    logdir = {"a file": "file", "below a file": "file/run", "a file for the folder": "run"}[place]
    with pytest.raises(ArgumentError, match=r"^logdir: got .* expected a directory"):
        begin(tmp_path / logdir, probable)


def test_trying_a_log_directory_leaves_nothing_there(tmp_path, probable):
    begin(tmp_path / "deep" / "run", probable)
    begin("memory://tried/run", probable)
    assert list(tmp_path.iterdir()) == []
    import fsspec

    assert fsspec.filesystem("memory").glob("/tried/**/*.tmp") == []


def test_what_a_function_of_the_user_raises_is_let_through_before_training(tmp_path, probable):
    with pytest.raises(KeyError) as caught:
        begin(tmp_path, probable, PAIRS.batch(5), None, subsets={"a": lambda batch: batch["length"] > 3})
    assert any("tried one batch" in note for note in caught.value.__notes__)


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize(
    ("options", "loss"),
    [({"from_logits": True}, "mse"), ({}, LOSS), ({"from_logits": True}, None)],
    ids=["said", "by the loss", "not compiled"],
)
def test_logits_are_recorded_as_probabilities(tmp_path, options, loss):
    model = network(loss=loss)
    reader = recorded(tmp_path, model, 9 * X, **options)
    logits = model.predict(9 * X, verbose=0).astype(np.float64)
    assert_allclose(in_order(reader, reader.sample().scores), softmax(logits, axis=1), rtol=1e-4, atol=1e-6)


def test_one_column_of_logits_too_with_those_of_the_test_cases(tmp_path):
    model = network(units=1)
    reader = recorded(
        tmp_path, model, y=Y == 1, classes=["no", "yes"], from_logits=True, examples=(9 * X[:2], [True, False])
    )
    second = expit(model.predict(X, verbose=0)[:, 0].astype(np.float64))
    assert_allclose(in_order(reader, reader.sample().scores)[:, 1], second, rtol=1e-4)
    cases = expit(model.predict(9 * X[:2], verbose=0)[:, 0].astype(np.float64))
    assert_allclose(reader.examples().scores[:, 1], cases, rtol=1e-4)


def test_logits_that_look_like_scores_are_refused_unless_that_is_what_they_are(tmp_path):
    untrained = network(initializer="zeros")
    with pytest.raises(ArgumentError, match=r"from 0 to 0, not 1 in sum.*say from_logits=True.*say from_logits=False"):
        begin(tmp_path, untrained)
    begin(tmp_path, untrained, from_logits=False)


def test_probabilities_are_no_logits_whatever_the_loss_says(tmp_path):
    model = network(activation="softmax", loss=LOSS)
    reader = recorded(tmp_path, model)
    assert_allclose(in_order(reader, reader.sample().scores), model.predict(X, verbose=0), rtol=1e-4)


def test_a_model_that_learns_its_inputs_in_training_is_tried_too(tmp_path):
    model = Subclassed()
    model.head.activation = keras.activations.linear
    with pytest.raises(ArgumentError, match="say from_logits=True"):
        begin(tmp_path, compiled(model), 9 * X, layers=["wide"])


def chance():
    """What one would draw next from everywhere."""
    return (
        keras.ops.convert_to_numpy(keras.random.uniform((2,))).tolist(),
        np.random.random(),  # noqa: NPY002
        random.random(),
        torch.rand(2).tolist(),
        tf.random.uniform((2,)).numpy().tolist(),
        tf.random.get_global_generator().uniform((2,)).numpy().tolist(),
    )


class Draws(keras.utils.PyDataset):
    """Draws numbers from everywhere, as augmentation does."""

    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(2)

    def __len__(self):
        return 2

    def __getitem__(self, position):
        return X + self.random.random() + chance()[1], Y


class Restless(keras.Layer):
    """Draws and counts whether or not it is trained."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(4)

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)


def trained(callbacks):
    """What a training draws afterwards, and all that it leaves in the model."""
    keras.utils.set_random_seed(5)
    torch.manual_seed(5)
    inner = [layers.Flatten(), Restless(), layers.Dense(4, name="hidden"), layers.BatchNormalization()]
    model = compiled(keras.Sequential([keras.Input((6, 2)), *inner, layers.Dropout(0.5), layers.Dense(3, "softmax")]))
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=callbacks)
    tf.random.set_global_generator(tf.random.Generator.from_seed(6))
    return chance(), [keras.ops.convert_to_numpy(variable) for variable in model.variables]


@pytest.fixture(scope="module")
def unrecorded():
    return trained([])


@pytest.mark.parametrize("data", ["arrays", "dataset", "PyDataset", "DataLoader"])
def test_recording_uses_up_nothing_random_and_changes_no_state(tmp_path, unrecorded, data):
    x, y = {
        "arrays": (X, Y),
        "dataset": (PAIRS.shuffle(9).map(lambda x, y: (x + tf.random.normal((6, 2)), y)).batch(9), None),
        "PyDataset": (Draws(), None),
        "DataLoader": (torch.utils.data.DataLoader(TORCH, 5, shuffle=True), None),
    }[data]
    drawn, state = trained([callback(tmp_path, x, y, strict=True)])
    assert drawn == unrecorded[0]
    for values, expected in zip(state, unrecorded[1], strict=True):
        np.testing.assert_array_equal(values, expected)


def test_generators_that_the_data_holds_go_on_as_if_they_had_not_been_asked(tmp_path, probable):
    held = Draws()
    loader = torch.utils.data.DataLoader(TORCH, 5, shuffle=True, generator=torch.Generator().manual_seed(4))
    for data in (held, loader):
        begin(tmp_path, probable, data, None)
    assert held.random.random() == np.random.default_rng(2).random()
    assert loader.generator.get_state().equal(torch.Generator().manual_seed(4).get_state())


def test_the_first_batch_of_a_generator_is_not_lost(tmp_path):
    batches = ((X[start : start + 5], Y[start : start + 5]) for start in range(0, INSTANCES, 5))
    reader = recorded(tmp_path, sequential(), batches, None, ids=range(INSTANCES))
    assert reader.manifest.instances == INSTANCES
    np.testing.assert_array_equal(in_order(reader, reader.sample().label), Y)


@pytest.mark.parametrize("data", [(X, Y, np.ones(INSTANCES)), (X, Y), PAIRS.batch(7)], ids=["weights", "pair", "batch"])
def test_validation_data_is_taken_as_fit_takes_it(tmp_path, probable, data):
    one = callback(tmp_path, data, None, attributes=texts(INSTANCES))
    one.set_model(probable)
    one.on_train_begin()
    one.record(0)
    np.testing.assert_array_equal(in_order(snapshots(tmp_path)[0], snapshots(tmp_path)[0].sample().label), Y)
    assert recorded(tmp_path / "record", probable, data, None).manifest.instances == INSTANCES


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_of_data_frames_go_by_position(tmp_path, probable, library):
    numbers = np.arange(INSTANCES)
    if library == "pandas":
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"number": numbers, "name": texts(INSTANCES)["text"]}, index=1.5 * numbers[::-1])
    elif library == "polars":
        frame = pytest.importorskip("polars").DataFrame({"number": numbers, "name": texts(INSTANCES)["text"]})
    else:
        frame = pytest.importorskip("pyarrow").table({"number": numbers, "name": texts(INSTANCES)["text"]})
    reader = recorded(tmp_path, probable, attributes=frame, ids=frame["name"], batch_size=7)
    number, name = reader.sample().attributes
    np.testing.assert_array_equal(in_order(reader, number.values), numbers)
    assert in_order(reader, reader.sample().ids).tolist() == texts(INSTANCES)["text"]
    assert [name.categories[code] for code in name.values] == reader.sample().ids.tolist()


def heads():
    """Three outputs: one of another size, and two of one class score each; the layer `tone` is called for the last."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6, 2))
    hidden = layers.Dense(4, name="hidden")(layers.Flatten()(inputs))
    outputs = [layers.Dense(3, activation="softmax", name=name)(hidden) for name in ("topic", "tone")]
    return keras.Model(inputs, [layers.Dense(1, name="size")(hidden), *outputs])


BY_NAME = {"size": Y, "topic": Y, "tone": (Y + 1) % 3}


@pytest.mark.parametrize("output", ["tone", 2, -1, np.int64(2), "layer"])
@pytest.mark.parametrize("y", [BY_NAME, list(BY_NAME.values()), tuple(BY_NAME.values())], ids=["dict", "list", "tuple"])
def test_the_output_that_decides_has_a_name_a_position_or_a_layer(tmp_path, output, y):
    model = heads()
    reader = recorded(tmp_path, model, y=y, output=model.get_layer("tone") if output == "layer" else output)
    assert_allclose(in_order(reader, reader.sample().scores), model.predict(X, verbose=0)[2], rtol=1e-4)
    np.testing.assert_array_equal(in_order(reader, reader.sample().label), BY_NAME["tone"])


class Twofold(keras.Model):
    """A class that returns two outputs without names."""

    def __init__(self):
        super().__init__()
        self.flat, self.hidden = layers.Flatten(), layers.Dense(4, name="hidden")
        self.first = layers.Dense(3, activation="softmax", name="first_head")
        self.second = layers.Dense(3, activation="softmax", name="second_head")

    def call(self, inputs):
        hidden = self.hidden(self.flat(inputs))
        return self.first(hidden), self.second(hidden)


@pytest.mark.parametrize("output", ["second", "second_head", 1])
def test_a_class_of_several_outputs_is_asked_by_layer(tmp_path, output):
    model = Twofold()
    reader = recorded(tmp_path, model, output=output)
    assert_allclose(in_order(reader, reader.sample().scores), model.predict(X, verbose=0)[1], rtol=1e-4)


def test_a_layer_that_returns_no_output_does_not_decide(tmp_path):
    with pytest.raises(
        ArgumentError, match="output: got 'hidden'; expected one of 'size', 'topic', 'tone', a position"
    ):
        recorded(tmp_path, heads(), output="hidden")


def test_labels_of_other_lengths_are_named_by_output(tmp_path):
    with pytest.raises(ArgumentError, match=re.escape("y['tone']: got 5 labels; expected 23, one per instance of x.")):
        recorded(tmp_path, heads(), y=BY_NAME | {"tone": Y[:5]}, output=2)


def test_two_callbacks_of_one_name_in_one_training_are_refused(tmp_path):
    model = compiled(sequential())
    before = model.get_weights()
    same = [callback(tmp_path / "run"), callback(str(tmp_path / "other" / ".." / "run") + "/")]
    with pytest.raises(ArgumentError, match=r"name: got two callbacks that record 'validation' in .*expected another"):
        model.fit(X, Y, verbose=0, callbacks=same)
    with pytest.raises(ArgumentError, match="name: got two callbacks"):
        model.fit(X, Y, verbose=0, callbacks=[same[0], same[0]])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_callbacks_of_other_names_or_one_after_the_other_are_welcome(tmp_path):
    model = compiled(sequential())
    first, second = callback(tmp_path), callback(tmp_path, name="training")
    model.fit(X, Y, verbose=0, callbacks=[first, second])
    model.fit(X, Y, verbose=0, initial_epoch=1, epochs=2, callbacks=[first, second])
    model.fit(X, Y, verbose=0, initial_epoch=2, epochs=3, callbacks=[callback(tmp_path)])
    assert sorted(snapshots(tmp_path)) == [0, 1, 2]


class Stopping(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


@pytest.mark.parametrize(
    ("every", "message"),
    [
        (4, "nothing will be recorded: every=4, and the training has 3 epochs"),
        (2, "nothing was recorded: no epoch of this training had a number divisible by every=2"),
    ],
)
def test_a_training_of_which_nothing_is_recorded_says_so(tmp_path, probable, every, message):
    with pytest.warns(UserWarning, match=message) as caught:
        probable.fit(X, Y, epochs=3, verbose=0, callbacks=[callback(tmp_path, every=every), Stopping()])
    assert len([warning for warning in caught if "ActiVis" in str(warning.message)]) == 1


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_what_is_no_training_says_that_it_records_nothing(tmp_path, probable, method):
    data = (X, Y) if method == "evaluate" else (X,)
    with pytest.warns(UserWarning, match=rf"model\.{method} records nothing. activis_tb\.keras\.record\(model, data"):
        getattr(probable, method)(*data, verbose=0, callbacks=[callback(tmp_path)])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        probable.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[callback(tmp_path)])
