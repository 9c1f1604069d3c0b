"""Means, standard deviations and extremes over any subset of the stored instances, read from their codes.

The cost is that of the selected rows, at most half of all: a zone that is mostly selected is its tally less the rows
that are not. Counts are exact, sums of codes too, so the only error is half a quantisation step per activation.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import blocks, groups_of_parts, half_step, tally_selected
from activis_tb.analysis.threads import work_on_each
from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZERO_CODE, CodedActivations

_ROWS_AT_ONCE = 2**18
"""Instances per call: the fewer and the longer the NumPy calls, the less threads wait for the GIL."""
_WORTH_A_THREAD = 2**25
"""Bytes; below, the threads would mostly wait for one another."""


@dataclass(frozen=True, eq=False)
class StoredAverages:
    """A layer's activations summarised over one subset of the stored instances; all arrays are (neurons,).

    Non-finite activations are counted and left out. Where `count` is 0 the others are NaN (`nonfinite` excepted).

    Attributes:
        count: Finite activations, int64; exact.
        nonfinite: NaN and infinite activations, int64; exact.
        mean: float64.
        mean_bound: Bound of the distance from the mean of the unquantised activations, float64.
        active: Share of the finite activations that are > 0, float64; exact.
        std: Population standard deviation (ddof 0), float64; NaN unless asked for.
        std_bound: Likewise for the standard deviation, float64.
    """

    count: NDArray[np.int64]
    nonfinite: NDArray[np.int64]
    mean: NDArray[np.float64]
    mean_bound: NDArray[np.float64]
    active: NDArray[np.float64]
    std: NDArray[np.float64]
    std_bound: NDArray[np.float64]


def stored_averages(
    parts: Sequence[CodedActivations],
    selected: NDArray[np.bool_],
    *,
    std: bool = False,
    most_seconds: float = inf,
) -> StoredAverages:
    """Summarises one layer over the `selected` instances, bool (instances,); `parts` hold them in their order.

    The bound of the standard deviation holds because it is a norm of the deviations: it cannot differ by more than
    theirs do.

    Raises:
        ValueError: `selected` is not as long as the parts together.
        TimeoutError: It took longer than `most_seconds`.
    """
    groups = list(groups_of_parts(parts, selected, _ROWS_AT_ONCE))
    neurons = parts[0].codes.shape[1] if parts else 0
    counts = work_on_each(
        lambda group: tally_selected(*group, squares=std),
        groups,
        at_once=1 if np.count_nonzero(selected) * neurons < _WORTH_A_THREAD else len(groups),
        most_seconds=most_seconds,
    )
    return _summarise(
        parts,
        np.concatenate([np.empty((0, len(TALLY_NAMES), neurons), np.int64), *counts]),
        np.array([np.count_nonzero(chosen) for _, chosen in groups_of_parts(parts, selected)], np.int64),
        std=std,
    )


def _summarise(
    parts: Sequence[CodedActivations], counts: NDArray[np.int64], rows: NDArray[np.int64], *, std: bool
) -> StoredAverages:
    """The average of parts of which `rows` (parts,) instances have the tallies `counts` (parts, tallies, neurons)."""
    total, squares, zeros, positive, nonfinite = counts.swapaxes(0, 1)
    origin, scale, step = (
        np.array(values).reshape(total.shape)
        for values in ([p.origin for p in parts], [p.scale for p in parts], [half_step(p) for p in parts])
    )
    coded = rows[:, None] - zeros - nonfinite
    at_least_one = np.maximum(coded, 1)
    means = origin + scale * (total / at_least_one - 0.5)
    deviations = scale**2 * ((coded * squares - total**2) / at_least_one) if std else np.zeros_like(means)
    count = (coded + zeros).sum(axis=0)
    mean, spread = _joined(np.concatenate([coded, zeros]), np.concatenate([means, np.zeros_like(means)]))
    known, divisor = count > 0, np.maximum(count, 1)

    def where(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mask, values, np.nan)

    return StoredAverages(
        count=count,
        nonfinite=nonfinite.sum(axis=0),
        mean=where(known, mean),
        mean_bound=where(known, (coded * step).sum(axis=0) / divisor),
        active=where(known, positive.sum(axis=0) / divisor),
        std=where(known & std, np.sqrt((deviations.sum(axis=0) + spread) / divisor)),
        std_bound=where(known & std, np.sqrt((coded * step**2).sum(axis=0) / divisor)),
    )


def _joined(counts: NDArray[np.int64], means: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of groups with `counts` and `means` (groups, neurons), and the squares of their distances from it.

    Both (neurons,). Sums are of distances from one of the groups, so equal groups have that mean exactly.
    """
    if not len(counts):
        return np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    first = np.take_along_axis(means, np.argmax(counts > 0, axis=0)[None], axis=0)
    mean = first[0] + (counts * (means - first)).sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    return mean, (counts * (means - mean) ** 2).sum(axis=0)


