"""What the neurons of one layer do over a subset, and how far off that may be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.estimates import Strata, estimate_averages
from activis_tb.analysis.stored_averages import stored_averages
from activis_tb.analysis.stored_extremes import stored_extremes
from activis_tb.model import STATISTIC_NAMES, CodedActivations, StatisticName
from activis_tb.plugin.populations import Exactness

Uncertainty = Literal["bound", "error"]
StatisticChoice = StatisticName | Uncertainty
STATISTIC_CHOICES: tuple[StatisticChoice, ...] = (*STATISTIC_NAMES, *get_args(Uncertainty))
"""`bound`: the means are at most so far off; `error`: their standard errors."""

MOST_SECONDS = 8.0
"""For which one statistic of one layer may be averaged over stored instances."""

_Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Averages:
    """Some statistics of one layer over one subset, by name, each (neurons,).

    Attributes:
        exactness: Of them.
        over: Instances they are based on.
        values: Float, NaN where there is no such value.
        bounds: How far off values can be; where `exactness` is `bound`.
        errors: Standard errors; where it is `estimate`.
        note: Why it is an estimate although all instances were kept; mostly empty.
    """

    exactness: Exactness
    over: int
    values: _Arrays
    bounds: _Arrays = field(default_factory=dict)
    errors: _Arrays = field(default_factory=dict)
    note: str = ""

    def statistic(self, name: StatisticChoice) -> NDArray[np.float64]:
        """Returns a statistic, or how far off the means are, (neurons,)."""
        if name == "bound":
            return self._uncertainty(self.bounds, possible=self.exactness != "estimate")
        if name == "error":
            return self._uncertainty(self.errors, possible=True)
        return self.values[name]

    def largest(self, kind: Uncertainty, name: StatisticChoice) -> float | None:
        """Returns the largest bound or standard error of a statistic over its neurons; None where it is unknown."""
        known = (self.bounds if kind == "bound" else self.errors).get(name)
        if known is not None and not np.isnan(known).all():
            return float(np.nanmax(known))
        return None if self.exactness == "estimate" else 0.0

    def _uncertainty(self, arrays: _Arrays, *, possible: bool) -> NDArray[np.float64]:
        if "mean" in arrays:
            return arrays["mean"]
        return np.where(np.isnan(self.values["mean"]), np.nan, 0.0 if possible else np.nan)


def sampled_averages(
    strata: Strata,
    members: NDArray[np.bool_],
    activations: NDArray[np.float32],
    *,
    complete: Exactness = "exact",
    note: str = "",
) -> Averages:
    """Returns all statistics, estimated from a sample; exact where the sample is everything.

    Args:
        strata: How the rows stand for all instances.
        members: Bool (rows,).
        activations: float32 (rows, neurons).
        complete: What the averages are where the rows stand for nobody else.
        note: Why the sample.
    """
    arrays = asdict(estimate_averages(strata, members, activations))
    values: _Arrays = {name: arrays[name] for name in STATISTIC_NAMES}
    over = int(strata.sizes.sum())
    if over == strata.totals.sum():
        return Averages(complete, over, values, note=note)
    errors = {"mean": arrays["mean_error"], "active": arrays["active_error"]}
    return Averages("estimate", over, values, errors=errors, note=note)


def work_of(statistic: StatisticChoice) -> str:
    """Returns what has to be computed for a statistic of stored instances; the same answer gives several."""
    return {"std": "std", "min": "extremes", "max": "extremes"}.get(statistic, "mean")


def all_averages(parts: list[CodedActivations], members: NDArray[np.bool_], statistic: StatisticChoice) -> Averages:
    """Returns one statistic, and those that come with it, of the stored `members`, bool (instances,).

    Raises:
        TimeoutError: It took longer than `MOST_SECONDS`.
    """
    over = len(members)
    if work_of(statistic) == "extremes":
        extremes = stored_extremes(parts, members, most_seconds=MOST_SECONDS)
        values = {"min": extremes.min, "max": extremes.max}
        return Averages("bound", over, values, dict.fromkeys(values, extremes.bound))
    averages = stored_averages(parts, members, std=statistic == "std", most_seconds=MOST_SECONDS)
    values = {name: getattr(averages, name).astype(np.float64) for name in ("count", "nonfinite", "mean", "active")}
    bounds = {"mean": averages.mean_bound}
    if statistic == "std":
        values["std"], bounds["std"] = averages.std, averages.std_bound
    return Averages("bound", over, values, bounds)
