"""Counts the codes of selected instances, touching as few rows as it can."""

import itertools
import threading
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.tallying import SUMMED_ROWS, Tally
from activis_tb.model import TALLY_NAMES, ZONE_ROWS, CodedActivations, CodesFile

_BYTES_AT_ONCE = 2**20
_BYTES_READ = 2**18
_SKIPPED = 2**14
"""Bytes between two rows of a file; to read fewer than these takes no longer than to begin anew."""


class _Memory(threading.local):
    """What a thread works in, block after block: new memory would first have to be cleared by the system."""

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
    """Yields the codes at `rows`, ascending, uint8 (rows, neurons), a cacheful at a time.

    Each is overwritten by the next of the same thread.

    Raises:
        StoredDataError: The file is not what it was.
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
