"""Tables of instances while recording: blocks and their columns, the buffer of batches, the background thread."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import stratum_of
from activis_tb.recording.media import Picture, Sound, thumbnail
from activis_tb.recording.tokens import TokenPositions, Unpooled

Kind = Literal["number", "boolean", "text", "time", "image", "audio", ""]
"""What a column holds; empty as long as every value was missing."""
KeepPositions = Callable[[Unpooled, str, NDArray[np.intp], NDArray[np.float32]], None]
MEDIA_KINDS: frozenset[Kind] = frozenset({"image", "audio"})

_EMPTY: dict[Kind, Any] = {"text": "", "image": b"", "audio": b"", "": None}
_DTYPES: dict[Kind, str] = {"number": "f8", "boolean": "?", "time": "M8[us]"}
_NEAR = np.array(["1678-01-01", "2262-01-01"], "M8[us]")
"""Between these, times may have nanoseconds."""

Demand = str
"""What the values of a column demand of its type: `exact` integers, or room for a `fraction`, for a `negative` one, for
one `beyond` int64; `nanoseconds`, or years too `far` for them."""
_ROOM = 2.0**64


@dataclass(frozen=True, eq=False)
class Column:
    """One attribute of the instances of a block.

    Attributes:
        kind: What `values` holds.
        values: (instances,): float64, or int64 or uint64 where that holds more; bool; datetime64[us] or [ns]; or
            objects (str; bytes, Picture or Sound); where a value is missing 0, False or empty.
        present: bool (instances,).
        needs: What the values demand of their type, where that is known already.
    """

    kind: Kind
    values: NDArray[Any]
    present: NDArray[np.bool_]
    needs: frozenset[Demand] | None = None

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return self.present is all_present(len(self.present)) or bool(self.present.all())

    def take(self, rows: NDArray[Any] | slice) -> "Column":
        """Returns the values at `rows`."""
        return Column(self.kind, self.values[rows], self.present[rows])

    def as_kind(self, kind: Kind) -> "Column":
        """Returns a column whose values are all missing as one of `kind`; another one as it is."""
        return self if self.kind or not kind else missing_column(len(self.values), kind)

    def demands(self, known: frozenset[Demand] = frozenset()) -> frozenset[Demand]:
        """Returns what the values demand of their type, `known` demands of earlier ones included."""
        if self.needs is not None:
            return known if self.needs <= known else known | self.needs
        if self.kind == "number":
            return demands_of(self.values, known)
        if self.kind != "time":
            return known
        if self.values.dtype == "M8[ns]":
            return known | {"nanoseconds"}
        return known | {"far"} if ((self.values < _NEAR[0]) | (self.values > _NEAR[1])).any() else known


def join_columns(columns: Sequence[Column]) -> Column:
    """Returns `columns`, of one kind where any value is present, one after the other."""
    kinds = [column.kind for column in columns if column.kind]
    kind = kinds[0] if kinds else ""
    parts = [column.as_kind(kind).values for column in columns]
    values = joined_numbers(parts) if kind == "number" else np.concatenate(parts)
    return Column(kind, values, np.concatenate([column.present for column in columns]))


def missing_column(rows: int, kind: Kind = "") -> Column:
    """Returns a column of `rows` missing values."""
    return Column(kind, empty_values(rows, kind), np.zeros(rows, np.bool_))


@lru_cache(maxsize=8)
def all_present(rows: int) -> NDArray[np.bool_]:
    """As many True, read-only: most columns miss nothing."""
    present = np.ones(rows, np.bool_)
    present.flags.writeable = False
    return present


def empty_values(rows: int, kind: Kind) -> NDArray[Any]:
    return np.zeros(rows, _DTYPES[kind]) if kind in _DTYPES else np.full(rows, _EMPTY[kind], np.object_)


def joined_numbers(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Returns numbers one after the other; whole floats become integers beside integers (see `demands_of`)."""
    types = {part.dtype for part in parts}
    if len(types) > 1:
        target = np.uint64 if np.dtype(np.uint64) in types else np.int64
        parts = [part.astype(target) for part in parts]
    return np.concatenate(parts)


def demands_of(values: NDArray[Any], known: frozenset[Demand]) -> frozenset[Demand]:
    """Returns what numbers demand of their type, `known` demands of earlier ones included."""
    if not len(values) or (values.dtype.kind == "f" and "fraction" in known):
        return known
    low, high = np.minimum.reduce(values), np.maximum.reduce(values)
    found = {"negative"} if low < 0 else set()
    if values.dtype.kind != "f":
        found |= {"exact"} | ({"beyond"} if high >= 2**63 else set())
    elif low < -(2.0**63) or high >= _ROOM or np.logical_or.reduce(np.rint(values) != values):
        found |= {"fraction"}
    elif high >= 2.0**63:
        found |= {"beyond"}
    return known | found


