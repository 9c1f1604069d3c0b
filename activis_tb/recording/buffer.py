"""Collects small batches to blocks worth the work, in arrays that are allocated once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from activis_tb.recording.block import Block, join

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
