"""Averages of a subset of which some members are in doubt: they lie between what any choice of these would give."""

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.stored_averages import StoredAverages, stored_averages
from activis_tb.analysis.stored_extremes import stored_extremes
from activis_tb.model import CodedActivations

_Interval = tuple[NDArray[np.float64], NDArray[np.float64]]


def intervals_in_doubt(
    parts: Sequence[CodedActivations],
    certain: NDArray[np.bool_],
    possible: NDArray[np.bool_],
    *,
    std: bool = False,
    most_seconds: float = inf,
) -> dict[str, _Interval]:
    """Returns the ends of what the statistics of a subset can be, by name, each (neurons,); NaN where there is none.

    Args:
        parts: The stored activations of a layer.
        certain: Who is a member for certain, bool (instances,).
        possible: Who may be one besides, bool (instances,); all of `certain` among them.
        std: Whether that is asked for; NaN otherwise.
        most_seconds: After which it is given up.

    Raises:
        TimeoutError: Each of its four looks may take so long; one took longer.
    """
    doubtful = possible & ~certain
    sure, few = (stored_averages(parts, who, std=std, most_seconds=most_seconds) for who in (certain, doubtful))
    edges, ends = (stored_extremes(parts, who, most_seconds=most_seconds) for who in (doubtful, certain))
    low, high = edges.min - edges.bound, edges.max + edges.bound
    active, inactive = _active(few), few.count - _active(few)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "count": (sure.count * 1.0, (sure.count + few.count) * 1.0),
            "nonfinite": (sure.nonfinite * 1.0, (sure.nonfinite + few.nonfinite) * 1.0),
            "mean": _mean(sure, few, low, high),
            "active": (_active(sure) / (sure.count + inactive), (_active(sure) + active) / (sure.count + active)),
            "std": _std(sure, few, low, high),
            "min": (np.fmin(ends.min - ends.bound, low), _sure_end(ends.min + ends.bound, high)),
            "max": (_sure_end(ends.max - ends.bound, low), np.fmax(ends.max + ends.bound, high)),
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
