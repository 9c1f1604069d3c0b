"""How many rows to search at once, so that a costly pattern can be stopped in time.

DuckDB looks for an interruption only between blocks of 2,048 rows, and a hostile pattern may search less than 0.1 MB
per second. So the first piece is small, the speed is measured, and the rest is done at once when a block takes no
longer than `MOST_BLOCK_SECONDS`.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 2048
MOST_BLOCK_SECONDS = 0.05
_FIRST_BYTES = 4096
_GROWTH = 16


class Pacing:
    """Cuts rows into pieces.

    Args:
        rows: How many there are.
        block_bytes: Bytes that are searched in each block of `BLOCK_ROWS` rows, (blocks,); 0 where nothing is.
    """

    def __init__(self, rows: int, block_bytes: NDArray[np.int64]) -> None:
        self._rows = rows
        self._edges = np.minimum(np.arange(len(block_bytes) + 1) * BLOCK_ROWS, rows)
        self._bytes = np.concatenate([[0], np.cumsum(block_bytes)])
        self._largest_block = int(block_bytes.max(initial=0))
        self._budget = float(_FIRST_BYTES)

    def stop(self, start: int) -> int:
        """Returns where the piece that begins at row `start` ends."""
        if self._largest_block <= self._budget:
            return self._rows
        reached = np.interp(self._before(start) + self._budget, self._bytes, self._edges)
        return min(max(start + 1, int(reached)), self._rows)

    def learn(self, start: int, stop: int, seconds: float) -> None:
        """Takes note of how long a piece took."""
        searched = max(self._before(stop) - self._before(start), 1.0)
        fitting = MOST_BLOCK_SECONDS * searched / max(seconds, 1e-6)
        self._budget = min(fitting, self._budget * _GROWTH)

    def _before(self, row: int) -> float:
        return float(np.interp(row, self._edges, self._bytes))
