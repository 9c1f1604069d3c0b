"""Reads a snapshot part by part: the manifest is cheap, an array is fetched when it is asked for.

Nothing stored is trusted: every pointer, type and length is checked before it becomes an array.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from math import prod
from typing import Any, TypeVar, cast

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from activis_tb.errors import NewerVersionError, StoredDataError
from activis_tb.model import (
    ATTRIBUTE_TYPES,
    STATISTIC_NAMES,
    SUBSET_KINDS,
    Attribute,
    AttributeType,
    Layer,
    Manifest,
    Sample,
    StatisticName,
    Statistics,
    Subset,
)
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.metadata import FORMAT_VERSION

_Message = TypeVar("_Message", pb.Snapshot, pb.Values)
_DTYPES = frozenset({"<f4", "<f8", "<i4", "<i8", "|u1"})


class SnapshotReader:
    """One stored snapshot.

    Args:
        manifest_blob: Blob 0 of the event.
        fetch: Returns the blob of a number >= 1; called once per array that is asked for.
        fetch_many: Returns several such blobs, where that is faster than one by one.

    Raises:
        NewerVersionError: It was written by a newer activis-tb.
        StoredDataError: The manifest is damaged.
    """

    def __init__(
        self,
        manifest_blob: bytes,
        fetch: Callable[[int], bytes],
        fetch_many: Callable[[Sequence[int]], Sequence[bytes]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._fetch_many = fetch_many
        self._message = _parse(pb.Snapshot(), manifest_blob, "the manifest")
        if self._message.version > FORMAT_VERSION:
            raise NewerVersionError("The snapshot", self._message.version, FORMAT_VERSION)
        if self._message.version < 1:
            message = "The manifest names no format version: the blob is damaged or not a snapshot of activis-tb."
            raise StoredDataError(message)
        self.manifest = _manifest(self._message)
        self._layers = {layer.name: layer for layer in self._message.layers}

    def activations(self, layer: str) -> NDArray[np.float32]:
        """Returns the sampled activations of `layer`, float32 (rows, neurons)."""
        stored = self._layer(layer)
        return self._array(stored.activations, (self.manifest.rows, stored.neurons))

    def example_activations(self, layer: str) -> NDArray[np.float32]:
        """Returns what the test cases do in `layer`, float32 (examples, neurons)."""
        stored = self._layer(layer)
        if not self.manifest.examples:
            return np.empty((0, stored.neurons), np.float32)
        return self._array(stored.example_activations, (self.manifest.examples, stored.neurons))

    def statistic(self, layer: str, statistic: StatisticName) -> NDArray[Any]:
        """Returns one statistic of `layer`, (subsets, neurons); count and nonfinite int64, the others float32."""
        stored = self._layer(layer)
        shape = (len(self.manifest.subsets), stored.neurons)
        return self._array(getattr(stored, statistic), shape)

    def statistics(self, layer: str) -> Statistics:
        """Returns all statistics of `layer`, each (subsets, neurons)."""
        stored = self._layer(layer)
        reader = self._with_blobs(getattr(stored, name).blob for name in STATISTIC_NAMES)
        return Statistics(**{name: reader.statistic(layer, name) for name in STATISTIC_NAMES})

    def membership(self) -> NDArray[np.bool_]:
        """Returns the mapping S of the sampled instances, bool (rows, subsets)."""
        shape = (self.manifest.rows, len(self.manifest.subsets))
        return self._array(self._message.sample.membership, shape).astype(np.bool_)

    def scores(self) -> NDArray[np.float32]:
        """Returns the scores of the sampled instances, float32 (rows, classes)."""
        return self._array(self._message.sample.scores, (self.manifest.rows, len(self.manifest.classes)))

    def sample(self, without: Collection[AttributeType] = ()) -> Sample:
        """Returns the columns of the sampled instances; attributes of the types in `without` are not fetched."""
        stored = self._message.sample
        if self._fetch_many is not None:
            return self._with_blobs(_sample_blobs(stored, without)).sample(without)
        return self._columns(stored, self.manifest.rows, without)

    def examples(self, without: Collection[AttributeType] = ()) -> Sample | None:
        """Returns the columns of the test cases, as `sample` those of the sampled instances; None without any."""
        stored = self._message.examples
        if not self.manifest.examples:
            return None
        if self._fetch_many is not None:
            return self._with_blobs(_sample_blobs(stored, without)).examples(without)
        return self._columns(stored, self.manifest.examples, without)

    def _columns(self, stored: pb.StoredSample, count: int, without: Collection[AttributeType]) -> Sample:
        rows = (count,)
        return Sample(
            ids=self._strings(stored.id, rows),
            ids_given=stored.ids_given,
            index=self._array(stored.index, rows),
            label=self._array(stored.label, rows),
            predicted=self._array(stored.predicted, rows),
            score=self._array(stored.score, rows),
            scores=self._array(stored.scores, (*rows, len(self.manifest.classes))),
            drawn=self._array(stored.drawn, rows).astype(np.bool_),
            always=self._array(stored.always, rows).astype(np.bool_),
            membership=self._array(stored.membership, (*rows, len(self.manifest.subsets))).astype(np.bool_),
            attributes=tuple(
                self._attribute(attribute, rows) for attribute in stored.attributes if attribute.type not in without
            ),
        )

    def attribute(self, name: str) -> Attribute:
        """Returns the sampled values of one attribute; raises KeyError where there is none of that name."""
        return self._attribute(_named(self._message.sample, name), (self.manifest.rows,))

    def presence(self, name: str) -> NDArray[np.bool_]:
        """Returns which sampled instances and then which test cases have a value of an attribute, bool (rows,).

        Raises:
            KeyError: There is no attribute of that name.
        """
        parts = [(self._message.sample, self.manifest.rows)]
        parts += [(self._message.examples, self.manifest.examples)] if self.manifest.examples else []
        return np.concatenate([self._present(_named(columns, name), (rows,)) for columns, rows in parts])

    def example_attribute(self, name: str) -> Attribute:
        """Returns the test cases' values of one attribute; raises KeyError where there is none of that name."""
        return self._attribute(_named(self._message.examples, name), (self.manifest.examples,))

    def ids(self) -> NDArray[np.object_]:
        """Returns the ids of the sampled instances, str, object array (rows,)."""
        return self._strings(self._message.sample.id, (self.manifest.rows,))

    def _with_blobs(self, numbers: Iterable[int]) -> "SnapshotReader":
        """Returns a reader of the same snapshot that holds these blobs, where several are fetched faster at once."""
        if self._fetch_many is None:
            return self
        wanted = sorted({number for number in numbers if number >= 1})
        blobs = dict(zip(wanted, self._fetch_many(wanted), strict=True))
        return SnapshotReader(self._message.SerializeToString(), blobs.__getitem__)

    def _layer(self, name: str) -> pb.StoredLayer:
        if name not in self._layers:
            raise KeyError(name)
        return self._layers[name]

    def _attribute(self, stored: pb.StoredAttribute, rows: tuple[int]) -> Attribute:
        if stored.type in {"number", "category"}:
            values: NDArray[Any] = self._array(stored.values, rows)
        elif stored.type == "boolean":
            values = self._array(stored.values, rows).astype(np.bool_)
        elif stored.type == "text":
            values = self._strings(stored.values, rows)
        else:
            values = self._bytes(stored.values, rows)
        categories: Sequence[str] = ()
        if stored.type == "category":
            categories = self._strings(stored.categories, (prod(stored.categories.shape),)).tolist()
        present = self._present(stored, rows)
        return Attribute(stored.name, cast("AttributeType", stored.type), values, present, tuple(categories))

    def _present(self, stored: pb.StoredAttribute, rows: tuple[int]) -> NDArray[np.bool_]:
        if not stored.HasField("present"):
            return np.ones(rows, np.bool_)
        return self._array(stored.present, rows).astype(np.bool_)

    def _array(self, pointer: pb.Array, shape: tuple[int, ...]) -> NDArray[Any]:
        if pointer.dtype not in _DTYPES or tuple(pointer.shape) != shape:
            message = (
                f"An array of the snapshot is declared as {pointer.dtype or 'nothing'} {tuple(pointer.shape)}; "
                f"expected shape {shape}. The recording is damaged; record the step again."
            )
            raise StoredDataError(message)
        blob = self._blob(pointer)
        dtype = np.dtype(pointer.dtype)
        if len(blob) != prod(shape) * dtype.itemsize:
            needed = prod(shape) * dtype.itemsize
            message = f"An array of the snapshot has {len(blob):,} bytes; {dtype} {shape} needs {needed:,}."
            raise StoredDataError(message)
        return np.frombuffer(blob, dtype).reshape(shape)

    def _bytes(self, pointer: pb.Array, shape: tuple[int]) -> NDArray[np.object_]:
        if pointer.dtype != "bytes":
            message = f"A column of the snapshot is declared as {pointer.dtype or 'nothing'}; expected bytes."
            raise StoredDataError(message)
        values = _parse(pb.Values(), self._blob(pointer), "a column").values
        if len(values) != shape[0]:
            message = f"A column of the snapshot has {len(values):,} values; expected {shape[0]:,}."
            raise StoredDataError(message)
        column = np.empty(shape, np.object_)
        column[:] = list(values)
        return column

    def _strings(self, pointer: pb.Array, shape: tuple[int]) -> NDArray[np.object_]:
        column = self._bytes(pointer, shape)
        column[:] = [value.decode(errors="replace") for value in column]
        return column

    def _blob(self, pointer: pb.Array) -> bytes:
        if pointer.blob < 1:
            message = f"An array of the snapshot points at blob {pointer.blob}; expected 1 or more."
            raise StoredDataError(message)
        return self._fetch(pointer.blob)


