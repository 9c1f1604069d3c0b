"""Recordings of many models on one back end of Keras, with what the models' own outputs say is in them.

Run as a program, it records every case to a folder of its own and writes the expected activations beside it:

    KERAS_BACKEND=jax python -m tests.unit.keras.cases FOLDER
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import activis_tb
from tests.unit.keras.models import CLASSES, INSTANCES, Subclassed, X, Y, compiled, text_cnn

layers = keras.layers
Expected = dict[str, np.ndarray]
CASES: dict[str, Callable[[Path], Expected]] = {}
TOKENS = np.random.default_rng(9).integers(1, 20, (INSTANCES, 7)) * (np.arange(7) < (np.arange(INSTANCES) % 8)[:, None])


def case(function: Callable[[Path], Expected]) -> Callable[[Path], Expected]:
    CASES[function.__name__] = function
    return function


def outputs_of(model: keras.Model, names: list[str], x=X) -> Expected:
    """What a model of the layers' outputs predicts; of any rank."""
    inner = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    values = inner.predict(x, verbose=0)
    return dict(zip(names, [values] if len(names) == 1 else values, strict=True))


def pooled(values: np.ndarray) -> np.ndarray:
    """(instances, ..., neurons) -> (instances, neurons) by the maximum."""
    flat = values.reshape(len(values), 1, -1) if values.ndim < 3 else values.reshape(len(values), -1, values.shape[-1])
    return flat.max(axis=1)


def classifier(inputs, tensor, classes: int = 3) -> keras.Model:
    scores = layers.Dense(classes, activation="softmax", name="scores")(layers.Flatten()(tensor))
    return compiled(keras.Model(inputs, scores))


@case
def training(logdir: Path) -> Expected:
    model = compiled(text_cnn())
    names = ["conv2", "concat", "drop", "hidden", "output"]
    callback = activis_tb.keras.ActivisCallback(logdir, X, Y, layers=names, classes=CLASSES, every=2, quiet=True)
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=[callback])
    return {name: pooled(values) for name, values in outputs_of(model, names).items()}


@case
def ranks(logdir: Path) -> Expected:
    inputs = keras.Input((6, 2))
    flat = layers.Flatten(name="flat")(inputs)
    scalar = layers.Reshape((), name="scalar")(layers.Dense(1)(flat))
    picture = layers.Reshape((3, 2, 2), name="picture")(flat)
    volume = layers.Reshape((3, 2, 1, 2), name="volume")(flat)
    sequence = layers.Dense(3, name="sequence")(inputs)
    merged = [layers.Flatten()(tensor) for tensor in (picture, volume, sequence)]
    merged.append(layers.Reshape((1,))(scalar))
    model = classifier(inputs, layers.Concatenate()(merged))
    names = ["scalar", "flat", "sequence", "picture", "volume"]
    activis_tb.keras.record(model, (X, Y), logdir, layers=names, classes=CLASSES, batch_size=5, quiet=True)
    return {name: pooled(values) for name, values in outputs_of(model, names).items()}


@case
def shared_and_nested(logdir: Path) -> Expected:
    shared, dense = layers.Dense(2, name="shared"), layers.Dense(4, name="dense", activation="tanh")
    encoder = keras.Sequential([keras.Input((12,)), dense], name="encoder")
    inputs = keras.Input((6, 2))
    first = shared(inputs)
    second = shared(first)
    encoded = encoder(layers.Flatten()(second))
    model = classifier(inputs, encoded)
    names = ["shared:1", "shared:2", "encoder/dense", "encoder"]
    activis_tb.keras.record(model, (X, Y), logdir, layers=names, classes=CLASSES, quiet=True)
    tensors = [first, second, encoded, encoded]
    values = [keras.Model(inputs, tensor).predict(X, verbose=0) for tensor in tensors]
    return {name: pooled(value) for name, value in zip(names, values, strict=True)}


@case
def subclassed(logdir: Path) -> Expected:
    model = Subclassed()
    activis_tb.keras.record(
        model, (X, Y), logdir, layers=["encoder/dense", "wide", "output"], classes=CLASSES, quiet=True
    )
    encoded = model.encoder(X)
    wide = model.wide(encoded)
    values = {"encoder/dense": encoded, "wide": wide, "output": model.head(wide)}
    return {name: keras.ops.convert_to_numpy(value) for name, value in values.items()}


def words_of(batch: Any) -> list[list[str]]:
    """Texts of ids, empty for padding."""
    return [[f"word {number}" if number else "" for number in row] for row in keras.ops.convert_to_numpy(batch)]