@dataclass(frozen=True, eq=False)
class StoredExtremes:
    """The extremes of a subset's finite activations, float64 (neurons,); NaN where there is none.

    Attributes:
        min: The smallest.
        max: The largest.
        bound: Bound of the distance from the extremes of the unquantised activations.
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


_EXTREMES = frozenset({"min", "max"})
_Interval = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]


def intervals_in_doubt(
    parts: Sequence[CodedActivations],
    certain: NDArray[np.bool_],
    possible: NDArray[np.bool_],
    names: Collection[str],
    *,
    most_seconds: float = inf,
) -> dict[str, _Interval]:
    """Returns the intervals of a subset's statistics, by name, each (neurons,); NaN where there are none.

    Args:
        parts: The stored activations of a layer.
        certain: Certain members, bool (instances,).
        possible: Possible members, bool (instances,), a superset of `certain`.
        names: Statistics that are asked for; others that are computed along the way may be there too.
        most_seconds: Time limit of each pass.

    Raises:
        TimeoutError: A pass took longer than `most_seconds`.
    """
    doubtful = possible & ~certain
    edges = stored_extremes(parts, doubtful, most_seconds=most_seconds)
    low, high = edges.min - edges.bound, edges.max + edges.bound
    intervals: dict[str, _Interval] = {}
    if not _EXTREMES.isdisjoint(names):
        ends = stored_extremes(parts, certain, most_seconds=most_seconds)
        intervals["min"] = np.fmin(ends.min - ends.bound, low), _sure_end(ends.min + ends.bound, high)
        intervals["max"] = _sure_end(ends.max - ends.bound, low), np.fmax(ends.max + ends.bound, high)
    if _EXTREMES.issuperset(names):
        return intervals
    std = "std" in names
    sure, few = (stored_averages(parts, who, std=std, most_seconds=most_seconds) for who in (certain, doubtful))
    active, inactive = _active(few), few.count - _active(few)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            **intervals,
            "count": (sure.count * 1.0, (sure.count + few.count) * 1.0),
            "nonfinite": (sure.nonfinite * 1.0, (sure.nonfinite + few.nonfinite) * 1.0),
            "mean": _mean(sure, few, low, high),
            "active": (_active(sure) / (sure.count + inactive), (_active(sure) + active) / (sure.count + active)),
            "std": _std(sure, few, low, high),
        }


def _active(averages: StoredAverages) -> NDArray[np.float64]:
    return np.rint(np.nan_to_num(averages.active) * averages.count)


def _sure_end(sure: NDArray[np.float64], otherwise: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(sure), otherwise, sure)


def _mean(sure: StoredAverages, few: StoredAverages, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Interval:
    """Least where all in doubt were as small as any of them, and only if that is less than without them."""
    least, most = sure.mean - sure.mean_bound, sure.mean + sure.mean_bound
    total = sure.count + few.count
    with_low, with_high = (
        (sure.count * np.nan_to_num(mean) + few.count * end) / total for mean, end in ((least, low), (most, high))
    )
    return np.fmin(least, with_low), np.fmax(most, with_high)


def _std(sure: StoredAverages, few: StoredAverages, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Interval:
    """Deviations of the certain members from any mean are at least those from their own mean.

    Those in doubt are no farther from that than the farthest of them may be.
    """
    share = sure.count / (sure.count + few.count)
    least, most = np.fmax(sure.std - sure.std_bound, 0), sure.std + sure.std_bound
    farthest = np.fmax(high - (sure.mean - sure.mean_bound), sure.mean + sure.mean_bound - low)
    mixed = np.sqrt(share * most**2 + (1 - share) * farthest**2)
    alone = (high - low) / 2
    return (
        np.where(sure.count > 0, np.sqrt(share) * least, 0.0),
        np.where(sure.count > 0, np.fmax(most, mixed), alone),
    )