def clash(demands: Iterable[Demand]) -> str:
    """Returns in words which demands no single type meets; empty where one does."""
    needed = set(demands)
    if {"exact", "fraction"} <= needed:
        return "whole numbers beyond 2^53 beside fractions or infinity"
    if {"exact", "negative", "beyond"} <= needed:
        return "whole numbers from 2^63 on beside negative ones"
    return "times with nanoseconds beside years before 1678 or after 2262" if {"nanoseconds", "far"} <= needed else ""


@dataclass(frozen=True, eq=False)
class Block:
    """Table of checked instances of the stream.

    Attributes:
        ids: str, object array (instances,).
        index: Position in the stream, int64 (instances,).
        label: True class, int32 (instances,); -1 where there is none.
        predicted: Predicted class, int32 (instances,); -1 where it is predicted as nothing.
        score: The predicted class's score, float32 (instances,); NaN where there is none.
        scores: float32 (instances, classes).
        always: To be kept whatever the hash says, bool (instances,).
        membership: In the user's subsets, bool (instances, subsets).
        attributes: By name.
        activations: By layer name, float32 (instances, neurons).
        owned: Layers whose activations are owned: nobody else can overwrite them.
        positions: By layer name, those that have a token; of a whole batch alone, not of a part of one.
        unpooled: By layer name, those of which more is told than what was pooled; of a whole batch alone.
        maxima: By instance, the positions of its maxima, uint16 (neurons,) of these layers one after the other, or
            None; object array (instances,). None where there is no such layer.
    """

    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    score: NDArray[np.float32]
    scores: NDArray[np.float32]
    always: NDArray[np.bool_]
    membership: NDArray[np.bool_]
    attributes: Mapping[str, Column]
    activations: Mapping[str, NDArray[np.float32]]
    owned: frozenset[str] = frozenset()
    positions: Mapping[str, TokenPositions] = field(default_factory=dict)
    unpooled: Mapping[str, Unpooled] = field(default_factory=dict)
    maxima: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def stratum(self) -> NDArray[np.int32]:
        """Which of the disjoint subsets an instance is in, int32 (instances,): its class, or 0 without labels."""
        return stratum_of(self.label)

    @property
    def row_bytes(self) -> int:
        """Bytes of one instance's activations and scores."""
        tables = (self.scores, *self.activations.values())
        return sum(values.shape[1] * values.itemsize for values in tables)

    def take(self, rows: NDArray[Any] | slice) -> "Block":
        """Returns the instances at `rows`: positions in any order, or a slice."""
        return Block(
            **{name: getattr(self, name)[rows] for name in _COLUMNS},
            attributes={name: column.take(rows) for name, column in self.attributes.items()},
            activations={name: values[rows] for name, values in self.activations.items()},
            owned=self.owned,
            maxima=None if self.maxima is None else self.maxima[rows],
        )


_COLUMNS = ("ids", "index", "label", "predicted", "score", "scores", "always", "membership")


def join(blocks: Sequence[Block]) -> Block:
    """Returns the instances of `blocks`, at least one, one after the other."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    columns: dict[str, Any] = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS}
    maxima = [block.maxima for block in blocks if block.maxima is not None]
    columns["maxima"] = np.concatenate(maxima) if len(maxima) == len(blocks) else None
    return Block(
        **columns,
        attributes={name: join_columns([block.attributes[name] for block in blocks]) for name in first.attributes},
        activations={name: np.concatenate([block.activations[name] for block in blocks]) for name in first.activations},
        owned=frozenset(first.activations),
    )


_AT_ONCE = 2**24
"""Bytes of positions that are looked at in one go."""


def with_maxima(block: Block, rows: NDArray[np.intp], keep: KeepPositions) -> Block:
    """Returns `block` with the positions of the maxima of the instances at `rows`.

    Args:
        block: With activations that are not pooled.
        rows: Of the batch.
        keep: Given a layer in this batch, its name, rows and what they have at every position, float32 (rows,
            positions, neurons).
    """
    found: list[NDArray[np.uint16]] = []
    for name, unpooled in block.unpooled.items():
        at_once = max(1, _AT_ONCE // max(1, 4 * unpooled.positions * unpooled.neurons))
        places = []
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            values = unpooled.values(some)
            if unpooled.largest is not None:
                places.append(unpooled.places(some, values))
            keep(unpooled, name, some, values)
        found += [np.concatenate(places)] if places else []
    if all(unpooled.largest is None for unpooled in block.unpooled.values()):
        return replace(block, unpooled={})
    maxima = np.full(len(block), None, np.object_)
    for row, own in zip(rows.tolist(), np.concatenate(found, axis=1) if found else (), strict=True):
        maxima[row] = own
    return replace(block, maxima=maxima, unpooled={})


def has_media(block: Block) -> bool:
    """Tells whether `block` has pictures or sounds."""
    return any(column.kind in MEDIA_KINDS for column in block.attributes.values())


def encode_media(block: Block, wanted: NDArray[np.bool_]) -> Block:
    """Returns `block` with pictures and sounds encoded (bytes) where `wanted`, (instances,), and empty elsewhere."""
    attributes: Mapping[str, Column] = {
        name: _encoded(column, wanted) if column.kind in MEDIA_KINDS else column
        for name, column in block.attributes.items()
    }
    return replace(block, attributes=attributes)


def _encoded(column: Column, wanted: NDArray[np.bool_]) -> Column:
    values = np.full(len(column.values), b"", np.object_)
    for row in np.flatnonzero(wanted & column.present):
        values[row] = _encode(column.kind, column.values[row])
    return replace(column, values=values)


def _encode(kind: str, value: Any) -> bytes:
    if isinstance(value, Picture | Sound):
        return value.encoded()
    return thumbnail(value) if kind == "image" else bytes(value)


MOST_ROWS = 4096
MOST_BYTES = 32 * 2**20

_Copy = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Target and source."""


