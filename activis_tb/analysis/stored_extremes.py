"""The smallest and the largest activation of any subset of the stored instances, read from their codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.coded_rows import blocks, groups_of_parts
from activis_tb.analysis.parallel import work_on_each
from activis_tb.analysis.quantization import half_step
from activis_tb.model import NONFINITE_CODE, ZERO_CODE, CodedActivations


@dataclass(frozen=True, eq=False)
class StoredExtremes:
    """The extremes of a subset's finite activations, float64 (neurons,); NaN where there is none.

    Attributes:
        min: The smallest.
        max: The largest.
        bound: Both of the activations themselves are at most so far away.
    """

    min: NDArray[np.float64]
    max: NDArray[np.float64]
    bound: NDArray[np.float64]


def stored_extremes(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_], *, most_seconds: float = inf
) -> StoredExtremes:
    """Returns the extremes of one layer over the `selected` instances, bool (instances,); reads all of them.

    Raises:
        ValueError: `selected` is not as long as the parts together.
        TimeoutError: It took longer than `most_seconds`.
    """
    neurons = parts[0].codes.shape[1] if parts else 0
    low, high, bound = np.full(neurons, np.inf), np.full(neurons, -np.inf), np.zeros(neurons)
    groups = groups_of_parts(parts, selected)
    found = work_on_each(lambda group: _extreme_codes(*group), groups, most_seconds=most_seconds)
    for part, (lowest, highest, zero) in zip(parts, found, strict=True):
        coded = lowest < NONFINITE_CODE
        np.minimum(low, np.where(coded, part.origin + (lowest - 0.5) * part.scale, np.inf), out=low)
        np.maximum(high, np.where(coded, part.origin + (highest - 0.5) * part.scale, -np.inf), out=high)
        np.minimum(low, 0, out=low, where=zero)
        np.maximum(high, 0, out=high, where=zero)
        np.maximum(bound, half_step(part), out=bound, where=coded)
    known = low <= high
    return StoredExtremes(*(np.where(known, values, np.nan) for values in (low, high, bound)))


def _extreme_codes(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """The smallest and the largest code of finite activations but zeros, and whether there is a zero; (neurons,).

    Where there is no such code, the smallest is `NONFINITE_CODE`.
    """
    (part,) = parts
    codes = part.codes
    below = np.full(codes.shape[1], NONFINITE_CODE, np.uint8)
    above = np.zeros(codes.shape[1], np.uint8)
    zero = np.zeros(codes.shape[1], np.bool_)
    for block in blocks(codes, np.flatnonzero(selected)):
        zero |= block.min(axis=0) == ZERO_CODE
        # One less or one more wraps around: a zero becomes the largest, then a non-finite one the smallest.
        np.minimum(below, (block - np.uint8(1)).min(axis=0), out=below)
        np.maximum(above, (block + np.uint8(1)).max(axis=0), out=above)
    lowest = np.where(below < NONFINITE_CODE - 1, below + np.uint8(1), np.uint8(NONFINITE_CODE))
    return lowest, np.maximum(above, 1) - np.uint8(1), zero
