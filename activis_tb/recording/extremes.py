"""The smallest and the largest activations of every subset in a block."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.recording.members import Members
from activis_tb.recording.workspace import Workspace

_ROWS_AT_ONCE = 1024
_SIDE_BY_SIDE = 2048
"""Values that are compared in one go: few long rows keep the processor busier than many short ones."""


class Extremes(NamedTuple):
    """float32, (neurons,) of a table or (subsets, neurons); `low` is infinite and `high` minus infinite of nothing."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


def extremes_of(table: NDArray[np.float32]) -> Extremes:
    """Returns those of a table (instances, neurons) of at least one instance; NaN where there is any."""
    return Extremes(_reduced(np.minimum, table), _reduced(np.maximum, table))


def subset_extremes(
    tables: Extremes, block: Extremes, known: Extremes, members: Members, workspace: Workspace
) -> Extremes:
    """Returns the extremes (subsets, neurons) of those subsets that may have wider ones than are known.

    Most layers do not go below zero, and most subsets have been there early on: they need no second look.

    Args:
        tables: Where to look for the smallest and for the largest, (instances, neurons), of finite values or of
            infinite ones that are no extreme; mostly they are one and the same table.
        block: Of all instances, (neurons,).
        known: (subsets, neurons).
        members: Of the subsets.
        workspace: For copies of the members' activations.
    """
    found = Extremes(np.full_like(known.low, np.inf), np.full_like(known.high, -np.inf))
    copies = workspace.array((min(_ROWS_AT_ONCE, members.shape[1]), tables.low.shape[1]), np.float32)
    lower, higher = _which(block.low < known.low), _which(block.high > known.high)
    for subset in sorted(lower | higher):
        rows = members.rows[subset]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            chosen = rows[start : start + _ROWS_AT_ONCE]
            # All rows exist; "clip" lets NumPy write without another copy.
            taken = None
            if subset in lower:
                taken = tables.low.take(chosen, axis=0, out=copies[: len(chosen)], mode="clip")
                np.minimum(found.low[subset], np.minimum.reduce(taken), out=found.low[subset])
            if subset in higher:
                if taken is None or tables.high is not tables.low:
                    taken = tables.high.take(chosen, axis=0, out=copies[: len(chosen)], mode="clip")
                np.maximum(found.high[subset], np.maximum.reduce(taken), out=found.high[subset])
    return found


def _which(cells: NDArray[np.bool_]) -> set[int]:
    """The subsets for which any of `cells` (subsets, neurons) is true."""
    return set(np.flatnonzero(cells.any(axis=1)).tolist())


def _reduced(operation: np.ufunc, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The `operation` over all instances of a table (instances, neurons), (neurons,)."""
    side = max(1, _SIDE_BY_SIDE // table.shape[1])
    whole = len(table) // side * side
    if whole == 0 or side == 1 or not table.flags.c_contiguous:
        reduced: NDArray[np.float32] = operation.reduce(table, axis=0)
        return reduced
    reduced = operation.reduce(operation.reduce(table[:whole].reshape(whole // side, -1), axis=0).reshape(side, -1))
    return reduced if whole == len(table) else operation(reduced, operation.reduce(table[whole:], axis=0))