class Buffer:
    """Buffer of instances to be accumulated: at most `MOST_ROWS`, with at most `MOST_BYTES` of activations and scores.

    The caller's arrays are copied at once, so that the next batch may overwrite them; owned ones are copied in the
    background, when the instances are joined.

    Attributes:
        ids: Those collected, or last drained.

    Args:
        most_rows: Another limit than `MOST_ROWS`.
        most_bytes: Another limit than `MOST_BYTES`.
    """

    def __init__(self, most_rows: int | None = None, most_bytes: int | None = None) -> None:
        self._most_rows = most_rows or MOST_ROWS
        self._most_bytes = most_bytes or MOST_BYTES
        self._blocks: list[Block] = []
        self._waiting: list[_Copy] = []
        self._activations: dict[str, NDArray[np.float32]] = {}
        self._rows = 0
        self._capacity = 0
        self.ids: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether the next call has to be `drain`, not `fill`."""
        return self._rows == self._capacity > 0

    def fill(self, block: Block) -> Block | None:
        """Takes as many instances of `block` as there is room for; returns the rest, or None."""
        if not self._activations:
            self._allocate(block)
        if not self._rows:
            self.ids = set()
        room = self._capacity - self._rows
        taken = block if len(block) <= room else block.take(slice(0, room))
        at = slice(self._rows, self._rows + len(taken))
        for name, values in taken.activations.items():
            if name in block.owned:
                self._waiting.append((self._activations[name][at], values))
            else:
                self._activations[name][at] = values
        self._blocks.append(replace(taken, activations={}))
        self.ids.update(taken.ids.tolist())
        self._rows += len(taken)
        return None if taken is block else block.take(slice(room, None))

    def drain(self) -> Callable[[], Block] | None:
        """Empties the buffer; returns a function, for any thread, that returns its instances as one block, or None.

        The activations of that block are valid until the next `fill`.
        """
        if not self._rows:
            return None
        activations = {name: values[: self._rows] for name, values in self._activations.items()}
        collected = partial(_joined, self._blocks, activations, self._waiting)
        self._blocks, self._waiting, self._rows = [], [], 0
        return collected

    def _allocate(self, block: Block) -> None:
        self._capacity = max(1, min(self._most_rows, self._most_bytes // max(1, block.row_bytes)))
        self._activations = {
            name: np.empty((self._capacity, values.shape[1]), np.float32) for name, values in block.activations.items()
        }


def _joined(blocks: Sequence[Block], activations: Mapping[str, NDArray[np.float32]], waiting: Sequence[_Copy]) -> Block:
    for target, values in waiting:
        target[:] = values
    return replace(join(blocks), activations=activations)


class Background:
    """Background thread beside the training loop, with one task at a time; NumPy and SciPy release the GIL in it.

    What a task raises is raised by every later call: its instances are lost, so no result may be used any more.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(1, "activis-recording")
        self._latest: Future[None] | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Waits for the task before, and begins `work`."""
        self.settle()
        if self._pool is not None:
            try:
                self._latest = self._pool.submit(work)
            except RuntimeError:  # the interpreter exits, or there can be no more threads
                self._pool = None
        if self._pool is None:
            self._latest = _done_here(work)

    def do(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, and raises what it raises, now as later."""
        self.settle()
        self._latest = _done_here(work)
        self.settle()

    def settle(self) -> None:
        """Waits until the task is done."""
        if self._latest is not None:
            self._latest.result()

    def close(self) -> None:
        """Waits until the task is done, raises nothing, and ends the thread."""
        if self._pool is not None:
            self._pool.shutdown()


def _done_here(work: Callable[[], None]) -> Future[None]:
    future: Future[None] = Future()
    try:
        work()
        future.set_result(None)
    except BaseException as error:
        future.set_exception(error)
    return future
