"""Counts the codes of selected instances, touching as few rows as it can."""

import threading
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.quantization import SUMMED_ROWS, tally
from activis_tb.model import TALLY_NAMES, ZONE_ROWS, CodedActivations

_BYTES_AT_ONCE = 2**19


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


def split_by_part(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_]
) -> Iterator[tuple[CodedActivations, NDArray[np.bool_]]]:
    """Yields every part with its stretch of `selected`, bool (instances,).

    Raises:
        ValueError: `selected` is not as long as the parts together.
    """
    ends = np.cumsum([0, *(len(part.codes) for part in parts)])
    if selected.shape != (ends[-1],) or selected.dtype != np.bool_:
        message = f"selected: got {selected.dtype} of shape {selected.shape}; expected bool of shape ({ends[-1]},)."
        raise ValueError(message)
    for part, start, end in zip(parts, ends[:-1], ends[1:], strict=True):
        yield part, selected[start:end]


def blocks(codes: NDArray[np.uint8], rows: NDArray[np.intp]) -> Iterator[NDArray[np.uint8]]:
    """Yields the codes at `rows`, uint8 (rows, neurons), a cacheful at a time.

    Each is overwritten by the next of the same thread.
    """
    at_once = SUMMED_ROWS * max(1, _BYTES_AT_ONCE // SUMMED_ROWS // max(1, codes.shape[1]))
    cache = _memory.get("codes", min(at_once, len(rows)), codes.shape[1])
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        # All rows exist; "clip" lets NumPy write into the cache without another copy.
        yield codes.take(some, axis=0, out=cache[: len(some)], mode="clip")


def tally_selected(part: CodedActivations, selected: NDArray[np.bool_], *, squares: bool) -> NDArray[np.int64]:
    """Counts the codes of the `selected` instances of one part, bool (instances,).

    A zone that is mostly selected is its stored tally less the rows that are not, so at most half of the rows are read,
    and none of a zone that is selected as a whole.

    Returns:
        int64 (tallies, neurons), see `activis_tb.model.TALLY_NAMES`; the squares are 0 unless asked for.
    """
    starts = np.arange(0, len(selected), ZONE_ROWS)
    sizes = np.diff([*starts, len(selected)])
    mostly = 2 * np.add.reduceat(selected, starts, dtype=np.int64) > sizes
    in_such = np.repeat(mostly, sizes)
    names = _needed(part, squares)
    counts = _tally_rows(part, selected & ~in_such, names)
    counts += part.tallies[mostly].sum(axis=0, dtype=np.int64)
    counts -= _tally_rows(part, in_such & ~selected, names)
    _, squared, zeros, positive, nonfinite = counts
    if "positive" not in names:
        positive[:] = np.count_nonzero(selected) - zeros - nonfinite
    if not squares:
        squared[:] = 0
    return counts


def _needed(part: CodedActivations, squares: bool) -> tuple[str, ...]:
    """What has to be counted; the other tallies are 0 all over the part, or follow from these."""
    names = ["sum"]
    names += [name for name in ("zeros", "nonfinite") if part.tallies[:, TALLY_NAMES.index(name)].any()]
    names += ["squares"] if squares else []
    names += [] if (part.positive_from == 1).all() else ["positive"]
    return tuple(names)


def _tally_rows(part: CodedActivations, selected: NDArray[np.bool_], names: tuple[str, ...]) -> NDArray[np.int64]:
    counts = np.zeros((len(TALLY_NAMES), part.codes.shape[1]), np.int64)
    for codes in blocks(part.codes, np.flatnonzero(selected)):
        mask = _memory.get("mask", *codes.shape).view(np.bool_)
        counts += tally(codes, part.positive_from, names, mask)
    return counts
