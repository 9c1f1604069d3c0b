"""The mapping S of a block: which instances each subset holds, as positions and as the sparse columns of S^T."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from activis_tb.recording.block import Block


@dataclass(frozen=True, eq=False)
class Members:
    """The members of every subset in one block.

    S^T is kept by columns: a product with it reads every instance once, in order, and keeps the sums in the cache.

    Attributes:
        shape: Numbers of subsets and of instances.
        subsets: The subsets of the first instance, its stratum first, then those of the second, and so on; int32.
        starts: Where in `subsets` those of each instance begin, and its end; int32 (instances + 1,).
    """

    shape: tuple[int, int]
    subsets: NDArray[np.int32]
    starts: NDArray[np.int32]

    @cached_property
    def instances(self) -> NDArray[np.int32]:
        """Which instance each of `subsets` is of, int32."""
        return np.repeat(np.arange(self.shape[1], dtype=np.int32), np.diff(self.starts))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """By subset, the number of its members, int64 (subsets,)."""
        return np.bincount(self.subsets, minlength=self.shape[0])

    @cached_property
    def transposed(self) -> sparse.csc_array:
        """S^T, float64 (subsets, instances), for sums."""
        return self._transposed(np.dtype(np.float64))

    @cached_property
    def counting(self) -> sparse.csc_array:
        """The same of the smallest integers that can count the instances, for counts: faster."""
        return self._transposed(np.min_scalar_type(-self.shape[1] - 1))

    @cached_property
    def rows(self) -> list[NDArray[np.int32]]:
        """By subset, the positions of its members in the block."""
        by_subset = self.counting.tocsr()
        return [by_subset.indices[start:end] for start, end in pairwise(by_subset.indptr.tolist())]

    def _transposed(self, dtype: np.dtype[Any]) -> sparse.csc_array:
        return sparse.csc_array((np.ones(len(self.subsets), dtype), self.subsets, self.starts), self.shape)


def members_of(block: Block, strata: int) -> Members:
    """Returns the members of the strata in order, of which each instance is in one, and of the user's subsets."""
    own = block.membership.shape[1]
    chosen = np.flatnonzero(block.membership)
    rows = chosen // max(own, 1)
    starts = np.zeros(len(block) + 1, np.int32)
    np.cumsum(1 + np.bincount(rows, minlength=len(block)), out=starts[1:])
    subsets = np.empty(starts[-1], np.int32)
    of_stratum = np.zeros(len(subsets), np.bool_)
    of_stratum[starts[:-1]] = True
    subsets[of_stratum] = block.stratum
    subsets[~of_stratum] = chosen - rows * own + strata
    return Members((strata + own, len(block)), subsets, starts)
