"""One-byte codes of activations: uniform quantisation per neuron, and tallies of codes over selected instances.

The steps of a neuron divide the range between its extremes evenly. Exact zeros, signs and non-finite activations are
preserved; every other activation is off by at most half a step, see `half_step`.
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZERO_CODE, ZONE_ROWS, CodedActivations, CodesFile

SUMMED_ROWS = 255
"""As many instances are summed at a time: a uint8 can count them, and a uint16 hold the sum of their codes."""
_OF_NONFINITE = {"sum": NONFINITE_CODE, "squares": NONFINITE_CODE**2, "positive": 1}
"""What a non-finite activation is counted as at first."""


class Tally:
    """Running tally of codes, block by block.

    Args:
        positive_from: The smallest code of an activation > 0, uint8 (neurons,).
        names: Tallies to count; the others stay 0. Zeros and non-finite ones are counted too where there may be any.
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

    Zero is exact and in no other interval; non-finite activations have NaN.
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


_BYTES_AT_ONCE = 2**20
_BYTES_READ = 2**18
_SKIPPED = 2**14
"""Bytes between two rows of a file; to read fewer than these takes no longer than to begin anew."""


class _Memory(threading.local):
    """Scratch memory of a thread, reused block after block: the system would have to clear new memory first."""

    def __init__(self) -> None:
        self._bytes: dict[str, NDArray[np.uint8]] = {}

    def get(self, name: str, rows: int, neurons: int) -> NDArray[np.uint8]:
        """Returns uint8 (rows, neurons) of any content: the same memory for the same name."""
        known = self._bytes.get(name)
        if known is None or known.size < rows * neurons:
            known = self._bytes[name] = np.empty(rows * neurons, np.uint8)
        return known[: rows * neurons].reshape(rows, neurons)


_memory = _Memory()


def groups_of_parts(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_], rows: int = 0
) -> Iterator[tuple[Sequence[CodedActivations], NDArray[np.bool_]]]:
    """Yields consecutive parts of at least `rows` instances together, with their stretch of `selected`.

    Args:
        parts: Hold the instances in their order.
        selected: Bool (instances,).
        rows: By default every part is a group of its own.

    Raises:
        ValueError: `selected` is not as long as the parts together.
    """
    ends = [0, *itertools.accumulate(part.codes.shape[0] for part in parts)]
    if selected.shape != (ends[-1],) or selected.dtype != np.bool_:
        message = f"selected: got {selected.dtype} of shape {selected.shape}; expected bool of shape ({ends[-1]},)."
        raise ValueError(message)
    first = 0
    for last in range(1, len(ends)):
        if ends[last] - ends[first] >= rows or last == len(parts):
            yield parts[first:last], selected[ends[first] : ends[last]]
            first = last