def _parse(message: _Message, blob: bytes, what: str) -> _Message:
    try:
        message.ParseFromString(blob)
    except DecodeError as error:
        text = f"Cannot read {what} of the snapshot ({len(blob):,} bytes): it is damaged or not ours."
        raise StoredDataError(text) from error
    return message


def _named(columns: pb.StoredSample, name: str) -> pb.StoredAttribute:
    for stored in columns.attributes:
        if stored.name == name:
            return stored
    raise KeyError(name)


def _sample_blobs(stored: pb.StoredSample, without: Collection[AttributeType]) -> Iterable[int]:
    """Returns the numbers of the blobs that hold the columns of `stored` but the attributes of some types."""
    columns = (stored.id, stored.index, stored.label, stored.predicted, stored.score, stored.scores)
    arrays = [*columns, stored.drawn, stored.always, stored.membership]
    for attribute in stored.attributes:
        if attribute.type in without:
            continue
        arrays += [attribute.values, attribute.present, attribute.categories]
    return (array.blob for array in arrays)


def _manifest(message: pb.Snapshot) -> Manifest:
    subsets = tuple(_subset(subset) for subset in message.subsets)
    classes = tuple(message.classes)
    if tuple(subset.name for subset in subsets[: len(classes)]) != classes:
        text = "The snapshot's subsets do not begin with its classes: the manifest is damaged."
        raise StoredDataError(text)
    return Manifest(
        name=message.name,
        step=message.step,
        session=message.session,
        classes=classes,
        instances=message.instances,
        rows=_rows(message.sample),
        layers=tuple(_layer(layer) for layer in message.layers),
        subsets=subsets,
        attributes=tuple((attribute.name, _attribute_type(attribute)) for attribute in message.sample.attributes),
        graph_digest=message.graph_digest,
        store=message.store,
        stored=message.stored,
        examples=_rows(message.examples),
    )


def _rows(columns: pb.StoredSample) -> int:
    shape = tuple(columns.index.shape)
    return shape[0] if len(shape) == 1 else 0


def _subset(message: pb.StoredSubset) -> Subset:
    if message.kind not in SUBSET_KINDS:
        text = f"A subset of the snapshot is of kind {message.kind!r}; expected one of {', '.join(SUBSET_KINDS)}."
        raise StoredDataError(text)
    return Subset(
        name=message.name,
        kind=message.kind,
        condition=message.condition,
        count=message.count,
        correct=message.correct,
        predicted_counts=tuple(message.predicted_counts),
    )


def _layer(message: pb.StoredLayer) -> Layer:
    return Layer(
        name=message.name,
        neurons=message.neurons,
        shape=tuple(message.shape),
        dtype=message.dtype,
        tensor=message.tensor,
        signed=message.signed,
        pooling=message.pooling,
    )


def _attribute_type(message: pb.StoredAttribute) -> AttributeType:
    if message.type not in ATTRIBUTE_TYPES:
        text = f"Attribute {message.name!r} is of type {message.type!r}; expected one of {', '.join(ATTRIBUTE_TYPES)}."
        raise StoredDataError(text)
    return message.type
