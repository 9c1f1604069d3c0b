"""Blobs of a snapshot in one event: blob 0 is the manifest, the others are the arrays it points at."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import SnapshotTooLargeError
from activis_tb.model import STATISTIC_NAMES, Attribute, Layer, Sample, Snapshot, Subset, TopInstances
from activis_tb.positions import SamplePositions, TokenTable, TopPositions
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.metadata import FORMAT_VERSION, OLDEST_VERSION

LARGE = 20 * 2**20
"""Bytes above which a snapshot is worth a warning: TensorBoard keeps every one of them in memory."""
LIMIT = 256 * 2**20
"""Bytes above which a snapshot is refused: the largest message TensorBoard's data server sends."""

LONGEST_TOKEN = 100
"""Characters of a token that are stored."""

SAMPLE_DTYPES = {
    **{"index": "<i8", "label": "<i4", "predicted": "<i4", "score": "<f4", "scores": "<f4"},
    **dict.fromkeys(("drawn", "always", "membership"), "|u1"),
}
"""What the columns of the instances but their ids are stored as."""
ATTRIBUTE_DTYPES = {
    "number": ("<f8", "<i8", "<u8"),
    "boolean": ("|u1",),
    "category": ("<i4",),
    "time": ("<M8[us]", "<M8[ns]"),
}
"""What the values of attributes may be stored as; those of other types are bytes."""
SINCE_VERSION_2 = frozenset({"<i8", "<u8", "<M8[us]", "<M8[ns]"})
"""Types of attributes that version 1 has not."""
STATISTIC_DTYPES = dict.fromkeys(STATISTIC_NAMES, "<f4") | dict.fromkeys(("count", "nonfinite"), "<i8")


def encode_snapshot(snapshot: Snapshot) -> list[bytes]:
    """Returns the blobs of `snapshot`, the manifest first.

    Raises:
        SnapshotTooLargeError: The blobs have more than `LIMIT` bytes.
    """
    blobs = _Blobs()
    manifest = snapshot.manifest
    message = pb.Snapshot(
        version=version_of(snapshot),
        name=manifest.name,
        step=manifest.step,
        session=manifest.session,
        classes=manifest.classes,
        instances=manifest.instances,
        subsets=[_subset(subset) for subset in manifest.subsets],
        layers=[_layer(layer, snapshot, blobs) for layer in manifest.layers],
        sample=_sample(snapshot.sample, blobs),
        graph_digest=manifest.graph_digest,
        store=manifest.store,
        stored=manifest.stored,
        examples=_sample(snapshot.examples, blobs) if snapshot.examples else None,
        unlabelled=not manifest.labelled,
        top_instances=_top_instances(snapshot.top_instances, blobs) if snapshot.top_instances else None,
    )
    encoded = [message.SerializeToString(deterministic=True), *blobs.blobs]
    size = sum(map(len, encoded))
    if size > LIMIT:
        raise SnapshotTooLargeError(size, LIMIT, blobs.largest)
    return encoded


def version_of(snapshot: Snapshot) -> int:
    """Returns the format version that `snapshot` needs: the oldest of which no reader takes it for anything else."""
    samples = [one for one in (snapshot.sample, snapshot.examples, snapshot.top_instances) if one]
    lacks_classes = any((sample.label < 0).any() or (sample.predicted < 0).any() for sample in samples)
    lacks_predictions = any(sum(subset.predicted_counts) < subset.count for subset in snapshot.manifest.subsets)
    types = {_dtype(attribute) for sample in samples for attribute in sample.attributes}
    needed = not snapshot.manifest.labelled or lacks_classes or lacks_predictions or SINCE_VERSION_2.intersection(types)
    return FORMAT_VERSION if needed else OLDEST_VERSION


