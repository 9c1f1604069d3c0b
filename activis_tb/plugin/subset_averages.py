"""What the neurons of one layer do over a subset, and how far off that may be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import quantise
from activis_tb.analysis.estimates import error_of, estimate_averages
from activis_tb.analysis.stored import intervals_in_doubt, stored_averages, stored_extremes
from activis_tb.analysis.strata import Strata
from activis_tb.model import STATISTIC_NAMES, CodedActivations, StatisticName, Statistics
from activis_tb.plugin.populations import Exactness
from activis_tb.storage.side_files import MOST_ROWS

Uncertainty = Literal["bound", "error"]
Interval = Literal["mean_interval", "active_interval"]
StatisticChoice = StatisticName | Uncertainty | Interval
STATISTIC_CHOICES: tuple[StatisticChoice, ...] = (*STATISTIC_NAMES, *get_args(Uncertainty), *get_args(Interval))
"""`bound`: the means are at most so far off; `error`: how far their intervals reach, divided by 1.96; an interval holds
the mean or the active share, for certain or with a confidence of 95 %."""

MOST_SECONDS = 8.0
"""For which one statistic of one layer may be averaged over stored instances."""

_Arrays = Mapping[str, NDArray[np.float64]]
_ABOUT: Mapping[StatisticChoice, StatisticName] = {
    "bound": "mean",
    "error": "mean",
    "mean_interval": "mean",
    "active_interval": "active",
}


@dataclass(frozen=True, eq=False)
class Averages:
    """Some statistics of one layer over one subset, by name, each (neurons,).

    Attributes:
        exactness: Of them.
        over: Instances they are based on.
        values: Float, NaN where there is no such value.
        bounds: How far off values can be; where `exactness` is `bound`.
        intervals: That hold values with a confidence of 95 %, (2, neurons), NaN where too little is known; where it is
            `estimate`.
        note: Why it is an estimate although all instances were kept; mostly empty.
    """

    exactness: Exactness
    over: int
    values: _Arrays
    bounds: _Arrays = field(default_factory=dict)
    intervals: _Arrays = field(default_factory=dict)
    note: str = ""

    def statistic(self, name: StatisticChoice) -> NDArray[np.float64]:
        """Returns a statistic, (neurons,), how far off the means are, likewise, or an interval, (2, neurons)."""
        match name:
            case "bound":
                return self._bound("mean")
            case "error":
                return self._error("mean")
            case "mean_interval" | "active_interval":
                return self._interval(_ABOUT[name])
        return self.values[name]

    def largest(self, kind: Uncertainty, choice: StatisticChoice) -> float | None:
        """Returns the largest bound or error of a statistic over its neurons; None where it is unknown."""
        name = _ABOUT.get(choice, choice)
        known = self._bound(name) if kind == "bound" else self._error(name)
        if not np.isnan(known).all():
            return float(np.nanmax(known))
        return None if self.exactness == "estimate" else 0.0

    def _bound(self, name: str) -> NDArray[np.float64]:
        if name in self.bounds:
            return self.bounds[name]
        possible = 0.0 if self.exactness != "estimate" else np.nan
        return np.where(np.isnan(self.values[name]), np.nan, possible)

    def _error(self, name: str) -> NDArray[np.float64]:
        if name not in self.intervals:
            return self._bound(name) * 0
        return error_of(self.values[name], self.intervals[name])

    def _interval(self, name: str) -> NDArray[np.float64]:
        if name in self.intervals:
            return self.intervals[name]
        return np.stack([self.values[name] - self._bound(name), self.values[name] + self._bound(name)])


def sampled_averages(
    strata: Strata,
    members: NDArray[np.bool_],
    activations: NDArray[np.float32],
    recorded: Statistics | None = None,
    *,
    complete: Exactness = "exact",
    note: str = "",
) -> Averages:
    """Returns all statistics, estimated from a sample; exact where it holds every instance that may be a member.

    Args:
        strata: How the rows stand for all instances.
        members: Bool (rows,).
        activations: float32 (rows, neurons).
        recorded: Of all instances, (subsets, neurons), the classes first.
        complete: What the averages are where the rows stand for nobody else.
        note: Why the sample.
    """
    arrays = asdict(estimate_averages(strata, members, activations, recorded))
    values: _Arrays = {name: arrays[name] for name in STATISTIC_NAMES}
    over = int(strata.sizes.sum())
    if strata.complete:
        return Averages(complete, over, values, note=note)
    intervals = {"mean": arrays["mean_interval"], "active": arrays["active_interval"]}
    return Averages("estimate", over, values, intervals=intervals, note=note)


def work_of(statistic: StatisticChoice) -> str:
    """Returns what has to be computed for a statistic of stored instances; the same answer gives several."""
    return {"std": "std", "min": "extremes", "max": "extremes"}.get(statistic, "mean")


def all_averages(
    parts: list[CodedActivations],
    members: NDArray[np.bool_],
    statistic: StatisticChoice,
    doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> Averages:
    """Returns one statistic, and those that come with it, of the stored `members`, bool (instances,).

    Args:
        parts: The stored activations of a layer.
        members: Of a subset.
        statistic: Which.
        doubt: Who is a member for certain, and who may be one, where that is not the same; bounds are wider by it.

    Raises:
        TimeoutError: It took longer than `MOST_SECONDS`.
    """
    over = len(members)
    if work_of(statistic) == "extremes":
        extremes = stored_extremes(parts, members, most_seconds=MOST_SECONDS)
        values: _Arrays = {"min": extremes.min, "max": extremes.max}
        bounds: _Arrays = dict.fromkeys(("min", "max"), extremes.bound)
    else:
        averages = stored_averages(parts, members, std=statistic == "std", most_seconds=MOST_SECONDS)
        values = {name: getattr(averages, name).astype(np.float64) for name in ("count", "nonfinite", "mean", "active")}
        bounds = {"mean": averages.mean_bound}
        if statistic == "std":
            values["std"], bounds["std"] = averages.std, averages.std_bound
    if doubt is not None:
        bounds = _bounds_in_doubt(values, parts, doubt)
    return Averages("bound", over, values, bounds)


def in_doubt(
    averages: Averages, activations: NDArray[np.float32], doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> Averages:
    """Returns averages that were exact within the bounds that members in doubt leave, see `all_averages`.

    Args:
        averages: Of the members that are certain, over these activations.
        activations: float32 (rows, neurons).
        doubt: Bool (rows,) each.
    """
    parts = [quantise(activations[start : start + MOST_ROWS]) for start in range(0, len(activations), MOST_ROWS)]
    bounds = _bounds_in_doubt(averages.values, parts, doubt)
    exactness: Exactness = "bound" if averages.exactness == "exact" else averages.exactness
    return replace(averages, exactness=exactness, bounds=bounds)


def _bounds_in_doubt(
    values: _Arrays, parts: list[CodedActivations], doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> _Arrays:
    intervals = intervals_in_doubt(parts, *doubt, values, most_seconds=MOST_SECONDS)
    return {name: np.fmax(value - intervals[name][0], intervals[name][1] - value) for name, value in values.items()}