@case
def masks(logdir: Path) -> Expected:
    inputs = keras.Input((None,), dtype="int32")
    embedded = layers.Embedding(20, 3, mask_zero=True, name="embedding")(inputs)
    both = layers.Bidirectional(layers.LSTM(2, return_sequences=True, name="lstm"), name="both")(embedded)
    model = classifier(inputs, layers.GlobalMaxPooling1D()(both))
    names = [
        activis_tb.LayerSpec("embedding", tokens="max"),
        "both/forward_lstm",
        activis_tb.LayerSpec("both", pooling="mean"),
    ]
    activis_tb.keras.record(
        model, (TOKENS, Y), logdir, layers=names, classes=CLASSES, tokens=words_of, batch_size=8, quiet=True
    )
    kept = (TOKENS > 0)[:, :, None]
    raw = outputs_of(model, ["embedding", "both"], TOKENS)
    forward = raw["both"][:, :, :2]
    with np.errstate(invalid="ignore"):
        mean = np.where(kept, raw["both"], 0).sum(axis=1) / kept.sum(axis=1)
    largest = {"embedding": raw["embedding"], "both/forward_lstm": forward}
    expected = {name: np.where(kept, values, -np.inf).max(axis=1) for name, values in largest.items()}
    return {name: np.where(np.isfinite(values), values, np.nan) for name, values in expected.items()} | {"both": mean}


@case
def several_inputs_and_outputs(logdir: Path) -> Expected:
    first, second = keras.Input((6, 2), name="first"), keras.Input((6, 2), name="second")
    flat = layers.Flatten()(layers.Add()([first, second]))
    hidden = layers.Dense(4, name="hidden")(flat)
    topic = layers.Dense(3, name="topic")(hidden)
    other = layers.Dense(3, activation="softmax", name="other")(hidden)
    model = keras.Model({"first": first, "second": second}, {"topic": topic, "other": other})
    loss = keras.losses.SparseCategoricalCrossentropy
    model.compile("sgd", {"topic": loss(from_logits=True), "other": loss()})
    x = {"first": X, "second": 2 * X}
    y = {"topic": Y, "other": (Y + 1) % 3}
    activis_tb.keras.record(
        model, (x, y), logdir, layers=["hidden", "topic"], classes=CLASSES, output="topic", quiet=True
    )
    logits = model.predict(x, verbose=0)["topic"]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    kernel, bias = model.get_layer("hidden").get_weights()
    return {"hidden": (3 * X).reshape(INSTANCES, 12) @ kernel + bias, "topic": logits, "scores": scores}


@case
def channels_first(logdir: Path) -> Expected:
    inputs = keras.Input((2, 3, 2))
    padded = layers.ZeroPadding2D(1, data_format="channels_first", name="padded")(inputs)
    negative = layers.Rescaling(-1, name="negative")(padded)
    model = classifier(inputs, negative)
    x = X.reshape(INSTANCES, 2, 3, 2)
    names = ["padded", activis_tb.LayerSpec("negative", channel_axis=1)]
    activis_tb.keras.record(model, (x, Y), logdir, layers=names, classes=CLASSES, quiet=True)
    flat = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))).reshape(INSTANCES, 2, -1)
    return {"padded": flat.max(axis=2), "negative": (-flat).max(axis=2)}


@case
def variable_length(logdir: Path) -> Expected:
    inputs = keras.Input((None, 2))
    convolution = layers.Conv1D(4, 2, name="conv")(inputs)
    model = classifier(inputs, layers.GlobalMaxPooling1D()(convolution))
    lengths = {3: slice(0, 9), 6: slice(9, 15), 5: slice(15, None)}
    batches = ((X[rows, :length], Y[rows]) for length, rows in lengths.items())
    activis_tb.keras.record(model, batches, logdir, layers=["conv"], classes=CLASSES, quiet=True)
    parts = [outputs_of(model, ["conv"], X[rows, :length])["conv"].max(axis=1) for length, rows in lengths.items()]
    return {"conv": np.concatenate(parts)}


@case
def first_and_last_positions(logdir: Path) -> Expected:
    inputs = keras.Input((7,), dtype="int32")
    embedded = layers.Embedding(20, 3, mask_zero=True, name="embedding")(inputs)
    plain = layers.Conv1D(4, 2, name="plain")(embedded)
    model = classifier(inputs, layers.GlobalMaxPooling1D()(plain))
    poolings = {"embedding": "last", "embedding:1": "first", "plain": "last"}
    specs = [activis_tb.LayerSpec(name, pooling) for name, pooling in poolings.items()]
    tokens = np.where(np.arange(7) > 1, TOKENS[:, ::-1], 0)  # padding before and after
    activis_tb.keras.record(model, (tokens, Y), logdir, layers=specs, classes=CLASSES, quiet=True)
    values = outputs_of(model, ["embedding", "plain"], tokens)
    present = tokens != 0
    ends = {"embedding": 6 - present[:, ::-1].argmax(axis=1), "embedding:1": present.argmax(axis=1)}
    picked = {name: values["embedding"][np.arange(INSTANCES), end] for name, end in ends.items()}
    nothing = ~present.any(axis=1, keepdims=True)
    found = {name: np.where(nothing, np.nan, rows) for name, rows in picked.items()}
    return found | {"plain": values["plain"][:, -1]}


