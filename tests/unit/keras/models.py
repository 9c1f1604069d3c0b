"""Small Keras models and data for tests, and the snapshots that a run has."""

from pathlib import Path

import keras
import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from activis_tb.graph import build_graph
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.metadata import parse_tag

CLASSES = ["red", "green", "blue"]
INSTANCES = 23
X = np.random.default_rng(7).normal(size=(INSTANCES, 6, 2)).astype(np.float32)
Y = np.random.default_rng(8).integers(0, 3, INSTANCES)
layers = keras.layers


def text_cnn(seed=1, output="softmax", units=3, dtype=None):
    """(6, 2) -> two convolutions -> concat -> dropout -> hidden -> output."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((6, 2), name="signal")
    pooled = []
    for width in (2, 3):
        convolution = layers.Conv1D(4, width, activation="relu", name=f"conv{width}", dtype=dtype)(inputs)
        pooled.append(layers.GlobalMaxPooling1D(dtype=dtype)(convolution))
    concat = layers.Concatenate(name="concat", dtype=dtype)(pooled)
    hidden = layers.Dense(5, activation="relu", name="hidden", dtype=dtype)(layers.Dropout(0.5, name="drop")(concat))
    return keras.Model(inputs, layers.Dense(units, activation=output, name="output")(hidden), name="text_cnn")


def sequential():
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((6, 2)),
            layers.Flatten(name="flat"),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="output"),
        ],
        name="stack",
    )


class Encoder(layers.Layer):
    """A layer of layers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.flat = layers.Flatten()
        self.dense = layers.Dense(4, activation="relu", name="dense")

    def call(self, inputs):
        return self.dense(self.flat(inputs))


class Subclassed(keras.Model):
    """A model that is a class; `self.wide` is a layer of another name."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder(name="encoder")
        self.wide = layers.Dense(7, name="projection")
        self.head = layers.Dense(3, activation="softmax", name="output")

    def call(self, inputs):
        return self.head(self.wide(self.encoder(inputs)))


def compiled(model, loss="sparse_categorical_crossentropy"):
    model.compile("sgd", loss)
    return model


def sub_model_outputs(model, names, x=X):
    """The outputs of layers as Keras' own model of them gives them."""
    inner = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    return dict(zip(names, inner.predict(x, verbose=0), strict=True))


def events(logdir: Path):
    for path in sorted(logdir.rglob("*tfevents*.activis*")):
        yield from EventFileLoader(str(path)).Load()


def snapshots(logdir: Path) -> dict[int, SnapshotReader]:
    """The snapshots of a run, by step."""
    found = {}
    for event in events(logdir):
        for value in event.summary.value:
            if parse_tag(value.tag):
                blobs = list(value.tensor.string_val)
                found[event.step] = SnapshotReader(blobs[0], blobs.__getitem__)
    return found


def graph(logdir: Path, reader: SnapshotReader):
    """The written graph of a snapshot."""
    (graph_def,) = {event.graph_def for event in events(logdir) if event.graph_def}
    return build_graph(graph_def, {layer.name: layer.tensor for layer in reader.manifest.layers})


def in_order(reader: SnapshotReader, values):
    """Rows of the sample, which here is everything, in the order of the data."""
    order = np.argsort(reader.sample().index)
    assert len(order) == reader.manifest.instances
    return values[order]
