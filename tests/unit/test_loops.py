"""Every loop, with every type of attribute and layers of every rank, records what NumPy says of the model's outputs."""

import io
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from tests.unit.recording.helpers import read_snapshots

CLASSES = ["red", "green", "blue"]
INSTANCES = 41
BATCH = 9
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
GENERATOR = np.random.default_rng(21)
X = GENERATOR.normal(size=(INSTANCES, 12)).astype(np.float32)
Y = GENERATOR.integers(0, 3, INSTANCES)
KERNEL = GENERATOR.normal(size=(12, 5)).astype(np.float32)
READOUT = GENERATOR.normal(size=(12, 3)).astype(np.float32)
SHAPES = {"sequence": (6, 2), "picture": (3, 2, 2), "volume": (3, 1, 2, 2)}
LAYERS = ["scalar", "dense", *SHAPES]
IDS = [f"q{number}" for number in range(INSTANCES)]


def clip(number: int) -> bytes:
    """A sound of a few samples as WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes([number] * 16))
    return buffer.getvalue()


ATTRIBUTES: dict[str, Any] = {
    "number": np.where(np.arange(INSTANCES) % 5 == 0, np.nan, np.arange(INSTANCES) / 4),
    "category": np.array(["cat", "dog"])[np.arange(INSTANCES) % 2],
    "text": np.array([f"question {number} <b>é</b>" for number in range(INSTANCES)]),
    "boolean": np.arange(INSTANCES) % 3 == 0,
    "image": np.arange(INSTANCES * 12, dtype=np.uint8).reshape(INSTANCES, 4, 3),
    "audio": np.array([clip(number) for number in range(INSTANCES)], object),
}
OPTIONS: dict[str, Any] = {
    "classes": CLASSES,
    "subsets": {"odd": "category = 'dog' AND number > 2"},
    "attribute_types": {"text": "text"},
}


def expected() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The layers, pooled to (instances, neurons), and the scores."""
    layers = {"scalar": 2 * X[:, :1], "dense": np.tanh(X @ KERNEL)}
    for name, shape in SHAPES.items():
        layers[name] = X.reshape(INSTANCES, -1, shape[-1]).max(axis=1)
    logits = X @ READOUT
    return layers, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def batches() -> Iterator[tuple[slice, dict[str, Any]]]:
    for start in range(0, INSTANCES, BATCH):
        rows = slice(start, start + BATCH)
        attributes = {name: values[rows] for name, values in ATTRIBUTES.items()}
        yield rows, {"labels": Y[rows], "ids": IDS[rows], "attributes": attributes}


def with_numpy(logdir: Path) -> None:
    _, scores = expected()
    with activis_tb.preprocess(logdir, step=3, layers=LAYERS, quiet=True, **OPTIONS) as snapshot:
        for rows, columns in batches():
            layers = {name: X[rows].reshape(-1, *shape) for name, shape in SHAPES.items()}
            layers |= {"scalar": 2 * X[rows, 0], "dense": np.tanh(X[rows] @ KERNEL)}
            snapshot.process(scores=scores[rows], activations=layers, **columns)


def forward(values: Any) -> tuple[dict[str, Any], Any]:
    layers = {"scalar": 2 * values[:, 0], "dense": tf.tanh(values @ KERNEL)}
    layers |= {name: tf.reshape(values, (-1, *shape)) for name, shape in SHAPES.items()}
    return layers, tf.nn.softmax(values @ READOUT)


def write(values: Any) -> None:
    layers, scores = forward(values)
    columns = {"labels": Y, "scores": scores, "ids": IDS, "attributes": ATTRIBUTES}
    activis_tb.summary.activations("validation", layers, **columns, **OPTIONS)


def with_eager_tensorflow(logdir: Path) -> None:
    with tf.summary.create_file_writer(str(logdir)).as_default(step=3):
        write(tf.constant(X))


def with_tf_function(logdir: Path) -> None:
    with tf.summary.create_file_writer(str(logdir)).as_default(step=3):
        tf.function(write)(tf.constant(X))


def keras_model() -> keras.Model:
    inputs = keras.Input((12,))
    scalar = keras.layers.Lambda(lambda values: 2 * values[:, 0], name="scalar")(inputs)
    dense = keras.layers.Dense(5, activation="tanh", use_bias=False, name="dense")(inputs)
    shaped = [keras.layers.Reshape(shape, name=name)(inputs) for name, shape in SHAPES.items()]
    nothing = [keras.layers.Rescaling(0.0)(keras.layers.Flatten()(tensor)) for tensor in shaped]
    nothing += [keras.layers.Rescaling(0.0)(keras.layers.Reshape((1,))(scalar)), keras.layers.Rescaling(0.0)(dense)]
    readout = keras.layers.Dense(3, use_bias=False, activation="softmax", name="readout")
    model = keras.Model(inputs, readout(keras.layers.Concatenate()([inputs, *nothing])))
    model.get_layer("dense").set_weights([KERNEL])
    readout.set_weights([np.pad(READOUT, ((0, readout.kernel.shape[0] - 12), (0, 0)))])
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    return model


