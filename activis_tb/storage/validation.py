"""Validation of a stored snapshot: its manifest against itself, its values against their ranges.

No number of a manifest leads to an allocation before the size of its blob has confirmed it, and no unchecked value is
used as an index. Every fault is a `StoredDataError` that names the field.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import NewerVersionError, StoredDataError, shorten
from activis_tb.model import (
    ATTRIBUTE_TYPES,
    OUTCOME_COLUMNS,
    POSITION_KINDS,
    STATISTIC_NAMES,
    SUBSET_KINDS,
    UNLABELLED,
    Head,
)
from activis_tb.positions import AROUND, UNKNOWN_POSITION, SamplePositions, TokenTable, TopPositions
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.encoding import ATTRIBUTE_DTYPES, LIMIT, SAMPLE_DTYPES, SINCE_VERSION_2, STATISTIC_DTYPES
from activis_tb.storage.metadata import FORMAT_VERSION, OLDEST_VERSION

BYTES = "bytes"
"""The type of a column of texts or encoded pictures."""

_FIXED = {1: 8, 5: 4}
"""Bytes of the wire types of protobuf that have no length."""
_SAMPLES = frozenset({pb.Snapshot.SAMPLE_FIELD_NUMBER, pb.Snapshot.EXAMPLES_FIELD_NUMBER})
_ATTRIBUTES = pb.StoredSample.ATTRIBUTES_FIELD_NUMBER
_LEAST_BYTES = {pb.Snapshot.SUBSETS_FIELD_NUMBER: 8, pb.Snapshot.LAYERS_FIELD_NUMBER: 64}
"""Of a subset and a layer that could be one."""
_LEAST_ATTRIBUTE = 12
_SMALL_VALUES = 64
"""A column of values that has at most so many bytes per value is parsed without counting them first."""


LARGEST_SCALE = 1e39
"""Of codes: the largest float32 several times over."""


class Declared(NamedTuple):
    """One array of a manifest, with its expected type and shape.

    Attributes:
        what: For a message.
        pointer: As stored.
        dtype: See `Array.dtype` of `proto/activis.proto`.
        shape: By the manifest's counts.
    """

    what: str
    pointer: pb.Array
    dtype: str
    shape: tuple[int, ...]


def check_manifest(message: pb.Snapshot, blobs: int | None = None) -> None:
    """Checks a manifest against itself and the number of its event's blobs.

    Args:
        message: The manifest.
        blobs: Of the event, the manifest's own among them; None where that is not known.

    Raises:
        NewerVersionError: It was written by a newer activis-tb.
        StoredDataError: It contradicts itself.
    """
    if message.version > FORMAT_VERSION:
        raise NewerVersionError("The snapshot", message.version, FORMAT_VERSION)
    if message.version < 1:
        text = "The manifest names no format version: the blob is damaged or not a snapshot of activis-tb."
        raise StoredDataError(text)
    _check_counts(message)
    _check_names(message)
    _check_subsets(message)
    _check_attributes(message)
    size = 0
    for declared in declared_arrays(message):
        check_pointer(declared)
        if blobs is not None and declared.pointer.blob >= blobs:
            text = f"The snapshot has no blob {declared.pointer.blob}; it ends after {blobs}. Record the step again."
            raise StoredDataError(text)
        size += 0 if declared.dtype == BYTES else prod(declared.shape) * np.dtype(declared.dtype).itemsize
    if size > LIMIT:
        raise _damaged("arrays", f"{size:,} bytes in all", f"at most {LIMIT:,}")


def check_density(blob: bytes) -> None:
    """Checks that a serialised manifest does not consist of empty messages, each of which takes 50 times its bytes.

    Raises:
        StoredDataError: A subset, layer or attribute is smaller than possible.
    """
    for number, start, end in _entries(blob, 0, len(blob)):
        inner = _entries(blob, start, end) if number in _SAMPLES else iter(())
        attributes = (last - first for field, first, last in inner if field == _ATTRIBUTES)
        if end - start < _LEAST_BYTES.get(number, 0) or any(size < _LEAST_ATTRIBUTE for size in attributes):
            text = f"Cannot read the manifest of the snapshot ({len(blob):,} bytes): it is damaged or not ours."
            raise StoredDataError(text)


def _entries(blob: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields (field number, start, end) of the length-delimited fields of a serialised message, while valid."""
    while at < end:
        key, at = _varint(blob, at, end)
        kind = key & 7
        if kind == 2:
            size, at = _varint(blob, at, end)
            yield key >> 3, at, min(at + size, end)
            at += size
        elif kind == 0:
            _, at = _varint(blob, at, end)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            return


