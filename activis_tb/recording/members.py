"""The mapping S of a block: which instances each subset holds, as positions and as the sparse columns of S^T."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from activis_tb.recording.block import Block


@dataclass(frozen=True, eq=False)
class Members:
    """The members of every subset in one block.

    S^T is kept by columns: a product with it reads every instance once, in order, and keeps the sums in the cache.

    Attributes:
        subsets: The subsets of the first instance, its class first, then those of the second, and so on; int32.
        instances: Which instance each of `subsets` is of, int32.
        rows: By subset, the positions of its members in the block.
        sizes: By subset, their number, int64 (subsets,).
        transposed: S^T, CSC of float64 (subsets, instances), for sums.
        counting: The same of the smallest integers that can count the instances, for counts: faster.
    """

    subsets: NDArray[np.int32]
    instances: NDArray[np.int32]
    rows: list[NDArray[np.int32]]
    sizes: NDArray[np.int64]
    transposed: sparse.csc_array
    counting: sparse.csc_array


def members_of(block: Block, classes: int) -> Members:
    """Returns the members of the classes in order and of the user's subsets in `block`."""
    rows, columns = np.divmod(np.flatnonzero(block.membership), max(block.membership.shape[1], 1))
    memberships = 1 + np.bincount(rows, minlength=len(block))
    starts = np.zeros(len(block) + 1, np.int32)
    np.cumsum(memberships, out=starts[1:])
    subsets = np.empty(starts[-1], np.int32)
    of_class = np.zeros(len(subsets), np.bool_)
    of_class[starts[:-1]] = True
    subsets[of_class] = block.label
    subsets[~of_class] = classes + columns

    def transposed(dtype: np.dtype[np.number]) -> sparse.csc_array:
        shape = (classes + block.membership.shape[1], len(block))
        return sparse.csc_array((np.ones(len(subsets), dtype), subsets, starts), shape)

    of_floats = transposed(np.dtype(np.float64))
    by_subset = of_floats.tocsr()
    return Members(
        subsets=subsets,
        instances=np.repeat(np.arange(len(block), dtype=np.int32), memberships),
        rows=[by_subset.indices[start:end] for start, end in pairwise(by_subset.indptr.tolist())],
        sizes=np.diff(by_subset.indptr).astype(np.int64),
        transposed=of_floats,
        counting=transposed(np.min_scalar_type(-len(block) - 1)),
    )
