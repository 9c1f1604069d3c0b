"""The mapping S of a block: which instances each subset holds, as positions and as the sparse columns of S^T."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from activis_tb.recording.block import Block


@dataclass(frozen=True, eq=False)
class Members:
    """The members of every subset in one block.

    S^T is kept by columns: a product with it reads every instance once, in order, and keeps the sums in the cache.

    Attributes:
        rows: By subset, the positions of its members in the block.
        sizes: By subset, their number, int64 (subsets,).
        transposed: S^T, CSC of float64 (subsets, instances), for sums.
        counting: The same of the smallest integers that can count the instances, for counts: faster.
    """

    rows: list[NDArray[np.int32]]
    sizes: NDArray[np.int64]
    transposed: sparse.csc_array
    counting: sparse.csc_array


def members_of(block: Block, classes: int) -> Members:
    """Returns the members of the classes in order and of the user's subsets in `block`."""
    rows, columns = np.divmod(np.flatnonzero(block.membership), max(block.membership.shape[1], 1))
    subsets = np.concatenate([block.label, classes + columns])
    instances = np.concatenate([np.arange(len(block)), rows])
    shape = (classes + block.membership.shape[1], len(block))
    transposed = sparse.coo_array((np.ones(len(subsets)), (subsets, instances)), shape).tocsc()
    by_subset = transposed.tocsr()
    return Members(
        rows=np.split(by_subset.indices, by_subset.indptr[1:-1]),
        sizes=np.diff(by_subset.indptr).astype(np.int64),
        transposed=transposed,
        counting=transposed.astype(np.min_scalar_type(-len(block) - 1)),
    )