class Adding(layers.Layer):
    """Adds in place where tensors can be written to, as those of PyTorch can."""

    def call(self, x):
        x += 1000
        return x


@case
def written_to_in_place(logdir: Path) -> Expected:
    inputs = keras.Input((6, 2))
    convolution = layers.Conv1D(4, 2, name="conv")(inputs)
    flat = layers.Dense(3, name="flat")(layers.Flatten()(Adding()(convolution)))
    model = classifier(inputs, Adding()(flat))
    activis_tb.keras.record(model, (X, Y), logdir, layers=["conv", "flat"], classes=CLASSES, quiet=True)
    expected = {}
    for name in ("conv", "flat"):
        inner = keras.Model(inputs, layers.Activation("linear")(model.get_layer(name).output * 1))
        expected[name] = pooled(inner.predict(X, verbose=0))
    return expected


@case
def wide_and_low_precision(logdir: Path) -> Expected:
    inputs = keras.Input((6, 2))
    wide = layers.Dense(16_384, dtype="mixed_bfloat16", name="wide")(layers.Flatten()(inputs))
    model = classifier(inputs, wide)
    activis_tb.keras.record(model, (X, Y), logdir, layers=["wide"], classes=CLASSES, quiet=True)
    inner = keras.Model(inputs, layers.Activation("linear", dtype="float32")(wide))
    return {"wide": inner.predict(X, verbose=0)}


@case
def data_of_pytorch(logdir: Path) -> Expected:
    import torch

    model = compiled(text_cnn())
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=6)
    callback = activis_tb.keras.ActivisCallback(logdir, loader, layers=["hidden"], classes=CLASSES, quiet=True)
    callback.set_model(model)
    callback.record(1)
    return outputs_of(model, ["hidden"])


@case
def undisturbed_training(logdir: Path) -> Expected:
    """What is learned and drawn is the same with a callback, whose data draws at random, and without one."""
    import torch

    class Noise(keras.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(4)

        def call(self, inputs):
            return inputs + keras.random.normal(keras.ops.shape(inputs), stddev=0.1, seed=self.seeds)

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, list[np.ndarray]]:
        keras.utils.set_random_seed(5)
        torch.manual_seed(5)
        hidden = layers.Dense(4, name="hidden")
        head = [layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3, activation="softmax")]
        model = compiled(keras.Sequential([keras.Input((6, 2)), layers.Flatten(), hidden, Noise(), *head]))
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=callbacks)
        drawn = [np.random.random(), torch.rand(1).item(), keras.random.uniform(())]  # noqa: NPY002
        return model, [keras.ops.convert_to_numpy(value) for value in (*model.variables, *drawn)]

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), 6)
    options = {"layers": ["hidden"], "classes": CLASSES, "quiet": True, "strict": True, "every": 2}
    model, recorded = train([activis_tb.keras.ActivisCallback(logdir, loader, ids=range(INSTANCES), **options)])
    for got, expected in zip(recorded, train([])[1], strict=True):
        np.testing.assert_array_equal(got, expected)
    return outputs_of(model, ["hidden"])


@case
def refused_before_training(logdir: Path) -> Expected:
    """Logits that nobody speaks of, and shuffled data beside ids, are refused; said, logits are recorded."""
    import torch

    def refused(message: str, *data, **options) -> None:
        def fit() -> None:
            recorder = activis_tb.keras.ActivisCallback(logdir, *data, layers=["hidden"], classes=CLASSES, **options)
            model.fit(X, np.eye(3)[Y], verbose=0, callbacks=[recorder])

        with pytest.raises(activis_tb.ActivisError, match=re.escape(message)):
            fit()

    model = compiled(text_cnn(output=None), "mse")
    before = model.get_weights()
    refused("say from_logits=True", 9 * X, Y)
    refused("Did you mean 'hidden'?", X, Y, from_logits=True, subsets={"a": "neuron('hiden', 1) > 0"})
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    refused("with ids beside it", torch.utils.data.DataLoader(pairs, 6, shuffle=True), ids=range(INSTANCES))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    activis_tb.keras.record(
        model, (X, Y), logdir, layers=["hidden"], classes=CLASSES, output="output", from_logits=True, quiet=True
    )
    logits = model.predict(X, verbose=0).astype(np.float64)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return outputs_of(model, ["hidden"]) | {"scores": scores}


if __name__ == "__main__":
    for name, record in CASES.items():
        expected = record(Path(sys.argv[1]) / name)
        np.savez(Path(sys.argv[1]) / f"{name}.npz", **{key.replace("/", "|"): value for key, value in expected.items()})
