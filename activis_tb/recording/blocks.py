"""Blocks of checked instances, the buffers that collect batches to them, and their background thread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import stratum_of
from activis_tb.recording.attributes import MEDIA_KINDS, Column, join_columns
from activis_tb.recording.media import Picture, Sound, thumbnail


@dataclass(frozen=True, eq=False)
class Block:
    """Instances of the stream.

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
        lasting: Layers whose activations nobody else can overwrite.
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
    lasting: frozenset[str] = frozenset()

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
            lasting=self.lasting,
        )


_COLUMNS = ("ids", "index", "label", "predicted", "score", "scores", "always", "membership")


def join(blocks: Sequence[Block]) -> Block:
    """Returns the instances of `blocks`, at least one, one after the other."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    return Block(
        **{name: np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS},
        attributes={name: join_columns([block.attributes[name] for block in blocks]) for name in first.attributes},
        activations={name: np.concatenate([block.activations[name] for block in blocks]) for name in first.activations},
        lasting=frozenset(first.activations),
    )


def has_media(block: Block) -> bool:
    """Whether there is anything to encode."""
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
"""Where to, and what."""


class Buffer:
    """Instances that wait to be accumulated: at most `MOST_ROWS`, of at most `MOST_BYTES` of activations and scores.

    The caller's arrays are copied, so they may be overwritten by the next batch; those that last only when the
    instances are joined, beside the training loop.

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
        """Whether `drain` has to come before the next `fill`."""
        return self._rows == self._capacity > 0

    def fill(self, block: Block) -> Block | None:
        """Takes from `block` what there is room for and returns the rest, None where there is none."""
        if not self._activations:
            self._allocate(block)
        if not self._rows:
            self.ids = set()
        room = self._capacity - self._rows
        taken = block if len(block) <= room else block.take(slice(0, room))
        at = slice(self._rows, self._rows + len(taken))
        for name, values in taken.activations.items():
            if name in block.lasting:
                self._waiting.append((self._activations[name][at], values))
            else:
                self._activations[name][at] = values
        self._blocks.append(replace(taken, activations={}))
        self.ids.update(taken.ids.tolist())
        self._rows += len(taken)
        return None if taken is block else block.take(slice(room, None))

    def drain(self) -> Callable[[], Block] | None:
        """Returns what joins all that was collected, on any thread, or None where that is nothing.

        The activations are valid until the next `fill`.
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


class Aside:
    """One piece of work at a time, on a thread of its own; what it raises is raised by every later call here.

    Work that failed is lost, so nothing that is built on it may be used.
    """

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Waits for the piece before, and begins `work`."""
        self.settle()

        self._thread = Thread(target=self._attempt, args=(work,), name="activis-recording", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, and raises what it raises, now as later."""
        self.settle()
        self._attempt(work)
        self.settle()

    def settle(self) -> None:
        """Waits until nothing is under way."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            raise self._error

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error