class _Blobs:
    """Collects arrays and hands out the pointers to them."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.largest = "the manifest"
        self._largest_size = 0

    def array(self, values: NDArray[Any], dtype: str, what: str) -> pb.Array:
        converted = np.ascontiguousarray(values, dtype=np.dtype(dtype))
        return self._append(converted.tobytes(), dtype, converted.shape, what)

    def values(self, values: Iterable[bytes], what: str) -> pb.Array:
        message = pb.Values(values=values)
        return self._append(message.SerializeToString(), "bytes", (len(message.values),), what)

    def _append(self, blob: bytes, dtype: str, shape: tuple[int, ...], what: str) -> pb.Array:
        self.blobs.append(blob)
        if len(blob) > self._largest_size:
            self.largest, self._largest_size = what, len(blob)
        return pb.Array(blob=len(self.blobs), dtype=dtype, shape=shape)


def _subset(subset: Subset) -> pb.Subset:
    return pb.Subset(**{**vars(subset), "correct": subset.correct or None})


def _layer(layer: Layer, snapshot: Snapshot, blobs: _Blobs) -> pb.Layer:
    statistics = snapshot.statistics[layer.name]
    what = f"layer {layer.name!r} ({layer.neurons:,} neurons)"
    arrays: dict[str, Any] = {
        name: blobs.array(getattr(statistics, name), STATISTIC_DTYPES[name], f"statistics of {what}")
        for name in STATISTIC_NAMES
    }
    message = pb.Layer(
        **vars(layer),
        activations=blobs.array(snapshot.activations[layer.name], "<f4", f"sampled activations of {what}"),
        **arrays,
    )
    if snapshot.examples:
        examples = blobs.array(snapshot.example_activations[layer.name], "<f4", f"test cases' activations of {what}")
        message.example_activations.CopyFrom(examples)
    if layer.name in snapshot.tokens:
        message.tokens.CopyFrom(_tokens(snapshot.tokens[layer.name], f"tokens of {what}", blobs))
        message.top_positions.CopyFrom(_top(snapshot.top_positions[layer.name], f"positions of {what}", blobs))
    if layer.name in snapshot.top_rows:
        rows, which = snapshot.top_rows[layer.name], f"strongest instances of {what}"
        message.top_row.CopyFrom(blobs.array(rows.strongest, "<i4", which))
        message.top_value.CopyFrom(blobs.array(rows.largest, "<f4", which))
        message.bottom_row.CopyFrom(blobs.array(rows.weakest, "<i4", which))
        message.bottom_value.CopyFrom(blobs.array(rows.smallest, "<f4", which))
    if layer.name in snapshot.arg_positions:
        place = f"positions of the maxima of {what}"
        message.arg_position.CopyFrom(blobs.array(snapshot.arg_positions[layer.name], "<u2", place))
        if snapshot.examples:
            cases = snapshot.example_arg_positions[layer.name]
            message.example_arg_position.CopyFrom(blobs.array(cases, "<u2", place))
    if layer.name in snapshot.sample_positions:
        kept = [snapshot.sample_positions[layer.name]]
        kept += [snapshot.example_positions[layer.name]] if snapshot.examples else []
        message.sample_positions.CopyFrom(_positions(kept, f"positions of sampled instances of {what}", blobs))
    if layer.name in snapshot.heads:
        head = snapshot.heads[layer.name]
        message.head_weights.CopyFrom(blobs.array(head.weights, "<f4", f"weights after {what}"))
        message.head_bias.CopyFrom(blobs.array(head.bias, "<f4", f"bias after {what}"))
    return message


def cut_token(text: str) -> str:
    """Returns a token as it is stored: of at most `LONGEST_TOKEN` characters."""
    return text if len(text) <= LONGEST_TOKEN else f"{text[: LONGEST_TOKEN - 1]}…"


def _tokens(table: TokenTable, what: str, blobs: _Blobs) -> pb.StoredTokens:
    message = pb.StoredTokens(
        text=blobs.values((cut_token(text).encode() for text in table.tokens), what),
        count=blobs.array(table.count, "<i8", what),
        mean=blobs.array(table.mean, "<f4", what),
        positions=table.positions,
        distinct=table.distinct,
        least=table.least,
        some=not table.exact,
    )
    if table.max is not None:
        message.max.CopyFrom(blobs.array(table.max, "<f4", what))
    return message


def _top(top: TopPositions, what: str, blobs: _Blobs) -> pb.StoredTopPositions:
    known = dict.fromkeys(text for text in top.texts.ravel().tolist() if text)
    codes = {text: code for code, text in enumerate(known)} | {"": -1}
    words = np.fromiter((codes[text] for text in top.texts.ravel().tolist()), np.int32, top.texts.size)
    return pb.StoredTopPositions(
        value=blobs.array(top.value, "<f4", what),
        place=blobs.array(top.place, "<i4", what),
        position=blobs.array(top.position, "<i4", what),
        word=blobs.array(words.reshape(top.texts.shape), "<i4", what),
        instance=blobs.array(top.instance, "<i4", what),
        words=blobs.values((cut_token(text).encode() for text in known), what),
        id=blobs.values((identity.encode() for identity in top.ids), what),
        index=blobs.array(top.index, "<i8", what),
        before=top.before,
        after=top.after,
    )


def _positions(parts: Sequence[SamplePositions], what: str, blobs: _Blobs) -> pb.StoredPositions:
    """Returns positions of the sample and of the test cases, where there are any."""
    first = parts[0]
    message = pb.StoredPositions(
        origin=blobs.array(first.origin, "<f8", what),
        scale=blobs.array(first.scale, "<f8", what),
        before=first.before,
        after=first.after,
    )
    known = dict.fromkeys(text for part in parts for text in part.texts.tolist() if text)
    codes = {text: code for code, text in enumerate(known)} | {"": -1}
    if first.text_starts is not None:
        message.words.CopyFrom(blobs.values((cut_token(text).encode() for text in known), what))
    for part, target in zip(parts, (message.sample, message.examples), strict=False):
        target.row.CopyFrom(blobs.array(part.rows, "<i4", what))
        target.start.CopyFrom(blobs.array(part.starts, "<i8", what))
        target.codes.CopyFrom(blobs.array(part.codes, "|u1", what))
        if part.text_starts is not None:
            target.text_start.CopyFrom(blobs.array(part.text_starts, "<i8", what))
            words = np.fromiter(map(codes.__getitem__, part.texts.tolist()), np.int32, len(part.texts))
            target.word.CopyFrom(blobs.array(words, "<i4", what))
    return message


def _sample(sample: Sample, blobs: _Blobs) -> pb.StoredSample:
    return pb.StoredSample(
        id=blobs.values((text.encode() for text in sample.ids), "ids"),
        ids_given=sample.ids_given,
        **{name: blobs.array(getattr(sample, name), dtype, name) for name, dtype in SAMPLE_DTYPES.items()},
        attributes=[_attribute(attribute, blobs) for attribute in sample.attributes],
    )


def _top_instances(top: TopInstances, blobs: _Blobs) -> pb.StoredSample:
    columns: dict[str, Any] = {
        name: blobs.array(getattr(top, name), SAMPLE_DTYPES[name], "strongest instances")
        for name in ("index", "label", "predicted")
    }
    return pb.StoredSample(
        id=blobs.values((text.encode() for text in top.ids), "strongest instances"),
        **columns,
        attributes=[_attribute(attribute, blobs) for attribute in top.attributes],
    )


def _dtype(attribute: Attribute) -> str:
    """What the values are stored as: their own type where that is one of those, else the first; empty for bytes."""
    own = np.dtype(attribute.values.dtype).newbyteorder("<").str
    possible = ATTRIBUTE_DTYPES.get(attribute.type, ("",))
    return own if own in possible else possible[0]


def _attribute(attribute: Attribute, blobs: _Blobs) -> pb.StoredAttribute:
    what = f"attribute {attribute.name!r}"
    message = pb.StoredAttribute(name=attribute.name, type=attribute.type)
    if dtype := _dtype(attribute):
        message.values.CopyFrom(blobs.array(attribute.values, dtype, what))
    else:
        encoded = (value.encode() if isinstance(value, str) else value for value in attribute.values)
        message.values.CopyFrom(blobs.values(encoded, what))
    if not attribute.present.all():
        message.present.CopyFrom(blobs.array(attribute.present, "|u1", what))
    if attribute.type == "category":
        message.categories.CopyFrom(blobs.values((text.encode() for text in attribute.categories), what))
    return message