def with_keras_fit(logdir: Path) -> None:
    arguments = {"layers": LAYERS, "attributes": ATTRIBUTES, "ids": IDS, "batch_size": BATCH, "quiet": True}
    callback = activis_tb.keras.ActivisCallback(logdir, X, Y, every=4, strict=True, **arguments, **OPTIONS)
    keras_model().fit(X, Y, epochs=4, verbose=0, callbacks=[callback])


def with_keras_record(logdir: Path) -> None:
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH)
    arguments = {"layers": LAYERS, "attributes": ATTRIBUTES, "ids": IDS, "quiet": True}
    activis_tb.keras.record(keras_model(), data, logdir, step=3, **arguments, **OPTIONS)


class Model(torch.nn.Module):
    """The same in PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        shaped = {name: torch.nn.Unflatten(1, shape) for name, shape in SHAPES.items()}
        self.parts = torch.nn.ModuleDict({"scalar": torch.nn.Flatten(0), "dense": torch.nn.Tanh(), **shaped})

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        inputs = {"scalar": 2 * values[:, :1], "dense": values @ torch.tensor(KERNEL)}
        for name, part in self.parts.items():
            part(inputs.get(name, values))
        return (values @ torch.tensor(READOUT)).softmax(1)


def with_torch_capture(logdir: Path) -> None:
    last = {"sequence", "picture", "volume"}
    names = [
        activis_tb.LayerSpec(f"parts.{name}", channel_axis=-1) if name in last else f"parts.{name}" for name in LAYERS
    ]
    model = Model()
    with (
        activis_tb.torch.capture(model, names) as captured,
        activis_tb.preprocess(logdir, step=3, layers=LAYERS, quiet=True, **OPTIONS) as snapshot,
    ):
        for rows, columns in batches():
            scores = model(torch.tensor(X[rows]))
            layers = {name.removeprefix("parts."): values for name, values in captured.activations.items()}
            snapshot.process(scores=scores, activations=layers, **columns)


LOOPS: list[Callable[[Path], None]] = [
    with_numpy,
    with_eager_tensorflow,
    with_tf_function,
    with_keras_fit,
    with_keras_record,
    with_torch_capture,
]


@pytest.fixture(scope="module", params=LOOPS, ids=lambda loop: loop.__name__.removeprefix("with_"))
def reader(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    request.param(folder)
    (directory,) = {path.parent for path in folder.rglob("*tfevents*")}
    (snapshot,) = read_snapshots(directory)
    return snapshot


def in_order(reader, values):
    return values[np.argsort([IDS.index(name) for name in reader.sample().ids])]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_of_every_rank_have_the_values_and_averages_of_the_model(reader, layer: str) -> None:
    values = expected()[0][layer]
    assert_allclose(in_order(reader, reader.activations(layer)), values, **CLOSE)
    odd = (np.arange(INSTANCES) % 2 == 1) & (np.nan_to_num(ATTRIBUTES["number"]) > 2)
    for position, members in enumerate([*(position == Y for position in range(3)), odd]):
        chosen = values[members].astype(np.float64)
        assert_array_equal(reader.statistic(layer, "count")[position], [len(chosen)] * values.shape[1])
        assert_allclose(reader.statistic(layer, "mean")[position], chosen.mean(axis=0), **CLOSE)
        assert_allclose(reader.statistic(layer, "std")[position], chosen.std(axis=0), **CLOSE)
        assert_allclose(reader.statistic(layer, "max")[position], chosen.max(axis=0), **CLOSE)
        assert_allclose(reader.statistic(layer, "active")[position], (chosen > 0).mean(axis=0), **CLOSE)


def test_every_layer_keeps_the_shape_of_one_instance(reader) -> None:
    shapes = {layer.name: layer.shape for layer in reader.manifest.layers}
    assert shapes == {"scalar": (1,), "dense": (5,)} | SHAPES
    assert all(layer.signed and layer.dtype == "float32" for layer in reader.manifest.layers)


def test_outcomes_are_those_of_the_model(reader) -> None:
    sample, scores = reader.sample(), expected()[1]
    assert reader.manifest.step == 3
    assert_allclose(in_order(reader, sample.scores), scores, **CLOSE)
    assert_array_equal(in_order(reader, sample.predicted), scores.argmax(axis=1))
    assert_array_equal(in_order(reader, sample.label), Y)


def test_attributes_of_every_type_go_with_their_instances(reader) -> None:
    columns = {attribute.name: attribute for attribute in reader.sample().attributes}
    types = {name: attribute.type for name, attribute in columns.items()}
    assert types == {name: name for name in ATTRIBUTES}
    present = ~np.isnan(ATTRIBUTES["number"])
    assert_array_equal(in_order(reader, columns["number"].present), present)
    assert_array_equal(in_order(reader, columns["number"].values)[present], ATTRIBUTES["number"][present])
    names = np.array(columns["category"].categories)[in_order(reader, columns["category"].values)]
    assert_array_equal(names, ATTRIBUTES["category"])
    assert_array_equal(in_order(reader, columns["text"].values), ATTRIBUTES["text"])
    assert_array_equal(in_order(reader, columns["boolean"].values), ATTRIBUTES["boolean"])
    assert_array_equal(in_order(reader, columns["audio"].values), ATTRIBUTES["audio"])
    for encoded, pixels in zip(in_order(reader, columns["image"].values), ATTRIBUTES["image"], strict=True):
        assert_array_equal(tf.io.decode_png(encoded)[..., 0], pixels)
