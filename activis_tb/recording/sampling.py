"""Which instances are kept one by one: per class those with the smallest hashes of their ids.

Being a property of the id alone, the choice is the same in every step, run and worker and for every order of the
batches, and each class's share is a uniform sample of it (bottom-k sampling; Cohen and Kaplan 2007).
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.block import Block, join
from activis_tb.recording.hashing import hash_texts
from activis_tb.recording.identities import repeated_id

MOST_ALWAYS = 10_000
"""Instances that `always` may keep: every one of them goes into every snapshot."""
_EVERY_HASH = np.iinfo(np.uint64).max


class Sampler:
    """The sample of the instances added so far; its memory does not grow with their number.

    Args:
        classes: Number of classes.
        sample: Instances wanted in all: `ceil(sample / classes)` of every class.
    """

    def __init__(self, classes: int, sample: int) -> None:
        self._quota = -(-sample // classes)
        self._limits = np.full(classes, _EVERY_HASH, np.uint64)
        self._kept: Block | None = None
        self._hashes = np.empty(0, np.uint64)
        self._drawn = np.empty(0, np.bool_)
        self.ids: set[str] = set()

    def wanted(self, block: Block) -> NDArray[np.bool_]:
        """Returns which instances may be in the sample at the end, bool (instances,), those of `always` aside."""
        hashes = hash_texts(block.ids.tolist())
        order = _ascending(hashes, block.ids)
        drawn = np.empty(len(block), np.bool_)
        drawn[order] = self._draw(block.label[order])
        return np.asarray(drawn & (hashes <= self._limits[block.label]))

    def add(self, block: Block) -> None:
        """Offers instances.

        Raises:
            ArgumentError: An id was kept already, or `always` keeps more than `MOST_ALWAYS`.
        """
        hashes = hash_texts(block.ids.tolist())
        candidates = block.always.copy()
        if self._quota:
            candidates |= hashes <= self._limits[block.label]
        if candidates.any() or self._kept is None:
            rows = np.flatnonzero(candidates)
            self._keep(block.take(rows), hashes[rows])

    def merge(self, other: Self) -> None:
        """Offers what `other` has kept: of the same classes and size, from other instances."""
        if other._kept is not None:
            self._keep(other._kept, other._hashes)

    def extract(self) -> tuple[Block, NDArray[np.bool_]] | None:
        """Returns the kept instances in ascending (hash, id) order, and which of them the hash chose, bool (rows,).

        None where nothing was offered.
        """
        return None if self._kept is None else (self._kept, self._drawn)

    def _keep(self, block: Block, hashes: NDArray[np.uint64]) -> None:
        if self._kept is not None:
            block = join([self._kept, block])
            hashes = np.concatenate([self._hashes, hashes])
        order = _ascending(hashes, block.ids)
        _check(block.ids[order], block.always)
        drawn = self._draw(block.label[order])
        stays = drawn | block.always[order]
        order = order[stays]
        self._kept, self._hashes, self._drawn = block.take(order), hashes[order], drawn[stays]
        self.ids = set(self._kept.ids)
        self._lower_limits()

    def _draw(self, label: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of the rows, in ascending order, are among the first of their class."""
        by_class = np.argsort(label, kind="stable")
        starts = np.searchsorted(label[by_class], label[by_class])
        drawn = np.empty(len(label), np.bool_)
        drawn[by_class] = np.arange(len(label)) - starts < self._quota
        return drawn

    def _lower_limits(self) -> None:
        if self._kept is None or not self._quota:
            return
        label, hashes = self._kept.label[self._drawn], self._hashes[self._drawn]
        full = np.bincount(label, minlength=len(self._limits)) == self._quota
        largest = np.zeros_like(self._limits)
        np.maximum.at(largest, label, hashes)
        self._limits[full] = largest[full]


def _check(ids: NDArray[np.object_], always: NDArray[np.bool_]) -> None:
    """Equal ids have equal hashes, so in ascending order they are neighbours."""
    repeated = ids[1:] == ids[:-1]
    if repeated.any():
        raise repeated_id(ids[np.argmax(repeated)])
    asked = int(np.count_nonzero(always))
    if asked > MOST_ALWAYS:
        raise ArgumentError(
            "always", f"{asked:,} instances so far", f"at most {MOST_ALWAYS:,}", "Narrow it, or raise sample=."
        )


def _ascending(hashes: NDArray[np.uint64], ids: NDArray[np.object_]) -> NDArray[np.intp]:
    """The order by (hash, id)."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    if (ordered[1:] != ordered[:-1]).all():
        return order
    return np.array(sorted(range(len(ids)), key=lambda row: (hashes[row], ids[row])), np.intp)
