"""Bottom-k sampling: per class the instances with the smallest hashes of their ids.

Being a property of ids and labels alone, the choice is the same in every step, run and worker and for every order of
the batches, and what is kept of a class is a uniform sample of it (bottom-k sampling; Cohen and Kaplan 2007).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.blocks import Block, join
from activis_tb.recording.identity import hash_texts, repeated_id

MOST_ALWAYS = 10_000
"""Instances that `always` may keep: every one of them goes into every snapshot."""
_EVERY_HASH = np.iinfo(np.uint64).max


def share_of_classes(counts: NDArray[np.int64], sample: int) -> int:
    """Returns how many instances of every class are kept: all of a class that has no more than that.

    It is the smallest share at which `sample` instances are kept in all, or all there are: what small classes leave of
    `sample / classes` goes to the others in equal parts. As classes grow by instances that do not fit, it only falls;
    so the sample of a stream is among the samples of its parts.

    Args:
        counts: Instances of every class, (classes,).
        sample: Instances wanted in all.
    """
    if counts.sum() <= sample:
        return int(counts.max(initial=0))
    ascending = np.sort(counts)
    left = sample - (np.cumsum(ascending) - ascending)
    shares = -(-left // np.arange(len(ascending), 0, -1))
    return int(shares[np.argmax(shares <= ascending)])


class Sampler:
    """Sampler that keeps the sample of the instances added so far, in memory that does not grow with their number.

    Args:
        classes: Number of classes; of data without labels, all instances are of one.
        sample: Instances wanted in all; where there are more, about as many are kept, and at least one of every class.
    """

    def __init__(self, classes: int, sample: int) -> None:
        self._sample = sample
        self._counts = np.zeros(classes, np.int64)
        self._limits = np.full(classes, _EVERY_HASH, np.uint64)
        self._kept: Block | None = None
        self._hashes = np.empty(0, np.uint64)
        self._drawn = np.empty(0, np.bool_)
        self._waiting: list[tuple[Block, NDArray[np.uint64]]] = []

    @property
    def counts(self) -> NDArray[np.int64]:
        """Instances of every class that were offered, (classes,)."""
        return self._counts.copy()

    def wanted(self, block: Block) -> NDArray[np.bool_]:
        """Returns which instances may be in the sample at the end, regardless of `always`, bool (instances,)."""
        hashes = hash_texts(block.ids.tolist())
        order = _ascending(hashes, block.ids)
        drawn = np.empty(len(block), np.bool_)
        drawn[order] = first_of_class(block.stratum[order], self._share(self._counts + self._counted(block)))
        return np.asarray(drawn & (hashes <= self._limits[block.stratum]))

    def add(self, block: Block, hashes: NDArray[np.uint64] | None = None) -> None:
        """Offers instances; `hashes` (instances,) are those of their ids, where they are known.

        Raises:
            ArgumentError: An id was kept already, or `always` keeps more than `MOST_ALWAYS`.
        """
        hashes = hash_texts(block.ids.tolist()) if hashes is None else hashes
        self._counts += self._counted(block)
        candidates = block.always.copy()
        if self._sample:
            candidates |= hashes <= self._limits[block.stratum]
        if not candidates.any() and self._kept is not None:
            return
        rows = np.flatnonzero(candidates)
        self._waiting.append((block.take(rows), hashes[rows]))
        # To choose among as many as are kept, not after every block, costs a few copies of each instance at most.
        if self._kept is None or sum(len(waiting) for waiting, _ in self._waiting) > len(self._kept):
            self._choose(self._counts, self._waiting)

    def merge(self, kept: Block, counts: NDArray[np.int64]) -> None:
        """Offers the instances that another sampler of the same classes and size has kept.

        Args:
            kept: See `extract`.
            counts: Instances of every class that it was offered, (classes,); fewer where the others have none.

        Raises:
            ArgumentError: See `add`; nothing has changed then.
        """
        together = self._counts.copy()
        together[: len(counts)] += counts
        self._choose(together, [*self._waiting, (kept, hash_texts(kept.ids.tolist()))])
        self._counts = together

    def extract(self) -> tuple[Block, NDArray[np.bool_]] | None:
        """Returns the kept instances in ascending (hash, id) order, and which of them the hash chose, bool (rows,).

        None where nothing was offered.
        """
        self._choose(self._counts, self._waiting)
        return None if self._kept is None else (self._kept, self._drawn)

    def _choose(self, counts: NDArray[np.int64], offered: Sequence[tuple[Block, NDArray[np.uint64]]]) -> None:
        """Keeps the sample of the instances kept before and those offered; `counts` are those of every instance."""
        if self._kept is not None:
            offered = [(self._kept, self._hashes), *offered]
        if not offered:
            return
        block = join([part for part, _ in offered])
        hashes = np.concatenate([of_part for _, of_part in offered])
        order = _ascending(hashes, block.ids)
        _check(block.ids[order], block.always)
        share = self._share(counts)
        drawn = first_of_class(block.stratum[order], share)
        stays = drawn | block.always[order]
        order = order[stays]
        self._kept, self._hashes, self._drawn = block.take(order), hashes[order], drawn[stays]
        self._waiting = []
        if counts.sum() >= self._sample:
            self._lower_limits(self._kept.stratum[self._drawn], self._hashes[self._drawn], share)

    def _counted(self, block: Block) -> NDArray[np.int64]:
        return np.bincount(block.stratum, minlength=len(self._counts))

    def _share(self, counts: NDArray[np.int64]) -> int:
        return share_of_classes(counts, self._sample)

    def _lower_limits(self, stratum: NDArray[np.int32], hashes: NDArray[np.uint64], share: int) -> None:
        full = np.bincount(stratum, minlength=len(self._limits)) == share
        largest = np.zeros_like(self._limits)
        np.maximum.at(largest, stratum, hashes)
        self._limits[full] = largest[full]


def first_of_class(stratum: NDArray[np.int32], share: int) -> NDArray[np.bool_]:
    """Returns which of the rows, in ascending order, are among the first `share` of their class, bool (rows,)."""
    by_class = np.argsort(stratum, kind="stable")
    starts = np.searchsorted(stratum[by_class], stratum[by_class])
    first = np.empty(len(stratum), np.bool_)
    first[by_class] = np.arange(len(stratum)) - starts < share
    return first


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