def blocks(codes: NDArray[np.uint8] | CodesFile, rows: NDArray[np.intp]) -> Iterator[NDArray[np.uint8]]:
    """Yields the codes at `rows`, ascending, uint8 (rows, neurons), in blocks that fit the CPU cache.

    Each is overwritten by the next of the same thread.

    Raises:
        StoredDataError: The file has changed.
    """
    at_once = SUMMED_ROWS * max(1, _BYTES_AT_ONCE // SUMMED_ROWS // max(1, codes.shape[1]))
    cache = _memory.get("codes", min(at_once, len(rows)), codes.shape[1])
    if not isinstance(codes, np.ndarray):
        mostly = len(rows) * _SKIPPED >= codes.shape[0] * codes.shape[1]
        found = codes.in_memory(load=mostly)
        codes = codes if found is None else found
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        if isinstance(codes, np.ndarray):
            # All rows exist; "clip" lets NumPy write into the cache without another copy.
            codes.take(some, axis=0, out=cache[: len(some)], mode="clip")
        else:
            _read(codes, some, cache[: len(some)])
        yield cache[: len(some)]


def _read(file: CodesFile, rows: NDArray[np.intp], out: NDArray[np.uint8]) -> None:
    """Reads the codes at `rows` into `out`; rows that are near one another with what is between them."""
    row_bytes = max(1, file.shape[1])
    at_once, apart = max(1, _BYTES_READ // row_bytes), max(1, _SKIPPED // row_bytes)
    memory = _memory.get("read", at_once, file.shape[1])
    begins = np.flatnonzero((np.diff(rows) > apart) | (np.diff(rows // at_once) > 0)) + 1
    with file.open() as fill:
        for begin, end in itertools.pairwise([0, *begins.tolist(), len(rows)]):
            first, last = int(rows[begin]), int(rows[end - 1])
            if last - first == end - begin - 1:
                fill(first, out[begin:end])
            else:
                span = memory[: last - first + 1]
                fill(first, span)
                span.take(rows[begin:end] - first, axis=0, out=out[begin:end], mode="clip")


def column(codes: NDArray[np.uint8] | CodesFile, neuron: int) -> NDArray[np.uint8]:
    """Returns the codes of one neuron, uint8 (instances,); see `blocks` for errors."""
    everything = blocks(codes, np.arange(codes.shape[0]))
    return np.concatenate([np.empty(0, np.uint8), *(block[:, neuron].copy() for block in everything)])


def tally_selected(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_], *, squares: bool
) -> NDArray[np.int64]:
    """Counts the codes of the `selected` instances, bool (instances,), of consecutive parts of one layer.

    A zone that is mostly selected is its stored tally less the rows that are not, so at most half of the rows are read,
    and none of a zone that is selected as a whole.

    Returns:
        int64 (parts, tallies, neurons), see `activis_tb.model.TALLY_NAMES`; the squares are 0 unless asked for.
    """
    counts = np.zeros((len(parts), len(TALLY_NAMES), parts[0].codes.shape[1]), np.int64)
    if not selected.any():
        return counts
    ends = np.array([0, *itertools.accumulate(part.codes.shape[0] for part in parts)])
    zones = [np.arange(start, end, ZONE_ROWS) for start, end in itertools.pairwise(ends)]
    starts, first_zones = np.concatenate(zones), np.cumsum([0, *map(len, zones)])
    sizes = np.diff(starts, append=ends[-1])
    members = np.add.reduceat(selected, starts, dtype=np.int64)
    mostly = 2 * members > sizes
    in_such = np.repeat(mostly, sizes)
    added, removed = (
        np.split(rows, np.searchsorted(rows, ends[1:-1]))
        for rows in (np.flatnonzero(selected > in_such), np.flatnonzero(in_such > selected))
    )
    for number, part in enumerate(parts):
        names, its_zones = _needed(part, squares), slice(first_zones[number], first_zones[number + 1])
        count = part.tallies[mostly[its_zones]].sum(axis=0, dtype=np.int64)
        count += _tally_rows(part, added[number] - ends[number], names)
        count -= _tally_rows(part, removed[number] - ends[number], names)
        _, squared, zeros, positive, nonfinite = count
        if "positive" not in names:
            positive[:] = members[its_zones].sum() - zeros - nonfinite
        if not squares:
            squared[:] = 0
        counts[number] = count
    return counts


def _needed(part: CodedActivations, squares: bool) -> tuple[str, ...]:
    """What has to be counted; the other tallies are 0 all over the part, or follow from these."""
    names = ["sum"]
    names += [name for name in ("zeros", "nonfinite") if name in part.occurring]
    names += ["squares"] if squares else []
    names += [] if (part.positive_from == 1).all() else ["positive"]
    return tuple(names)


def _tally_rows(part: CodedActivations, rows: NDArray[np.intp], names: tuple[str, ...]) -> NDArray[np.int64]:
    counted = Tally(part.positive_from, names)
    for codes in blocks(part.codes, rows):
        counted.add(codes, _memory.get("mask", *codes.shape).view(np.bool_))
    return counted.counts()
