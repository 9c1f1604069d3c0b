"""Averages of a subset of which some members are in doubt: they lie between what any choice of these would give."""

from collections.abc import Collection, Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.stored_averages import StoredAverages, stored_averages
from activis_tb.analysis.stored_extremes import stored_extremes
from activis_tb.model import CodedActivations

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
    """Returns the ends of what the statistics of a subset can be, by name, each (neurons,); NaN where there is none.

    Args:
        parts: The stored activations of a layer.
        certain: Who is a member for certain, bool (instances,).
        possible: Who may be one besides, bool (instances,); all of `certain` among them.
        names: Of the statistics that are asked for; others that come with these are there too.
        most_seconds: After which it is given up.

    Raises:
        TimeoutError: Each of its looks may take so long; one took longer.
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
