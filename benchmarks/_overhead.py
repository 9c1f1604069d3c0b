"""What recording adds to an evaluation on the CPU: the same compiled forward pass with and without it, in turns.

Both loops go through the same batches and compute the accuracy. The recorded one hands the scores, the labels, an
attribute for each subset and all layers to a snapshot with these subsets besides the classes. The turns are short, so
that other work on the machine falls on both: slice by slice of the data, plain then recorded; writing the event counts
as recording.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from _report import Figure

import activis_tb

SLICE = 8192
SUBSETS = 20
WORDS, LENGTH = 9_000, 37


@dataclass(frozen=True)
class Workload:
    """A model and what it is evaluated on.

    Attributes:
        name: For the report.
        model: Its outputs are the recorded layers; the last one the scores.
        layers: Their names.
        inputs: (instances, features); the first 20 columns are the attributes.
        limits: One per attribute and subset; an instance is in the subset where its attribute is less: one in 20 is.
        budget: Of the overhead, in percent.
    """

    name: str
    model: Any
    layers: tuple[str, ...]
    inputs: np.ndarray
    limits: np.ndarray
    budget: float


def word_cnn(instances: int) -> Workload:
    """The word CNN of Kim (2014) as in the demo: 434 neurons are recorded."""
    import keras
    from keras import layers

    tokens = keras.Input((LENGTH,), dtype="int32")
    embedded = layers.Embedding(WORDS, 128)(tokens)
    pools = [layers.GlobalMaxPooling1D()(layers.Conv1D(100, width, activation="relu")(embedded)) for width in (3, 4, 5)]
    concat = layers.Concatenate(name="concat")(pools)
    hidden = layers.Dense(128, activation="relu", name="hidden")(concat)
    output = layers.Dense(6, activation="softmax", name="output")(hidden)
    inputs = np.random.default_rng(0).integers(1, WORDS, (instances, LENGTH), dtype=np.int32)
    model = keras.Model(tokens, [concat, hidden, output])
    return Workload("word CNN", model, ("concat", "hidden", "output"), inputs, np.full(SUBSETS, WORDS // 20), 5)


def perceptron(instances: int) -> Workload:
    """784-128-128-10: 266 neurons are recorded, of a model that takes hardly any time itself."""
    import keras
    from keras import layers

    pixels = keras.Input((784,))
    first = layers.Dense(128, activation="relu", name="first")(pixels)
    second = layers.Dense(128, activation="relu", name="second")(first)
    output = layers.Dense(10, activation="softmax", name="output")(second)
    inputs = np.random.default_rng(0).random((instances, 784), dtype=np.float32)
    model = keras.Model(pixels, [first, second, output])
    return Workload("MLP", model, ("first", "second", "output"), inputs, np.full(SUBSETS, 0.05), 25)


def measure(workload: Workload, batch_size: int, rounds: int, kind: str) -> list[Figure]:
    """Returns the overhead with subsets of `kind`, `functions` or `conditions`."""
    import tensorflow as tf

    forward = tf.function(lambda batch: workload.model(batch, training=False), reduce_retracing=True)
    labels = np.random.default_rng(1).integers(0, workload.model.outputs[-1].shape[-1], len(workload.inputs))
    rounds_found = []
    with tempfile.TemporaryDirectory() as folder:
        for step in range(rounds + 1):
            found = _one_round(workload, forward, labels, batch_size, _snapshot(workload, folder, step, kind))
            rounds_found += [found] if step else []
    plain, recorded = np.array(rounds_found).transpose(1, 2, 0)
    overhead, cpu = (100 * (recorded / plain - 1)).tolist()
    name = f"{workload.name}, {len(labels):,} instances, batches of {batch_size}"
    return [
        Figure.of(f"{name}: us per instance", (1e6 * plain[0] / len(labels)).tolist(), None),
        Figure.of(f"{name}, {len(workload.limits)} {kind}: overhead, %", overhead, workload.budget),
        Figure.of(f"{name}, {len(workload.limits)} {kind}: overhead in CPU time, %", cpu, None),
    ]


def _one_round(
    workload: Workload, forward: Callable[[Any], Any], labels: np.ndarray, batch_size: int, snapshot: Any
) -> np.ndarray:
    """Seconds on the clock and of the CPU, (plain and recorded evaluation, clock and CPU)."""
    plain, recorded = np.zeros(2), np.zeros(2)
    for start in range(0, len(labels), SLICE):
        rows = slice(start, min(start + SLICE, len(labels)))
        began = _now()
        _evaluate(workload, forward, labels, rows, batch_size, None)
        between = _now()
        _evaluate(workload, forward, labels, rows, batch_size, snapshot)
        plain += between - began
        recorded += _now() - between
    began = _now()
    snapshot.postprocess()
    return np.stack([plain, recorded + _now() - began])


def _now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def _evaluate(
    workload: Workload,
    forward: Callable[[Any], Any],
    labels: np.ndarray,
    rows: slice,
    batch_size: int,
    snapshot: Any | None,
) -> int:
    correct, names = 0, _columns(workload)
    for start in range(rows.start, rows.stop, batch_size):
        batch = slice(start, min(start + batch_size, rows.stop))
        outputs = forward(workload.inputs[batch])
        scores = outputs[-1].numpy()
        correct += int((scores.argmax(axis=1) == labels[batch]).sum())
        if snapshot is not None:
            snapshot.process(
                labels=labels[batch],
                scores=scores,
                ids=np.arange(batch.start, batch.stop),
                attributes={name: workload.inputs[batch, number] for number, name in enumerate(names)},
                activations=dict(zip(workload.layers, outputs, strict=True)),
            )
    return correct


def _snapshot(workload: Workload, folder: str, step: int, kind: str) -> Any:
    names = _columns(workload)
    limits = dict(zip(names, workload.limits, strict=True))
    functions = {f"low {name}": lambda batch, name=name: batch[name] < limits[name] for name in names}
    conditions = {f"low {name}": f'"{name}" < {limits[name]}' for name in names}
    classes = [f"class {number}" for number in range(workload.model.outputs[-1].shape[-1])]
    return activis_tb.preprocess(
        folder,
        step=step,
        layers=workload.layers,
        classes=classes,
        subsets=functions if kind == "functions" else conditions,
        quiet=True,
    )


def _columns(workload: Workload) -> list[str]:
    return [f"column {number}" for number in range(len(workload.limits))]
