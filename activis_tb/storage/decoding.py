"""Reader of a snapshot, part by part: the manifest is cheap, an array is fetched when it is asked for.

Nothing stored is trusted: the manifest is checked when it is read, every length before it becomes an array, and values
before anything is looked up by them (`activis_tb.storage.validation`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from dataclasses import fields
from math import prod
from typing import Any, TypeVar, cast

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from activis_tb.errors import StoredDataError
from activis_tb.model import (
    STATISTIC_NAMES,
    Attribute,
    AttributeType,
    Head,
    Layer,
    Manifest,
    Sample,
    StatisticName,
    Statistics,
    Subset,
    TopInstances,
)
from activis_tb.positions import SamplePositions, TokenTable, TopPositions, TopRows
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.metadata import OLDEST_VERSION
from activis_tb.storage.validation import (
    check_arg_positions,
    check_density,
    check_head,
    check_manifest,
    check_range,
    check_sample_positions,
    check_statistic,
    check_tokens,
    check_top_positions,
    check_top_rows,
    check_values,
    flags,
    length_of,
    rows_of,
    wrong_number,
)
from activis_tb.times import range_of

_Message = TypeVar("_Message", pb.Snapshot, pb.Values)
_Noun = TypeVar("_Noun", Layer, Subset)


class SnapshotReader:
    """One stored snapshot.

    Args:
        manifest_blob: Blob 0 of the event.
        fetch: Returns the blob of a number >= 1; called once per array that is asked for.
        fetch_many: Returns several such blobs, where that is faster than one by one.
        blobs: How many the event has, the manifest among them; None where that is not known.

    Attributes:
        manifest: What the snapshot is.
        size: Bytes of the manifest's blob.

    Raises:
        NewerVersionError: It was written by a newer activis-tb.
        StoredDataError: The manifest is damaged, as a blob may be that a method reads.
    """

    def __init__(
        self,
        manifest_blob: bytes,
        fetch: Callable[[int], bytes],
        fetch_many: Callable[[Sequence[int]], Sequence[bytes]] | None = None,
        blobs: int | None = None,
    ) -> None:
        self._fetch = fetch
        self._fetch_many = fetch_many
        check_density(manifest_blob)
        self._message = _parse(pb.Snapshot(), manifest_blob, "the manifest")
        check_manifest(self._message, blobs)
        self.manifest = _manifest(self._message)
        self.size = len(manifest_blob)
        self._confirmed: set[int] = set()
        self._layers = {layer.name: layer for layer in self._message.layers}

    def activations(self, layer: str) -> NDArray[np.float32]:
        """Returns the sampled activations of `layer`, float32 (rows, neurons)."""
        return self._array(self._layer(layer).activations)

    def example_activations(self, layer: str) -> NDArray[np.float32]:
        """Returns what the test cases do in `layer`, float32 (examples, neurons)."""
        stored = self._layer(layer)
        if not self.manifest.examples:
            return np.empty((0, stored.neurons), np.float32)
        return self._array(stored.example_activations)

    def statistic(self, layer: str, statistic: StatisticName) -> NDArray[Any]:
        """Returns one statistic of `layer`, (subsets, neurons); count and nonfinite int64, the others float32."""
        values = self._array(getattr(self._layer(layer), statistic))
        check_statistic(statistic, values, [subset.count for subset in self.manifest.subsets])
        return values

    def statistics(self, layer: str) -> Statistics:
        """Returns all statistics of `layer`, each (subsets, neurons)."""
        stored = self._layer(layer)
        reader = self._with_blobs(getattr(stored, name).blob for name in STATISTIC_NAMES)
        return Statistics(**{name: reader.statistic(layer, name) for name in STATISTIC_NAMES})

    def tokens(self, layer: str) -> TokenTable | None:
        """Returns the tokens of the positions of all instances; None where none were given for `layer`."""
        stored = self._layer(layer)
        if stored.positions != "tokens":
            return None
        found = stored.tokens
        if self._fetch_many is not None:
            pointers = (found.text, found.count, found.mean, found.max)
            return self._with_blobs(array.blob for array in pointers).tokens(layer)
        table = TokenTable(
            tokens=self._strings(found.text, length_of(found.count)),
            count=self._array(found.count),
            mean=self._array(found.mean),
            max=self._array(found.max) if found.HasField("max") else None,
            positions=found.positions,
            distinct=found.distinct,
            least=found.least,
            exact=not found.some,
        )
        check_tokens(table)
        return table

    def top_positions(self, layer: str) -> TopPositions | None:
        """Returns the strongest positions of each neuron; None where no tokens were given for `layer`."""
        stored = self._layer(layer)
        if stored.positions != "tokens":
            return None
        found = stored.top_positions
        if self._fetch_many is not None:
            pointers = (found.value, found.place, found.position, found.word, found.instance, found.words, found.id)
            return self._with_blobs(array.blob for array in (*pointers, found.index)).top_positions(layer)
        words, codes = self._strings(found.words, length_of(found.words)), self._array(found.word)
        check_range("tokens of positions", codes, -1, len(words) - 1)
        top = TopPositions(
            value=self._array(found.value),
            place=self._array(found.place),
            position=self._array(found.position),
            texts=np.append(words, np.array([""], np.object_))[codes],
            instance=self._array(found.instance),
            ids=self._strings(found.id, length_of(found.index)),
            index=self._array(found.index),
            before=found.before,
            after=found.after,
        )
        check_top_positions(top, self.manifest.instances)
        return top

    def arg_positions(self, layer: str) -> NDArray[np.uint16] | None:
        """Returns at which position each sampled activation of `layer` is the largest, uint16 (rows, neurons).

        `UNKNOWN_POSITION` where that cannot be told; None where it was not recorded.
        """
        stored = self._layer(layer)
        if not stored.HasField("arg_position"):
            return None
        places: NDArray[np.uint16] = self._array(stored.arg_position)
        check_arg_positions(places, stored.shape, stored.neurons)
        return places

    def example_arg_positions(self, layer: str) -> NDArray[np.uint16] | None:
        """Returns the same of the test cases, uint16 (examples, neurons)."""
        stored = self._layer(layer)
        if not stored.HasField("arg_position"):
            return None
        if not self.manifest.examples:
            return np.empty((0, stored.neurons), np.uint16)
        places: NDArray[np.uint16] = self._array(stored.example_arg_position)
        check_arg_positions(places, stored.shape, stored.neurons)
        return places

    def sample_positions(self, layer: str) -> SamplePositions | None:
        """Returns what `layer` does at every position of some sampled instances; None where that was not recorded.

        They are those of smallest hash, as many as had room.
        """
        if not self._layer(layer).HasField("sample_positions"):
            return None
        stored = self._layer(layer).sample_positions
        if self._fetch_many is not None:
            return self._with_blobs(_position_blobs(stored, stored.sample)).sample_positions(layer)
        return self._positions(stored, stored.sample, self.manifest.rows)

    def example_positions(self, layer: str) -> SamplePositions | None:
        """Returns the same of test cases, the first ones of them."""
        if not self._layer(layer).HasField("sample_positions"):
            return None
        stored = self._layer(layer).sample_positions
        if self._fetch_many is not None:
            return self._with_blobs(_position_blobs(stored, stored.examples)).example_positions(layer)
        return self._positions(stored, stored.examples, self.manifest.examples)

    def _positions(self, stored: pb.StoredPositions, part: pb.StoredInstancePositions, rows: int) -> SamplePositions:
        """Returns the positions of the sample or of the test cases, of which there are `rows`."""
        has_tokens = stored.HasField("words")
        words = np.empty(0, np.object_)
        neurons = length_of(stored.origin)
        codes, starts = np.empty((0, neurons), np.uint8), np.zeros(1, np.int64)
        kept, text_starts = np.empty(0, np.int32), starts if has_tokens else None
        if rows:
            kept, starts, codes = self._array(part.row), self._array(part.start), self._array(part.codes)
            if has_tokens:
                known, places = self._strings(stored.words, length_of(stored.words)), self._array(part.word)
                check_range("tokens of positions", places, -1, len(known) - 1)
                words = np.append(known, np.array([""], np.object_))[places]
                text_starts = self._array(part.text_start)
        found = SamplePositions(
            rows=kept,
            starts=starts,
            codes=codes,
            origin=self._array(stored.origin),
            scale=self._array(stored.scale),
            text_starts=text_starts,
            texts=words,
            before=stored.before,
            after=stored.after,
        )
        check_sample_positions(found, rows)
        return found

    def head(self, layer: str) -> Head | None:
        """Returns the linear layer that makes the scores of the activations of `layer`; None where there is none."""
        stored = self._layer(layer)
        if not stored.HasField("head_weights"):
            return None
        if self._fetch_many is not None:
            return self._with_blobs((stored.head_weights.blob, stored.head_bias.blob)).head(layer)
        head = Head(self._array(stored.head_weights), self._array(stored.head_bias))
        check_head(head, len(self.manifest.classes))
        return head

    def top_instances(self) -> TopInstances | None:
        """Returns the instances that some neuron answers to most or least, of all of them; None where not recorded."""
        stored = self._message.top_instances
        if not self._message.HasField("top_instances"):
            return None
        if self._fetch_many is not None:
            return self._with_blobs(_sample_blobs(stored, ())).top_instances()
        label, predicted, index = self._outcomes(stored, self._labels, rows_of(stored))
        return TopInstances(
            ids=self._strings(stored.id, rows_of(stored)),
            index=index,
            label=label,
            predicted=predicted,
            attributes=tuple(self._attribute(attribute, stored) for attribute in stored.attributes),
        )

    def top_rows(self, layer: str) -> TopRows | None:
        """Returns which of these each neuron of `layer` answers to most, and least; None where there are none."""
        stored = self._layer(layer)
        if not self._message.HasField("top_instances"):
            return None
        pointers = (stored.top_row, stored.top_value, stored.bottom_row, stored.bottom_value)
        reader = self._with_blobs(array.blob for array in pointers)
        rows = TopRows(*map(reader._array, pointers))  # noqa: SLF001 (a reader of its own)
        instances = rows_of(self._message.top_instances)
        check_top_rows(rows.strongest, rows.largest, instances)
        check_top_rows(rows.weakest, rows.smallest, instances)
        return rows

    @property
    def _labels(self) -> tuple[int, int]:
        """The least and the greatest label of an instance."""
        return (0, len(self.manifest.classes) - 1) if self.manifest.labelled else (-1, -1)

    def _outcomes(
        self, stored: pb.StoredSample, labels: tuple[int, int], rows: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Returns label, predicted class and position in the stream."""
        label, predicted = self._array(stored.label), self._array(stored.predicted)
        check_range("labels", label, *labels)
        check_range("predicted classes", predicted, self._lowest_class, len(self.manifest.classes) - 1)
        index = self._array(stored.index)
        check_range("positions in the stream", index, 0, max(self.manifest.instances, rows) - 1)
        return label, predicted, index

    def membership(self) -> NDArray[np.bool_]:
        """Returns the mapping S of the sampled instances, bool (rows, subsets)."""
        return flags("membership", self._array(self._message.sample.membership))

    def scores(self) -> NDArray[np.float32]:
        """Returns the scores of the sampled instances, float32 (rows, classes)."""
        return self._array(self._message.sample.scores)

    def sample(self, without: Collection[AttributeType] = ()) -> Sample:
        """Returns the columns of the sampled instances; attributes of the types in `without` are not fetched."""
        stored = self._message.sample
        if self._fetch_many is not None:
            return self._with_blobs(_sample_blobs(stored, without)).sample(without)
        return self._columns(stored, self.manifest.rows, without, self._labels)

    def examples(self, without: Collection[AttributeType] = ()) -> Sample | None:
        """Returns the columns of the test cases, as `sample` those of the sampled instances; None without any."""
        stored = self._message.examples
        if not self.manifest.examples:
            return None
        if self._fetch_many is not None:
            return self._with_blobs(_sample_blobs(stored, without)).examples(without)
        labels = (self._lowest_class, len(self.manifest.classes) - 1)
        return self._columns(stored, self.manifest.examples, without, labels)

    @property
    def _lowest_class(self) -> int:
        """The least that may stand for a class: before version 2 there was always one."""
        return -1 if self._message.version > OLDEST_VERSION else 0

    def _columns(
        self, stored: pb.StoredSample, rows: int, without: Collection[AttributeType], labels: tuple[int, int]
    ) -> Sample:
        """Returns the columns; `labels` are the least and the greatest that there may be."""
        label, predicted, index = self._outcomes(stored, labels, rows)
        return Sample(
            ids=self._strings(stored.id, rows),
            ids_given=stored.ids_given,
            index=index,
            label=label,
            predicted=predicted,
            score=self._array(stored.score),
            scores=self._array(stored.scores),
            drawn=flags("drawn", self._array(stored.drawn)),
            always=flags("always", self._array(stored.always)),
            membership=flags("membership", self._array(stored.membership)),
            attributes=tuple(
                self._attribute(attribute, stored) for attribute in stored.attributes if attribute.type not in without
            ),
        )

    def attribute(self, name: str) -> Attribute:
        """Returns the sampled values of one attribute; raises KeyError where there is none of that name."""
        return self._attribute(_named(self._message.sample, name), self._message.sample)

    def presence(self, name: str) -> NDArray[np.bool_]:
        """Returns which sampled instances and then which test cases have a value of an attribute, bool (rows,).

        Raises:
            KeyError: There is no attribute of that name.
        """
        parts = [self._message.sample, *([self._message.examples] if self.manifest.examples else [])]
        return np.concatenate([self._present(_named(columns, name), columns) for columns in parts])

    def example_attribute(self, name: str) -> Attribute:
        """Returns the test cases' values of one attribute; raises KeyError where there is none of that name."""
        return self._attribute(_named(self._message.examples, name), self._message.examples)

    def confirmed_examples(self) -> int:
        """Returns how many test cases there are, having asked a blob of theirs: before memory is taken for them."""
        return self._confirmed_rows(self._message.examples) if self.manifest.examples else 0

    def ids(self) -> NDArray[np.object_]:
        """Returns the ids of the sampled instances, str, object array (rows,)."""
        return self._strings(self._message.sample.id, self.manifest.rows)

    def _with_blobs(self, numbers: Iterable[int]) -> "SnapshotReader":
        """Returns a reader of the same snapshot that holds these blobs, where several are fetched faster at once."""
        if self._fetch_many is None:
            return self
        wanted = sorted({number for number in numbers if number >= 1})
        blobs = dict(zip(wanted, self._fetch_many(wanted), strict=True))
        reader = copy(self)
        vars(reader).update(_fetch=blobs.__getitem__, _fetch_many=None)
        return reader

    def _layer(self, name: str) -> pb.Layer:
        if name not in self._layers:
            raise KeyError(name)
        return self._layers[name]

    def _attribute(self, stored: pb.StoredAttribute, columns: pb.StoredSample) -> Attribute:
        rows = rows_of(columns)
        categories: Sequence[str] = ()
        if stored.type in {"number", "time"}:
            values: NDArray[Any] = self._array(stored.values)
            if stored.type == "time":
                check_range(f"times of attribute {stored.name!r}", values.view(np.int64), *range_of(values.dtype))
        elif stored.type == "category":
            values = self._array(stored.values)
            categories = self._strings(stored.categories, prod(stored.categories.shape)).tolist()
            check_range(f"codes of attribute {stored.name!r}", values, -1, len(categories) - 1)
        elif stored.type == "boolean":
            values = flags(f"attribute {stored.name!r}", self._array(stored.values))
        elif stored.type == "text":
            values = self._strings(stored.values, rows)
        else:
            values = self._bytes(stored.values, rows)
        present = self._present(stored, columns)
        return Attribute(stored.name, cast("AttributeType", stored.type), values, present, tuple(categories))

    def _present(self, stored: pb.StoredAttribute, columns: pb.StoredSample) -> NDArray[np.bool_]:
        if not stored.HasField("present"):
            return np.ones(self._confirmed_rows(columns), np.bool_)
        return flags(f"presence of attribute {stored.name!r}", self._array(stored.present))

    def _confirmed_rows(self, columns: pb.StoredSample) -> int:
        """Returns how many rows `columns` have; the size of a blob has confirmed it."""
        if columns.index.blob not in self._confirmed:
            self._array(columns.index)
            self._confirmed.add(columns.index.blob)
        return rows_of(columns)

    def _array(self, pointer: pb.Array) -> NDArray[Any]:
        """Returns the array that a pointer of the checked manifest points at."""
        blob, dtype, shape = self._fetch(pointer.blob), np.dtype(pointer.dtype), tuple(pointer.shape)
        needed = prod(shape) * dtype.itemsize
        if len(blob) != needed:
            message = f"An array of the snapshot has {len(blob):,} bytes; {dtype} {shape} needs {needed:,}."
            raise StoredDataError(message)
        return np.frombuffer(blob, dtype).reshape(shape)

    def _bytes(self, pointer: pb.Array, rows: int) -> NDArray[np.object_]:
        blob = self._fetch(pointer.blob)
        check_values(blob, rows)
        values = _parse(pb.Values(), blob, "a column").values
        if len(values) != rows:
            raise wrong_number(f"{len(values):,}", rows)
        column = np.empty(rows, np.object_)
        column[:] = list(values)
        return column

    def _strings(self, pointer: pb.Array, rows: int) -> NDArray[np.object_]:
        column = self._bytes(pointer, rows)
        column[:] = [value.decode(errors="replace") for value in column]
        return column


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


def _position_blobs(stored: pb.StoredPositions, part: pb.StoredInstancePositions) -> Iterable[int]:
    arrays = (stored.origin, stored.scale, stored.words, part.row, part.start, part.codes, part.text_start, part.word)
    return (array.blob for array in arrays)


def _manifest(message: pb.Snapshot) -> Manifest:
    return Manifest(
        name=message.name,
        step=message.step,
        session=message.session,
        classes=tuple(message.classes),
        instances=message.instances,
        rows=rows_of(message.sample),
        layers=tuple(_noun(Layer, layer) for layer in message.layers),
        subsets=tuple(_noun(Subset, subset) for subset in message.subsets),
        attributes=tuple((one.name, cast("AttributeType", one.type)) for one in message.sample.attributes),
        graph_digest=message.graph_digest,
        store=message.store,
        stored=message.stored,
        examples=rows_of(message.examples),
        labelled=not message.unlabelled,
    )


def _noun(kind: type[_Noun], message: pb.Layer | pb.Subset) -> _Noun:
    """Returns the dataclass whose fields are those of a message."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = getattr(message, field.name)
        values[field.name] = value if isinstance(value, str | int) else tuple(value)
    return kind(**values)