def _varint(blob: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= end:
            break
        byte, at = blob[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


def declared_arrays(message: pb.Snapshot) -> Iterator[Declared]:
    """Yields every required array of a manifest, and the optional ones that it has."""
    subsets, examples = len(message.subsets), rows_of(message.examples)
    columns = [("sample", message.sample), *([("examples", message.examples)] if examples else [])]
    for part, stored in columns:
        yield from _declared_columns(message, part, stored)
    top = message.HasField("top_instances")
    if top:
        yield from _declared_top_instances(message)
    for layer in message.layers:
        what = f"layer {shorten(repr(layer.name))}"
        if top:
            for rows, values in ((layer.top_row, layer.top_value), (layer.bottom_row, layer.bottom_value)):
                shape = (layer.neurons, max(rows.shape[1], 0) if len(rows.shape) == 2 else 0)
                yield Declared(f"{what}, strongest instances", rows, "<i4", shape)
                yield Declared(f"{what}, their activations", values, "<f4", shape)
        yield Declared(f"{what}, activations", layer.activations, "<f4", (rows_of(message.sample), layer.neurons))
        for name in STATISTIC_NAMES:
            yield Declared(f"{what}, {name}", getattr(layer, name), STATISTIC_DTYPES[name], (subsets, layer.neurons))
        if examples:
            shape = (examples, layer.neurons)
            yield Declared(f"{what}, test cases", layer.example_activations, "<f4", shape)
        if layer.HasField("arg_position"):
            shape = (rows_of(message.sample), layer.neurons)
            yield Declared(f"{what}, arg positions", layer.arg_position, "<u2", shape)
            if examples:
                shape = (examples, layer.neurons)
                yield Declared(f"{what}, arg positions of test cases", layer.example_arg_position, "<u2", shape)
        if layer.HasField("head_weights"):
            outputs = length_of(layer.head_bias)
            yield Declared(f"{what}, weights", layer.head_weights, "<f4", (layer.neurons, outputs))
            yield Declared(f"{what}, bias", layer.head_bias, "<f4", (outputs,))
        if layer.positions == "tokens":
            yield from _declared_tokens(f"{what}, tokens", layer.tokens, layer.neurons)
            yield from _declared_top(f"{what}, top positions", layer.top_positions, layer.neurons)
        if layer.HasField("sample_positions"):
            yield from _declared_positions(f"{what}, sample positions", layer, with_examples=examples > 0)


def _declared_top_instances(message: pb.Snapshot) -> Iterator[Declared]:
    stored, rows = message.top_instances, (rows_of(message.top_instances),)
    yield Declared("strongest instances, ids", stored.id, BYTES, rows)
    for name in ("index", "label", "predicted"):
        yield Declared(f"strongest instances, {name}", getattr(stored, name), SAMPLE_DTYPES[name], rows)
    for attribute in stored.attributes:
        yield from _declared_attribute("strongest instances", attribute, rows, message.version)


def _declared_attribute(
    part: str, attribute: pb.StoredAttribute, rows: tuple[int, ...], version: int
) -> Iterator[Declared]:
    what = f"{part}, attribute {shorten(repr(attribute.name))}"
    yield Declared(what, attribute.values, values_dtype(attribute, version), rows)
    if attribute.HasField("present"):
        yield Declared(f"{what}, present", attribute.present, "|u1", rows)
    if attribute.type == "category":
        known = tuple(attribute.categories.shape)
        shape = (max(known[0], 0),) if len(known) == 1 else (0,)
        yield Declared(f"{what}, categories", attribute.categories, BYTES, shape)


def _declared_positions(what: str, layer: pb.Layer, *, with_examples: bool) -> Iterator[Declared]:
    stored = layer.sample_positions
    yield Declared(f"{what}, origin", stored.origin, "<f8", (layer.neurons,))
    yield Declared(f"{what}, scale", stored.scale, "<f8", (layer.neurons,))
    if stored.HasField("words"):
        yield Declared(f"{what}, words", stored.words, BYTES, (length_of(stored.words),))
    for part in (stored.sample, *([stored.examples] if with_examples else [])):
        kept, shape = length_of(part.row), tuple(part.codes.shape)
        positions = max(shape[0], 0) if len(shape) == 2 else 0
        yield Declared(f"{what}, row", part.row, "<i4", (kept,))
        yield Declared(f"{what}, start", part.start, "<i8", (kept + 1,))
        yield Declared(f"{what}, codes", part.codes, "|u1", (positions, layer.neurons))
        if stored.HasField("words"):
            yield Declared(f"{what}, text start", part.text_start, "<i8", (kept + 1,))
            yield Declared(f"{what}, word", part.word, "<i4", (length_of(part.word),))


def _declared_tokens(what: str, stored: pb.StoredTokens, neurons: int) -> Iterator[Declared]:
    tokens = length_of(stored.count)
    yield Declared(what, stored.text, BYTES, (tokens,))
    yield Declared(f"{what}, count", stored.count, "<i8", (tokens,))
    yield Declared(f"{what}, mean", stored.mean, "<f4", (tokens, neurons))
    if stored.HasField("max"):
        yield Declared(f"{what}, max", stored.max, "<f4", (tokens, neurons))


def _declared_top(what: str, stored: pb.StoredTopPositions, neurons: int) -> Iterator[Declared]:
    shape = tuple(stored.value.shape)
    top = max(shape[1], 0) if len(shape) == 2 else 0
    places, instances = length_of(stored.position), length_of(stored.index)
    yield Declared(f"{what}, value", stored.value, "<f4", (neurons, top))
    yield Declared(f"{what}, place", stored.place, "<i4", (neurons, top))
    yield Declared(f"{what}, position", stored.position, "<i4", (places,))
    yield Declared(f"{what}, word", stored.word, "<i4", (places, 2 * AROUND + 1))
    yield Declared(f"{what}, instance", stored.instance, "<i4", (places,))
    yield Declared(f"{what}, words", stored.words, BYTES, (length_of(stored.words),))
    yield Declared(f"{what}, ids", stored.id, BYTES, (instances,))
    yield Declared(f"{what}, index", stored.index, "<i8", (instances,))


def rows_of(columns: pb.StoredSample) -> int:
    """Returns the number of rows that columns claim to have; 0 where the claim is impossible."""
    return length_of(columns.index)


def length_of(pointer: pb.Array) -> int:
    """Returns the number of values that a column claims to have; 0 where the claim is impossible."""
    shape = tuple(pointer.shape)
    return shape[0] if len(shape) == 1 and shape[0] >= 0 else 0


def values_dtype(attribute: pb.StoredAttribute, version: int) -> str:
    """Returns the expected dtype of an attribute's values: their own, if its type allows it."""
    possible = ATTRIBUTE_DTYPES.get(attribute.type, (BYTES,))
    known = [dtype for dtype in possible if version > 1 or dtype not in SINCE_VERSION_2]
    return attribute.values.dtype if attribute.values.dtype in known else possible[0]


def check_pointer(declared: Declared) -> None:
    """Raises StoredDataError where a pointer is not as declared."""
    what, pointer, dtype, shape = declared
    if pointer.dtype != dtype or tuple(pointer.shape) != shape:
        found = shorten(f"{shorten(pointer.dtype, 20) or 'nothing'} {tuple(pointer.shape[:8])}")
        text = (
            f"An array of the snapshot ({what}) is declared as {found}; expected shape {shape} of {dtype}. "
            "The recording is damaged; record the step again."
        )
        raise StoredDataError(text)
    if pointer.blob < 1:
        text = f"An array of the snapshot ({what}) points at blob {pointer.blob}; expected 1 or more."
        raise StoredDataError(text)


def check_values(blob: bytes, expected: int) -> None:
    """Checks that a serialised `Values` has `expected` values, before any of them becomes an object.

    Raises:
        StoredDataError: It has another number of values, or cannot be parsed.
    """
    if len(blob) <= _SMALL_VALUES * expected:
        return
    found = sum(1 for _ in islice(_entries(blob, 0, len(blob)), expected + 1))
    if found != expected:
        raise wrong_number(f"{found:,}{' or more' if found > expected else ''}", expected)


def wrong_number(found: str, expected: int) -> StoredDataError:
    """Returns the error that a column has the wrong number of values."""
    return StoredDataError(f"A column of the snapshot has {found} values; expected {expected:,}.")


def check_range(what: str, values: NDArray[Any], low: float, high: float) -> None:
    """Raises StoredDataError where one of `values` is outside of `low` to `high` or NaN."""
    if values.size == 0:
        return
    smallest, largest = values.min(), values.max()
    if not (smallest >= low and largest <= high):
        wrong = smallest if not smallest >= low else largest
        raise _damaged(what, f"{wrong}", f"{low:,} to {high:,}")


def flags(what: str, values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Returns stored flags as booleans; raises StoredDataError where one is neither 0 nor 1."""
    check_range(what, values, 0, 1)
    return values.astype(np.bool_)


def check_statistic(name: str, values: NDArray[Any], counts: Sequence[int]) -> None:
    """Checks one statistic, (subsets, neurons), against the sizes of the subsets.

    Raises:
        StoredDataError: A count exceeds the size of the subset, or a share is outside of 0 to 1.
    """
    if name in {"count", "nonfinite"}:
        most = np.array(counts, np.int64)[:, None]
        if ((values < 0) | (values > most)).any():
            raise _damaged(name, "counts that are negative or more than the subset has", "at most its instances")
    elif name in {"active", "std"}:
        check_range(name, values[~np.isnan(values)], 0, 1 if name == "active" else np.inf)


def check_head(head: Head, classes: int) -> None:
    """Raises StoredDataError where the weights after a layer are not finite, or of another number of classes."""
    outputs = len(head.bias)
    if outputs != classes and (classes, outputs) != (2, 1):
        raise _damaged("weights", f"those of {outputs} outputs", f"those of {classes} classes")
    if not (np.isfinite(head.weights).all() and np.isfinite(head.bias).all()):
        raise _damaged("weights", "values that are not finite", "numbers")


def check_tokens(table: TokenTable) -> None:
    """Raises StoredDataError where what is said of a layer's tokens contradicts itself."""
    check_range("token counts", table.count, 1, table.positions)
    if not len(table.count) <= table.distinct <= table.positions or table.count.sum() > table.positions:
        got = f"{len(table.count):,} of {table.distinct:,} tokens at {table.positions:,} positions"
        raise _damaged("tokens", got, "counts that hold one another")


def check_arg_positions(places: NDArray[np.uint16], shape: Sequence[int], neurons: int) -> None:
    """Raises StoredDataError where positions of maxima are beyond those of a layer of this shape."""
    if len(shape) < 2 or min(shape) < 1 or not neurons:
        return
    most = prod(shape) // neurons - 1
    check_range("positions of maxima", places[places != UNKNOWN_POSITION], 0, most)


def check_top_positions(top: TopPositions, instances: int) -> None:
    """Raises StoredDataError where strongest positions point at nothing, or are of none of the `instances`."""
    check_range("places of positions", top.place, -1, len(top.position) - 1)
    check_range("numbers of positions", top.position, 0, np.inf)
    check_range("instances of positions", top.instance, 0, len(top.index) - 1)
    check_range("places of instances", top.index, 0, instances - 1)
    known = top.place >= 0
    if not (np.isfinite(top.value) == known).all() or (known[:, 1:] > known[:, :-1]).any():
        raise _damaged("strongest positions", "values without a place, or places without one", "one for each")


def check_top_rows(rows: NDArray[np.int32], values: NDArray[np.float32], instances: int) -> None:
    """Raises StoredDataError where strongest instances of neurons are none of the `instances`."""
    check_range("rows of strongest instances", rows, -1, instances - 1)
    known = rows >= 0
    if not (np.isfinite(values) == known).all() or (known[:, 1:] > known[:, :-1]).any():
        raise _damaged("strongest instances", "activations without a row, or rows without one", "one for each")


def check_sample_positions(found: SamplePositions, rows: int) -> None:
    """Raises StoredDataError where kept positions are not those of some of `rows` instances."""
    check_range("rows of positions", found.rows, 0, rows - 1)
    if (np.diff(found.rows) <= 0).any():
        raise _damaged("rows of positions", "a row that is not behind the one before", "ascending rows")
    check_offsets("positions", found.starts, len(found.codes))
    check_range("scales of positions", found.scale, 0, LARGEST_SCALE)
    check_range("origins of positions", found.origin, -LARGEST_SCALE, LARGEST_SCALE)
    if found.text_starts is not None:
        check_offsets("tokens of positions", found.text_starts, len(found.texts))
        if (np.diff(found.starts) > np.maximum(np.diff(found.text_starts) - found.before, 0)).any():
            raise _damaged("tokens of positions", "fewer than positions", "one for each")


def check_offsets(what: str, starts: NDArray[np.int64], end: int) -> None:
    """Raises StoredDataError unless these begin at 0, never fall and end at `end`."""
    if starts[0] != 0 or starts[-1] != end or (starts[1:] < starts[:-1]).any():
        raise _damaged(what, f"offsets from {starts[0]} to {starts[-1]}", f"ascending ones from 0 to {end:,}")


def _damaged(what: str, got: str, expected: str) -> StoredDataError:
    return StoredDataError(
        f"The snapshot's {what}: got {got}; expected {expected}. The recording is damaged; record the step again."
    )


def _check_counts(message: pb.Snapshot) -> None:
    rows = rows_of(message.sample)
    if message.instances < 0:
        raise _damaged("instances", f"{message.instances:,}", "0 or more")
    if rows > message.instances:
        raise _damaged("rows", f"{rows:,} of {message.instances:,} instances", "at most one row per instance")
    if message.stored not in {0, message.instances}:
        raise _damaged("stored instances", f"{message.stored:,}", f"0, or all of its {message.instances:,} instances")
    if not message.subsets:
        raise _damaged("subsets", "none", "one at least")
    for layer in message.layers:
        if layer.neurons < 0:
            raise _damaged(f"layer {shorten(layer.name)}", f"{layer.neurons:,} neurons", "0 or more")
        if any(size < -1 for size in layer.shape):
            raise _damaged(f"layer {shorten(layer.name)}", f"shape {tuple(layer.shape[:8])}", "sizes, -1 for any")
        if layer.positions not in POSITION_KINDS or (layer.positions == "tokens") != layer.HasField("tokens"):
            raise _damaged(f"layer {shorten(layer.name)}", f"positions {shorten(layer.positions)!r}", "what it has")
        if layer.tokens.least < 0 or layer.tokens.distinct < 0 or layer.tokens.positions < 0:
            raise _damaged(f"layer {shorten(layer.name)}", "negative counts of tokens", "0 or more")
        if min(layer.top_positions.before, layer.top_positions.after) < 0:
            raise _damaged(f"layer {shorten(layer.name)}", "negative numbers of tokens around one", "0 or more")
        if min(layer.sample_positions.before, layer.sample_positions.after) < 0:
            raise _damaged(f"layer {shorten(layer.name)}", "negative numbers of tokens around one", "0 or more")


def _check_names(message: pb.Snapshot) -> None:
    attributes = [attribute.name for attribute in message.sample.attributes]
    named: Mapping[str, Sequence[str]] = {
        "classes": message.classes,
        "layers": [layer.name for layer in message.layers],
        "attributes": [*attributes, *OUTCOME_COLUMNS],
        "subsets": [subset.name for subset in message.subsets],
    }
    for what, names in named.items():
        if twice := _twice(names):
            raise _damaged(what, f"{shorten(repr(twice[0]))} twice", "every name once")


def _twice(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _check_subsets(message: pb.Snapshot) -> None:
    classes = tuple(message.classes)
    for subset in message.subsets:
        if subset.kind not in SUBSET_KINDS:
            text = f"A subset of the snapshot is of kind {subset.kind!r}; expected one of {', '.join(SUBSET_KINDS)}."
            raise StoredDataError(text)
    strata = (UNLABELLED,) if message.unlabelled else classes
    first, kind = message.subsets[: len(strata)], "all" if message.unlabelled else "class"
    if tuple(subset.name for subset in first) != strata or any(subset.kind != kind for subset in first):
        expected = f"its row {UNLABELLED!r}" if message.unlabelled else "its classes"
        text = f"The snapshot's subsets do not begin with {expected}: the manifest is damaged."
        raise StoredDataError(text)
    for subset in message.subsets:
        what = f"subset {shorten(repr(subset.name))}"
        most = 0 if message.unlabelled else subset.count
        if not (0 <= subset.correct <= most and 0 <= subset.count <= message.instances):
            got = f"{subset.correct:,} of {subset.count:,} right, of {message.instances:,} instances"
            raise _damaged(what, got, "counts that hold one another")
        counts = subset.predicted_counts
        least = subset.count if message.version <= OLDEST_VERSION else 0
        if len(counts) != len(classes) or min(counts, default=0) < 0 or not least <= sum(counts) <= subset.count:
            got = f"{len(counts):,} predicted counts, {sum(counts):,} in all"
            raise _damaged(what, got, f"one for each of {len(classes):,} classes, {subset.count:,} in all")
    total = sum(subset.count for subset in first)
    if total != message.instances:
        raise _damaged("classes", f"{total:,} instances", f"all {message.instances:,}")


def _check_attributes(message: pb.Snapshot) -> None:
    for attribute in message.sample.attributes:
        if attribute.type not in ATTRIBUTE_TYPES:
            known = ", ".join(ATTRIBUTE_TYPES)
            text = f"Attribute {shorten(repr(attribute.name))} is of type {attribute.type!r}; expected one of {known}."
            raise StoredDataError(text)
    sampled, strongest = (
        {(one.name, one.type) for one in columns.attributes} for columns in (message.sample, message.top_instances)
    )
    if not strongest <= sampled:
        message_text = "The strongest instances have other attributes than the sample. Record the step again."
        raise StoredDataError(message_text)
    if rows_of(message.top_instances) > message.instances:
        got = f"{rows_of(message.top_instances):,} of {message.instances:,}"
        raise _damaged("strongest instances", got, "at most all")
    if rows_of(message.examples):
        ours, theirs = (
            [(one.name, one.type) for one in columns.attributes] for columns in (message.sample, message.examples)
        )
        if ours != theirs:
            message_text = "The test cases have other attributes than the sample. Record the step again."
            raise StoredDataError(message_text)


def _declared_columns(message: pb.Snapshot, part: str, stored: pb.StoredSample) -> Iterator[Declared]:
    rows = (rows_of(stored),)
    widths: Mapping[str, Collection[Any]] = {"scores": message.classes, "membership": message.subsets}
    yield Declared(f"{part}, ids", stored.id, BYTES, rows)
    for name, dtype in SAMPLE_DTYPES.items():
        shape = (*rows, len(widths[name])) if name in widths else rows
        yield Declared(f"{part}, {name}", getattr(stored, name), dtype, shape)
    for attribute in stored.attributes:
        yield from _declared_attribute(part, attribute, rows, message.version)
