"""Counts the codes of activations: see `activis_tb.model.TALLY_NAMES`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZERO_CODE

SUMMED_ROWS = 255
"""As many instances are summed at a time: a uint8 can count them, and a uint16 hold the sum of their codes."""
_OF_NONFINITE = {"sum": NONFINITE_CODE, "squares": NONFINITE_CODE**2, "positive": 1}
"""What a non-finite activation is counted as at first."""


class Tally:
    """Counts codes, block after block.

    Args:
        positive_from: The smallest code of an activation > 0, uint8 (neurons,).
        names: What is wanted; the others are left 0. Needed besides are zeros and nonfinite where there may be any.
    """

    def __init__(self, positive_from: NDArray[np.uint8], names: tuple[str, ...] = TALLY_NAMES) -> None:
        self._positive_from = positive_from
        # Sums in as narrow a type as holds them: to widen them once at the end takes fewer calls.
        self._sums: dict[str, list[NDArray[Any]]] = {name: [] for name in names}

    def add(self, codes: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> None:
        """Counts `codes`, uint8 (instances, neurons).

        Args:
            codes: Fastest are multiples of `SUMMED_ROWS` instances.
            mask: Memory to work in, bool (instances, neurons); its content is lost.
        """
        for name, sums in self._sums.items():
            match name:
                case "sum":
                    sums += _narrow_sums(codes, np.uint16)
                case "squares":
                    wide = codes.astype(np.uint16)
                    sums += _narrow_sums(np.multiply(wide, wide, out=wide), np.uint32)
                case "zeros":
                    sums += _counts(np.equal(codes, ZERO_CODE, out=mask))
                case "positive":
                    sums += _counts(np.greater_equal(codes, self._positive_from, out=mask))
                case "nonfinite":
                    sums += _counts(np.equal(codes, NONFINITE_CODE, out=mask))

    def counts(self) -> NDArray[np.int64]:
        """Returns what was counted so far, int64 (tallies, neurons)."""
        counts = np.zeros((len(TALLY_NAMES), len(self._positive_from)), np.int64)
        for name, sums in self._sums.items():
            if sums:
                counts[TALLY_NAMES.index(name)] = np.add.reduce(np.concatenate(sums), axis=0, dtype=np.int64)
        nonfinite = counts[TALLY_NAMES.index("nonfinite")]
        for name in self._sums.keys() & _OF_NONFINITE:
            counts[TALLY_NAMES.index(name)] -= _OF_NONFINITE[name] * nonfinite
        return counts


def tally(codes: NDArray[np.uint8], positive_from: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Counts `codes`, uint8 (instances, neurons), int64 (tallies, neurons)."""
    counted = Tally(positive_from)
    counted.add(codes)
    return counted.counts()


def _counts(mask: NDArray[np.bool_]) -> list[NDArray[Any]]:
    return _narrow_sums(mask.view(np.uint8), np.uint8)


def _narrow_sums(values: NDArray[Any], dtype: type[np.unsignedinteger[Any]]) -> list[NDArray[Any]]:
    """Sums of `values` (instances, neurons), of which `SUMMED_ROWS` fit into `dtype`, each (sums, neurons).

    Adding few long rows keeps the processor busier than adding many short ones, so runs of instances are laid side by
    side first.
    """
    neurons = values.shape[1]
    runs = len(values) // SUMMED_ROWS * SUMMED_ROWS
    sums = []
    if runs:
        side_by_side = np.add.reduce(values[:runs].reshape(SUMMED_ROWS, -1), axis=0, dtype=dtype)
        sums.append(side_by_side.reshape(-1, neurons))
    if runs < len(values):
        sums.append(np.add.reduce(values[runs:], axis=0, dtype=dtype).reshape(1, neurons))
    return sums
