"""Activations in one byte each, so that millions of instances can be averaged while somebody waits.

Every neuron gets its own even steps between its extremes. What must not be blurred is not: exact zeros, the sign, and
which activations are not finite. Everything else is off by at most half a step, see `half_step`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.tallying import tally
from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZERO_CODE, ZONE_ROWS, CodedActivations

_CODES = NONFINITE_CODE - ZERO_CODE - 1
_HALF = 0.5 + 2e-6
"""Half a step, and what float64 may add to it: a float32 is at most 2^32 steps away from zero."""
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


class _Grid(NamedTuple):
    """The steps of every neuron, float64 (neurons,): a code is floor((activation - shift) * inverse) - lowest + 1."""

    shift: NDArray[np.float64]
    inverse: NDArray[np.float64]
    lowest: NDArray[np.float64]
    scale: NDArray[np.float64]


def quantise(activations: NDArray[np.float32]) -> CodedActivations:
    """Returns float32 `activations` (instances, neurons) as codes, with the tallies of their zones."""
    low, high = _extremes(activations)
    grid = _grid(low, high)
    codes = np.empty(activations.shape, np.uint8)
    for start in range(0, len(codes), ZONE_ROWS):
        codes[start : start + ZONE_ROWS] = _encode(activations[start : start + ZONE_ROWS], grid)
    positive_from = np.where(low < 0, np.where(high > 0, 1 - grid.lowest, NONFINITE_CODE), 1).astype(np.uint8)
    origin = np.where(grid.lowest < 0, grid.lowest * grid.scale, grid.shift)
    zones = [tally(codes[start : start + ZONE_ROWS], positive_from) for start in range(0, len(codes), ZONE_ROWS)]
    tallies = np.array(zones, np.uint32).reshape(-1, len(TALLY_NAMES), len(positive_from))
    return CodedActivations(codes, origin, grid.scale, positive_from, tallies)


def dequantise(coded: CodedActivations, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the activations that `codes` (instances, neurons) of `coded` stand for, float32.

    Zeros are exact, non-finite activations are NaN, the others off by at most `half_step`.
    """
    values = coded.origin + (codes - 0.5) * coded.scale
    values[codes == ZERO_CODE] = 0
    values[codes == NONFINITE_CODE] = np.nan
    return values.astype(np.float32)


def half_step(coded: CodedActivations) -> NDArray[np.float64]:
    """Returns by how much a coded activation that is not zero can be off, float64 (neurons,)."""
    return coded.scale * _HALF


def code_intervals(coded: CodedActivations, neuron: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the ends of the intervals that the codes of a neuron stand for, by code, float64 (256,) each.

    Zero is itself, no other interval holds it, and what is not finite has NaN.
    """
    codes = np.arange(NONFINITE_CODE + 1)
    middle, half = coded.origin[neuron] + (codes - 0.5) * coded.scale[neuron], half_step(coded)[neuron]
    positive = codes >= coded.positive_from[neuron]
    low = np.where(positive, np.maximum(middle - half, _SMALLEST), middle - half)
    high = np.where(positive, middle + half, np.minimum(middle + half, -_SMALLEST))
    for ends in (low, high):
        ends[ZERO_CODE], ends[NONFINITE_CODE] = 0, np.nan
    return low, high


def _extremes(activations: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest and the largest finite activation of every neuron; 0 where there is none."""
    neurons = activations.shape[1]
    low, high = np.full(neurons, np.inf), np.full(neurons, -np.inf)
    for start in range(0, len(activations), ZONE_ROWS):
        zone = activations[start : start + ZONE_ROWS]
        finite = np.isfinite(zone)
        everything = bool(finite.all())
        np.minimum(low, (zone if everything else np.where(finite, zone, np.inf)).min(axis=0), out=low)
        np.maximum(high, (zone if everything else np.where(finite, zone, -np.inf)).max(axis=0), out=high)
    known = low <= high
    return np.where(known, low, 0), np.where(known, high, 0)


def _grid(low: NDArray[np.float64], high: NDArray[np.float64]) -> _Grid:
    """Steps between the extremes; where these have different signs, zero is the border of two steps."""
    mixed = (low < 0) & (high > 0)
    scale = (high - low) / np.where(mixed, _CODES - 2, _CODES - 1)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    shift = np.where(mixed, 0, low - scale / 2)
    return _Grid(shift, inverse, np.where(mixed, np.floor(low * inverse), 0), scale)


def _encode(activations: NDArray[np.float32], grid: _Grid) -> NDArray[np.uint8]:
    finite = np.isfinite(activations)
    complete = bool(finite.all())
    values = activations if complete else np.where(finite, activations, np.float32(0))
    steps = np.subtract(values, grid.shift, dtype=np.float64)
    steps *= grid.inverse
    np.floor(steps, out=steps)
    steps -= grid.lowest - 1
    codes = np.clip(steps, 1, _CODES, out=steps).astype(np.uint8)
    codes *= values != 0
    if not complete:
        codes[~finite] = NONFINITE_CODE
    return codes
