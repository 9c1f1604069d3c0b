"""The mapping S of a block: which instances each subset holds, as positions and as the sparse rows of S^T."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from activis_tb.recording.block import Block


@dataclass(frozen=True, eq=False)
class Members:
    """The members of every subset in one block.

    Attributes:
        rows: By subset, the positions of its members in the block.
        sizes: By subset, their number, int64 (subsets,).
        transposed: S^T, CSR of float64 (subsets, instances), for sums.
        counting: The same of float32, for counts: exact up to 2^24, faster.
    """

    rows: list[NDArray[np.intp]]
    sizes: NDArray[np.int64]
    transposed: sparse.csr_array
    counting: sparse.csr_array


def members_of(block: Block, classes: int) -> Members:
    """Returns the members of the classes in order and of the user's subsets in `block`."""
    order = np.argsort(block.label, kind="stable")
    ends = np.cumsum(np.bincount(block.label, minlength=classes))
    rows = [*np.split(order, ends[:-1]), *(np.flatnonzero(column) for column in block.membership.T)]
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    positions = np.concatenate(rows).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    transposed = sparse.csr_array((np.ones(len(positions)), positions, starts), shape=(len(rows), len(block)))
    return Members(rows, sizes, transposed, transposed.astype(np.float32))
