"""Snapshots whose event was mutated: bits, fields of the manifest, blobs, shapes, types and values, by a fixed seed.

What is written is an event file with right checksums, so that TensorBoard loads it and the plugin has to judge it.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2

import activis_tb
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.events import snapshot_event, write_event_file
from activis_tb.storage.metadata import SnapshotTag, parse_tag

CLASSES = ("ant", "bee", "cat")
KEY = {"name": "validation", "step": 3}
LAYERS = ("hidden", "logits")
ATTRIBUTES = ("length", "topic", "text", "long", "when", "big", "photo")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)

_DTYPES = ("<f4", "<f8", "<i4", "<i8", "|u1", "bytes", "<f2", "<i2", "|O", "|V8", "<U4", ">f4", "", "<M8[ns]")
_NUMBERS = (-1, 0, 1, 2, 3, 255, 2**20, 2**30, 2**31 - 1, -(2**31), 2**40, 2**62, -(2**63), 2**63 - 1)
_TEXTS = ("", "\0", "a" * 10_000, "<img src=x onerror=alert(1)>", "../../etc/passwd", "'", '"', "\\", "ß", "/" * 999)
_WORDS = ("class", "condition", "function", "ids", "number", "category", "text", "boolean", "image", "audio", "max")
_INTEGERS = (-1, -2, 2, 3, 7, 255, 2**31 - 1, -(2**31), 2**62)
_FLOATS = (np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4e38, -1.0, 2.0, 0.5, 1e30)
_MOST_BYTES = 2**22


@dataclass
class Event:
    """A snapshot on its way into an event file.

    Attributes:
        manifest: Blob 0.
        blobs: The others; the manifest's pointers count from 1.
        tag: Of the summary.
        raw: What is done to the serialised manifest at the end.
        finish: What is done to the finished event.
    """

    manifest: pb.Snapshot
    blobs: list[bytes]
    tag: SnapshotTag
    raw: list[Callable[[bytes], bytes]] = field(default_factory=list)
    finish: list[Callable[[event_pb2.Event], None]] = field(default_factory=list)

    def copy(self) -> "Event":
        manifest = pb.Snapshot()
        manifest.CopyFrom(self.manifest)
        return Event(manifest, list(self.blobs), self.tag)

    def write(self, folder: Path) -> None:
        """Writes the event, and a scalar, by which the run is listed even where a loader drops the event."""
        content = self.manifest.SerializeToString(deterministic=True)
        for change in self.raw:
            content = change(content)
        event = snapshot_event(self.tag, [content, *self.blobs], 1_800_000_000.0)
        for finishing in self.finish:
            finishing(event)
        write_event_file(folder, event)
        scalar = summary_pb2.Summary.Value(tag="loss", simple_value=1.0)
        write_event_file(folder, event_pb2.Event(wall_time=1.0, summary=summary_pb2.Summary(value=[scalar])))


def record_healthy(logdir: Path, run: str, keep: str = "sample", rows: int = 60) -> None:
    """Records a small snapshot with every type of attribute, a subset, test cases, and a layer with tokens."""
    generator = np.random.default_rng(5)
    label = np.arange(rows) % 3
    activations = generator.normal(size=(rows, 4)).astype(np.float32) + label[:, None]
    scores = generator.dirichlet([1, 1, 1], rows)
    numbers = generator.integers(0, 30, rows).astype(float)
    numbers[::7] = np.nan
    attributes = {
        "length": numbers,
        "topic": [None if row % 9 == 0 else ("sport", "art", "food")[row % 3] for row in range(rows)],
        "text": [f"What is number {row}?" for row in range(rows)],
        "long": numbers > 15,
        "when": np.datetime64("2024-01-01", "s") + 3_600 * np.arange(rows),
        "big": 2**60 + np.arange(rows),
        "photo": [PNG if row % 4 else None for row in range(rows)],
    }
    two_steps = np.stack([activations, activations - 1], axis=1)
    layers = {"hidden": two_steps, "logits": np.log(scores)}
    tokens = [[f"word {row % 7}", "?"] for row in range(rows)]
    with activis_tb.preprocess(
        logdir / run,
        step=KEY["step"],
        layers=[activis_tb.LayerSpec("hidden", tokens="max"), "logits"],
        classes=CLASSES,
        subsets={"few": "length < 10"},
        heads={"logits": (np.eye(3), np.zeros(3))},
        keep=keep,
        sample=rows // 2 if keep == "all" else rows,
        quiet=True,
    ) as recorder:
        recorder.examples(
            labels=["cat", "ant"],
            scores=scores[:2],
            ids=["cab", "taxi"],
            attributes={"text": ["a cab", "a taxi"], "length": [4, 5]},
            activations={name: values[:2] for name, values in layers.items()},
            tokens=tokens[:2],
        )
        recorder.process(
            labels=label,
            scores=scores,
            ids=np.arange(rows),
            attributes=attributes,
            activations=layers,
            tokens=tokens,
        )


def read_event(folder: Path) -> Event:
    """Returns the newest snapshot in `folder`."""
    file = max(folder.glob("*tfevents*"))
    value = next(one for event in EventFileLoader(str(file)).Load() for one in event.summary.value)
    tag = parse_tag(value.tag)
    assert tag is not None
    content, *blobs = value.tensor.string_val
    return Event(pb.Snapshot.FromString(content), blobs, tag)


def mutate(event: Event, seed: int) -> tuple[str, Event]:
    """Returns what was done, for a person, and a mutated copy of `event`: the same for the same seed."""
    choices = random.Random(seed)
    mutated = event.copy()
    done = []
    for _ in range(choices.choice((1, 1, 1, 2, 3))):
        operation = choices.choice(_OPERATIONS)
        done.append(f"{operation.__name__.strip('_')} {operation(mutated, choices)}")
    return "; ".join(done), mutated


def arrays(message: Message) -> Iterator[pb.Array]:
    """Yields every pointer of a manifest."""
    for description, value in message.ListFields():
        for one in value if _is_repeated(description) else [value]:
            if isinstance(one, pb.Array):
                yield one
            elif isinstance(one, Message):
                yield from arrays(one)


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for description, value in message.ListFields():
        if description.message_type is not None:
            for one in value if _is_repeated(description) else [value]:
                yield from _messages(one)


def _is_repeated(description: Any) -> bool:
    return bool(description.is_repeated)


def _hostile(description: Any, event: Event, choices: random.Random, now: Any) -> Any:
    """Returns another value for a field of this type."""
    if description.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return not now
    if description.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if description.type == FieldDescriptor.TYPE_BYTES:
            return choices.randbytes(9)
        if description.name == "dtype":
            return choices.choice(_DTYPES)
        names = [*(layer.name for layer in event.manifest.layers), *event.manifest.classes, *_WORDS]
        return choices.choice((*_TEXTS, f"{now}x", *names))
    value = choices.choice((*_NUMBERS, (now or 0) + 1, (now or 0) - 1, (now or 0) * 2))
    if description.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        return max(-(2**31), min(2**31 - 1, value))
    return max(-(2**63), min(2**63 - 1, value))


def _field(event: Event, choices: random.Random) -> str:
    """Sets, clears, repeats or drops one field, anywhere."""
    parent = choices.choice([one for one in _messages(event.manifest) if type(one).DESCRIPTOR.fields])
    description = choices.choice(type(parent).DESCRIPTOR.fields)
    name, value = description.name, getattr(parent, description.name)
    if _is_repeated(description):
        kind = choices.choice(("clear", "drop", "repeat", "swap", "set"))
        items = list(value)
        if not items or kind == "clear":
            parent.ClearField(name)
            return f"{name} cleared"
        at = choices.randrange(len(items))
        other = choices.randrange(len(items))
        if kind == "set" and description.message_type is None:
            items[at] = _hostile(description, event, choices, items[at])
        elif kind == "drop":
            del items[at]
        elif kind == "repeat":
            items += [items[at]] * choices.choice((1, 1, 50))
        else:
            items[at], items[other] = items[other], items[at]
        items = [_copied(one) for one in items]
        parent.ClearField(name)
        getattr(parent, name).extend(items)
        return f"{name}[{at}] {kind}"
    if description.message_type is not None:
        parent.ClearField(name)
        return f"{name} removed"
    changed = _hostile(description, event, choices, value)
    setattr(parent, name, changed)
    return f"{name} = {str(changed)[:20]!r}"


def _copied(item: Any) -> Any:
    if not isinstance(item, Message):
        return item
    copy = type(item)()
    copy.CopyFrom(item)
    return copy


def _pointer(event: Event, choices: random.Random) -> pb.Array:
    return choices.choice(list(arrays(event.manifest)) or [pb.Array()])


def _dtype(event: Event, choices: random.Random) -> str:
    """Swaps a type for another, mostly one of the same size."""
    pointer = _pointer(event, choices)
    before = pointer.dtype
    alike = {"<f4": "<i4", "<i4": "<f4", "<f8": "<i8", "<i8": "<f8", "|u1": "|b1"}
    pointer.dtype = alike.get(before, "<f4") if choices.random() < 0.6 else choices.choice(_DTYPES)
    return f"{before} to {pointer.dtype}"


def _shape(event: Event, choices: random.Random) -> str:
    pointer = _pointer(event, choices)
    shape = list(pointer.shape) or [1]
    at = choices.randrange(len(shape))
    edit = choices.randrange(5)
    if edit == 0:
        shape[at] = max(-(2**63), min(2**63 - 1, choices.choice(_NUMBERS)))
    elif edit == 1:
        shape.reverse()
    elif edit == 2:
        shape.insert(at, choices.choice((0, 1, -1, 2**31)))
    elif edit == 3:
        del shape[at]
    else:
        shape = [shape[0]] * choices.choice((0, 1, 3, 64))
    pointer.ClearField("shape")
    pointer.shape.extend(shape)
    return str(shape)[:40]


def _axis(event: Event, choices: random.Random) -> str:
    """Says the same lie about one axis everywhere, with the blobs as they are or without any."""
    manifest = event.manifest
    lie = choices.choice((0, 1, 61, 10**4, 10**6, 2**24, 2**28, 2**30, 2**40, 2**62, -1))
    axis = choices.choice(("rows", "examples", "neurons", "all"))
    sample, examples = manifest.sample, manifest.examples
    pointers = {
        "rows": [*arrays(sample), *(layer.activations for layer in manifest.layers)],
        "examples": [*arrays(examples), *(layer.example_activations for layer in manifest.layers)],
        "neurons": [one for layer in manifest.layers for one in arrays(layer)],
        "all": list(arrays(manifest)),
    }[axis]
    for pointer in pointers:
        if pointer.shape:
            pointer.shape[-1 if axis == "neurons" else 0] = lie
            if choices.random() < 0.1:
                pointer.blob = 0
    if axis == "neurons":
        for layer in manifest.layers:
            layer.neurons = lie
    manifest.instances = choice if (choice := max(manifest.instances, lie)) < 2**63 else manifest.instances
    return f"{axis} = {lie}"


def _values(event: Event, choices: random.Random) -> str:
    """Puts values out of range into an array of numbers, or odd ones into a column of texts."""
    pointer = _pointer(event, choices)
    number = pointer.blob - 1
    if not 0 <= number < len(event.blobs):
        return "nothing"
    if pointer.dtype == "bytes":
        return _texts(event, number, choices)
    try:
        values = np.frombuffer(event.blobs[number], np.dtype(pointer.dtype)).copy()
    except (TypeError, ValueError):
        return "nothing"
    if not len(values) or values.dtype.kind not in "iufb":
        return "nothing"
    hostile = choices.choice(_FLOATS if values.dtype.kind == "f" else _INTEGERS)
    if values.dtype.kind in "iu":
        hostile = int(np.clip(hostile, np.iinfo(values.dtype).min, np.iinfo(values.dtype).max))
    at = slice(None) if choices.random() < 0.3 else choices.sample(range(len(values)), min(3, len(values)))
    with np.errstate(over="ignore"):
        values[at] = hostile
    event.blobs[number] = values.tobytes()
    return f"{pointer.dtype} = {hostile}"


def _texts(event: Event, number: int, choices: random.Random) -> str:
    try:
        column = pb.Values.FromString(event.blobs[number])
    except Exception:
        return "nothing"
    values = list(column.values) or [b""]
    at = choices.randrange(len(values))
    odd = (b"\xff\xfe", b"", b"\x00", values[0], b"x" * 100_000, "e\u0301".encode(), b"\xed\xa0\x80", b"\r\n")
    kind = choices.choice(("set", "all", "drop", "add"))
    if kind == "set":
        values[at] = choices.choice(odd)
    elif kind == "all":
        values = [choices.choice(odd[:4])] * len(values)
    elif kind == "drop":
        del values[at]
    else:
        values.append(choices.choice(odd))
    event.blobs[number] = pb.Values(values=values).SerializeToString()
    return f"texts {kind}"


def _blob(event: Event, choices: random.Random) -> str:
    """Cuts, lengthens, empties, fills or swaps blobs."""
    if not event.blobs:
        return "nothing"
    at, other = choices.randrange(len(event.blobs)), choices.randrange(len(event.blobs))
    blob = event.blobs[at]
    kind = choices.choice(("cut", "half", "longer", "double", "empty", "noise", "swap", "bit", "many", "drop", "huge"))
    if kind == "swap":
        event.blobs[at], event.blobs[other] = event.blobs[other], event.blobs[at]
    elif kind == "drop":
        del event.blobs[at:]
    elif kind == "bit" and blob:
        event.blobs[at] = _flipped(blob, choices)
    elif kind == "huge":
        event.blobs[at] = bytes(_MOST_BYTES)
    else:
        changed = {"cut": blob[:-1], "half": blob[: len(blob) // 2], "longer": blob + b"\0", "double": blob * 2}
        changed |= {"empty": b"", "noise": choices.randbytes(len(blob)), "many": b"\n\0" * 50_000}
        event.blobs[at] = changed.get(kind, blob)
    return kind


def _flipped(content: bytes, choices: random.Random, flips: int = 1) -> bytes:
    changed = bytearray(content)
    for _ in range(flips if changed else 0):
        changed[choices.randrange(len(changed))] ^= 1 << choices.randrange(8)
    return bytes(changed)


def _aim(event: Event, choices: random.Random) -> str:
    """Lets a pointer point elsewhere."""
    pointer = _pointer(event, choices)
    others = list(arrays(event.manifest)) or [pointer]
    pointer.blob = choices.choice((0, -1, 10**6, 2**31 - 1, len(event.blobs) + 1, choices.choice(others).blob))
    return str(pointer.blob)


def _bits(event: Event, choices: random.Random) -> str:
    """Does something to the bytes of the manifest."""
    kind = choices.choice(("flip", "flip", "flip", "cut", "twice", "noise", "nested", "empty"))
    flips, seed = choices.choice((1, 1, 2, 8)), choices.randrange(2**32)

    def change(content: bytes) -> bytes:
        again = random.Random(seed)
        if kind == "flip":
            return _flipped(content, again, flips)
        changed = {"cut": content[: again.randrange(len(content) + 1)], "twice": content * 2, "empty": b""}
        changed |= {"noise": again.randbytes(200), "nested": b"\x4a\x05" * 30_000 + b"\x0b" * 5_000}
        return changed[kind]

    event.raw.append(change)
    return kind


def _event(event: Event, choices: random.Random) -> str:
    """Does something to the event around the blobs."""
    kinds = ("tag", "version", "scalar", "rank", "lying", "lying", "negative", "step", "time", "content", "numbers")
    kind = choices.choice(kinds)
    odd = choices.choice(("activis/x/y/z", "activis", "other/tag/1/2", "activis//3/9", f"{event.tag}/7", ""))
    moment = choices.choice((float("nan"), float("inf"), -1.0, 1e300))
    size = choices.choice((2**31, 2**40, 10**6, 5, 0))

    def change(whole: event_pb2.Event) -> None:
        value = whole.summary.value[0]
        shape = value.tensor.tensor_shape
        if kind == "tag":
            value.tag = odd
        elif kind == "version":
            value.metadata.plugin_data.content = pb.PluginData(version=-1).SerializeToString()
        elif kind == "content":
            value.metadata.plugin_data.content = b"\xff\xff\xff"
        elif kind == "scalar":
            shape.ClearField("dim")
        elif kind == "rank":
            shape.dim.add(size=1)
        elif kind == "lying":
            # One value stands for all in a tensor: a short event can claim any number of blobs.
            del value.tensor.string_val[1:]
            shape.dim[0].size = size
        elif kind == "negative":
            shape.dim[0].size = -size
        elif kind == "step":
            whole.step = 10**15
        elif kind == "time":
            whole.wall_time = moment
        else:
            value.tensor.dtype = types_pb2.DT_FLOAT
            value.tensor.float_val.extend([1.0] * len(value.tensor.string_val))
            value.tensor.ClearField("string_val")

    event.finish.append(change)
    return kind


_OPERATIONS = (
    *(_field, _field, _field, _dtype, _dtype, _shape, _axis),
    *(_values, _values, _values, _blob, _aim, _bits, _event),
)
