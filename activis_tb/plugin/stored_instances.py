"""Stored instances of a snapshot, from side files that this machine can read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import code_intervals, column, dequantise, half_step
from activis_tb.conditions import Computed, Neuron, Schema, StoredColumn, StoredInstances
from activis_tb.errors import StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES, CodedActivations
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.folders import read_location
from activis_tb.storage.side_files import DatasetReader, attribute_column, score_column, whole_column


class Store:
    """Every instance of one snapshot.

    Args:
        logdir: As TensorBoard was given it; empty where there are several.
        snapshot: Of a recording with `keep="all"`.

    Attributes:
        instances: Their number.

    Raises:
        StoredDataError: The files are missing or damaged.
    """

    def __init__(self, logdir: str, snapshot: JoinedSnapshot) -> None:
        location = read_location(logdir)
        if not logdir or not isinstance(location, Path):
            message = "The files with every instance cannot be found: start TensorBoard with --logdir=FOLDER."
            raise StoredDataError(message)
        self._run_directory = location / snapshot.key.run
        self._snapshot = snapshot
        self._dataset = DatasetReader(self._run_directory, snapshot.manifest)
        self._datasets = {snapshot.reader: self._dataset}
        self._layers: dict[str, list[CodedActivations]] = {}
        self.instances = self._dataset.instances

    def unchanged(self) -> bool:
        """Tells whether none of the files that were read so far has changed."""
        return all(dataset.unchanged() for dataset in self._datasets.values())

    def check(self) -> None:
        """Raises StoredDataError unless they are."""
        if not self.unchanged():
            message = f"The files in {self._run_directory} were changed while they were being read; ask again."
            raise StoredDataError(message)

    @property
    def parquet_files(self) -> list[Path]:
        """The tables of the instances, by part."""
        return self._dataset.parquet_files

    def table(self, schema: Schema) -> StoredInstances:
        """Returns the table that conditions are evaluated over."""
        known = frozenset[str]().union(*(part.columns for part in self._dataset.parts))
        sources = {name: name for name in ("id", "index", "label", "predicted", "score")}
        wholes: dict[str, str] = {}
        for position, (name, _) in enumerate(self._snapshot.manifest.attributes):
            sources[name] = attribute_column(position)
            wholes[name] = whole_column(position)
        columns = tuple(
            StoredColumn(
                name, type_, *(source if (source := part.get(name)) in known else None for part in (sources, wholes))
            )
            for name, type_ in schema.columns.items()
        )
        return StoredInstances(tuple(self._dataset.parquet_files), self.instances, schema.classes, columns)

    def outcomes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Returns the true and the predicted classes, int32 (instances,) each; -1 where there is none."""
        manifest = self._snapshot.manifest
        columns = self._dataset.columns("label", "predicted")
        self.check()
        label, predicted = (np.ma.filled(columns[name].astype(np.int64), -1) for name in ("label", "predicted"))
        classes = len(manifest.classes)
        least, most = (0, classes - 1) if manifest.labelled else (-1, -1)
        if label.min() < least or label.max() > most or predicted.min() < -1 or predicted.max() >= classes:
            message = f"The stored instances in {self._run_directory} have classes that there are not. Record again."
            raise StoredDataError(message)
        return label.astype(np.int32), predicted.astype(np.int32)

    def texts(self, positions: Sequence[int], longest: int) -> list[tuple[str, str]]:
        """Returns the id and the beginning of the first text of instances at ascending `positions`, empty without one.

        Raises:
            StoredDataError: A file is missing or damaged.
        """
        attributes = enumerate(self._snapshot.manifest.attributes)
        names = ["id", *(attribute_column(position) for position, (_, type_) in attributes if type_ == "text")]
        found = self._dataset.texts(names, positions, longest)
        self.check()
        return [(id_, next(filter(None, texts), "")) for id_, *texts in found]

    def layer(self, name: str) -> list[CodedActivations]:
        """Returns the activations of a layer, part by part.

        Raises:
            NotFoundError: It was not recorded.
            StoredDataError: Its files are damaged, or it was recorded by a session that did not keep every instance in
                this order.
        """
        if name not in self._layers:
            self._layers[name] = self._dataset_of(self._snapshot.reader_of(name)).layer(name)
        return self._layers[name]

    def computed(self, part: Computed) -> NDArray[np.floating[Any]]:
        """Returns the activations of a neuron, from their codes, or the scores of a class, floats (instances,)."""
        if isinstance(part, Neuron):
            one = _end if part.end else _column
            return np.concatenate([one(coded, part) for coded in self.layer(part.layer)])
        name = score_column(part.position)
        scores = self._dataset.columns(name)[name]
        self.check()
        return np.ma.filled(scores.astype(np.float32), np.nan)

    def uncertainty(self, part: Neuron) -> float:
        """Returns the largest error of a neuron's coded activations."""
        return max(float(half_step(coded)[part.neuron]) for coded in self.layer(part.layer))

    def _dataset_of(self, reader: SnapshotReader) -> DatasetReader:
        """The files of the session that recorded a layer; sampled instances at other positions reveal another order."""
        if reader in self._datasets:
            return self._datasets[reader]
        newest = self._snapshot.reader
        expected, found = (one.sample(without=ATTRIBUTE_TYPES).index for one in (newest, reader))
        if not np.array_equal(expected, found):
            message = "The session that recorded this layer went through the instances in another order."
            raise StoredDataError(message)
        return self._datasets.setdefault(reader, DatasetReader(self._run_directory, reader.manifest))


def _end(coded: CodedActivations, part: Neuron) -> NDArray[np.float64]:
    """The lower or upper ends of the intervals that activations lie in, float64 (instances,)."""
    low, high = code_intervals(coded, part.neuron)
    return (low if part.end == "low" else high).take(column(coded.codes, part.neuron))


def _column(coded: CodedActivations, part: Neuron) -> NDArray[np.float32]:
    one = slice(part.neuron, part.neuron + 1)
    codes = column(coded.codes, part.neuron)[:, None]
    narrow = CodedActivations(
        codes, coded.origin[one], coded.scale[one], coded.positive_from[one], coded.tallies[:, :, one]
    )
    return dequantise(narrow, codes)[:, 0]
