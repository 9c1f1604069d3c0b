"""Small synthetic recordings for tests, written to a log directory as a recording would, without the recording room.

Everything is sampled, so the statistics can be checked against the activations:

    snapshot = make_snapshot({"hidden": [[0, 1], [2, 3]]}, labels=[0, 1], classes=["cat", "dog"])
    write_snapshot(logdir, "cnn/activis", snapshot)
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from activis_tb.model import Attribute, Layer, Manifest, Sample, Snapshot, Statistics, Subset
from activis_tb.storage.encoding import encode_snapshot
from activis_tb.storage.events import graph_event, snapshot_event, write_event_file
from activis_tb.storage.metadata import SnapshotTag

_SESSIONS = itertools.count(1_700_000_000_000_000_000, 1_000)


def make_snapshot(
    activations: Mapping[str, ArrayLike],
    labels: Sequence[int],
    *,
    name: str = "validation",
    step: int = 1,
    session: int | None = None,
    classes: Sequence[str] = ("cat", "dog"),
    scores: ArrayLike | None = None,
    ids: Sequence[str] | None = None,
    attributes: Sequence[Attribute] = (),
    subsets: Mapping[str, ArrayLike] | None = None,
    tensors: Mapping[str, str] | None = None,
    graph_digest: str = "",
) -> Snapshot:
    """Returns a snapshot whose instances are all sampled.

    Args:
        activations: By layer, (rows, neurons).
        labels: Position of the true class, (rows,).
        name: The recording's.
        step: Training step.
        session: Nanoseconds since 1970; by default later than that of every snapshot made before.
        classes: Names.
        scores: (rows, classes); by default 0.75 for the true class, so every prediction is right.
        ids: By default "i0", "i1" and so on.
        attributes: See `column`.
        subsets: By name, a boolean per row.
        tensors: By layer, the tensor's name in the graph.
        graph_digest: Of the graph that `tensors` are in.
    """
    arrays = {layer: np.asarray(values, np.float32) for layer, values in activations.items()}
    label = np.asarray(labels, np.int32)
    rows = len(label)
    default = np.where(np.arange(len(classes)) == label[:, None], 0.75, 0.25 / max(len(classes) - 1, 1))
    probabilities = np.asarray(default if scores is None else scores, np.float32)
    predicted = probabilities.argmax(axis=1).astype(np.int32)
    members = [label == position for position in range(len(classes))]
    members += [np.asarray(mask, bool) for mask in (subsets or {}).values()]
    names = [*((one, "class") for one in classes), *((one, "function") for one in subsets or {})]
    manifest = Manifest(
        name=name,
        step=step,
        session=next(_SESSIONS) if session is None else session,
        classes=tuple(classes),
        instances=rows,
        rows=rows,
        layers=tuple(_layer(layer, values, (tensors or {}).get(layer, "")) for layer, values in arrays.items()),
        subsets=tuple(
            _subset(title, kind, mask, label, predicted, len(classes))
            for (title, kind), mask in zip(names, members, strict=True)
        ),
        attributes=tuple((attribute.name, attribute.type) for attribute in attributes),
        graph_digest=graph_digest,
    )
    sample = Sample(
        ids=np.array([f"i{row}" for row in range(rows)] if ids is None else list(ids), dtype=object),
        ids_given=ids is not None,
        index=np.arange(rows),
        label=label,
        predicted=predicted,
        score=probabilities[np.arange(rows), predicted],
        scores=probabilities,
        drawn=np.ones(rows, bool),
        always=np.zeros(rows, bool),
        membership=np.stack(members, axis=1),
        attributes=tuple(attributes),
    )
    statistics = {layer: statistics_of(values, sample.membership) for layer, values in arrays.items()}
    return Snapshot(manifest, sample, statistics, arrays)


def column(name: str, type_: str, values: Sequence, categories: Sequence[str] = ()) -> Attribute:
    """Returns an attribute; a value of None is missing. For `category`, `values` are codes."""
    empty = {"number": 0.0, "boolean": False, "category": -1, "text": ""}.get(type_, b"")
    dtype = {"number": np.float64, "boolean": np.bool_, "category": np.int32}.get(type_, object)
    filled = np.array([empty if value is None else value for value in values], dtype=dtype)
    present = np.array([value is not None for value in values])
    return Attribute(name, type_, filled, present, tuple(categories))


def statistics_of(activations: NDArray[np.float32], membership: NDArray[np.bool_]) -> Statistics:
    """Returns the statistics of all subsets by plain NumPy, cell by cell: slow, and an oracle."""
    shape = (membership.shape[1], activations.shape[1])
    tables = {name: np.full(shape, np.nan) for name in ("mean", "std", "min", "max", "active")}
    count, nonfinite = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for subset, neuron in np.ndindex(shape):
        values = activations[membership[:, subset], neuron].astype(np.float64)
        finite = values[np.isfinite(values)]
        count[subset, neuron], nonfinite[subset, neuron] = len(finite), len(values) - len(finite)
        if len(finite):
            cell = (finite.mean(), finite.std(), finite.min(), finite.max(), (finite > 0).mean())
            for table, value in zip(tables.values(), cell, strict=True):
                table[subset, neuron] = value
    return Statistics(
        count=count, nonfinite=nonfinite, **{key: table.astype(np.float32) for key, table in tables.items()}
    )


def write_snapshot(logdir: str | os.PathLike[str], run: str, snapshot: Snapshot, wall_time: float = 0.0) -> Path:
    """Writes `snapshot` as an event file of its own into `run` of `logdir` and returns the file."""
    manifest = snapshot.manifest
    tag = SnapshotTag(manifest.name, manifest.step, manifest.session)
    event = snapshot_event(tag, encode_snapshot(snapshot), wall_time or manifest.session / 1e9)
    return write_event_file(Path(logdir) / run, event)


def write_graph(logdir: str | os.PathLike[str], run: str, graph_def: bytes, wall_time: float = 1.0) -> Path:
    """Writes a serialised GraphDef as the graph of `run`."""
    return write_event_file(Path(logdir) / run, graph_event(graph_def, wall_time))


def _layer(name: str, activations: NDArray[np.float32], tensor: str) -> Layer:
    neurons = activations.shape[1]
    signed = bool((activations[np.isfinite(activations)] < 0).any())
    return Layer(name, neurons, (neurons,), "float32", tensor, signed)


def _subset(
    name: str,
    kind: str,
    members: NDArray[np.bool_],
    label: NDArray[np.int32],
    predicted: NDArray[np.int32],
    classes: int,
) -> Subset:
    counts = np.bincount(predicted[members], minlength=classes)
    correct = int((label == predicted)[members].sum())
    return Subset(name, kind, "", int(members.sum()), correct, tuple(map(int, counts)))
